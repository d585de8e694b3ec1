/** How threads share out `gelu`: consecutive elements, streamed. */
import { implement } from "../../cpu/kernel.ts";
import type { backwardKernel, forwardKernel } from "./gelu.ts";

export const geluForward = implement<typeof forwardKernel>(
  "gelu.forward",
  (context, { x, y }, { size }) => {
    context.stream(
      { x: { buffer: x, access: "read" }, y: { buffer: y, access: "write" } },
      context.share(size),
      (at, count) => context.wasm.geluForward(at.x, at.y, count),
    );
  },
);

export const geluBackward = implement<typeof backwardKernel>(
  "gelu.backward",
  (context, { x, dy, dx }, { size, accumulate }) => {
    context.stream(
      {
        x: { buffer: x, access: "read" },
        dy: { buffer: dy, access: "read" },
        dx: { buffer: dx, access: accumulate ? "update" : "write" },
      },
      context.share(size),
      (at, count) => context.wasm.geluBackward(at.x, at.dy, at.dx, count, accumulate),
    );
  },
);
