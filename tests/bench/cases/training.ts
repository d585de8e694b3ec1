/** Steps of supervised fine-tuning, the same examples on both sides, whose losses must agree. */

import { collate } from "../../../lib/dataset/collate.ts";
import type { EncodedExample } from "../../../lib/dataset/encode.ts";
import { gpt2Tokenizer } from "../../../lib/text/gpt2.ts";
import { type Agreement, type Bar, type Case, type CaseOptions, ours, pyTorch } from "../cases.ts";
import { type Contestant, type Measured, ratio } from "../harness.ts";
import { intelKernels, openSmolLm2, randomTinyLlama, randomWeights } from "../weights.ts";
import { encodedParts, withoutSharedBeginning } from "./data.ts";

const BATCHES = 3;
const BATCH_SIZE = 8;
/** How far losses may be apart, relative: rounding adds up over steps, a wrong mask or gradient does more. */
const LOSS_TOLERANCE = 1e-3;

/** Products of rounded numbers on both sides, whose losses are further apart. */
const IN_BFLOAT16 = { mine: { matmulPrecision: "bfloat16" }, lossTolerance: 1e-2 };

/** How GPT-2's steps are compared. */
type Kind = "forest" | "padded" | "unshared" | "mkl" | "bfloat16" | "compiled";

const COURSE = "full SFT, course data, batch 8, masked";

const told: Record<Kind, { title: string; bar: Pick<Bar, "what" | "limit"> }> = {
  forest: {
    title: "Training step",
    bar: { what: `${COURSE}: seconds for the same examples`, limit: 0.5 },
  },
  padded: {
    title: "Training step on padded batches",
    bar: { what: "The same, our padded batches against its padded batches", limit: 1 },
  },
  unshared: {
    title: "Training step, no shared prompt",
    bar: { what: "The same on data without a shared prompt", limit: 0.75 },
  },
  mkl: {
    title: "Training step, MKL made to take its Intel kernels",
    bar: { what: "The same against PyTorch with MKL's Intel kernels", limit: 0.4 },
  },
  bfloat16: {
    title: "Training step, PyTorch with bfloat16 autocast",
    bar: { what: "The same against PyTorch with bfloat16 autocast", limit: 0.4 },
  },
  compiled: {
    title: "Training step, PyTorch compiled",
    bar: { what: "The same against PyTorch compiled", limit: 0.4 },
  },
};

/** A training step of GPT-2; undefined where MKL cannot be made to take other kernels. */
export async function gpt2StepCase(kind: Kind, options: CaseOptions): Promise<Case | undefined> {
  const { size, python } = options;
  const env = kind === "mkl" ? await intelKernels(python) : {};
  if (!env) return undefined;
  const { train } = await encodedParts(gpt2Tokenizer());
  const examples = kind === "unshared" ? withoutSharedBeginning(train) : train;
  const { title, bar } = told[kind];
  const model = await randomWeights(size, python);
  return stepCase(
    `${title}, GPT-2 ${size}, batch of ${BATCH_SIZE}`,
    model,
    examples,
    kind === "padded" ? "padded" : "forest",
    {
      ...options,
      eosId: 50256,
      ...kind === "bfloat16" && IN_BFLOAT16,
      peer: {
        env,
        prepare: { autocast: kind === "bfloat16", compiled: kind === "compiled" },
      },
    },
    (of) => {
      const [mine, its] = [of("Tunebook"), of("PyTorch")];
      const what = kind === "forest" ? `GPT-2 ${size} ${bar.what}` : bar.what;
      const bars: Bar[] = [{ ...bar, what, value: ratio(mine, its), kind: "at most" }];
      if (kind === "forest") {
        const value = peakOf(mine) / peakOf(its);
        bars.push({ what: "Peak memory of the first", value, kind: "at most", limit: 1 });
      }
      return bars;
    },
  );
}

/** A training step of SmolLM2-135M; undefined without its file. */
export async function smolLm2StepCase(options: CaseOptions): Promise<Case | undefined> {
  const opened = await openSmolLm2(options.smolLm2);
  if (!opened) return undefined;
  const { train } = await encodedParts(opened.tokenizer);
  return stepCase(
    `Training step, SmolLM2-135M, batch of ${BATCH_SIZE}`,
    opened.folder,
    train,
    "forest",
    { ...options, eosId: opened.tokenizer.eosId },
    (of) => [{
      what: `SmolLM2-135M epoch (${BATCHES} of its batches)`,
      value: ratio(of("Tunebook"), of("PyTorch")),
      kind: "at most",
      limit: 0.5,
    }],
  );
}

/** What the steps of adapters are compared by: how the weights are packed, and what must hold. */
const adapters = {
  lora: { packing: {}, title: "LoRA, float32", peer: "PEFT", limit: 0.5 },
  qlora: {
    packing: { quantize: "nf4_double" },
    title: "QLoRA, NF4",
    peer: "PEFT with bitsandbytes",
    limit: 0.3,
  },
  "qlora-bfloat16": {
    packing: { quantize: "nf4_double" },
    title: "QLoRA, NF4, in bfloat16",
    peer: "PEFT with bitsandbytes and autocast",
    limit: 0.3,
  },
} as const;

/** A training step of LoRA or QLoRA on a random model of TinyLlama's shape; undefined without Python. */
export async function adapterStepCase(
  kind: keyof typeof adapters,
  options: CaseOptions,
): Promise<Case | undefined> {
  const { python } = options;
  if (python === undefined) return undefined;
  const { packing, title, peer, limit } = adapters[kind];
  const { train } = await encodedParts(gpt2Tokenizer());
  const vocabulary = 32_000;
  const within = (ids: readonly number[]) => ids.map((id) => id % vocabulary);
  const examples = train.map((example) => ({
    ...example,
    promptIds: within(example.promptIds),
    responseIds: within(example.responseIds),
  }));
  const prepare = { rank: 8, ...packing };
  const inBfloat16 = kind === "qlora-bfloat16";
  return stepCase(
    `Training step, TinyLlama's shape, ${title}, batch of ${BATCH_SIZE}`,
    await randomTinyLlama(python),
    examples,
    "forest",
    {
      ...options,
      eosId: 2,
      mine: { ...prepare, ...inBfloat16 && IN_BFLOAT16.mine },
      peer: { prepare: { ...prepare, autocast: inBfloat16 } },
      ...inBfloat16 && { lossTolerance: IN_BFLOAT16.lossTolerance },
    },
    (of) => {
      const [mine, its] = [of("Tunebook"), of("PyTorch")];
      const what = `TinyLlama's shape, ${title}, against ${peer}`;
      return [
        { what, value: ratio(mine, its), kind: "at most", limit },
        {
          what: "Peak memory of the same",
          value: peakOf(mine) / peakOf(its),
          kind: "at most",
          limit: 1,
        },
      ];
    },
  );
}

const peakOf = (measured: Measured) => Math.max(...measured.runs.map((run) => run.peakBytes ?? 0));

function stepCase(
  title: string,
  model: string,
  examples: readonly EncodedExample[],
  layout: "forest" | "padded",
  options: CaseOptions & {
    eosId: number;
    /** What this library is asked to prepare besides. */
    mine?: Record<string, unknown>;
    /** What PyTorch is asked to prepare besides, and its environment. */
    peer?: Partial<Contestant>;
    /** How far losses may be apart, relative. */
    lossTolerance?: number;
  },
  bars: Case["bars"],
): Case {
  const { device, python, eosId, mine, peer, lossTolerance } = options;
  const batches = Array.from(
    { length: BATCHES },
    (_, i) => examples.slice(i * BATCH_SIZE, (i + 1) * BATCH_SIZE),
  );
  const padded = batches.map((batch) => collate(batch, { padId: eosId }));
  const tokens = padded.reduce((sum, batch) => sum + batch.tokensPadded, 0) / BATCHES;
  return {
    title,
    prepare: { case: "step", device, model, lr: 5e-5, weightDecay: 0.1 },
    contestants: [
      ours("Tunebook", { prepare: { examples: batches, layout, ...mine } }),
      ...pyTorch(python, "PyTorch", {
        ...peer,
        prepare: {
          ...peer?.prepare,
          batches: padded.map(({ inputs, targets, length }) => ({
            tokens: rowsOf(inputs, length),
            targets: rowsOf(targets, length),
          })),
        },
      }),
    ],
    rounds: BATCHES,
    rate: ({ median }) => `${(tokens / median).toFixed(0)} padded tokens/s`,
    bars,
    agreement: (of) => lossesAgree(of("Tunebook"), of("PyTorch"), lossTolerance),
  };
}

/** Whether two programs came to the same losses, round by round. */
export function lossesAgree(
  mine: Measured,
  its: Measured,
  tolerance = LOSS_TOLERANCE,
): Agreement {
  const differences = mine.runs.map(({ loss }, round) =>
    Math.abs(Number(loss) / Number(its.runs[round].loss) - 1)
  );
  const largest = Math.max(...differences);
  return {
    text: `losses differ by at most ${largest.toExponential(1)}, relative`,
    holds: largest <= tolerance, // but not if one is not a number
  };
}

/** Rows of a flat (B, T) array, as JSON holds them. */
function rowsOf(values: Int32Array, length: number): number[][] {
  const rows: number[][] = [];
  for (let i = 0; i < values.length; i += length) rows.push([...values.subarray(i, i + length)]);
  return rows;
}
