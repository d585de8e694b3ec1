/** How threads share out `scale`: consecutive elements, streamed. */
import type { CpuKernel } from "../../cpu/kernel.ts";

export const scale: CpuKernel = (context, { x, y }, { size, factor, accumulate }) => {
  context.stream(
    { x: { buffer: x, access: "read" }, y: { buffer: y, access: accumulate ? "update" : "write" } },
    context.share(size),
    (at, count) => context.wasm.scale(at.x, at.y, count, factor, accumulate),
  );
};
