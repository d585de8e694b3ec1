// The label bench of chapter 2: inputs, targets and mask as aligned rows, with five bugs to switch on, and the loss that
// each makes.

import type { EncodedExample, Network, Tokenizer } from "tunebook";
import { IGNORE_INDEX } from "tunebook/data";
import { lossOf } from "tunebook/model";
import { batchView, type BatchViewOptions, frames, type View } from "tunebook/show";
import { noGrad, scope } from "tunebook/tensor";

/** What can go wrong when targets are made. The right ones have `shift` 1 and everything else false. */
export interface LabelBugs {
  /** By how many places targets run ahead of inputs: 0 means no shift, 2 a double one. */
  readonly shift: number;
  /** The closing token is masked, as happens where all tokens with the padding's id are. */
  readonly closingMasked: boolean;
  /** Padding counts. */
  readonly paddingCounted: boolean;
  /** The prompt counts. */
  readonly promptCounted: boolean;
}

/** No bug. */
export const NO_BUGS: LabelBugs = {
  shift: 1,
  closingMasked: false,
  paddingCounted: false,
  promptCounted: false,
};

/** Inputs and targets side by side. */
export interface LabelledBatch {
  readonly inputs: Int32Array;
  readonly targets: Int32Array;
  readonly batchSize: number;
  readonly length: number;
}

/**
 * Makes a padded batch whose targets may be wrong.
 *
 * @param examples Prompts and responses as tokens.
 * @param padId What sequences are filled with: GPT-2's end of text, which also closes responses.
 * @param bugs What is wrong.
 * @returns Inputs and targets, (B, T), T the longest sequence plus one, so that padding can be seen.
 */
export function labelBatch(
  examples: readonly EncodedExample[],
  padId: number,
  bugs: LabelBugs = NO_BUGS,
): LabelledBatch {
  const sequences = examples.map(({ promptIds, responseIds }) => [...promptIds, ...responseIds]);
  const length = Math.max(...sequences.map((ids) => ids.length)) + 1;
  const inputs = new Int32Array(examples.length * length).fill(padId);
  const targets = new Int32Array(examples.length * length).fill(IGNORE_INDEX);
  sequences.forEach((ids, row) => {
    inputs.set(ids, row * length);
    const prompt = examples[row].promptIds.length;
    for (let i = 0; i < length; i++) {
      const at = i + bugs.shift; // the target's place in its sequence
      const [isPrompt, isClosing, isPadding] = [
        at < prompt,
        at === ids.length - 1,
        at >= ids.length,
      ];
      const counts = isPadding
        ? bugs.paddingCounted
        : isPrompt
        ? bugs.promptCounted
        : !(isClosing && bugs.closingMasked);
      if (counts) targets[row * length + i] = at < ids.length ? ids[at] : padId;
    }
  });
  return { inputs, targets, batchSize: examples.length, length };
}

/**
 * The loss of a model on a batch, whatever its targets are.
 *
 * @param model The model.
 * @param batch Inputs and targets.
 * @returns The mean over targets that count, in nats.
 */
export async function lossOfLabels(model: Network, batch: LabelledBatch): Promise<number> {
  const { inputs, targets, batchSize, length } = batch;
  if (batchSize === 0) throw new RangeError("Cannot measure a batch without sequences");
  const rows = Int32Array.from(targets.keys()).filter((i) => targets[i] !== IGNORE_INDEX);
  using loss = scope(() =>
    noGrad(() =>
      lossOf(model, {
        tokens: inputs,
        positions: inputs.map((_, i) => i % length),
        // Each sequence is a tree without branches.
        end: inputs.map((_, i) => (Math.floor(i / length) + 1) * length),
        edges: {
          rows,
          targets: rows.map((row) => targets[row]),
          counts: new Float32Array(rows.length).fill(1),
        },
      })
    )
  );
  return await loss.item();
}

const SHIFTS = { "not at all": 0, "by one": 1, "by two": 2 };

/**
 * Shows a batch under all combinations of the five bugs.
 *
 * @param model The model whose loss is shown.
 * @param tokenizer Its tokenizer.
 * @param examples What the batch is made of; short ones are easier to look at.
 * @returns Buttons for the shift, switches for the others.
 */
export async function labelBench(
  model: Network,
  tokenizer: Tokenizer,
  examples: readonly EncodedExample[],
): Promise<View> {
  const drawn = new Map<string, View>();
  const bools = [false, true];
  for (const [shift, places] of Object.entries(SHIFTS)) {
    for (const closingMasked of bools) {
      for (const paddingCounted of bools) {
        for (const promptCounted of bools) {
          const bugs = { shift: places, closingMasked, paddingCounted, promptCounted };
          const batch = labelBatch(examples, tokenizer.eosId, bugs);
          const loss = await lossOfLabels(model, batch);
          const options: BatchViewOptions = { title: `Loss ${loss.toFixed(3)}`, maxColumns: 14 };
          drawn.set(
            keyOf({ shift, closingMasked, paddingCounted, promptCounted }),
            batchView(batch, tokenizer, options),
          );
        }
      }
    }
  }
  return frames(
    {
      shift: Object.keys(SHIFTS),
      closingMasked: [false, true],
      paddingCounted: [false, true],
      promptCounted: [false, true],
    },
    (bugs) => drawn.get(keyOf(bugs))!,
    {
      title: "Label bench",
      start: { shift: "by one" },
      labels: {
        shift: "targets shifted",
        closingMasked: "closing token masked",
        paddingCounted: "padding counted",
        promptCounted: "prompt counted",
      },
    },
  );
}

const keyOf = (
  bugs: { shift: string; closingMasked: boolean; paddingCounted: boolean; promptCounted: boolean },
) => `${bugs.shift} ${bugs.closingMasked} ${bugs.paddingCounted} ${bugs.promptCounted}`;

/**
 * Shows three batches of the same examples, each with at most one bug that is not named: the puzzles of exercise 2.5.
 *
 * @param examples Prompts and responses as tokens.
 * @param tokenizer Writes the tokens.
 * @returns A view with a button for each batch.
 */
export function labelPuzzles(examples: readonly EncodedExample[], tokenizer: Tokenizer): View {
  const bugs: Record<string, Partial<LabelBugs>> = {
    first: { closingMasked: true },
    second: { shift: 0 },
    third: { promptCounted: true },
  };
  return frames({ batch: Object.keys(bugs) }, ({ batch }) => {
    const labelled = labelBatch(examples, tokenizer.eosId, { ...NO_BUGS, ...bugs[batch] });
    return batchView(labelled, tokenizer, { maxColumns: 14 });
  });
}
