/** How threads share out `add`: consecutive elements, streamed. */
import type { CpuKernel } from "../../cpu/kernel.ts";

export const add: CpuKernel = (context, { a, b, y }, { size }) => {
  context.stream(
    {
      a: { buffer: a, access: "read" },
      b: { buffer: b, access: "read" },
      y: { buffer: y, access: "write" },
    },
    context.share(size),
    (at, count) => context.wasm.add(at.a, at.b, at.y, count),
  );
};
