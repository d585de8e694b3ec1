/** How threads share out `copyRows`: consecutive elements. */
import { implement } from "../../cpu/kernel.ts";
import type { copyRowsKernel } from "./copy_rows.ts";

export const copyRows = implement<typeof copyRowsKernel>(
  "copyRows",
  (context, { x, y }, { size, offset }) => {
    const { first, last } = context.share(size);
    y.set(x.subarray(first, last), offset + first);
  },
);
