/** How threads share out `layerNorm`: rows, and columns for the gradients of weight and bias. */
import { implement } from "../../cpu/kernel.ts";
import type { backwardKernel, forwardKernel } from "./layer_norm.ts";

export const layerNormForward = implement<typeof forwardKernel>("layerNorm.forward", (
  context,
  { x, weight, bias, y, statistics },
  { rows, width, epsilon },
) => {
  const weightAt = context.load(weight.subarray(0, width));
  const biasAt = context.load(bias.subarray(0, width));
  context.stream(
    {
      x: { buffer: x, access: "read", width },
      y: { buffer: y, access: "write", width },
      statistics: { buffer: statistics, access: "write", width: 2 },
    },
    context.share(rows),
    (at, count) =>
      context.wasm.layerNormForward(
        at.x,
        weightAt,
        biasAt,
        at.y,
        at.statistics,
        count,
        width,
        epsilon,
      ),
  );
});

export const layerNormBackward = implement<typeof backwardKernel>(
  "layerNorm.backward",
  (
    context,
    { x, weight, statistics, dy, dx, dWeight, dBias },
    { rows, width, wantsInput, wantsWeights, accumulate, accumulateWeight, accumulateBias },
  ) => {
    if (wantsWeights) {
      const mark = context.mark();
      const columns = context.share(width, 16);
      const weightAt = context.loadSums(dWeight, columns, accumulateWeight);
      const biasAt = context.loadSums(dBias, columns, accumulateBias);
      const statisticsAt = context.load(statistics.subarray(0, rows * 2));
      context.streamColumns(
        { x: { buffer: x, width }, dy: { buffer: dy, width } },
        rows,
        columns,
        (at, count, first, stride) =>
          context.wasm.layerNormBackwardWeights(
            at.x,
            statisticsAt + first * 8,
            at.dy,
            weightAt,
            biasAt,
            count,
            stride,
          ),
      );
      context.store(weightAt, dWeight, columns);
      context.store(biasAt, dBias, columns);
      context.release(mark);
    }
    if (wantsInput) {
      const weightAt = context.load(weight.subarray(0, width));
      context.stream(
        {
          x: { buffer: x, access: "read", width },
          statistics: { buffer: statistics, access: "read", width: 2 },
          dy: { buffer: dy, access: "read", width },
          dx: { buffer: dx, access: accumulate ? "update" : "write", width },
        },
        context.share(rows),
        (at, count) =>
          context.wasm.layerNormBackwardInput(
            at.x,
            weightAt,
            at.statistics,
            at.dy,
            at.dx,
            count,
            width,
            accumulate,
          ),
      );
    }
  },
);
