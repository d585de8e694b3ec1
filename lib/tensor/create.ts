/**
 * Tensors from numbers: from arrays, filled, counted, random.
 *
 * @module
 */

import { kindOf } from "../kind_of.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { Random } from "../random.ts";
import type { Device } from "./device.ts";
import { defaultDevice } from "./pick.ts";
import { assertLengths } from "./shapes.ts";
import { sizeOf, Tensor } from "./tensor.ts";

/** Numbers, or arrays of arrays of them. */
export type NestedNumbers = number | boolean | readonly NestedNumbers[];

/** Options of what makes tensors. */
export interface CreateOptions {
  /** The type of the elements: `"f32"`, by default, or `"i32"`, for indices. */
  readonly dtype?: "f32" | "i32";
  /** Where it lives; by default the default device, see {@linkcode defaultDevice}. */
  readonly device?: Device;
  /** Whether gradients are kept for it: it is then a parameter. By default false. */
  readonly requiresGrad?: boolean;
}

/** Options of {@linkcode tensor}. */
export interface TensorOptions extends CreateOptions {
  /** Lengths of its dimensions, where they are not those of the nested arrays. */
  readonly shape?: readonly number[];
}

/** Options of {@linkcode random} and {@linkcode randomNormal}. */
export interface RandomOptions extends Omit<CreateOptions, "dtype"> {
  /** Decides the numbers; they are the same on every device. By default 0. */
  readonly seed?: number;
}

const CREATE_NAMES: OptionNames<CreateOptions> = { dtype: true, device: true, requiresGrad: true };
const TENSOR_NAMES: OptionNames<TensorOptions> = { ...CREATE_NAMES, shape: true };
const RANDOM_NAMES: OptionNames<RandomOptions> = { device: true, requiresGrad: true, seed: true };

/**
 * Makes a tensor from numbers.
 *
 * @param data A number, an array, nested arrays, or a typed array, whose type is then the tensor's.
 * @param options Type, device, shape, and whether it is a parameter.
 * @returns The tensor. The numbers are copied.
 * @throws {TypeError} If arrays side by side differ in length, or the numbers are not as many as the shape says.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { tensor } from "tunebook/tensor";
 *
 * const x = tensor([[1, 2], [3, 4]]);
 * assertEquals(x.shape, [2, 2]);
 * assertEquals(tensor(new Int32Array(6), { shape: [2, 3] }).dtype, "i32");
 * ```
 */
export function tensor(
  data: NestedNumbers | Float32Array | Int32Array,
  options: TensorOptions = {},
): Tensor {
  assertKnownOptions("make a tensor", options, TENSOR_NAMES);
  const { numbers, shape } = readNumbers(data);
  const integers = readDtype(options, numbers instanceof Int32Array ? "i32" : "f32") === "i32";
  if (integers && !(numbers instanceof Int32Array)) {
    const wrong = numbers.find((number) => !Number.isInteger(number));
    if (wrong !== undefined) {
      throw new TypeError(`Cannot make a tensor of type "i32" with the element ${wrong}`);
    }
  }
  const typed = integers ? Int32Array.from(numbers) : Float32Array.from(numbers);
  if (options.shape) assertLengths("make a tensor", options.shape);
  return make(typed, options.shape ?? shape, options);
}

/** The type that a tensor is made with. */
function readDtype({ dtype }: CreateOptions, otherwise: "f32" | "i32" = "f32"): "f32" | "i32" {
  if (dtype !== undefined && dtype !== "f32" && dtype !== "i32") {
    throw new TypeError(
      `Cannot make a tensor of type ${JSON.stringify(dtype)}: expected "f32" or "i32"`,
    );
  }
  return dtype ?? otherwise;
}

/** The elements of nested arrays in order, and the arrays' lengths. */
function readNumbers(
  data: NestedNumbers | Float32Array | Int32Array,
): { numbers: readonly number[] | Float32Array | Int32Array; shape: number[] } {
  if (data instanceof Float32Array || data instanceof Int32Array) {
    return { numbers: data, shape: [data.length] };
  }
  // Other typed arrays are read as arrays of numbers.
  if (ArrayBuffer.isView(data) && !(data instanceof DataView)) {
    return readNumbers(Array.from(data as unknown as ArrayLike<number>, Number));
  }
  const numbers: number[] = [];
  const shape: number[] = [];
  for (let level: unknown = data; Array.isArray(level); level = level[0]) shape.push(level.length);
  const visit = (value: unknown, depth: number): void => {
    if (Array.isArray(value)) {
      if (value.length !== shape[depth]) {
        throw new TypeError(
          `Cannot make a tensor from nested arrays of lengths ${shape[depth]} and ` +
            `${value.length} in dimension ${depth}: expected equal lengths`,
        );
      }
      for (const item of value) visit(item, depth + 1);
      return;
    }
    if (depth !== shape.length || (typeof value !== "number" && typeof value !== "boolean")) {
      const isObject = value === undefined || typeof value === "object";
      const found = isObject ? kindOf(value) : `the element ${JSON.stringify(value)}`;
      throw new TypeError(
        depth === 0
          ? `Cannot make a tensor of ${kindOf(value)}: expected numbers`
          : `Cannot make a tensor with ${found} in dimension ${depth}: expected ` +
            (depth < shape.length ? "an array" : "a number"),
      );
    }
    numbers.push(Number(value));
  };
  visit(data, 0);
  return { numbers, shape };
}

function make(
  data: Float32Array | Int32Array,
  shape: readonly number[],
  { device, requiresGrad = false }: CreateOptions,
): Tensor {
  if (device !== undefined && typeof device?.allocate !== "function") {
    throw new TypeError(
      `Cannot make a tensor on the device ${JSON.stringify(device)}: expected a device that ` +
        "pick() gave",
    );
  }
  const made = Tensor.from(device ?? defaultDevice(), data, shape);
  made.requiresGrad = requiresGrad;
  return made;
}

/**
 * Makes a tensor with all elements equal.
 *
 * @param shape Lengths of its dimensions.
 * @param value The number.
 * @param options Type, device, and whether it is a parameter.
 * @returns The tensor.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { full } from "tunebook/tensor";
 *
 * assertEquals([...await full([2], 7).data()], [7, 7]);
 * ```
 */
export function full(
  shape: readonly number[],
  value: number,
  options: CreateOptions = {},
): Tensor {
  assertKnownOptions("make a tensor", options, CREATE_NAMES);
  if (typeof value !== "number") {
    throw new TypeError(`Cannot fill a tensor with ${kindOf(value)}: expected a number`);
  }
  const size = countOf(shape);
  const data = readDtype(options) === "i32" ? new Int32Array(size) : new Float32Array(size);
  return make(value === 0 ? data : data.fill(value), shape, options);
}

/**
 * Makes a tensor of zeros.
 *
 * @param shape Lengths of its dimensions.
 * @param options Type, device, and whether it is a parameter.
 * @returns The tensor.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { zeros } from "tunebook/tensor";
 *
 * assertEquals([...await zeros([3]).data()], [0, 0, 0]);
 * ```
 */
export function zeros(shape: readonly number[], options: CreateOptions = {}): Tensor {
  return full(shape, 0, options);
}

/**
 * Makes a tensor of ones.
 *
 * @param shape Lengths of its dimensions.
 * @param options Type, device, and whether it is a parameter.
 * @returns The tensor.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ones } from "tunebook/tensor";
 *
 * assertEquals([...await ones([3]).data()], [1, 1, 1]);
 * ```
 */
export function ones(shape: readonly number[], options: CreateOptions = {}): Tensor {
  return full(shape, 1, options);
}

/**
 * Counts from 0 in steps of 1.
 *
 * @param end Where to stop: the first number that is left out.
 * @param options Type, device, and whether it is a parameter.
 * @returns (⌈end⌉).
 * @throws {RangeError} If `end` is negative or not finite.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { arange } from "tunebook/tensor";
 *
 * assertEquals([...await arange(4).data()], [0, 1, 2, 3]);
 * ```
 */
export function arange(end: number, options: CreateOptions = {}): Tensor {
  assertKnownOptions("count", options, CREATE_NAMES);
  if (!(end >= 0 && end < 2 ** 31)) {
    throw new RangeError(`Cannot count to ${end}: expected a number from 0 to ${2 ** 31 - 1}`);
  }
  const numbers = { length: Math.ceil(end) };
  const count = (_: unknown, i: number) => i;
  const integers = readDtype(options) === "i32";
  const data = integers ? Int32Array.from(numbers, count) : Float32Array.from(numbers, count);
  return make(data, [data.length], options);
}

/**
 * Makes an identity matrix: ones on the diagonal, zeros elsewhere.
 *
 * @param size How many rows and columns.
 * @param options Type, device, and whether it is a parameter.
 * @returns (size, size).
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { eye } from "tunebook/tensor";
 *
 * assertEquals([...await eye(2).data()], [1, 0, 0, 1]);
 * ```
 */
export function eye(size: number, options: CreateOptions = {}): Tensor {
  assertKnownOptions("make a tensor", options, CREATE_NAMES);
  const count = countOf([size, size]);
  const data = readDtype(options) === "i32" ? new Int32Array(count) : new Float32Array(count);
  for (let i = 0; i < size; i++) data[i * (size + 1)] = 1;
  return make(data, [size, size], options);
}

/**
 * Makes a tensor of random numbers, all in [0, 1) as likely.
 *
 * @param shape Lengths of its dimensions.
 * @param options Seed, device, and whether it is a parameter.
 * @returns The tensor; the same for the same seed.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { random } from "tunebook/tensor";
 *
 * assertEquals(await random([3], { seed: 1 }).data(), await random([3], { seed: 1 }).data());
 * ```
 */
export function random(shape: readonly number[], options: RandomOptions = {}): Tensor {
  // 24 bits, as many as a float has: more could round up to 1.
  return draw(shape, options, (numbers) => (numbers.uint32() >>> 8) / 2 ** 24);
}

/**
 * Makes a tensor of random numbers from the standard normal distribution.
 *
 * @param shape Lengths of its dimensions.
 * @param options Seed, device, and whether it is a parameter.
 * @returns The tensor; the same for the same seed.
 * @example A weight that learns
 * ```ts
 * import { randomNormal } from "tunebook/tensor";
 *
 * const weight = randomNormal([4, 3], { seed: 123, requiresGrad: true });
 * ```
 */
export function randomNormal(shape: readonly number[], options: RandomOptions = {}): Tensor {
  return draw(shape, options, (numbers) => numbers.normal());
}

function draw(
  shape: readonly number[],
  options: RandomOptions,
  next: (numbers: Random) => number,
): Tensor {
  assertKnownOptions("make random numbers", options, RANDOM_NAMES);
  const numbers = new Random(options.seed ?? 0);
  const data = Float32Array.from({ length: countOf(shape) }, () => next(numbers));
  return make(data, shape, options);
}

/** The size of a shape that a caller gave. */
function countOf(shape: readonly number[]): number {
  assertLengths("make a tensor", shape);
  return sizeOf(shape);
}
