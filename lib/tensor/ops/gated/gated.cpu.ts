/** How threads share out gated activations: consecutive elements, streamed. */
import { implement } from "../../cpu/kernel.ts";
import type { backwardKernel, forwardKernel } from "./gated.ts";

export const gatedForward = implement<typeof forwardKernel>(
  "gated.forward",
  (context, { gate, up, y }, { size, slope, cubic }) => {
    context.stream(
      {
        gate: { buffer: gate, access: "read" },
        up: { buffer: up, access: "read" },
        y: { buffer: y, access: "write" },
      },
      context.share(size),
      (at, count) => context.wasm.gatedForward(at.gate, at.up, at.y, count, slope, cubic),
    );
  },
);

export const gatedBackward = implement<typeof backwardKernel>("gated.backward", (
  context,
  { gate, up, dy, dGate, dUp },
  { size, slope, cubic, accumulateGate, accumulateUp },
) => {
  context.stream(
    {
      gate: { buffer: gate, access: "read" },
      up: { buffer: up, access: "read" },
      dy: { buffer: dy, access: "read" },
      dGate: { buffer: dGate, access: accumulateGate ? "update" : "write" },
      dUp: { buffer: dUp, access: accumulateUp ? "update" : "write" },
    },
    context.share(size),
    (at, count) =>
      context.wasm.gatedBackward(
        at.gate,
        at.up,
        at.dy,
        at.dGate,
        at.dUp,
        count,
        slope,
        cubic,
        accumulateGate,
        accumulateUp,
      ),
  );
});
