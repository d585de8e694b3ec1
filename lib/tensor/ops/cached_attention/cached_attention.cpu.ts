/** How threads share out `cachedAttention`: queries, and the key heads of a query where there are few queries. */
import type { Context } from "../../cpu/context.ts";
import { implement, ints } from "../../cpu/kernel.ts";
import type { cachedAttentionKernel } from "./cached_attention.ts";

export const cachedAttention = implement<typeof cachedAttentionKernel>("cachedAttention", (
  context,
  { q, keys, values, rows, y },
  { queries, heads, kvHeads, headDim, maxLength, scale, qWidth, qFirst },
) => {
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
});

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
