/**
 * One step of AdamW on one parameter, in place.
 *
 * Loshchilov & Hutter, "Decoupled Weight Decay Regularization", 2019; the arithmetic of `torch.optim.AdamW`.
 *
 * @module
 */

import { defineKernel, type Kernel } from "../../device.ts";
import { assertSameShape } from "../../shapes.ts";
import type { Tensor } from "../../tensor.ts";
import { elementwise } from "../../webgpu/plans.ts";
import { oneSetSource, SeveralKernel } from "../../webgpu/several.ts";
import wgsl from "./adamw.wgsl" with { type: "text" };
import { assertKnownOptions, type OptionNames } from "../../../options.ts";

const buffers = {
  parameter: "update",
  gradient: "read",
  mean: "update",
  variance: "update",
} as const;

/**
 * g = gradient · gradientScale; p −= decay · p; m += rate1 (g − m); v = beta2 · v + rate2 · g²;
 * p −= stepSize · m / (√v / rootCorrection2 + epsilon), with stepSize = learningRate / (1 − beta1ᵗ),
 * rootCorrection2 = √(1 − beta2ᵗ), decay = learningRate · weightDecay, and rate1 = 1 − beta1 and rate2 = 1 − beta2
 * from double precision (in f32, 1 − 0.999 is off by 1e-5).
 */
export const adamwKernel = defineKernel({
  name: "adamw",
  buffers,
  params: {
    size: "u32",
    gradientScale: "f32",
    decay: "f32",
    rate1: "f32",
    beta2: "f32",
    rate2: "f32",
    stepSize: "f32",
    rootCorrection2: "f32",
    epsilon: "f32",
  },
  webgpu: elementwise({
    source: oneSetSource(buffers, ["", wgsl]),
    size: "size",
    buffers: ["parameter", "gradient", "mean", "variance"],
  }),
});

const severalKernel = new SeveralKernel({
  one: adamwKernel as unknown as Kernel,
  wgsl: ["", wgsl],
  each: ["parameter", "gradient", "mean", "variance"],
  eachParams: ["size"],
  elementsPerGroup: 256,
});

/** Numbers of one step. */
export interface AdamWStepOptions {
  /** Number of this step, from 1. */
  readonly step: number;
  /** The learning rate of this step. */
  readonly learningRate: number;
  /** Decay of the running mean of gradients. */
  readonly beta1: number;
  /** Decay of the running mean of their squares. */
  readonly beta2: number;
  /** Added to the denominator. */
  readonly epsilon: number;
  /** Decoupled: multiplied by the learning rate and taken from the parameter itself. */
  readonly weightDecay: number;
  /** What the gradient is multiplied by first; clipping sets it below 1. */
  readonly gradientScale?: number;
}

const ADAM_WSTEP_OPTIONS: OptionNames<AdamWStepOptions> = {
  step: true,
  learningRate: true,
  beta1: true,
  beta2: true,
  epsilon: true,
  weightDecay: true,
  gradientScale: true,
};

/**
 * Updates a parameter and its two running means.
 *
 * @param parameter Any shape; overwritten.
 * @param gradient The same shape.
 * @param mean Running mean of gradients; overwritten; zeros before the first step.
 * @param variance Running mean of squared gradients; overwritten; zeros before the first step.
 * @param options Numbers of this step.
 * @throws {TypeError} If the shapes differ.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { adamwInto, tensor } from "tunebook/tensor";
 *
 * const [weight, gradient, mean, variance] = [[1], [2], [0], [0]].map((values) => tensor(values));
 * adamwInto(weight, gradient, mean, variance, {
 *   step: 1, learningRate: 0.125, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0,
 * });
 * assertEquals((await weight.item()).toFixed(3), "0.875"); // as long as the learning rate
 * ```
 */
export function adamwInto(
  parameter: Tensor,
  gradient: Tensor,
  mean: Tensor,
  variance: Tensor,
  options: AdamWStepOptions,
): void {
  adamwEachInto([{ parameter, gradient, mean, variance }], options);
}

/** A parameter and what {@linkcode adamwEachInto} updates it with. */
export interface AdamWParameter {
  /** Any shape; overwritten. */
  readonly parameter: Tensor;
  /** The same shape. */
  readonly gradient: Tensor;
  /** Running mean of gradients; overwritten; zeros before the first step. */
  readonly mean: Tensor;
  /** Running mean of squared gradients; overwritten; zeros before the first step. */
  readonly variance: Tensor;
}

/**
 * Updates parameters as {@linkcode adamwInto} does, several per dispatch on a GPU.
 *
 * @param parameters The parameters, on one device.
 * @param options Numbers of this step.
 * @throws {TypeError} If shapes differ.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { adamwEachInto, tensor } from "tunebook/tensor";
 *
 * const weights = [[1], [2, 3]].map((values) => {
 *   const [parameter, gradient] = [values, values.map(() => 2)].map((values) => tensor(values));
 *   const [mean, variance] = [0, 0].map((zero) => tensor(values.map(() => zero)));
 *   return { parameter, gradient, mean, variance };
 * });
 * adamwEachInto(weights, {
 *   step: 1, learningRate: 0.125, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0,
 * });
 * assertEquals((await weights[0].parameter.item()).toFixed(3), "0.875");
 * ```
 */
export function adamwEachInto(
  parameters: readonly AdamWParameter[],
  options: AdamWStepOptions,
): void {
  assertKnownOptions("update a parameter", options, ADAM_WSTEP_OPTIONS);
  for (const { parameter, gradient, mean, variance } of parameters) {
    for (const other of [gradient, mean, variance]) assertSameShape("step", parameter, other);
  }
  if (parameters.length === 0) return;
  const { step, learningRate, beta1, beta2, epsilon, weightDecay, gradientScale = 1 } = options;
  const sets = parameters.map(({ parameter, gradient, mean, variance }) => ({
    buffers: {
      parameter: parameter.buffer,
      gradient: gradient.buffer,
      mean: mean.buffer,
      variance: variance.buffer,
    },
    params: { size: parameter.size },
  }));
  severalKernel.run(parameters[0].parameter.device, sets, {
    buffers: {},
    params: {
      gradientScale,
      decay: learningRate * weightDecay,
      rate1: 1 - beta1,
      beta2,
      rate2: 1 - beta2,
      stepSize: learningRate / (1 - beta1 ** step),
      rootCorrection2: Math.sqrt(1 - beta2 ** step),
      epsilon,
    },
  });
}
