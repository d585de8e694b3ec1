/** How threads share out `embedding`: tokens, and rows of the table for its gradient. */
import { implement, ints } from "../../cpu/kernel.ts";
import type { backwardKernel, forwardKernel } from "./embedding.ts";

export const embeddingForward = implement<typeof forwardKernel>(
  "embedding.forward",
  (context, { table, ids, y }, { tokens, width }) => {
    const { first, last } = context.share(tokens);
    const rows = ints(ids);
    for (let token = first; token < last; token++) {
      const at = rows[token] * width;
      y.set(table.subarray(at, at + width), token * width);
    }
  },
);

export const embeddingBackward = implement<typeof backwardKernel>("embedding.backward", (
  context,
  { rows, starts, order, dy, dTable },
  { unique, width },
) => {
  const { first, last } = context.share(unique);
  const [rowIds, rowStarts, positions] = [ints(rows), ints(starts), ints(order)];
  const sum = context.reserve(width);
  const term = context.reserve(width);
  for (let i = first; i < last; i++) {
    const target = dTable.subarray(rowIds[i] * width, (rowIds[i] + 1) * width);
    context.floats.set(target, sum / 4);
    for (let at = rowStarts[i]; at < rowStarts[i + 1]; at++) {
      const position = positions[at];
      context.floats.set(dy.subarray(position * width, (position + 1) * width), term / 4);
      context.wasm.addTo(term, sum, width);
    }
    target.set(context.floats.subarray(sum / 4, sum / 4 + width));
  }
});
