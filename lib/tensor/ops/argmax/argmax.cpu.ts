/** How threads share out `argmax`: results. */
import { implement, ints } from "../../cpu/kernel.ts";
import type { argmaxKernel } from "./argmax.ts";

export const argmax = implement<typeof argmaxKernel>(
  "argmax",
  (context, { x, y }, { outer, length, inner }) => {
    const { first, last } = context.share(outer * inner, 16);
    const results = ints(y);
    for (let result = first; result < last; result++) {
      const start = Math.floor(result / inner) * length * inner + result % inner;
      let best = 0;
      let most = x[start];
      for (let i = 1; i < length && !Number.isNaN(most); i++) {
        const value = x[start + i * inner];
        if (value <= most) continue;
        best = i;
        most = value;
      }
      results[result] = best;
    }
  },
);
