/**
 * AdamW over all parameters of a model, with its state.
 *
 * @module
 */

import { ADAMW_DEFAULTS } from "./defaults.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { adamwEachInto, fill, Tensor } from "../tensor/mod.ts";

/** Options of {@linkcode AdamW}; the defaults are PyTorch's, except the weight decay. */
export interface AdamWOptions {
  /** Decay of the running mean of gradients. 0.9 by default. */
  readonly beta1?: number;
  /** Decay of the running mean of squared gradients. 0.999 by default. */
  readonly beta2?: number;
  /** Added to the denominator. 1e-8 by default. */
  readonly epsilon?: number;
  /** Decoupled weight decay, on every parameter. 0.1 by default. */
  readonly weightDecay?: number;
}

/** The names of {@linkcode AdamWOptions}. */
export const ADAMW_OPTIONS: OptionNames<AdamWOptions> = {
  beta1: true,
  beta2: true,
  epsilon: true,
  weightDecay: true,
};

/** Running means of one parameter. */
export interface Moments {
  /** The running mean of its gradients. */
  readonly mean: Tensor;
  /** The running mean of its squared gradients. */
  readonly variance: Tensor;
}

/**
 * The optimizer of Loshchilov & Hutter, 2019.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { pick, Tensor } from "tunebook";
 * import { AdamW } from "tunebook/train";
 *
 * const device = await pick({ device: "cpu" });
 * const weight = Tensor.from(device, new Float32Array([1]), [1]);
 * weight.requiresGrad = true;
 * using optimizer = new AdamW(new Map([["weight", weight]]), { weightDecay: 0 });
 * weight.grad = Tensor.from(device, new Float32Array([2]), [1]);
 * optimizer.step(0.125); // the first step is as long as the learning rate
 * assertEquals((await weight.item()).toFixed(3), "0.875");
 * device.close();
 * ```
 */
export class AdamW implements Disposable {
  readonly #settings: Required<AdamWOptions>;
  readonly #moments = new Map<string, Moments>();
  readonly #reserveGradients: boolean;
  /** The parameters that it updates, by name. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** Steps taken. */
  steps = 0;

  /**
   * Creates an optimizer whose running means are 0.
   *
   * @param parameters The parameters to update, by name.
   * @param options Decays. `reserveGradients` allocates memory for gradients at the start instead
   * of reusing that of activations, which the next block needs again with `recompute`.
   * @throws {TypeError} If there is an unknown option.
   */
  constructor(
    parameters: ReadonlyMap<string, Tensor>,
    options: AdamWOptions & { readonly reserveGradients?: boolean } = {},
  ) {
    assertKnownOptions("make an optimizer", options, { ...ADAMW_OPTIONS, reserveGradients: true });
    this.parameters = parameters;
    const {
      beta1 = ADAMW_DEFAULTS.beta1,
      beta2 = ADAMW_DEFAULTS.beta2,
      epsilon = ADAMW_DEFAULTS.epsilon,
      weightDecay = ADAMW_DEFAULTS.weightDecay,
      reserveGradients = false,
    } = options;
    this.#settings = { beta1, beta2, epsilon, weightDecay };
    this.#reserveGradients = reserveGradients;
    for (const [name, parameter] of parameters) {
      const { device, shape } = parameter;
      const [mean, variance] = [0, 0].map(() => Tensor.empty(device, shape, "f32", "state").keep());
      for (const moment of [mean, variance]) fill(moment, 0);
      this.#moments.set(name, { mean, variance });
      if (reserveGradients && parameter.requiresGrad) {
        parameter.spareGrad ??= Tensor.empty(device, shape).keep();
      }
    }
  }

  /** Its state, by the parameters' names. */
  get moments(): ReadonlyMap<string, Moments> {
    return this.#moments;
  }

  /**
   * Enqueues one step with the parameters' gradients, and releases them. A parameter without a
   * gradient is not changed.
   *
   * @param learningRate The rate of this step.
   * @param gradientScale The factor of gradients, 1 by default.
   */
  step(learningRate: number, gradientScale = 1): void {
    this.steps++;
    const learning = [...this.parameters].flatMap(([name, parameter]) => {
      const { grad: gradient } = parameter;
      return gradient ? [{ parameter, gradient, ...this.#moments.get(name)! }] : [];
    });
    adamwEachInto(learning, {
      ...this.#settings,
      step: this.steps,
      learningRate,
      gradientScale,
    });
    this.zeroGrad();
  }

  /** Releases all gradients. */
  zeroGrad(): void {
    for (const parameter of this.parameters.values()) {
      if (this.#reserveGradients && parameter.grad?.exclusive) {
        parameter.spareGrad ??= parameter.grad;
      }
      if (parameter.grad !== parameter.spareGrad) parameter.grad?.dispose();
      parameter.grad = undefined;
    }
  }

  /** Frees its memory. */
  [Symbol.dispose](): void {
    for (const { mean, variance } of this.#moments.values()) {
      mean.dispose();
      variance.dispose();
    }
    if (!this.#reserveGradients) return;
    for (const parameter of this.parameters.values()) {
      parameter.spareGrad?.dispose();
      parameter.spareGrad = undefined;
    }
  }
}
