/** How threads share out `cast`: consecutive elements. */
import { implement, ints } from "../../cpu/kernel.ts";
import type { castKernel } from "./cast.ts";

export const cast = implement<typeof castKernel>("cast", (context, { x, y }, { size }) => {
  const { first, last } = context.share(size, 16);
  y.set(ints(x).subarray(first, last), first);
});
