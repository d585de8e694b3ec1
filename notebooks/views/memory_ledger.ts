// The memory ledger of chapter 9: what a training step takes, predicted from the model's shape, beside what the device
// really gave out.

import {
  AdamW,
  backward,
  barChart,
  type EncodedExample,
  type LanguageModel,
  type LossBatch,
  lossOf,
  makeBatch,
  table,
  type View,
} from "tunebook";

/** Bytes by what they are for. */
export interface Ledger {
  readonly weights: number;
  readonly activations: number;
  readonly gradients: number;
  readonly moments: number;
}

const FLOAT = 4;

/**
 * Predicts what a training step of all weights takes.
 *
 * @param model The model.
 * @param batch The batch: how many tokens are computed, and how many rows predict something.
 * @returns Bytes. Activations are an estimate: what layers keep for their gradients, and the logits.
 */
export function predictLedger(model: LanguageModel, { tokens, edges }: LossBatch): Ledger {
  const weights = [...model.parameters.values()].reduce((sum, { size }) => sum + size, 0);
  // Each linear layer keeps its output; each block beside that two norms, two sums, the attended values and the
  // activation inside its feed-forward part.
  const linears = [...model.linears.values()];
  const outputs = linears.reduce((sum, { outWidth }) => sum + outWidth, 0);
  const width = model.head.shape[1];
  const inner = Math.max(...linears.map(({ outWidth }) => outWidth));
  const perToken = outputs + model.layers * (5 * width + inner);
  const predicting = new Set(edges.rows).size;
  return {
    weights: FLOAT * weights,
    activations: FLOAT * (tokens.length * perToken + predicting * model.vocabularySize),
    gradients: FLOAT * weights,
    moments: 2 * FLOAT * weights,
  };
}

/**
 * Takes one training step and reads, after each part of it, how much memory the device has given out.
 *
 * @param model The model; one step changes it a little.
 * @param examples A batch.
 * @param weights What the device gave out when the model was loaded.
 * @returns Bytes that each part added.
 */
export async function measureLedger(
  model: LanguageModel,
  examples: readonly EncodedExample[],
  weights: number,
): Promise<Ledger> {
  const { device, parameters } = model;
  const loaded = device.allocatedBytes;
  using loss = lossOf(model, makeBatch(examples));
  await loss.item();
  const computed = device.allocatedBytes;
  backward(loss);
  await [...parameters.values()].at(-1)!.grad!.data();
  const learnt = device.allocatedBytes;
  using optimizer = new AdamW(parameters);
  optimizer.step(1e-6);
  await [...parameters.values()].at(-1)!.data();
  const updated = device.allocatedBytes;
  return {
    weights,
    activations: computed - loaded,
    gradients: learnt - computed,
    moments: updated - learnt,
  };
}

const NAMES = ["weights", "activations", "gradients", "moments"] as const;

/**
 * Shows a ledger.
 *
 * @param predicted What was expected.
 * @param measured What was read.
 * @returns Both, part by part.
 */
export function ledgerView(predicted: Ledger, measured: Ledger): View {
  const rows = NAMES.map((name) => ({
    for: name,
    "predicted, MB": predicted[name] / 1e6,
    "measured, MB": measured[name] / 1e6,
  }));
  const sum = (ledger: Ledger) => NAMES.reduce((total, name) => total + ledger[name], 0) / 1e6;
  return table([
    ...rows,
    { for: "all", "predicted, MB": sum(predicted), "measured, MB": sum(measured) },
  ], { caption: "Memory ledger of one training step" });
}

/** Shows what training takes by how it is done: bars, in gigabytes. */
export function waysView(weights: number, learning: number): View {
  return barChart([
    ["answer, float32", FLOAT * weights / 1e9],
    ["train all", 4 * FLOAT * weights / 1e9],
    ["LoRA, float32", (FLOAT * weights + 4 * FLOAT * learning) / 1e9],
    ["QLoRA, four bits", (weights * 4.5 / 8 + 4 * FLOAT * learning) / 1e9],
  ], { title: "Gigabytes without activations", horizontal: true });
}
