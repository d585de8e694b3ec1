/**
 * Reading PyTorch state dicts, without running anything that they hold.
 *
 * @module
 */

import { assertKnownOptions } from "../../options.ts";
import { DTYPE_BITS, isReadable, type ReadableDtype, type StoredDtype, widen } from "../dtype.ts";
import { quote } from "../json.ts";
import { READ_OPTIONS, type ReadOptions, rowRange } from "../rows.ts";
import { Source } from "../source.ts";
import { findTensor, type StoredTensor, type TensorFile } from "../tensor_file.ts";
import type { PickledTensor } from "./pickle.ts";
import type { Part } from "./storages.ts";

/** A tensor of a state dict, as float32. */
export interface StateDictTensor {
  /** Its name. */
  readonly name: string;
  /** Its shape. */
  readonly shape: readonly number[];
  /** The type that it is stored as. */
  readonly dtype: ReadableDtype;
  /** Its values in row-major order. */
  readonly data: Float32Array;
}

/** A tensor of an open state dict. */
interface Entry extends StoredTensor {
  readonly name: string;
  readonly dtype: StoredDtype;
  readonly strides: readonly number[];
  /** The bytes of the file from the tensor's first element to the end of its storage. */
  readonly part: Part;
}

/** An open state dict. Nothing of its tensors is in memory before it is read. */
export class StateDict implements TensorFile {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, Entry>;
  readonly #source: Source;

  constructor(source: Source, tensors: ReadonlyMap<string, Entry>) {
    this.path = source.path;
    this.#source = source;
    this.tensors = tensors;
  }

  info(name: string): Entry {
    return findTensor(this, name);
  }

  async read(name: string, options: ReadOptions = {}): Promise<Float32Array> {
    assertKnownOptions("read a tensor", options, READ_OPTIONS);
    const entry = this.info(name);
    const { dtype, shape, strides } = entry;
    if (!isReadable(dtype)) {
      throw new TypeError(
        `Cannot read tensor ${quote(name)} of "${this.path}" as float32: its dtype is ${dtype}`,
      );
    }
    options.signal?.throwIfAborted();
    const { values } = rowRange({ ...entry, name }, options);
    const [firstRow, endRow] = options.rows ?? [0, shape[0] ?? 1];
    const part = shape.length === 0 ? [] : [endRow - firstRow, ...shape.slice(1)];
    const first = firstRow * (strides[0] ?? 0);
    const bytes = await this.#elements(entry, first, spanOf(part, strides));
    if (isDense(part, strides)) widen(bytes, dtype, values);
    else {
      const wide = new Float32Array(bytes.length * 8 / DTYPE_BITS[dtype]);
      widen(bytes, dtype, wide);
      let i = 0;
      for (const at of places(part, strides)) values[i++] = wide[at];
    }
    return values;
  }

  async readBytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const entry = this.info(name);
    const { shape, strides, dtype } = entry;
    const bytes = await this.#elements(entry, 0, spanOf(shape, strides));
    if (isDense(shape, strides)) return bytes;
    const width = DTYPE_BITS[dtype] / 8;
    const result = new Uint8Array(sizeOf(shape) * width);
    let i = 0;
    for (const at of places(shape, strides)) {
      result.set(bytes.subarray(at * width, (at + 1) * width), width * i++);
    }
    return result;
  }

  close(): void {
    this.#source.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #elements({ part, dtype }: Entry, first: number, count: number) {
    const width = DTYPE_BITS[dtype] / 8;
    const bytes = new Uint8Array(count * width);
    await this.#source.fill(bytes, part.start + first * width);
    return bytes;
  }
}

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Elements of a storage from a view's first to its last. */
function spanOf(shape: readonly number[], strides: readonly number[]): number {
  if (shape.includes(0)) return 0;
  return shape.reduce((span, size, i) => span + (size - 1) * strides[i], 1);
}

/** Whether a view's elements follow one another in row-major order. */
function isDense(shape: readonly number[], strides: readonly number[]): boolean {
  return shape.every((size, i) => size === 1 || strides[i] === sizeOf(shape.slice(i + 1)));
}

/** The places of a view's elements in row-major order, from its first on. */
function* places(shape: readonly number[], strides: readonly number[]): Generator<number> {
  const index = shape.map(() => 0);
  const count = sizeOf(shape);
  for (let done = 0, at = 0; done < count; done++) {
    yield at;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis];
      if (++index[axis] < shape[axis]) break;
      at -= index[axis] * strides[axis];
      index[axis] = 0;
    }
  }
}

/**
 * Opens a state dict, as `torch.save()` writes it, in the form of today or that of before PyTorch 1.6.
 *
 * @param path The file.
 * @returns Its tensors; close it after use, or declare it with `using`.
 * @throws {SyntaxError} If it is not such a file, or holds anything but a dictionary of tensors.
 * @throws {Deno.errors.NotFound} If there is no such file.
 */
export async function openStateDict(path: string): Promise<StateDict> {
  const source = await Source.open(path);
  try {
    const { openDict } = await import("./storages.ts"); // with zip.js, when it is needed
    const { tensors, storageOf } = await openDict(source);
    return new StateDict(
      source,
      new Map(tensors.map((tensor) => [tensor.name, entryOf(tensor, storageOf, path)])),
    );
  } catch (error) {
    source.close();
    throw error;
  }
}

function entryOf(
  { name, shape, dtype, storage, offset, strides }: PickledTensor,
  storageOf: (key: string) => Part | undefined,
  path: string,
): Entry {
  const cannot = (found: string) =>
    new SyntaxError(`Cannot read "${path}": the tensor ${quote(name)} ${found}`);
  const whole = storageOf(storage);
  if (whole === undefined) throw cannot("has no storage");
  const width = DTYPE_BITS[dtype] / 8;
  const part = { start: whole.start + offset * width, end: whole.end };
  const [span, size] = [spanOf(shape, strides), sizeOf(shape)];
  if (!(part.start + span * width <= part.end)) throw cannot("is cut short");
  // Its values could take any amount of memory.
  if (size > span) throw cannot("repeats its elements");
  const dense = isDense(shape, strides);
  return {
    ...{ name, shape, dtype, strides, part, file: path },
    ...(dense && { byteOffsets: [part.start, part.start + size * width] }),
  };
}

/**
 * Reads a PyTorch state dict, one tensor at a time. Only dictionaries of float tensors are read: what else a pickle may hold
 * is refused, and nothing is called.
 *
 * @param path The file, as `torch.save()` writes it.
 * @returns Its tensors, in the dictionary's order.
 * @throws {SyntaxError} If it is not such a file.
 * @throws {TypeError} If a tensor holds integers.
 * @throws {Deno.errors.NotFound} If there is no such file.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readStateDict, writeStateDict } from "tunebook/weights";
 *
 * const path = await Deno.makeTempFile({ suffix: ".pth" });
 * await writeStateDict(path, [{ name: "a", shape: [1, 2], data: new Float32Array([1, 2]) }]);
 * const shapes = await Array.fromAsync(readStateDict(path), ({ shape }) => shape);
 * assertEquals(shapes, [[1, 2]]);
 * await Deno.remove(path);
 * ```
 */
export async function* readStateDict(
  path: string,
): AsyncGenerator<StateDictTensor, void, void> {
  using dict = await openStateDict(path);
  for (const [name, { shape, dtype }] of dict.tensors) {
    const data = await dict.read(name); // refuses what is not readable
    yield { name, shape, dtype: dtype as ReadableDtype, data };
  }
}
