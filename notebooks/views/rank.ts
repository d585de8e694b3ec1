// The rank slider of chapter 8: what a full fine-tuning changed in a matrix, rebuilt from its few strongest directions.

import {
  addLora,
  encodeExamples,
  freeze,
  gpt2Tokenizer,
  type InstructionEntry,
  loadNetwork,
  measureLoss,
  type Network,
  pick,
  sft,
  Tensor,
} from "tunebook";
import { unfreeze } from "tunebook/model";
import { frames } from "tunebook/show";
import { rankDrawing } from "./rank_drawing.ts";
import { dominantDirections, norm, type Rows, sumOfDirections } from "./svd.ts";

/** What was recorded of one rank. */
export interface RankStep {
  readonly rank: number;
  /** The part of all layers' update that this rank leaves out: ‖ΔW − ΔWᵣ‖ / ‖ΔW‖. */
  readonly residual: number;
  /** Held-out loss with every layer's update cut to this rank, in nats. */
  readonly loss: number;
  /** Held-out loss of a LoRA of this rank, trained in the same steps. */
  readonly loraLoss?: number;
  /** A corner of one layer's update at this rank, in hundredths of the full one's largest element. */
  readonly corner: Rows;
}

/** A recorded full update and its cuts. */
export interface RankTrace {
  /** The layer whose corner is shown. */
  readonly layer: string;
  /** Its rows and columns. */
  readonly shape: readonly number[];
  /** Weights of all linear layers. */
  readonly weights: number;
  /** What a LoRA of rank 1 has. */
  readonly weightsOfRank1: number;
  /** Ranks from 0, the base, to all. */
  readonly steps: readonly RankStep[];
}

const LAYER = "h.1.attn.c_attn";
const RANKS = [0, 1, 2, 4, 8, 16, 32, 64, 128];
const TRAINED_RANKS = [1, 4, 16, 64];
const CORNER = { rows: 24, columns: 40 };

/**
 * Trains all linear layers of the nano model, and LoRAs beside it, and cuts the full update to ranks.
 *
 * @param entries The instruction data.
 * @returns The trace.
 */
export async function recordRanks(entries: readonly InstructionEntry[]): Promise<RankTrace> {
  const tokenizer = gpt2Tokenizer();
  const [heldOut, examples] = [entries.slice(0, 64), entries.slice(64, 384)]
    .map((part) => encodeExamples(part, tokenizer));
  const device = await pick();
  const load = async () => (await loadNetwork("nano", { device })).network;
  const train = async (model: Network, learningRate: number) => {
    const settings = { epochs: 2, learningRate, weightDecay: 0, evalEvery: 0, seed: 5 };
    for await (const _ of sft(model, { examples, ...settings }));
    return (await measureLoss(model, heldOut)).loss;
  };
  const model = await load();
  const before = await readLinears(model);
  freeze(model);
  unfreeze(model, [...model.linears.keys()].map((name) => `${name}.weight`));
  await train(model, 1e-3);
  const after = await readLinears(model);
  const updates = new Map(
    [...before].map(([name, rows]) => [
      name,
      rows.map((row, i) => Float64Array.from(row, (value, j) => after.get(name)![i][j] - value)),
    ]),
  );
  const directions = new Map(
    [...updates].map(([name, rows]) => [name, dominantDirections(rows)]),
  );
  const steps: RankStep[] = [];
  const largest = Math.max(...corner(updates.get(LAYER)!).flatMap((row) => [...row].map(Math.abs)));
  for (const rank of RANKS) {
    const cut = new Map(
      [...directions].map(([name, parts]) => [name, sumOfDirections(parts, rank)]),
    );
    let [left, all] = [0, 0];
    for (const [name, rows] of updates) {
      left += norm(rows.map((row, i) => row.map((value, j) => value - cut.get(name)![i][j]))) ** 2;
      all += norm(rows) ** 2;
    }
    writeLinears(model, before, cut);
    const { loss } = await measureLoss(model, heldOut);
    let loraLoss: number | undefined;
    if (TRAINED_RANKS.includes(rank)) {
      const adapted = await load();
      addLora(adapted, { rank });
      loraLoss = await train(adapted, 4e-3);
    }
    const shown = corner(cut.get(LAYER)!).map((row) =>
      Array.from(row, (value) => Math.round(100 * value / largest) || 0)
    );
    steps.push({ rank, residual: Math.sqrt(left / all), loss, loraLoss, corner: shown });
  }
  const { inWidth, outWidth } = model.linears.get(LAYER)!;
  const linears = [...model.linears.values()];
  return {
    layer: LAYER,
    shape: [inWidth, outWidth],
    weights: linears.reduce((sum, linear) => sum + linear.weight.size, 0),
    weightsOfRank1: linears.reduce((sum, one) => sum + one.inWidth + one.outWidth, 0),
    steps,
  };
}

/**
 * Shows a full update at one rank after the other.
 *
 * @param trace What {@linkcode recordRanks} recorded.
 * @returns A slider over ranks: the update, what is rebuilt, what is left out; and residual and loss.
 */
export function rankSlider(trace: RankTrace): ReturnType<typeof frames> {
  return frames(
    { rank: trace.steps.map(({ rank }) => rank) },
    ({ rank }) => rankDrawing(trace, trace.steps.find((step) => step.rank === rank)!),
    { title: `A full update, cut to a rank: ${trace.layer}`, start: { rank: 4 } },
  );
}

const corner = (rows: Rows) =>
  rows.slice(0, CORNER.rows).map((row) => Array.from(row).slice(0, CORNER.columns));

async function readLinears(model: Network): Promise<Map<string, Float32Array[]>> {
  const found = new Map<string, Float32Array[]>();
  for (const { name, weight } of model.linears.values()) {
    const values = await weight.data() as Float32Array;
    const [height, width] = weight.shape;
    found.set(
      name,
      Array.from({ length: height }, (_, i) => values.subarray(i * width, (i + 1) * width)),
    );
  }
  return found;
}

/** Puts base plus update into a model. */
function writeLinears(
  { device, linears, parameters }: Network,
  base: ReadonlyMap<string, Rows>,
  update: ReadonlyMap<string, Rows>,
): void {
  for (const { name, weight } of linears.values()) {
    const values = base.get(name)!.flatMap((row, i) =>
      Array.from(row, (value, j) => value + update.get(name)![i][j])
    );
    const tensor = Tensor.from(device, Float32Array.from(values), weight.shape).keep();
    parameters.set(`${name}.weight`, tensor);
    weight.dispose();
  }
}
