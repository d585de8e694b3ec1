/**
 * Attention of single new tokens to keys and values in a cache: one step of generation for a batch of sequences.
 *
 * The cache is one pool of rows, and each query lists the rows it sees, so that sequences share the rows of their
 * common beginning (paged attention with pages of one row: Kwon et al., "PagedAttention", 2023).
 *
 * @module
 */

import { defineKernel, type Device } from "../../device.ts";
import { assertShape } from "../../shapes.ts";
import { type Columns, columnsOf } from "../../columns.ts";
import { formatShape, Tensor } from "../../tensor.ts";
import { copyColumns } from "../split/split.ts";
import { cappedCachedAttention } from "../soft_cap/soft_cap.ts";
import { cachedAttentionProgram } from "./cached_attention.gpu.ts";
import { assertKnownOptions, type OptionNames } from "../../../options.ts";

/** `rows` is (queries, 1 + maxLength) integers: how many rows a query sees, then which. Queries begin `qWidth` elements apart, from element `qFirst` on. */
export const cachedAttentionKernel = defineKernel({
  name: "cachedAttention",
  buffers: { q: "read", keys: "read", values: "read", rows: "read", y: "write" },
  params: {
    queries: "u32",
    heads: "u32",
    kvHeads: "u32",
    headDim: "u32",
    maxLength: "u32",
    scale: "f32",
    qWidth: "u32",
    qFirst: "u32",
  },
  webgpu: cachedAttentionProgram,
});

/** Options of {@linkcode cachedAttention}. */
export interface CachedAttentionOptions {
  /** Heads of the queries. */
  readonly heads: number;
  /** Heads of keys and values; as many as `heads` by default. */
  readonly kvHeads?: number;
  /** For each query, the rows of the cache it sees, in the order of their tokens; at least one. */
  readonly rows: readonly (readonly number[])[];
  /** What scores are multiplied by, 1/√headDim by default. */
  readonly scale?: number;
  /** Scores are bent towards this limit, as by `softCap`; not at all by default. */
  readonly softCap?: number;
}

const CACHED_ATTENTION_OPTIONS: OptionNames<CachedAttentionOptions> = {
  heads: true,
  kvHeads: true,
  rows: true,
  scale: true,
  softCap: true,
};

/**
 * Softmax attention of each query to its rows of the cache. Not recorded.
 *
 * @param q Queries, (B, heads · headDim): a tensor, or {@linkcode columns} of one.
 * @param keys The cache's keys, (R, kvHeads · headDim).
 * @param values The cache's values, like the keys.
 * @param options Heads and rows.
 * @returns (B, heads · headDim).
 * @throws {TypeError} If shapes and heads do not fit together.
 * @throws {RangeError} If a query sees no row, or one outside of the cache.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { cachedAttention, tensor } from "tunebook/tensor";
 *
 * const [q, keys, values] = [[[1]], [[1], [1]], [[2], [4]]].map((rows) => tensor(rows));
 * assertEquals([...await cachedAttention(q, keys, values, { heads: 1, rows: [[0, 1]] }).data()], [3]);
 * ```
 */
export function cachedAttention(
  q: Tensor | Columns,
  keys: Tensor,
  values: Tensor,
  options: CachedAttentionOptions,
): Tensor {
  assertKnownOptions("attend", options, CACHED_ATTENTION_OPTIONS);
  const { heads, kvHeads = heads, rows } = options;
  const { of, first, width } = columnsOf(q);
  const shape = [...of.shape.slice(0, -1), width];
  const headDim = width / heads;
  const queries = of.rows;
  if (!Number.isInteger(headDim) || heads % kvHeads !== 0 || rows.length !== queries) {
    throw new TypeError(
      `Cannot attend with ${heads} heads, ${kvHeads} key heads and ${rows.length} lists of rows ` +
        `to queries of shape ${formatShape(shape)}`,
    );
  }
  assertShape("keys", keys, [keys.rows, kvHeads * headDim]);
  assertShape("values", values, keys.shape);
  rows.forEach((list, query) => {
    if (list.length === 0 || list.some((row) => row < 0 || row >= keys.rows)) {
      throw new RangeError(
        `Cannot attend with query ${query}: it must see at least one row, all from 0 to ` +
          `${keys.rows - 1}`,
      );
    }
  });
  if (options.softCap !== undefined) {
    const { softCap, scale = 1 / Math.sqrt(headDim) } = options;
    return cappedCachedAttention(copyColumns(q), keys, values, {
      heads,
      kvHeads,
      rows,
      scale,
      softCap,
    });
  }
  const { device } = of;
  const lengths = rows.map((list) => list.length);
  const maxLength = Math.max(...lengths);
  const rowTensor = rowsOn(device, withLengths(rows, maxLength));
  const y = Tensor.empty(device, shape);
  device.run(
    cachedAttentionKernel,
    {
      q: of.buffer,
      keys: keys.buffer,
      values: values.buffer,
      rows: rowTensor.buffer,
      y: y.buffer,
    },
    {
      queries,
      heads,
      kvHeads,
      headDim,
      maxLength,
      scale: options.scale ?? 1 / Math.sqrt(headDim),
      qWidth: of.width,
      qFirst: first,
    },
    4 * width * lengths.reduce((sum, length) => sum + length, 0), // scores, and sums of values
  );
  return y;
}

/**
 * Packs lists of rows as kernels read them: each after its length, in a row of its own.
 *
 * @param lists For each query, the rows that it sees.
 * @param most The most rows that a query sees.
 * @returns (queries, 1 + most) integers.
 */
export function withLengths(lists: readonly (readonly number[])[], most: number): Int32Array {
  const width = 1 + most;
  const packed = new Int32Array(lists.length * width);
  lists.forEach((list, query) => {
    packed[query * width] = list.length;
    packed.set(list, query * width + 1);
  });
  return packed;
}

/** The newest lists of rows on each device. */
const newestRows = new WeakMap<Device, { packed: Int32Array; tensor: Tensor }>();

/** All layers of a model see the same rows: they are written once. */
function rowsOn(device: Device, packed: Int32Array): Tensor {
  const newest = newestRows.get(device);
  const { length } = packed;
  if (newest?.packed.length === length && packed.every((row, i) => row === newest.packed[i])) {
    return newest.tensor;
  }
  newest?.tensor.dispose();
  const tensor = Tensor.from(device, packed).keep();
  newestRows.set(device, { packed, tensor });
  return tensor;
}
