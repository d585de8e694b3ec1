/**
 * Arrays on a device: {@linkcode Tensor}, the {@linkcode scope} that returns their memory, and what an op records so
 * that `backward()` in `tape.ts` can differentiate it.
 *
 * @module
 */

import {
  allocateStorage,
  type Claim,
  holdStorage,
  releaseStorage,
  type Storage,
} from "./collect.ts";
import type { Device, DeviceBuffer } from "./device.ts";
import { isPacked, packedBytes, type PackedType } from "./packed.ts";

/**
 * Element types: 32-bit floats, 32-bit integers for token ids and indices, and storage types of weights, which ops
 * widen where they use them.
 */
export type Dtype = "f32" | "i32" | PackedType;

/** How a recorded operation passes gradients on; see {@linkcode record}. */
export type GradientFunction = (upstream: Tensor, gradients: Gradients) => void;

/** What is recorded of an op: the inputs that may want gradients, and how to compute these. */
export interface TapeNode {
  readonly inputs: readonly Tensor[];
  readonly gradient: GradientFunction;
}

/** Where a gradient function puts the gradients of its op's inputs. */
export interface Gradients {
  /** Whether anybody wants this input's gradient; kernels for it can be left out where not. */
  wants(input: Tensor): boolean;
  /**
   * The tensor to write this input's gradient to. Where `accumulate` is 1 another op has contributed already and the
   * kernel must add to what is there; where it is 0 the content is undefined and must be overwritten.
   */
  into(input: Tensor): { gradient: Tensor; accumulate: 0 | 1 };
  /** Passes a tensor on as this input's gradient unchanged; it is shared, not copied, while it can be. */
  pass(input: Tensor, gradient: Tensor): void;
}

/** Scopes that are open now, innermost last. Ops are synchronous, so a plain stack is right. */
const scopes: Set<Tensor>[] = [];
let recording = true;

/**
 * An array on a device, in row-major order.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Tensor, pick } from "tunebook/tensor";
 *
 * const device = await pick({ device: "cpu" });
 * const x = Tensor.from(device, new Float32Array([1, 2, 3, 4]), [2, 2]);
 * assertEquals(await x.matmul(x).sum().item(), 54);
 * device.close();
 * ```
 */
export class Tensor {
  /** The lengths of its dimensions. A scalar has none. */
  readonly shape: readonly number[];
  /** The type of its elements. */
  readonly dtype: Dtype;
  /** Where it lives. */
  readonly device: Device;
  /** Its gradient, once {@linkcode backward} ran, if it is a parameter. */
  grad?: Tensor;
  /** @ignore Memory for its next gradient, where that is not to come from the pool. */
  spareGrad?: Tensor;
  /** Whether it is a parameter: a tensor that gradients are kept for. */
  requiresGrad = false;

  #storage: Storage | undefined;
  readonly #claim: Claim;
  /** @ignore */
  node?: TapeNode;
  /** @ignore The scope that disposes of it, if any. */
  scope?: Set<Tensor>;

  private constructor(storage: Storage, shape: readonly number[], dtype: Dtype) {
    this.#storage = storage;
    this.device = storage.device;
    this.shape = shape;
    this.dtype = dtype;
    this.#claim = holdStorage(this, storage);
    this.scope = scopes.at(-1);
    this.scope?.add(this);
  }

  /**
   * Makes a tensor with undefined content, for a kernel to fill.
   *
   * @param device The device that stores it.
   * @param shape Lengths of its dimensions.
   * @param dtype Type of its elements.
   * @returns The tensor.
   */
  static empty(device: Device, shape: readonly number[], dtype: Dtype = "f32"): Tensor {
    return new Tensor(allocateStorage(device, byteLengthOf(shape, dtype)), [...shape], dtype);
  }

  /**
   * Makes a tensor from data, which is copied.
   *
   * @param device The device that stores it.
   * @param data Its elements in row-major order; the array's type decides the tensor's.
   * @param shape Lengths of its dimensions; one dimension by default.
   * @returns The tensor.
   * @throws {TypeError} If the data's length is not the shape's size.
   */
  static from(
    device: Device,
    data: Float32Array | Int32Array | readonly number[],
    shape: readonly number[] = [data.length],
  ): Tensor {
    if (sizeOf(shape) !== data.length) {
      throw new TypeError(
        `Cannot make a tensor of shape ${formatShape(shape)} from ${data.length} elements: ` +
          `it needs ${sizeOf(shape)}`,
      );
    }
    const typed = data instanceof Float32Array || data instanceof Int32Array
      ? data
      : Float32Array.from(data);
    const tensor = Tensor.empty(device, shape, typed instanceof Int32Array ? "i32" : "f32");
    device.write(tensor.buffer, typed);
    return tensor;
  }

  /**
   * Makes a packed matrix from its bytes, which are copied: a weight that ops widen a part at a time.
   *
   * @param device The device that stores it.
   * @param bytes Its rows' blocks, as `packed.ts` lays them out.
   * @param shape (rows, width), the width a whole number of blocks.
   * @param dtype The storage type.
   * @returns The tensor. It cannot learn.
   * @throws {TypeError} If a row is not a whole number of blocks, or there are not as many bytes as the shape needs.
   */
  static pack(
    device: Device,
    bytes: Uint8Array<ArrayBuffer>,
    shape: readonly number[],
    dtype: PackedType,
  ): Tensor {
    const needed = byteLengthOf(shape, dtype);
    if (bytes.length !== needed) {
      throw new TypeError(
        `Cannot make a tensor of shape ${formatShape(shape)} and type "${dtype}" from ` +
          `${bytes.length} bytes: it needs ${needed}`,
      );
    }
    const tensor = Tensor.empty(device, shape, dtype);
    const aligned = bytes.byteOffset % 4 === 0 && bytes.length % 4 === 0;
    const whole = aligned ? bytes : new Uint8Array(Math.ceil(bytes.length / 4) * 4);
    if (!aligned) whole.set(bytes);
    device.write(
      tensor.buffer,
      new Int32Array(whole.buffer, whole.byteOffset, whole.length / 4),
    );
    return tensor;
  }

  /** Bytes of its elements. */
  get byteLength(): number {
    return byteLengthOf(this.shape, this.dtype);
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** Length of the last dimension; 1 for a scalar. */
  get width(): number {
    return this.shape.at(-1) ?? 1;
  }

  /** Number of rows when all but the last dimension are folded into one. */
  get rows(): number {
    return sizeOf(this.shape.slice(0, -1));
  }

  /** Whether its memory was given back. */
  get disposed(): boolean {
    return this.#storage === undefined;
  }

  /**
   * The memory, for kernels.
   *
   * @throws {TypeError} If the tensor was disposed of.
   */
  get buffer(): DeviceBuffer {
    if (!this.#storage) {
      throw new TypeError(
        `Cannot use a tensor of shape ${formatShape(this.shape)}: it is disposed`,
      );
    }
    return this.#storage.buffer;
  }

  /** Whether no other tensor shares its memory, so that it may be updated in place. @ignore */
  get exclusive(): boolean {
    return this.#storage?.references === 1;
  }

  /**
   * Waits for the device and copies the elements out, widened where they are packed.
   *
   * @returns The elements in row-major order. Of integers it is an `Int32Array`: write `data<Int32Array>()`.
   */
  data(): Promise<Float32Array<ArrayBuffer>>;
  /** Reads integer elements. */
  data<T extends Int32Array>(): Promise<T>;
  async data(): Promise<Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>> {
    if (isPacked(this.dtype)) {
      // Imported late: ops are made of tensors.
      const { dequantize } = await import("./ops/dequantize/dequantize.ts");
      using wide = dequantize(this).keep();
      return await wide.data();
    }
    const bytes = this.size === 0
      ? new ArrayBuffer(0)
      : await this.device.read(this.buffer, 0, this.size * 4);
    return this.dtype === "i32" ? new Int32Array(bytes) : new Float32Array(bytes);
  }

  /**
   * Waits for the device and returns the only element.
   *
   * @returns The number.
   * @throws {TypeError} If there is more than one element.
   */
  async item(): Promise<number> {
    if (this.size !== 1) {
      throw new TypeError(`Cannot take the item of a tensor of shape ${formatShape(this.shape)}`);
    }
    return (await this.data())[0];
  }

  /** Overwrites its elements, for weights that are loaded; the queue's order is kept. @ignore */
  assign(data: Float32Array | Int32Array, offset = 0): void {
    this.device.write(this.buffer, data, offset * 4);
  }

  /**
   * Another tensor on the same memory, through which no gradient flows: what a teacher or a target is.
   *
   * @returns The same elements, as a constant.
   */
  detach(): Tensor {
    return this.alias();
  }

  /** Another tensor on the same memory, without history. @ignore */
  alias(shape: readonly number[] = this.shape): Tensor {
    this.buffer; // throws if disposed
    return new Tensor(this.#storage!, [...shape], this.dtype);
  }

  /** Gives its memory back, unless another tensor shares it. Doing so twice is harmless. */
  dispose(): void {
    if (!this.#storage) return;
    releaseStorage(this.#claim, this.#storage);
    this.#storage = undefined;
    this.node = undefined;
    this.scope?.delete(this);
    this.scope = undefined;
  }

  /**
   * Gives its memory back, but stays on the tape: for a result that only one op used, where neither that op's gradient
   * nor its own reads its values. @ignore
   */
  forget(): void {
    if (!this.#storage) return;
    releaseStorage(this.#claim, this.#storage);
    this.#storage = undefined;
  }

  /** {@inheritDoc dispose} */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Takes it out of its scope, so that it lives on. */
  keep(): this {
    this.scope?.delete(this);
    this.scope = undefined;
    return this;
  }
}

/** What elementwise operations take: a tensor, or a number that stands for a tensor of no dimensions. */
export type Operand = Tensor | number;

/** Options of reductions. */
export interface ReductionOptions {
  /** The dimension or dimensions to reduce; negative ones count from the end. All by default. */
  readonly axis?: number | readonly number[];
  /** Whether reduced dimensions stay, with length 1. By default they go. */
  readonly keepDims?: boolean;
}

/** Options of {@linkcode variance}. */
export interface VarianceOptions extends ReductionOptions {
  /**
   * What is subtracted from the number of elements before dividing by it: 0, by default, as in norms and NumPy; 1 for an
   * estimate from a sample, as PyTorch's `var` has it.
   */
  readonly correction?: number;
}

/** Options of {@linkcode argmax}. */
export interface ArgmaxOptions {
  /** The dimension; negative numbers count from the end. By default all elements are numbered in order. */
  readonly axis?: number;
  /** Whether the dimension stays, with length 1. By default it goes. */
  readonly keepDims?: boolean;
}

/** Options of {@linkcode matmul}. */
export interface MatmulOptions {
  /** Uses aᵀ. By default false. */
  readonly transposeA?: boolean;
  /** Uses bᵀ: weights stored as (out, in). By default false. */
  readonly transposeB?: boolean;
  /** (N), added to every row. */
  readonly bias?: Tensor;
}

/**
 * What to take of a dimension: one index, which the dimension goes with, or `[start, end, step]`, of which each may be
 * missing. Negative numbers count from the end; `[]` takes all.
 */
export type SliceRange = number | readonly [start?: number, end?: number, step?: number];

/**
 * Operations as methods: each is the function of the same name, with the tensor as its first argument. `methods.ts`
 * provides them, since operations are made of tensors.
 */
export interface Tensor {
  /** `this + other`, element by element. */
  add(other: Operand): Tensor;
  /** `this − other`, element by element. */
  sub(other: Operand): Tensor;
  /** `this · other`, element by element. */
  mul(other: Operand): Tensor;
  /** `this / other`, element by element. */
  div(other: Operand): Tensor;
  /** `this` to the power of `exponent`, element by element. */
  pow(exponent: Operand): Tensor;
  /** The larger of two elements. */
  maximum(other: Operand): Tensor;
  /** The smaller of two elements. */
  minimum(other: Operand): Tensor;
  /** 1 where elements are equal, else 0. */
  equal(other: Operand): Tensor;
  /** 1 where elements differ, else 0. */
  notEqual(other: Operand): Tensor;
  /** 1 where elements are less, else 0. */
  less(other: Operand): Tensor;
  /** 1 where elements are less or equal, else 0. */
  lessEqual(other: Operand): Tensor;
  /** 1 where elements are greater, else 0. */
  greater(other: Operand): Tensor;
  /** 1 where elements are greater or equal, else 0. */
  greaterEqual(other: Operand): Tensor;
  /** Elements of `a` where this tensor is not 0, else of `b`. */
  where(a: Operand, b: Operand): Tensor;
  /** `−x` of every element. */
  neg(): Tensor;
  /** eˣ of every element. */
  exp(): Tensor;
  /** The natural logarithm of every element. */
  log(): Tensor;
  /** The square root of every element. */
  sqrt(): Tensor;
  /** The absolute value of every element. */
  abs(): Tensor;
  /** Every element, or 0 where it is negative. */
  relu(): Tensor;
  /** x σ(x) of every element. */
  silu(): Tensor;
  /** GELU, in its tanh approximation, of every element. */
  gelu(): Tensor;
  /** The logistic function σ(x) of every element. */
  sigmoid(): Tensor;
  /** ln σ(x) of every element. */
  logSigmoid(): Tensor;
  /** The hyperbolic tangent of every element. */
  tanh(): Tensor;
  /** The sum over all or some dimensions. */
  sum(options?: ReductionOptions): Tensor;
  /** The mean over all or some dimensions. */
  mean(options?: ReductionOptions): Tensor;
  /** The largest element over all or some dimensions. */
  max(options?: ReductionOptions): Tensor;
  /** The smallest element over all or some dimensions. */
  min(options?: ReductionOptions): Tensor;
  /** The variance over all or some dimensions. */
  variance(options?: VarianceOptions): Tensor;
  /** The index of the largest element. */
  argmax(options?: ArgmaxOptions): Tensor;
  /** Probabilities of scores along a dimension, by default the last. */
  softmax(axis?: number): Tensor;
  /** Log-probabilities of scores along a dimension, by default the last. */
  logSoftmax(axis?: number): Tensor;
  /** Running sums along a dimension, by default the last. */
  cumulativeSum(axis?: number): Tensor;
  /** The same elements in another shape; one length may be −1, for what is left. */
  reshape(shape: readonly number[]): Tensor;
  /** The dimensions in another order. */
  permute(axes: readonly number[]): Tensor;
  /** Two dimensions exchanged, by default the last two. */
  transpose(axis?: number, other?: number): Tensor;
  /** Repeated to a larger shape. */
  broadcastTo(shape: readonly number[]): Tensor;
  /** A part: an index or a range of each dimension. */
  slice(...ranges: SliceRange[]): Tensor;
  /** Elements chosen by indices along a dimension, by default the last. */
  gather(index: Tensor, axis?: number): Tensor;
  /** The product with a matrix, or with many. */
  matmul(other: Tensor, options?: MatmulOptions): Tensor;
  /** Computes the gradients of this scalar with respect to every parameter; see the function {@linkcode backward}. */
  backward(): void;
  /** Waits for the device and prints the tensor with its numbers. */
  show(): Promise<void>;
}

/**
 * Number of elements of a shape.
 *
 * @param shape Lengths of dimensions.
 * @returns Their product; 1 for none.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { sizeOf } from "tunebook/tensor";
 *
 * assertEquals(sizeOf([2, 3, 4]), 24);
 * ```
 */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** Bytes of a tensor's elements, a multiple of 4 but for packed ones. */
function byteLengthOf(shape: readonly number[], dtype: Dtype): number {
  if (!isPacked(dtype)) return sizeOf(shape) * 4;
  return packedBytes(dtype, sizeOf(shape.slice(0, -1)), shape.at(-1) ?? 1).total;
}

/**
 * Writes a shape for a message.
 *
 * @param shape Lengths of dimensions.
 * @returns Such as `(2, 3)`.
 */
export function formatShape(shape: readonly number[]): string {
  return `(${shape.join(", ")})`;
}

/**
 * Runs a function and disposes of every tensor made in it, except those it returns (alone, in an array or in the
 * values of an object).
 *
 * @param body A synchronous function.
 * @returns What the function returned.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { scope, tensor } from "tunebook/tensor";
 *
 * const x = tensor([2]);
 * const y = scope(() => x.mul(x).mul(x)); // what was made on the way is disposed
 * assertEquals(await y.item(), 8);
 * ```
 */
export function scope<T>(body: () => T): T {
  const tensors = new Set<Tensor>();
  scopes.push(tensors);
  try {
    const result = body();
    const outer = scopes.at(-2);
    for (const tensor of tensorsIn(result)) {
      if (tensor.scope !== tensors) continue;
      tensors.delete(tensor);
      tensor.scope = outer;
      outer?.add(tensor);
    }
    return result;
  } finally {
    scopes.pop();
    for (const tensor of tensors) tensor.dispose();
  }
}

function tensorsIn(value: unknown): Tensor[] {
  if (value instanceof Tensor) return [value];
  if (Array.isArray(value)) return value.filter((item) => item instanceof Tensor);
  if (value !== null && typeof value === "object") {
    return Object.values(value).filter((item) => item instanceof Tensor);
  }
  return [];
}

/**
 * Runs a function without recording: nothing in it can be differentiated, and no memory is held for that.
 *
 * @param body A synchronous function.
 * @returns What the function returned.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { noGrad, tensor } from "tunebook/tensor";
 *
 * const x = tensor([2]);
 * x.requiresGrad = true;
 * assertEquals(noGrad(() => x.mul(x)).requiresGrad, false);
 * ```
 */
export function noGrad<T>(body: () => T): T {
  return withRecording(false, body);
}

/** Runs a function with recording, within what runs without. @ignore */
export function withGrad<T>(body: () => T): T {
  return withRecording(true, body);
}

function withRecording<T>(state: boolean, body: () => T): T {
  const before = recording;
  recording = state;
  try {
    return body();
  } finally {
    recording = before;
  }
}

/**
 * Whether an op with these inputs will be recorded, so that it must save what its gradient needs.
 *
 * @param inputs The op's inputs.
 * @returns Whether gradients flow through it.
 */
export function isRecorded(...inputs: (Tensor | undefined)[]): boolean {
  return recording && inputs.some((input) => input && (input.requiresGrad || input.node));
}

/**
 * Records an op on the tape: called by the op once its forward kernel is enqueued.
 *
 * @param output The op's result.
 * @param inputs Its inputs that can have gradients.
 * @param gradient Enqueues the kernels that compute the inputs' gradients from the output's.
 * @returns The output.
 */
export function record(
  output: Tensor,
  inputs: readonly (Tensor | undefined)[],
  gradient: GradientFunction,
): Tensor {
  if (isRecorded(...inputs)) {
    output.node = { inputs: inputs.filter((input) => input !== undefined), gradient };
  }
  return output;
}
