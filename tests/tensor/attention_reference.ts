// Attention with dropout as it is written down, in double precision with the same mask, for kernels to be held to.

import { attention, type AttentionOptions, type Device } from "../../lib/tensor/mod.ts";
import { assertClose } from "../support.ts";
import { differentiate, numbers } from "./gradients.ts";

/** A root with two branches, the first of which branches again. */
const forest = {
  end: Int32Array.from([11, 7, 5, 4, 5, 7, 7, 11, 11, 11, 11]),
  positions: Int32Array.from([0, 1, 2, 3, 3, 2, 3, 1, 2, 3, 4]),
};
const tokens = forest.end.length;
const [heads, kvHeads, headDim] = [4, 2, 5];
export const dropout = { probability: 0.3, seed: 0x9abcdef0 };
/** Shared heads, a window, dropout. */
export const options: AttentionOptions = { heads, kvHeads, forest, window: 4, dropout };
const inputs = {
  q: numbers([tokens, heads * headDim], 1),
  k: numbers([tokens, kvHeads * headDim], 2),
  v: numbers([tokens, kvHeads * headDim], 3),
};
const upstream = numbers([tokens, heads * headDim], 4);

function mix(z: number): number {
  z = Math.imul(z ^ (z >>> 16), 0x7feb352d);
  z = Math.imul(z ^ (z >>> 15), 0x846ca68b);
  return z ^ (z >>> 16);
}

/** The factor of the weight of j for i, among a number of tokens. */
export function kept(head: number, i: number, j: number, length = tokens): number {
  const { probability, seed } = dropout;
  const index = (head * length + i) * length + j;
  const hash = mix(mix((index + 0x9e3779b9) | 0) ^ seed) >>> 0;
  return hash < Math.floor(probability * 2 ** 32) ? 0 : 1 / (1 - probability);
}

/** Attention as it is written down, in double precision. */
function plain(q: ArrayLike<number>, k: ArrayLike<number>, v: ArrayLike<number>): Float64Array {
  const y = new Float64Array(tokens * heads * headDim);
  for (let head = 0; head < heads; head++) {
    const kvHead = Math.floor(head * kvHeads / heads);
    for (let i = 0; i < tokens; i++) {
      const at = (i * heads + head) * headDim;
      const seen = Array.from({ length: i + 1 }, (_, j) => j).filter((j) =>
        i < forest.end[j] && forest.positions[i] - forest.positions[j] < options.window!
      );
      const keys = seen.map((j) => (j * kvHeads + kvHead) * headDim);
      const scores = keys.map((key) => {
        let score = 0;
        for (let d = 0; d < headDim; d++) score += q[at + d] * k[key + d];
        return Math.exp(score / Math.sqrt(headDim));
      });
      const sum = scores.reduce((a, b) => a + b, 0);
      for (const [n, j] of seen.entries()) {
        const weight = scores[n] / sum * kept(head, i, j);
        for (let d = 0; d < headDim; d++) y[at + d] += weight * v[keys[n] + d];
      }
    }
  }
  return y;
}

/** The gradient of Σ upstream · y by central differences of the plain computation. */
function numericGradient(name: keyof typeof inputs): Float64Array {
  const moved = Float64Array.from(inputs[name].data);
  const loss = () => {
    const [q, k, v] = (["q", "k", "v"] as const).map((one) =>
      one === name ? moved : inputs[one].data
    );
    return plain(q, k, v).reduce((sum, value, i) => sum + value * upstream.data[i], 0);
  };
  return Float64Array.from(moved, (value, i) => {
    const step = 1e-5;
    moved[i] = value + step;
    const above = loss();
    moved[i] = value - step;
    const below = loss();
    moved[i] = value;
    return (above - below) / (2 * step);
  });
}

/** Runs attention with gradients. */
export const run = (device: Device, options: AttentionOptions) =>
  differentiate(device, inputs, upstream.data, ({ q, k, v }) => attention(q, k, v, options));

/** Holds value and gradients on a device to the plain computation. */
export async function assertAttentionDrops(device: Device): Promise<void> {
  const results = await run(device, options);
  const { q, k, v } = inputs;
  assertClose(results.output, plain(q.data, k.data, v.data), { relative: 1e-5 }, "output");
  for (const name of ["q", "k", "v"] as const) {
    assertClose(results[`${name}Grad`], numericGradient(name), { relative: 2e-5 }, `${name}Grad`);
  }
}
