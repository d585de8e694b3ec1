/**
 * Arrays on a device: {@linkcode Tensor}, and what it carries for `backward()` in `tape.ts`.
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
import type { Device, DeviceBuffer, MemoryUse } from "./device.ts";
import type { FormulaMethods } from "./formula_methods.ts";
import type { ArgmaxOptions, SliceRange, VarianceOptions } from "./options.ts";
import { isPacked, packedBytes, type PackedType } from "./packed.ts";
import { innermostScope, type Scope } from "./scope.ts";
import { noteSpecialHalves } from "./special_halves.ts";

/**
 * Element types: 32-bit floats, 32-bit integers for token ids and indices, and storage types of weights, which ops
 * widen where they use them.
 */
export type Dtype = "f32" | "i32" | PackedType;

/** How a recorded operation passes gradients on; see `recording.ts`. */
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
  scope?: Scope;

  private constructor(storage: Storage, shape: readonly number[], dtype: Dtype) {
    this.#storage = storage;
    this.device = storage.device;
    this.shape = shape;
    this.dtype = dtype;
    this.#claim = holdStorage(this, storage);
    this.scope = innermostScope();
    this.scope?.add(this);
  }

  /**
   * Makes a tensor with undefined content, for a kernel to fill.
   *
   * @param device The device that stores it.
   * @param shape Lengths of its dimensions.
   * @param dtype Type of its elements.
   * @param use `"state"` for what an optimizer updates in every step.
   * @returns The tensor.
   */
  static empty(
    device: Device,
    shape: readonly number[],
    dtype: Dtype = "f32",
    use: MemoryUse | undefined = isPacked(dtype) ? "packed" : undefined,
  ): Tensor {
    const storage = allocateStorage(device, byteLengthOf(shape, dtype), use);
    return new Tensor(storage, [...shape], dtype);
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
    noteSpecialHalves(tensor.buffer, bytes, dtype);
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
      throw new TypeError(
        `Cannot take the item of a tensor of shape ${formatShape(this.shape)}: expected one ` +
          "element; data() gives all",
      );
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
 * Operations as methods: each is the function of the same name, with the tensor as its first argument. `methods.ts`
 * provides them, since operations are made of tensors.
 */
export interface Tensor extends FormulaMethods<Tensor> {
  /** GELU, in its tanh approximation, of every element. */
  gelu(): Tensor;
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
