/** How threads share out `fill`: consecutive elements. */
import { implement } from "../../cpu/kernel.ts";
import type { fillKernel } from "./fill.ts";

export const fill = implement<typeof fillKernel>("fill", (context, { y }, { size, value }) => {
  const { first, last } = context.share(size);
  y.fill(value, first, last);
});
