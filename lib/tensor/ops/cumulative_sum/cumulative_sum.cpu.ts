/** How threads share out `cumulativeSum`: lines, which are summed in double precision and rounded once. */
import { implement } from "../../cpu/kernel.ts";
import type { cumulativeSumKernel } from "./cumulative_sum.ts";

export const cumulativeSum = implement<typeof cumulativeSumKernel>(
  "cumulativeSum",
  (context, { x, y }, { outer, length, inner, reversed, accumulate }) => {
    const { first, last } = context.share(outer * inner);
    for (let line = first; line < last; line++) {
      const start = Math.floor(line / inner) * length * inner + line % inner;
      let sum = 0;
      for (let j = 0; j < length; j++) {
        const at = start + (reversed ? length - 1 - j : j) * inner;
        sum += x[at];
        y[at] = accumulate ? y[at] + sum : sum;
      }
    }
  },
);
