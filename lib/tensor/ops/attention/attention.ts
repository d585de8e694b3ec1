/**
 * Attention over a forest of tokens, and with it over padded, packed and plain batches.
 *
 * Tokens stand in depth-first order of a forest; `end[j]` is one past j's last descendant. Token i attends to j iff
 * `j ≤ i < end[j]`: to its ancestors and itself. A plain causal sequence is a forest without branches. The forward
 * saves the log-sum-exp of each row of scores, the backward recomputes the scores from it: no T × T buffer exists.
 *
 * Vaswani et al., "Attention Is All You Need", 2017; Dao et al., "FlashAttention", 2022.
 *
 * @module
 */

import { defineKernel } from "../../device.ts";
import { assertShape, assertTensors } from "../../shapes.ts";
import { record } from "../../recording.ts";
import { type Columns, columnsOf, isWhole } from "../../columns.ts";
import { formatShape, type Gradients, Tensor } from "../../tensor.ts";
import { batchRows } from "../dropout/batch_rows.ts";
import { dropoutParams } from "../dropout/dropout.ts";
import { fill } from "../fill/fill.ts";
import { copyColumns } from "../split/split.ts";
import { cappedAttention } from "../soft_cap/soft_cap.ts";
import { backwardProgram, forwardProgram, shapeParams } from "./attention.gpu.ts";
import { assertKnownOptions, type OptionNames } from "../../../options.ts";

/**
 * `tree` is (T, 2) integers, `end` and position; `statistics` is (heads, T, 2), the log-sum-exp and room for the
 * backward's row sums. `window` is 0 where attention is not limited; else position(i) − position(j) < window. The weight of
 * j for i is multiplied by `factor`, or by 0 where hash(seed, (head · A + b + i) · A + b + j) is below `threshold`: the
 * hash is dropout's, indices wrap; A is `rowsInAll` and b `rowsBefore`, T and 0 but for a part of a batch. A row of q begins
 * `qWidth` elements after the one before, and its first head `qFirst` elements later; so for k, v and the gradients.
 */
export const forwardKernel = defineKernel({
  name: "attention.forward",
  buffers: { q: "read", k: "read", v: "read", tree: "read", y: "write", statistics: "write" },
  params: shapeParams,
  webgpu: forwardProgram,
});

/**
 * Writes Σ dy · y of each row and head to `statistics`, then dq, and dk with dv, from recomputed scores. `together` is 1
 * where dk and dv are in one buffer.
 */
export const backwardKernel = defineKernel({
  name: "attention.backward",
  buffers: {
    q: "read",
    k: "read",
    v: "read",
    tree: "read",
    y: "read",
    dy: "read",
    statistics: "update",
    dq: "update",
    dk: "update",
    dv: "update",
  },
  params: {
    ...shapeParams,
    accumulateQ: "u32",
    accumulateK: "u32",
    accumulateV: "u32",
    together: "u32",
  },
  webgpu: backwardProgram,
});

/** The shape of a forest of tokens. */
export interface Forest {
  /** One past the last descendant of each token, in depth-first order. */
  readonly end: Int32Array;
  /** Each token's position: one more than its parent's, and of a root usually 0. */
  readonly positions: Int32Array;
}

/** Options of {@linkcode attention}. */
export interface AttentionOptions {
  /** Heads of the queries. */
  readonly heads: number;
  /** Heads of keys and values, each shared by `heads / kvHeads` query heads; as many as `heads` by default. */
  readonly kvHeads?: number;
  /** Which token sees which. */
  readonly forest: Forest;
  /** Only ancestors less than this many positions away are seen; all by default. */
  readonly window?: number;
  /** What scores are multiplied by, 1/√headDim by default. */
  readonly scale?: number;
  /**
   * Scores are bent towards this limit, as by `softCap`; not at all by default. All scores of a head are then a tensor, which
   * takes more memory and time.
   */
  readonly softCap?: number;
  /** Drops weights at random after the softmax and scales the others up, as in training; none by default. */
  readonly dropout?: AttentionDropout;
}

const ATTENTION_OPTIONS: OptionNames<AttentionOptions> = {
  heads: true,
  kvHeads: true,
  forest: true,
  window: true,
  scale: true,
  softCap: true,
  dropout: true,
};

/** Which weights of an attention are dropped. */
export interface AttentionDropout {
  /** Of dropping a weight, from 0 up to but not including 1. */
  readonly probability: number;
  /** Chooses the mask: a 32-bit unsigned integer, another for each use. */
  readonly seed: number;
}

/**
 * Softmax attention of every token to its ancestors and itself.
 *
 * @param q Queries, (T, heads · headDim): a tensor, or {@linkcode columns} of one.
 * @param k Keys, (T, kvHeads · headDim).
 * @param v Values, (T, kvHeads · headDim).
 * @param options Heads and who sees whom.
 * @returns (T, heads · headDim).
 * @throws {TypeError} If shapes and heads do not fit together, or columns overlap.
 * @throws {RangeError} If the probability of dropping is out of range, or the forest is invalid: a
 * subtree is empty or extends beyond its parent's, or a position is not the one after its parent's.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { attention, tensor } from "tunebook/tensor";
 *
 * const [q, k, v] = [[[1], [1]], [[1], [1]], [[2], [4]]].map((values) => tensor(values));
 * const forest = { positions: Int32Array.of(0, 1), end: Int32Array.of(2, 2) }; // one sequence
 * assertEquals([...await attention(q, k, v, { heads: 1, forest }).data()], [2, 3]);
 * ```
 */
export function attention(
  q: Tensor | Columns,
  k: Tensor | Columns,
  v: Tensor | Columns,
  options: AttentionOptions,
): Tensor {
  assertKnownOptions("attend", options, ATTENTION_OPTIONS);
  const inputs = [q, k, v].map(columnsOf);
  const [queries, keys, values] = inputs;
  assertTensors("attend with", ...inputs.map(({ of }) => of));
  assertApart(inputs);
  const { heads, kvHeads = heads, forest, window = 0 } = options;
  const headDim = queries.width / heads;
  const tokens = queries.of.rows;
  if (!Number.isInteger(headDim) || heads % kvHeads !== 0) {
    throw new TypeError(
      `Cannot attend with ${heads} heads and ${kvHeads} key heads to queries of shape ` +
        `${
          formatShape(shapeOf(queries))
        }: the width must be a multiple of heads, heads one of key heads`,
    );
  }
  assertShape("k", { shape: shapeOf(keys) }, [tokens, kvHeads * headDim]);
  assertShape("v", { shape: shapeOf(values) }, [tokens, kvHeads * headDim]);
  if (forest.end.length !== tokens || forest.positions.length !== tokens) {
    throw new TypeError(
      `Cannot attend over a forest of ${forest.end.length} ends and ${forest.positions.length} ` +
        `positions with ${tokens} queries: expected one of each a query`,
    );
  }
  assertForest(forest);
  if (options.softCap !== undefined) {
    if (options.dropout !== undefined) {
      throw new TypeError("Cannot attend with a soft cap of scores and dropout of weights");
    }
    const { softCap, scale = 1 / Math.sqrt(headDim) } = options;
    const [q, k, v] = inputs.map((input) => copyColumns(input));
    return cappedAttention(q, k, v, { heads, kvHeads, forest, window, scale, softCap });
  }
  const { device } = queries.of;
  const { first: rowsBefore, all: rowsInAll } = batchRows(tokens);
  const shape = {
    tokens,
    heads,
    kvHeads,
    headDim,
    window,
    scale: options.scale ?? 1 / Math.sqrt(headDim),
    ...dropoutParams(options.dropout),
    rowsBefore,
    rowsInAll,
    qWidth: queries.of.width,
    qFirst: queries.first,
    kWidth: keys.of.width,
    kFirst: keys.first,
    vWidth: values.of.width,
    vFirst: values.first,
  };
  const tree = Tensor.from(device, interleave(forest), [tokens, 2]);
  const y = Tensor.empty(device, shapeOf(queries));
  const statistics = Tensor.empty(device, [heads, tokens, 2]);
  const read = {
    q: queries.of.buffer,
    k: keys.of.buffer,
    v: values.of.buffer,
    tree: tree.buffer,
  };
  // Of each pair a score, and its part of the sum of values.
  const product = 2 * heads * headDim * countPairs(forest, window);
  device.run(
    forwardKernel,
    { ...read, y: y.buffer, statistics: statistics.buffer },
    shape,
    2 * product,
  );
  return record(y, inputs.map(({ of }) => of), (dy, gradients) => {
    const { targets: [dq, dk, dv], others } = gradientsInto(inputs, gradients);
    device.run(
      backwardKernel,
      {
        ...read,
        y: y.buffer,
        dy: dy.buffer,
        statistics: statistics.buffer,
        dq: dq.gradient.buffer,
        dk: dk.gradient.buffer,
        dv: dv.gradient.buffer,
      },
      {
        ...shape,
        accumulateQ: dq.accumulate,
        accumulateK: dk.accumulate,
        accumulateV: dv.accumulate,
        together: Number(dk.gradient === dv.gradient),
      },
      5 * product, // the score again, its gradient, and those of the three inputs
    );
    for (const { of, gradient } of others) gradients.pass(of, gradient);
    tree.dispose();
    statistics.dispose();
  });
}

/** The shape of what columns hold. */
function shapeOf({ of, width }: Columns): number[] {
  return [...of.shape.slice(0, -1), width];
}

/** Checks that no two inputs share some columns and not others. */
function assertApart(inputs: readonly Columns[]): void {
  for (const [i, a] of inputs.entries()) {
    for (const b of inputs.slice(i + 1)) {
      const apart = a.first + a.width <= b.first || b.first + b.width <= a.first;
      if (a.of !== b.of || apart || (isWhole(a) && isWhole(b))) continue;
      throw new TypeError(
        `Cannot attend with columns ${a.first} to ${a.first + a.width} and ${b.first} to ` +
          `${b.first + b.width} of one tensor: expected columns that do not overlap`,
      );
    }
  }
}

/**
 * Where to write the gradients of inputs: that of columns in their tensor's. A tensor that is several inputs gets those of the
 * `others` too, once they are there.
 */
function gradientsInto(
  inputs: readonly Columns[],
  gradients: Gradients,
): {
  targets: { gradient: Tensor; accumulate: 0 | 1 }[];
  others: { of: Tensor; gradient: Tensor }[];
} {
  const shared = new Map<Tensor, { gradient: Tensor; accumulate: 0 | 1 }>();
  const others: { of: Tensor; gradient: Tensor }[] = [];
  const targets = inputs.map((input) => {
    const { of } = input;
    const present = shared.get(of);
    if (present && isWhole(input)) {
      const gradient = Tensor.empty(of.device, of.shape);
      others.push({ of, gradient });
      return { gradient, accumulate: 0 as const };
    }
    if (present) return present;
    const made = gradients.into(of);
    shared.set(of, made);
    if (isWhole(input)) return made;
    const written = inputs.reduce((sum, other) => sum + (other.of === of ? other.width : 0), 0);
    if (!made.accumulate && written < of.width) fill(made.gradient, 0);
    return made;
  });
  return { targets, others };
}

/** Checks that a forest is one: depth-first order, nested subtrees. Kernels rely on it. */
function assertForest({ end, positions }: Forest): void {
  const ancestors: number[] = [];
  for (let i = 0; i < end.length; i++) {
    while (ancestors.length > 0 && end[ancestors.at(-1)!] <= i) ancestors.pop();
    const limit = ancestors.length > 0 ? end[ancestors.at(-1)!] : end.length;
    if (end[i] <= i || end[i] > limit) {
      throw new RangeError(
        `Cannot use a forest whose token ${i} ends at ${end[i]}: expected ${i + 1} to ${limit}`,
      );
    }
    const parent = ancestors.at(-1);
    if (parent === undefined ? positions[i] < 0 : positions[i] !== positions[parent] + 1) {
      const expected = parent === undefined ? "at least 0" : positions[parent] + 1;
      throw new RangeError(
        `Cannot use a forest whose token ${i} is at position ${positions[i]}: expected ${expected}`,
      );
    }
    ancestors.push(i);
  }
}

/** How many tokens are seen, by all together: each sees its ancestors, which are as many as its position tells, and itself. */
function countPairs({ positions }: Forest, window: number): number {
  const most = window || Infinity;
  return positions.reduce((sum, position) => sum + Math.min(position + 1, most), 0);
}

function interleave({ end, positions }: Forest): Int32Array {
  const tree = new Int32Array(end.length * 2);
  for (let i = 0; i < end.length; i++) {
    tree[2 * i] = end[i];
    tree[2 * i + 1] = positions[i];
  }
  return tree;
}
