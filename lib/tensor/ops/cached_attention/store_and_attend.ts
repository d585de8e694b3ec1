/**
 * A step of generation on the CPU: keys and values of new tokens enter the cache, and each token attends to its rows. One
 * kernel does both, since each costs a meeting of all threads; and its parameters are the same in every step, so that steps
 * can be recorded.
 *
 * @module
 */

import { type Columns, columnsOf } from "../../columns.ts";
import { CPU_ONLY, defineKernel } from "../../device.ts";
import { Tensor } from "../../tensor.ts";
import { cachedAttentionKernel } from "./cached_attention.ts";

/**
 * `cachedAttention`, where the last row of each query is its own: a row of `k` and one of `v` enter the cache there before.
 * Their rows begin `kWidth` and `vWidth` elements apart, from elements `kFirst` and `vFirst` on.
 */
export const storeAndAttendKernel = defineKernel({
  name: "cachedAttention.store",
  buffers: {
    q: "read",
    k: "read",
    v: "read",
    keys: "update",
    values: "update",
    rows: "read",
    y: "write",
  },
  params: {
    ...cachedAttentionKernel.params,
    kWidth: "u32",
    kFirst: "u32",
    vWidth: "u32",
    vFirst: "u32",
  },
  webgpu: CPU_ONLY,
});

/** The heads, and which rows tokens see. */
export interface StoreAndAttendOptions {
  /** Heads of the queries. */
  readonly heads: number;
  /** Heads of keys and values; as many as `heads` by default. */
  readonly kvHeads?: number;
  /** What scores are multiplied by, 1/√headDim by default. */
  readonly scale?: number;
  /** For each query, how many rows it sees, then which, the last its own: (B, 1 + most) integers. */
  readonly rows: Tensor;
}

/**
 * Puts keys and values of new tokens into the cache, and attends with each to the rows that it sees. Not recorded for
 * gradients. Shapes and rows are the caller's to check.
 *
 * @param q Queries, (B, heads · headDim).
 * @param k Their keys, (B, kvHeads · headDim).
 * @param v Their values, like the keys.
 * @param cache Keys and values of all rows, (R, kvHeads · headDim).
 * @param options Heads and rows.
 * @returns (B, heads · headDim).
 */
export function storeAndAttend(
  q: Tensor | Columns,
  k: Tensor | Columns,
  v: Tensor | Columns,
  cache: { readonly keys: Tensor; readonly values: Tensor },
  options: StoreAndAttendOptions,
): Tensor {
  const { heads, kvHeads = heads, rows } = options;
  const [queries, keys, values] = [q, k, v].map(columnsOf);
  const headDim = queries.width / heads;
  const { device } = queries.of;
  const y = Tensor.empty(device, [...queries.of.shape.slice(0, -1), queries.width]);
  device.run(
    storeAndAttendKernel,
    {
      q: queries.of.buffer,
      k: keys.of.buffer,
      v: values.of.buffer,
      keys: cache.keys.buffer,
      values: cache.values.buffer,
      rows: rows.buffer,
      y: y.buffer,
    },
    {
      queries: queries.of.rows,
      heads,
      kvHeads,
      headDim,
      maxLength: rows.width - 1,
      scale: options.scale ?? 1 / Math.sqrt(headDim),
      qWidth: queries.of.width,
      qFirst: queries.first,
      kWidth: keys.of.width,
      kFirst: keys.first,
      vWidth: values.of.width,
      vFirst: values.first,
    },
  );
  return y;
}
