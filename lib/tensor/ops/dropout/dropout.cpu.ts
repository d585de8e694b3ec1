/** How threads share out `dropout`: consecutive elements, streamed. */
import { implement } from "../../cpu/kernel.ts";
import type { dropoutKernel } from "./dropout.ts";

export const dropout = implement<typeof dropoutKernel>("dropout", (
  context,
  { x, y },
  { size, seed, threshold, factor, offset, accumulate },
) => {
  context.stream(
    { x: { buffer: x, access: "read" }, y: { buffer: y, access: accumulate ? "update" : "write" } },
    context.share(size),
    (at, count, first) =>
      context.wasm.dropout(
        at.x,
        at.y,
        count,
        offset + first,
        seed,
        threshold,
        factor,
        accumulate,
      ),
  );
});
