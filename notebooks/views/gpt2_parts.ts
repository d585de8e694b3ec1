// GPT-2 in plain numbers for chapter 4: every part a few lines that can be read, or exchanged for one with a bug.

import type { Gpt2, Tensor } from "tunebook";
import { attendWithin } from "tunebook/model";
import { add, embedding, gelu, layerNorm, noGrad, scope, split } from "tunebook/tensor";

/** A row for each token. */
export type Rows = readonly (readonly number[])[];

/** A weight's numbers, row after row. */
export type Weights = ReadonlyMap<string, Float32Array>;

/** What the model computes, in plain numbers. All work on one row or one head of it. */
export interface Parts {
  /** Mean 0 and variance 1, then scale and shift. */
  layerNorm(
    row: readonly number[],
    weight: Float32Array,
    bias: Float32Array,
    epsilon: number,
  ): number[];
  /** The features of one head. */
  headOf(row: readonly number[], head: number, heads: number): readonly number[];
  /** How well a query fits a key. */
  score(query: readonly number[], key: readonly number[]): number;
  /** The layer that makes a row wider. */
  widen(row: readonly number[], weight: Float32Array, bias: Float32Array): number[];
}

/** A row times a matrix, (in, out), plus a bias. */
export function linear(
  row: readonly number[],
  weight: Float32Array,
  bias: Float32Array | number[],
): number[] {
  const out = Array.from(bias);
  row.forEach((x, i) => {
    for (let j = 0; j < out.length; j++) out[j] += x * weight[i * out.length + j];
  });
  return out;
}

const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, i) => sum + value * b[i], 0);

/** The parts as they should be. */
export const PARTS: Parts = {
  layerNorm(row, weight, bias, epsilon) {
    const mean = row.reduce((sum, x) => sum + x, 0) / row.length;
    const variance = row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / row.length;
    return row.map((x, i) => (x - mean) / Math.sqrt(variance + epsilon) * weight[i] + bias[i]);
  },
  headOf(row, head, heads) {
    const headDim = row.length / heads;
    return row.slice(head * headDim, (head + 1) * headDim);
  },
  score(query, key) {
    return dot(query, key) / Math.sqrt(query.length);
  },
  widen(row, weight, bias) {
    return linear(row, weight, bias);
  },
};

/** A softmax; what is −∞ becomes 0. */
export function softmax(scores: readonly number[]): number[] {
  const highest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - highest));
  const sum = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / sum);
}

/** What a part of a layer gave. */
export interface Stage {
  /** From 0; −1 before the first, the number of layers after the last. */
  readonly layer: number;
  readonly name: string;
  readonly rows: Rows;
}

/** The stages of a layer, in the order of the computation. */
export const STAGES = ["norm 1", "q k v", "attend", "add 1", "norm 2", "widen", "GELU", "add 2"];

/** All weights of a model. */
export async function readWeights(model: Gpt2): Promise<Weights> {
  const weights = new Map<string, Float32Array>();
  for (const [name, tensor] of model.parameters) {
    weights.set(name, await tensor.data() as Float32Array);
  }
  return weights;
}

/**
 * Runs GPT-2 in plain numbers.
 *
 * @param model Gives the shape.
 * @param weights Its weights.
 * @param tokens What it reads.
 * @param partsOf The parts of a layer; the right ones by default.
 * @returns Everything that was computed on the way.
 */
export function runByHand(
  model: Gpt2,
  weights: Weights,
  tokens: readonly number[],
  partsOf: (layer: number) => Parts = () => PARTS,
): Stage[] {
  const { width, layers, heads, layerNormEpsilon: epsilon = 1e-5 } = model.config;
  const w = (name: string) => weights.get(name)!;
  const stages: Stage[] = [];
  const keep = (layer: number, name: string, rows: Rows) => {
    stages.push({ layer, name, rows });
    return rows;
  };
  const plus = (a: Rows, b: Rows) => a.map((row, t) => row.map((value, i) => value + b[t][i]));
  const rowOf = (name: string, i: number) =>
    Array.from(w(name).subarray(i * width, (i + 1) * width));

  let x = keep(
    -1,
    "embed",
    plus(
      tokens.map((id) => rowOf("wte.weight", id)),
      tokens.map((_, position) => rowOf("wpe.weight", position)),
    ),
  );
  const norm = (x: Rows, name: string, parts: Parts) =>
    x.map((row) => parts.layerNorm(row, w(`${name}.weight`), w(`${name}.bias`), epsilon));
  const apply = (x: Rows, name: string) =>
    x.map((row) => linear(row, w(`${name}.weight`), w(`${name}.bias`)));
  for (let layer = 0; layer < layers; layer++) {
    const [h, parts] = [`h.${layer}`, partsOf(layer)];
    const normed = keep(layer, "norm 1", norm(x, `${h}.ln_1`, parts));
    const qkv = keep(layer, "q k v", apply(normed, `${h}.attn.c_attn`));
    const attended = keep(layer, "attend", attend(qkv, heads, parts));
    x = keep(layer, "add 1", plus(x, apply(attended, `${h}.attn.c_proj`)));
    const again = keep(layer, "norm 2", norm(x, `${h}.ln_2`, parts));
    const [matrix, bias] = [w(`${h}.mlp.c_fc.weight`), w(`${h}.mlp.c_fc.bias`)];
    const wide = keep(layer, "widen", again.map((row) => parts.widen(row, matrix, bias)));
    const inner = keep(layer, "GELU", wide.map((row) => row.map(geluOf)));
    x = keep(layer, "add 2", plus(x, apply(inner, `${h}.mlp.c_proj`)));
  }
  keep(layers, "norm", norm(x, "ln_f", partsOf(layers)));
  return stages;
}

const geluOf = (x: number) =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

function attend(qkv: Rows, heads: number, parts: Parts): Rows {
  const width = qkv[0].length / 3;
  const part = (t: number, which: number, head: number) =>
    parts.headOf(qkv[t].slice(which * width, (which + 1) * width), head, heads);
  return qkv.map((_, t) =>
    Array.from({ length: heads }, (_, head) => {
      const query = part(t, 0, head);
      const seen = Array.from({ length: t + 1 }, (_, past) => past);
      const attention = softmax(seen.map((past) => parts.score(query, part(past, 1, head))));
      const values = seen.map((past) => part(past, 2, head));
      return query.map((_, i) => dot(attention, values.map((value) => value[i])));
    }).flat()
  );
}

/**
 * The same stages as the library computes them, in float32 on the model's device: the reference.
 *
 * @param model The model.
 * @param tokens What it reads.
 * @returns As {@linkcode runByHand}.
 */
export async function runLibrary(model: Gpt2, tokens: readonly number[]): Promise<Stage[]> {
  const { width, layers, heads, layerNormEpsilon: epsilon = 1e-5 } = model.config;
  const w = (name: string) => model.parameters.get(name)!;
  const kept: { layer: number; name: string; tensor: Tensor }[] = [];
  const tensors = scope(() =>
    noGrad(() => {
      const keep = (layer: number, name: string, tensor: Tensor) => {
        kept.push({ layer, name, tensor });
        return tensor;
      };
      const ids = Int32Array.from(tokens);
      const positions = ids.map((_, i) => i);
      const attend = attendWithin({ positions, end: ids.map(() => ids.length) });
      const norm = (x: Tensor, name: string) =>
        layerNorm(x, w(`${name}.weight`), w(`${name}.bias`), epsilon);
      const linear = (x: Tensor, name: string) => model.linears.get(name)!.apply(x);
      let x = keep(
        -1,
        "embed",
        add(embedding(w("wte.weight"), ids), embedding(w("wpe.weight"), positions)),
      );
      for (let layer = 0; layer < layers; layer++) {
        const h = `h.${layer}`;
        const normed = keep(layer, "norm 1", norm(x, `${h}.ln_1`));
        const qkv = keep(layer, "q k v", linear(normed, `${h}.attn.c_attn`));
        const [q, k, v] = split(qkv, [width, width, width]);
        const attended = keep(layer, "attend", attend(layer, q, k, v, { heads }));
        x = keep(layer, "add 1", add(x, linear(attended, `${h}.attn.c_proj`)));
        const again = keep(layer, "norm 2", norm(x, `${h}.ln_2`));
        const wide = keep(layer, "widen", linear(again, `${h}.mlp.c_fc`));
        const inner = keep(layer, "GELU", gelu(wide));
        x = keep(layer, "add 2", add(x, linear(inner, `${h}.mlp.c_proj`)));
      }
      keep(layers, "norm", norm(x, "ln_f"));
      return kept.map(({ tensor }) => tensor);
    })
  );
  const stages: Stage[] = [];
  for (const { layer, name, tensor } of kept) {
    const [values, columns] = [await tensor.data(), tensor.shape[1]];
    const rows = tokens.map((_, t) => Array.from(values.slice(t * columns, (t + 1) * columns)));
    stages.push({ layer, name, rows });
  }
  for (const tensor of tensors) tensor.dispose();
  return stages;
}
