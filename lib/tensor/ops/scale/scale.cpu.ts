/** How threads share out `scale`: consecutive elements, streamed. */
import { implement } from "../../cpu/kernel.ts";
import type { scaleKernel } from "./scale.ts";

export const scale = implement<typeof scaleKernel>(
  "scale",
  (context, { x, y }, { size, factor, accumulate }) => {
    context.stream(
      {
        x: { buffer: x, access: "read" },
        y: { buffer: y, access: accumulate ? "update" : "write" },
      },
      context.share(size),
      (at, count) => context.wasm.scale(at.x, at.y, count, factor, accumulate),
    );
  },
);
