/** How threads share out `gather`: results, and lines for the gradient. */
import { implement, ints } from "../../cpu/kernel.ts";
import type { gatherKernel, scatterKernel } from "./gather.ts";

export const gather = implement<typeof gatherKernel>(
  "gather.forward",
  (context, { x, index, y }, { outer, length, count, inner }) => {
    const indices = ints(index);
    const block = count * inner;
    const { first, last } = context.share(outer * block, 16);
    for (let i = first; i < last; i++) {
      const from = indices[i];
      y[i] = from >= 0 && from < length
        ? x[(Math.floor(i / block) * length + from) * inner + i % inner]
        : NaN;
    }
  },
);

export const scatter = implement<typeof scatterKernel>(
  "gather.backward",
  (context, { index, dy, dx }, { outer, length, count, inner }) => {
    const indices = ints(index);
    const { first, last } = context.share(outer * inner, 16);
    for (let line = first; line < last; line++) {
      const group = Math.floor(line / inner);
      const column = line % inner;
      for (let j = 0; j < count; j++) {
        const at = (group * count + j) * inner + column;
        const to = indices[at];
        if (to >= 0 && to < length) dx[(group * length + to) * inner + column] += dy[at];
      }
    }
  },
);
