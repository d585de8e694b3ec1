/** How threads share out `rotary`: rows, streamed. */
import { implement } from "../../cpu/kernel.ts";
import type { rotaryKernel } from "./rotary.ts";

export const rotary = implement<typeof rotaryKernel>("rotary", (
  context,
  { x, angles, y },
  { rows, heads, headDim, direction, accumulate },
) => {
  const width = heads * headDim;
  context.stream(
    {
      x: { buffer: x, access: "read", width },
      angles: { buffer: angles, access: "read", width: headDim },
      y: { buffer: y, access: accumulate ? "update" : "write", width },
    },
    context.share(rows),
    (at, count) =>
      context.wasm.rotary(at.x, at.angles, at.y, count, heads, headDim, direction, accumulate),
  );
});
