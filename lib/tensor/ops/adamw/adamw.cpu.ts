/** How threads share out `adamw`: consecutive elements, streamed. */
import type { CpuKernel } from "../../cpu/kernel.ts";

export const adamw: CpuKernel = (context, { parameter, gradient, mean, variance }, params) => {
  context.stream(
    {
      parameter: { buffer: parameter, access: "update" },
      gradient: { buffer: gradient, access: "read" },
      mean: { buffer: mean, access: "update" },
      variance: { buffer: variance, access: "update" },
    },
    context.share(params.size),
    (at, count) =>
      context.wasm.adamw(
        at.parameter,
        at.gradient,
        at.mean,
        at.variance,
        count,
        params.gradientScale,
        params.decay,
        params.rate1,
        params.beta2,
        params.rate2,
        params.stepSize,
        params.rootCorrection2,
        params.epsilon,
      ),
  );
};
