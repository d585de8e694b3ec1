/** How threads share out `cachedAttention`: queries, and the key heads of a query where there are few queries. */
import type { Context, Range } from "../../cpu/context.ts";
import { type BuffersOf, implement, ints, type ParamsOf } from "../../cpu/kernel.ts";
import type { cachedAttentionKernel } from "./cached_attention.ts";
import type { storeAndAttendKernel } from "./store_and_attend.ts";

export const cachedAttention = implement<typeof cachedAttentionKernel>(
  "cachedAttention",
  (context, buffers, params) => attend(context, buffers, params),
);

export const storeAndAttend = implement<typeof storeAndAttendKernel>("cachedAttention.store", (
  context,
  { k, v, ...buffers },
  { kWidth, kFirst, vWidth, vFirst, ...params },
) => {
  const width = params.kvHeads * params.headDim;
  attend(context, buffers, params, (query, row, { first, last }) => {
    const [fromK, fromV] = [query * kWidth + kFirst, query * vWidth + vFirst];
    buffers.keys.set(k.subarray(fromK + first, fromK + last), row * width + first);
    buffers.values.set(v.subarray(fromV + first, fromV + last), row * width + first);
  });
});

/**
 * Attends with this thread's share of queries and key heads.
 *
 * @param store Told each query with its last row and the columns of its key heads, before these are read.
 */
function attend(
  context: Context,
  { q, keys, values, rows, y }: BuffersOf<typeof cachedAttentionKernel>,
  params: ParamsOf<typeof cachedAttentionKernel>,
  store?: (query: number, row: number, columns: Range) => void,
): void {
  const { queries, heads, kvHeads, headDim, maxLength, scale, qWidth, qFirst } = params;
  const lists = ints(rows);
  const shared = heads / kvHeads;
  const { first, last } = context.share(queries * kvHeads);
  for (let unit = first; unit < last;) {
    context.reset();
    const query = Math.floor(unit / kvHeads);
    const firstHead = unit - query * kvHeads;
    const lastHead = Math.min(kvHeads, firstHead + last - unit);
    const length = lists[query * (1 + maxLength)];
    const list = lists.subarray(query * (1 + maxLength) + 1, query * (1 + maxLength) + 1 + length);
    const columns = { first: firstHead * headDim, last: lastHead * headDim };
    store?.(query, list[length - 1], columns);
    const keysAt = gather(context, keys, kvHeads * headDim, list, columns);
    const valuesAt = gather(context, values, kvHeads * headDim, list, columns);
    const own = {
      first: (query * heads + firstHead * shared) * headDim,
      last: (query * heads + lastHead * shared) * headDim,
    };
    const from = query * qWidth + qFirst + firstHead * shared * headDim;
    const qAt = context.load(q.subarray(from, from + own.last - own.first));
    const yAt = context.reserve(own.last - own.first);
    const scoresAt = context.reserve(length + 4);
    context.wasm.cachedAttention(
      qAt,
      keysAt,
      valuesAt,
      yAt,
      scoresAt,
      length,
      columns.last - columns.first,
      lastHead - firstHead,
      shared,
      headDim,
      scale,
    );
    context.store(yAt, y, own);
    unit += lastHead - firstHead;
  }
}

/** Copies columns of the listed rows side by side; runs of consecutive whole rows in one go. */
function gather(
  context: Context,
  source: Float32Array,
  width: number,
  list: Int32Array,
  columns: { first: number; last: number },
): number {
  const stride = columns.last - columns.first;
  const address = context.reserve(list.length * stride);
  for (let i = 0; i < list.length;) {
    let run = 1;
    while (i + run < list.length && list[i + run] === list[i] + run) run++;
    const rows = { first: list[i], last: list[i] + run };
    context.copyBlock(address + i * stride * 4, source, width, rows, columns, stride);
    i += run;
  }
  return address;
}
