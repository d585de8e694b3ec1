/** How threads share out `fill`: consecutive elements. */
import type { CpuKernel } from "../../cpu/kernel.ts";

export const fill: CpuKernel = (context, { y }, { size, value }) => {
  const { first, last } = context.share(size);
  y.fill(value, first, last);
};
