/** How threads share out `rmsNorm`: rows, and columns for the weight's gradient. */
import { implement } from "../../cpu/kernel.ts";
import type { backwardKernel, forwardKernel } from "./rms_norm.ts";

export const rmsNormForward = implement<typeof forwardKernel>("rmsNorm.forward", (
  context,
  { x, weight, y, inverses },
  { rows, width, epsilon, offset },
) => {
  const weightAt = context.load(weight.subarray(0, width));
  context.stream(
    {
      x: { buffer: x, access: "read", width },
      y: { buffer: y, access: "write", width },
      inverses: { buffer: inverses, access: "write" },
    },
    context.share(rows),
    (at, count) =>
      context.wasm.rmsNormForward(at.x, weightAt, at.y, at.inverses, count, width, epsilon, offset),
  );
});

export const rmsNormBackward = implement<typeof backwardKernel>("rmsNorm.backward", (
  context,
  { x, weight, inverses, dy, dx, dWeight },
  { rows, width, offset, wantsInput, wantsWeights, accumulate, accumulateWeight },
) => {
  if (wantsWeights) {
    const mark = context.mark();
    const columns = context.share(width, 16);
    const weightAt = context.loadSums(dWeight, columns, accumulateWeight);
    const inversesAt = context.load(inverses.subarray(0, rows));
    context.streamColumns(
      { x: { buffer: x, width }, dy: { buffer: dy, width } },
      rows,
      columns,
      (at, count, first, stride) =>
        context.wasm.rmsNormBackwardWeight(
          at.x,
          inversesAt + first * 4,
          at.dy,
          weightAt,
          count,
          stride,
        ),
    );
    context.store(weightAt, dWeight, columns);
    context.release(mark);
  }
  if (wantsInput) {
    const weightAt = context.load(weight.subarray(0, width));
    context.stream(
      {
        x: { buffer: x, access: "read", width },
        inverses: { buffer: inverses, access: "read" },
        dy: { buffer: dy, access: "read", width },
        dx: { buffer: dx, access: accumulate ? "update" : "write", width },
      },
      context.share(rows),
      (at, count) =>
        context.wasm.rmsNormBackwardInput(
          at.x,
          weightAt,
          at.inverses,
          at.dy,
          at.dx,
          count,
          width,
          offset,
          accumulate,
        ),
    );
  }
});
