/**
 * Weights by name, which all models have.
 *
 * @module
 */

import { assertKnownOptions, type OptionNames } from "../options.ts";
import { Random } from "../random.ts";
import { type Device, sizeOf, Tensor } from "../tensor/mod.ts";

/** Options of a network's `create()`. */
export interface CreateOptions {
  /**
   * Seed of the initial weights.
   *
   * @default {123}
   */
  readonly seed?: number;
}

const CREATE_NAMES: OptionNames<CreateOptions> = { seed: true };

/** How untrained weights are initialized: with a constant, or from a normal distribution. */
export type InitialValues = { readonly constant: number } | { readonly deviation: number };

/**
 * Creates untrained weights.
 *
 * @param device The device that stores them.
 * @param shapes Their names and shapes; drawn in this order.
 * @param options The seed that decides them.
 * @param valuesOf How the weight of a name is drawn.
 * @returns Tensors by name.
 */
export function createParameters(
  device: Device,
  shapes: ReadonlyMap<string, readonly number[]>,
  options: CreateOptions,
  valuesOf: (name: string) => InitialValues,
): Map<string, Tensor> {
  assertKnownOptions("create a network", options, CREATE_NAMES);
  const random = new Random(options.seed ?? 123);
  const parameters = new Map<string, Tensor>();
  for (const [name, shape] of shapes) {
    const values = new Float32Array(sizeOf(shape));
    const initial = valuesOf(name);
    if ("constant" in initial) values.fill(initial.constant);
    else for (let i = 0; i < values.length; i++) values[i] = initial.deviation * random.normal();
    parameters.set(name, Tensor.from(device, values, shape).keep());
  }
  return parameters;
}

/**
 * Returns a required weight.
 *
 * @param parameters The model's weights.
 * @param name The weight's name.
 * @param model The model's family, for messages.
 * @returns The weight.
 * @throws {TypeError} If it is missing.
 */
export function requireParameter(
  parameters: ReadonlyMap<string, Tensor>,
  name: string,
  model: string,
): Tensor {
  const tensor = parameters.get(name);
  if (!tensor) throw new TypeError(`Cannot build a ${model} without the weight "${name}"`);
  return tensor;
}

/**
 * Checks that query heads can share the heads of keys and values, and that rotary positions can
 * rotate them.
 *
 * @param heads Heads of the queries.
 * @param kvHeads Heads of keys and values.
 * @param headDim Elements of a head.
 * @throws {RangeError} If they cannot.
 */
export function assertHeads(heads: number, kvHeads: number, headDim: number): void {
  if (heads % kvHeads !== 0) {
    throw new RangeError(
      `Cannot share ${kvHeads} heads of keys among ${heads} heads of queries: it must be a multiple`,
    );
  }
  if (!Number.isInteger(headDim) || headDim % 2 !== 0) {
    throw new RangeError(
      `Cannot rotate heads of ${headDim} elements: expected an even number of them`,
    );
  }
}
