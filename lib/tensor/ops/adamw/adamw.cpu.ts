/** How threads share out `adamw`: consecutive elements, streamed. */
import { implement } from "../../cpu/kernel.ts";
import type { adamwKernel } from "./adamw.ts";

export const adamw = implement<typeof adamwKernel>(
  "adamw",
  (context, { parameter, gradient, mean, variance }, params) => {
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
  },
);
