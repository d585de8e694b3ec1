// The memory ledger of chapter 9: what a training step needs, by formula, and what the device then really gave.

import {
  addLora,
  type Device,
  type EncodedExample,
  loadNetwork,
  type Network,
  trainableParameters,
} from "tunebook";
import { lossOf } from "tunebook/model";
import { backward, scope } from "tunebook/tensor";
import { AdamW } from "tunebook/train";
import { forest } from "tunebook/data";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Bytes of one training step, by what they are for. */
export interface Memory {
  readonly weights: number;
  readonly gradients: number;
  readonly optimizer: number;
  readonly activations: number;
}

/** How a model is trained. */
export interface Way {
  /** Everything learns, or adapters, beside weights that may be packed. */
  readonly way: "full" | "LoRA" | "QLoRA";
  /** Whether blocks are computed again for the gradients, rather than kept. */
  readonly recompute: boolean;
}

/** One way, predicted and measured. */
export interface LedgerEntry extends Way {
  readonly predicted: Memory;
  readonly measured: Memory;
  /** The most that the device had given at one time, in bytes. */
  readonly peak: number;
}

/** Every way that the ledger has. */
export const WAYS: readonly Way[] = (["full", "LoRA", "QLoRA"] as const).flatMap((way) =>
  [false, true].map((recompute) => ({ way, recompute }))
);

const RANK = 8;

/**
 * Loads a model once for each way, runs one step, and looks at the device between its parts.
 *
 * @param name The model's name.
 * @param examples The batch.
 * @param device Where; nothing else may compute there meanwhile.
 * @returns The prediction and the measurement.
 */
export async function measureLedger(
  name: string,
  examples: readonly EncodedExample[],
  device: Device,
): Promise<LedgerEntry[]> {
  const entries: LedgerEntry[] = [];
  for (const way of WAYS) {
    await collectGarbage();
    const before = await bytesInUse(device);
    const quantize = way.way === "QLoRA" ? "nf4" : undefined;
    const { network: model } = await loadNetwork(name, { device, quantize });
    if (way.way !== "full") addLora(model, { rank: RANK });
    entries.push(await measureStep(model, examples, way, before));
    for (const tensor of tensorsOf(model)) tensor.dispose();
  }
  return entries;
}

/** One step, whose parts are looked at one after the other. */
async function measureStep(
  model: Network,
  examples: readonly EncodedExample[],
  way: Way,
  before: number,
): Promise<LedgerEntry> {
  const { device } = model;
  const { recompute } = way;
  const batch = forest(examples, { maxLength: model.contextLength });
  const weights = await bytesInUse(device) - before;
  const learning = trainableParameters(model);
  const moments = new AdamW(learning);
  const optimizer = await bytesInUse(device) - before - weights;
  moments[Symbol.dispose]();
  using adamw = new AdamW(learning, { reserveGradients: true });
  const states = await bytesInUse(device) - before - weights;
  scope(() => lossOf(model, batch, { recompute })).dispose();
  const activations = device.allocatedBytes - before - weights - states;
  await bytesInUse(device); // what the forward took goes back to the system
  scope(() => backward(lossOf(model, batch, { recompute })));
  adamw.step(1e-4);
  await device.sync();
  return {
    ...way,
    predicted: predict(model, batch.tokensComputed, new Set(batch.edges.rows).size, way),
    measured: { weights, gradients: states - optimizer, optimizer, activations },
    peak: device.allocatedBytes - before,
  };
}

/** What is in use, with nothing left in the pool. */
async function bytesInUse(device: Device): Promise<number> {
  await device.sync();
  device.trim();
  return device.allocatedBytes;
}

/**
 * Gives back what cells that were run again left behind: it would vanish in the middle of a measurement, and be counted
 * as memory that a step gave back.
 */
async function collectGarbage(): Promise<void> {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  await new Promise((done) => setTimeout(done, 20)); // finalizers run when the program waits
}

const tensorsOf = (model: Network) => [
  ...model.parameters.values(),
  ...[...model.linears.values()].flatMap(({ adapter }) => [...adapter?.parameters.values() ?? []]),
];

/**
 * Predicts a step's memory from shapes alone.
 *
 * @param model The model, adapted if it is to be.
 * @param tokens Tokens of the batch.
 * @param counted Positions whose predictions count: each has a logit for every token of the vocabulary.
 * @param way How it is trained.
 * @returns Bytes.
 */
export function predict(
  model: Network,
  tokens: number,
  counted: number,
  { recompute }: Way,
): Memory {
  const bytes = (tensors: Iterable<{ byteLength: number }>) =>
    [...tensors].reduce((sum, { byteLength }) => sum + byteLength, 0);
  const gradients = bytes(trainableParameters(model).values());
  // A block keeps what goes into its linear layers and comes out of them, and four times its own width beside;
  // an adapter adds two narrow results.
  const width = model.head.shape[1];
  const all = [...model.linears.values()].reduce(
    (sum, { inWidth, outWidth, adapter }) => sum + inWidth + outWidth + (adapter ? 2 * RANK : 0),
    4 * width * model.layers,
  );
  const kept = recompute ? all / model.layers + width * model.layers : all;
  return {
    weights: bytes(tensorsOf(model)),
    gradients,
    optimizer: 2 * gradients,
    activations: 4 * (tokens * kept + counted * model.vocabularySize),
  };
}
