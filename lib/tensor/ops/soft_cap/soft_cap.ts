/**
 * Soft caps (Bello et al., "Neural Combinatorial Optimization with Reinforcement Learning", 2016; Gemma 2), and attention and
 * loss with them, made of the small operations: scores and logits are whole tensors here, T × T for each head and a row of the
 * vocabulary for each edge, while ops without a cap never hold them.
 *
 * @module
 */

import type { LossEdges } from "../../../forest.ts";
import { add } from "../../elementwise/add.ts";
import { mul } from "../../elementwise/mul.ts";
import { tanh } from "../../elementwise/tanh.ts";
import { isRecorded, noGrad } from "../../recording.ts";
import { sum } from "../../reductions/sum.ts";
import { scope } from "../../scope.ts";
import { Tensor } from "../../tensor.ts";
import { concat } from "../concat/concat.ts";
import { embedding } from "../embedding/embedding.ts";
import { gather } from "../gather/gather.ts";
import { matmul } from "../matmul/matmul.ts";
import { reshape } from "../reshape/reshape.ts";
import { scale } from "../scale/scale.ts";
import { logSoftmax, softmax } from "../softmax/softmax.ts";
import { split } from "../split/split.ts";

/**
 * Bends numbers towards a limit, which they never pass: `cap · tanh(x / cap)`.
 *
 * @param x Any shape.
 * @param cap The limit.
 * @returns A tensor of the same shape.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { softCap, tensor } from "tunebook/tensor";
 *
 * const capped = await softCap(tensor([0, 1000]), 30).data();
 * assertEquals([...capped], [0, 30]);
 * ```
 */
export function softCap(x: Tensor, cap: number): Tensor {
  return scale(tanh(scale(x, 1 / cap)), cap);
}

/** Which token sees which, as `attention` has it. */
interface Forest {
  readonly end: Int32Array;
  readonly positions: Int32Array;
}

/** Heads and the cap of an attention. */
interface CappedHeads {
  readonly heads: number;
  readonly kvHeads: number;
  readonly scale: number;
  readonly softCap: number;
}

/** Runs what is not recorded without keeping what is made on the way. */
function passing(inputs: readonly Tensor[], body: () => Tensor): Tensor {
  return isRecorded(...inputs) ? body() : noGrad(() => scope(body));
}

/**
 * Attention over a forest with a soft cap of scores.
 *
 * @param q Queries, (T, heads · headDim).
 * @param k Keys, (T, kvHeads · headDim).
 * @param v Values, (T, kvHeads · headDim).
 * @param options Heads, the cap, who sees whom, and how far.
 * @returns (T, heads · headDim).
 */
export function cappedAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: CappedHeads & { forest: Forest; window: number },
): Tensor {
  const { heads, kvHeads, forest, window } = options;
  const headDim = q.width / heads;
  const [queries, keys, values] = ([[q, heads], [k, kvHeads], [v, kvHeads]] as const)
    .map(([x, count]) => split(x, new Array(count).fill(headDim)));
  const hidden = hiddenOf(q, forest, window);
  const mixed = queries.map((query, head) => {
    const [key, value] = [keys, values].map((parts) => parts[Math.floor(head * kvHeads / heads)]);
    return passing([query, key, value], () => {
      const scores = cappedScores(query, key, options); // (T, T)
      return matmul(softmax(add(scores, hidden)), value); // (T, D)
    });
  });
  return concat(mixed, 1);
}

function cappedScores(q: Tensor, k: Tensor, { scale: factor, softCap: cap }: CappedHeads): Tensor {
  return softCap(scale(matmul(q, k, { transposeB: true }), factor), cap);
}

/** What is added to scores, (T, T): nothing where a token sees another, and so much that nothing is left where it does not. */
function hiddenOf({ device }: Tensor, { end, positions }: Forest, window: number): Tensor {
  const tokens = end.length;
  const bias = new Float32Array(tokens * tokens).fill(-1e30);
  for (let j = 0; j < tokens; j++) {
    for (let i = j; i < end[j]; i++) {
      if (window === 0 || positions[i] - positions[j] < window) bias[i * tokens + j] = 0;
    }
  }
  return Tensor.from(device, bias, [tokens, tokens]);
}

/**
 * Attention of single new tokens to rows of a cache, with a soft cap of scores. Not recorded.
 *
 * @param q Queries, (B, heads · headDim).
 * @param keys The cache's keys, (R, kvHeads · headDim).
 * @param values The cache's values, like the keys.
 * @param options Heads, the cap, and the rows that each query sees.
 * @returns (B, heads · headDim).
 */
export function cappedCachedAttention(
  q: Tensor,
  keys: Tensor,
  values: Tensor,
  options: CappedHeads & { rows: readonly (readonly number[])[] },
): Tensor {
  const { heads, kvHeads, rows } = options;
  const headDim = q.width / heads;
  const widths = new Array(kvHeads).fill(headDim);
  return noGrad(() =>
    scope(() =>
      concat(rows.map((seen, query) => {
        const ids = Int32Array.from(seen);
        const [k, v] = [keys, values].map((pool) => split(embedding(pool, ids), widths));
        const own = embedding(q, Int32Array.of(query)); // (1, H D)
        const groups = split(own, new Array(kvHeads).fill(q.width / kvHeads));
        const mixed = groups.map((group, i) => {
          const scores = cappedScores(reshape(group, [heads / kvHeads, headDim]), k[i], options);
          return reshape(matmul(softmax(scores), v[i]), [1, group.width]);
        });
        return concat(mixed, 1);
      }))
    )
  );
}

/** Logits that are made at once take at most this many bytes. */
const LOGITS_BYTES = 64 * 2 ** 20;

/**
 * The loss of edges with a soft cap of logits; see `linearCrossEntropy`.
 *
 * @param hidden (T, C).
 * @param weight (V, C).
 * @param edges Which rows predict which tokens.
 * @param options What the sum is multiplied by, and the cap.
 * @returns A scalar, in nats.
 */
export function cappedCrossEntropy(
  hidden: Tensor,
  weight: Tensor,
  edges: LossEdges,
  { factor, softCap: cap }: { factor: number; softCap: number },
): Tensor {
  return passing([hidden, weight], () => {
    const counts = Tensor.from(hidden.device, edges.counts, [edges.counts.length, 1]);
    return scale(sum(mul(cappedLogProbs(hidden, weight, edges, cap), counts)), -factor);
  });
}

/**
 * Log-probabilities of edges with a soft cap of logits; see `linearLogProbs`.
 *
 * @param hidden (T, C).
 * @param weight (V, C).
 * @param edges Which rows predict which tokens.
 * @param cap The cap.
 * @returns (E, 1), in nats.
 */
export function cappedLogProbs(
  hidden: Tensor,
  weight: Tensor,
  { rows, targets }: LossEdges,
  cap: number,
): Tensor {
  const step = Math.max(1, Math.floor(LOGITS_BYTES / (4 * weight.rows)));
  const parts: Tensor[] = [];
  for (let first = 0; first < rows.length; first += step) {
    parts.push(passing([hidden, weight], () => {
      const [ids, tokens] = [rows, targets].map((list) => list.subarray(first, first + step));
      const selected = embedding(hidden, ids); // (E, C)
      const logits = softCap(matmul(selected, weight, { transposeB: true }), cap);
      const index = Tensor.from(hidden.device, tokens, [tokens.length, 1]);
      return gather(logSoftmax(logits), index); // (E, 1)
    }));
  }
  return parts.length === 1 ? parts[0] : concat(parts, 0);
}
