/** How threads share out `copyRows`: consecutive elements. */
import type { CpuKernel } from "../../cpu/kernel.ts";

export const copyRows: CpuKernel = (context, { x, y }, { size, offset }) => {
  const { first, last } = context.share(size);
  y.set(x.subarray(first, last), offset + first);
};
