/** How threads share out `stridedCopy`: consecutive indices of the walk. */
import { implement, ints } from "../../cpu/kernel.ts";
import type { stridedCopyKernel } from "./strided_copy.ts";

/** Runs shorter than this are copied by a loop, which costs less than a call. */
const SHORT_RUN = 24;

export const stridedCopy = implement<ReturnType<typeof stridedCopyKernel>>(
  "stridedCopy",
  (context, { x, y }, params) => {
    const { first, last } = context.share(params.size, 16);
    if (first >= last) return;
    const lengths: number[] = [], xStrides: number[] = [], yStrides: number[] = [];
    for (let d = 0; `length${d}` in params; d++) {
      lengths.push(params[`length${d}`]);
      xStrides.push(params[`xStride${d}`]);
      yStrides.push(params[`yStride${d}`]);
    }
    const inner = lengths.length - 1;
    const xStep = xStrides[inner], yStep = yStrides[inner];
    const index = new Array<number>(inner);
    let column = first % lengths[inner];
    let outer = Math.floor(first / lengths[inner]);
    let from = params.xOffset, to = params.yOffset;
    for (let d = inner - 1; d >= 0; d--) {
      index[d] = outer % lengths[d];
      outer = Math.floor(outer / lengths[d]);
      from += index[d] * xStrides[d];
      to += index[d] * yStrides[d];
    }
    const { accumulate } = params;
    // As integers, so that every bit stays: what is copied may be integers.
    const xBits = ints(x), yBits = ints(y);
    for (let at = first; at < last; column = 0) {
      const run = Math.min(last - at, lengths[inner] - column);
      const source = from + column * xStep, target = to + column * yStep;
      if (accumulate) {
        for (let i = 0; i < run; i++) y[target + i * yStep] += x[source + i * xStep];
      } else if (run < SHORT_RUN || xStep !== 1 || yStep !== 1) {
        for (let i = 0; i < run; i++) yBits[target + i * yStep] = xBits[source + i * xStep];
      } else {
        yBits.set(xBits.subarray(source, source + run), target);
      }
      at += run;
      for (let d = inner - 1; d >= 0; d--) {
        from += xStrides[d];
        to += yStrides[d];
        if (++index[d] < lengths[d]) break;
        from -= xStrides[d] * lengths[d];
        to -= yStrides[d] * lengths[d];
        index[d] = 0;
      }
    }
  },
);
