/** How threads share out `copyRows`: consecutive elements, or rows where they are some columns of longer ones. */
import { implement } from "../../cpu/kernel.ts";
import type { copyRowsKernel } from "./copy_rows.ts";

export const copyRows = implement<typeof copyRowsKernel>(
  "copyRows",
  (context, { x, y }, { size, offset, width, xWidth, xFirst }) => {
    if (width === xWidth) {
      const { first, last } = context.share(size);
      y.set(x.subarray(first, last), offset + first);
      return;
    }
    const { first, last } = context.share(size / width);
    for (let row = first; row < last; row++) {
      const at = row * xWidth + xFirst;
      y.set(x.subarray(at, at + width), offset + row * width);
    }
  },
);
