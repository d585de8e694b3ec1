// The label bench of chapter 2: inputs, targets and mask as aligned rows, with five bugs to switch on, the loss that each
// makes, and what becomes of a model that is trained with each.

import {
  cleanResponse,
  type EncodedExample,
  generate,
  loadNetwork,
  type Network,
  pick,
  type Tokenizer,
  trainableParameters,
} from "tunebook";
import { IGNORE_INDEX } from "tunebook/data";
import { lossOf } from "tunebook/model";
import { batchView, frames, type View } from "tunebook/show";
import { backward, noGrad, scope, type Tensor } from "tunebook/tensor";
import { AdamW } from "tunebook/train";

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
  using loss = scope(() => noGrad(() => lossTensor(model, batch)));
  return await loss.item();
}

function lossTensor(model: Network, { inputs, targets, batchSize, length }: LabelledBatch): Tensor {
  if (batchSize === 0) throw new RangeError("Cannot measure a batch without sequences");
  const rows = Int32Array.from(targets.keys()).filter((i) => targets[i] !== IGNORE_INDEX);
  return lossOf(model, {
    tokens: inputs,
    positions: inputs.map((_, i) => i % length),
    // Each sequence is a tree without branches.
    end: inputs.map((_, i) => (Math.floor(i / length) + 1) * length),
    edges: {
      rows,
      targets: rows.map((row) => targets[row]),
      counts: new Float32Array(rows.length).fill(1),
    },
  });
}

/** The columns that show every bug: around the end of each prompt, and around the closing token. */
const tellingColumns = (examples: readonly EncodedExample[]) =>
  examples.flatMap(({ promptIds: { length: prompt }, responseIds: { length: response } }) => {
    const end = prompt + response;
    return [0, prompt - 2, prompt - 1, prompt, end - 3, end - 2, end - 1, end];
  });

/** What came out of training with a bug in the labels. */
export interface BuggyRun {
  /** What is wrong with the labels. */
  readonly bug: string;
  /** Held-out loss by the labels of the training, in nats: what one would report. */
  readonly reported: number;
  /** Held-out loss by the right labels. */
  readonly actual: number;
  /** Its answers to some prompts; a closing token ends one, and is written ⏹. */
  readonly answers: readonly string[];
}

const BUGS: Readonly<Record<string, Partial<LabelBugs>>> = {
  "none": {},
  "not shifted": { shift: 0 },
  "shifted twice": { shift: 2 },
  "closing token masked": { closingMasked: true },
  "padding counted": { paddingCounted: true },
  "prompt counted": { promptCounted: true },
};

/**
 * Trains the nano model once with right labels, and once with each bug.
 *
 * @param tokenizer Its tokenizer.
 * @param examples What it learns from; batches of eight.
 * @param heldOut What it is measured by.
 * @param prompts What it is asked afterwards.
 * @returns A run per bug, of one epoch each.
 */
export async function trainWithBugs(
  tokenizer: Tokenizer,
  examples: readonly EncodedExample[],
  heldOut: readonly EncodedExample[],
  prompts: readonly (readonly number[])[],
): Promise<BuggyRun[]> {
  const runs: BuggyRun[] = [];
  for (const [bug, parts] of Object.entries(BUGS)) {
    const bugs = { ...NO_BUGS, ...parts };
    const { network } = await loadNetwork("nano", { device: await pick() });
    using optimizer = new AdamW(trainableParameters(network));
    for (let from = 0; from < examples.length; from += 8) {
      const batch = labelBatch(examples.slice(from, from + 8), tokenizer.eosId, bugs);
      using loss = scope(() => {
        const loss = lossTensor(network, batch);
        backward(loss);
        return loss;
      });
      await loss.item();
      optimizer.step(1e-3);
    }
    const measure = (bugs: LabelBugs) =>
      lossOfLabels(network, labelBatch(heldOut, tokenizer.eosId, bugs));
    const options = { maxNewTokens: 24, eosId: tokenizer.eosId };
    const generations = await generate(network, prompts.map((ids) => [...ids]), options);
    runs.push({
      bug,
      reported: await measure(bugs),
      actual: await measure(NO_BUGS),
      answers: generations.map(({ tokens }) =>
        cleanResponse(tokenizer.decode(tokens)) + (tokens.length < 24 ? " ⏹" : " …")
      ),
    });
    for (const parameter of network.parameters.values()) parameter.dispose();
  }
  return runs;
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
          const options = { title: `Loss ${loss.toFixed(3)}`, columns: tellingColumns(examples) };
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
    return batchView(labelled, tokenizer, { columns: tellingColumns(examples) });
  });
}
