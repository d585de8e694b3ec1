/**
 * Reading safetensors: one file, or a model split over several with an index.
 *
 * Only headers are read when a model is opened. A tensor is read by position, straight into the
 * caller's memory, so a model of any size needs no more memory than the tensors asked for.
 *
 * @module
 */

import { basename } from "@std/path/basename";
import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { DTYPE_BITS, isReadable, type ReadableDtype, widen } from "../dtype.ts";
import { quote } from "../json.ts";
import { READ_OPTIONS, type ReadOptions, rowRange } from "../rows.ts";
import { sha256File, STREAM_OPTIONS, type StreamOptions } from "../sha256.ts";
import { Source } from "../source.ts";
import { mergeShards } from "../shards.ts";
import { findTensor } from "../tensor_file.ts";
import { findWeights, SAFETENSORS_FILES } from "../find.ts";
import { type Header, HEADER_START, headerLength, parseHeader, type TensorInfo } from "./header.ts";
import { parseShardIndex } from "./index_file.ts";
import { assertKnownOptions } from "../../options.ts";

// Elements that must be widened pass through a buffer of this size; float32 is read directly.
const WIDEN_PIECE = 2 << 20;
const COPY_PIECE = 32 << 20;

/**
 * An open safetensors model.
 *
 * Made by {@linkcode openSafetensors}. Closes itself with `using`.
 */
export class Safetensors implements Disposable {
  /** The file or index that was opened. */
  readonly path: string;
  /** The safetensors files, each once. */
  readonly files: readonly string[];
  /** The tensors by name. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** The map under `__metadata__`; for a split model, merged over all shards. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly #sources: Map<string, Source>;
  readonly #absent: ReadonlyMap<string, string>;

  /** @internal Use {@linkcode openSafetensors}. */
  constructor(
    path: string,
    sources: Map<string, Source>,
    tensors: Map<string, TensorInfo>,
    metadata: Record<string, string>,
    absent: ReadonlyMap<string, string> = new Map(),
  ) {
    this.path = path;
    this.files = [...sources.keys()];
    this.tensors = tensors;
    this.metadata = metadata;
    this.#sources = sources;
    this.#absent = absent;
  }

  /**
   * The description of a tensor.
   *
   * @param name The tensor's name
   * @returns Its type, shape and place
   * @throws {RangeError} If there is no such tensor; the message suggests the nearest name
   */
  info(name: string): TensorInfo {
    const shard = this.#absent.get(name);
    if (shard !== undefined) {
      throw new SyntaxError(
        `Cannot read the index "${this.path}": tensor ${
          quote(name)
        } should be in "${shard}" and is not`,
      );
    }
    return findTensor(this, name);
  }

  /**
   * Reads a tensor, or some of its rows, as float32.
   *
   * @param name The tensor's name; its type must be F32, F16, BF16, F64, F8_E4M3 or F8_E5M2
   * @param options Rows, destination and signal
   * @returns The values in row-major order: `options.into` if it was given
   * @throws {RangeError} If there is no such tensor or row, or the destination's length differs
   * @throws {TypeError} If the tensor holds integers or another type that float32 cannot hold
   */
  async read(name: string, options: ReadOptions = {}): Promise<Float32Array> {
    assertKnownOptions("read a tensor", options, READ_OPTIONS);
    const info = this.info(name);
    const { dtype, file } = info;
    if (!isReadable(dtype)) {
      throw new TypeError(
        `Cannot read tensor ${quote(name)} of "${file}" as float32: its dtype is ${dtype}`,
      );
    }
    const { first, values } = rowRange(info, options);
    const position = info.byteOffsets[0] + first * DTYPE_BITS[dtype] / 8;
    await this.#readFloats(this.#sources.get(file)!, dtype, position, values, options.signal);
    return values;
  }

  /**
   * Reads a tensor's bytes as they are stored, whatever its type.
   *
   * @param name The tensor's name
   * @returns Its bytes, little-endian
   * @throws {RangeError} If there is no such tensor
   */
  async readBytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const { byteOffsets: [start, end], file } = this.info(name);
    const bytes = new Uint8Array(end - start);
    await this.#sources.get(file)!.fill(bytes, start);
    return bytes;
  }

  /**
   * SHA-256 of each file, for provenance. Reads the files completely.
   *
   * @param options Signal and progress (per file)
   * @returns The hash in hexadecimal by file name (without directory)
   */
  async sha256(options: StreamOptions = {}): Promise<Record<string, string>> {
    assertKnownOptions("hash a file", options, STREAM_OPTIONS);
    const hashes: Record<string, string> = {};
    for (const file of this.files) hashes[basename(file)] = await sha256File(file, options);
    return hashes;
  }

  /** Closes the files. Reading afterwards is an error. */
  close(): void {
    for (const source of this.#sources.values()) source.close();
  }

  /** Releases what it holds. */
  [Symbol.dispose](): void {
    this.close();
  }

  async #readFloats(
    source: Source,
    dtype: ReadableDtype,
    position: number,
    values: Float32Array,
    signal?: AbortSignal,
  ): Promise<void> {
    if (dtype === "F32") {
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      for (let done = 0; done < bytes.length; done += COPY_PIECE) {
        signal?.throwIfAborted();
        await source.fill(bytes.subarray(done, done + COPY_PIECE), position + done);
      }
      return;
    }
    const size = DTYPE_BITS[dtype] / 8;
    const piece = new Uint8Array(Math.min(WIDEN_PIECE, values.length * size));
    for (let done = 0; done < values.length;) {
      signal?.throwIfAborted();
      const part = values.subarray(done, done + piece.length / size);
      const bytes = piece.subarray(0, part.length * size);
      await source.fill(bytes, position + done * size);
      widen(bytes, dtype, part);
      done += part.length;
    }
  }
}

/**
 * Opens a safetensors model for reading and checks its header or headers.
 *
 * @param path A `.safetensors` file, a `.safetensors.index.json` index, or a directory that holds
 * `model.safetensors` or `model.safetensors.index.json`
 * @returns The model; close it after use, or declare it with `using`
 * @throws {Deno.errors.NotFound} If there is no such file, or the directory holds no weights
 * @throws {SyntaxError} If a file is damaged or not safetensors: the message names file and tensor
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { openSafetensors, resolveModel } from "tunebook/weights";
 *
 * const { directory } = await resolveModel("nano") as { directory: string };
 * using file = await openSafetensors(`${directory}/model.safetensors`);
 * assertEquals(file.info("transformer.ln_f.weight").shape.length, 1);
 * ```
 */
export async function openSafetensors(path: string): Promise<Safetensors> {
  const found = await findWeights(path, SAFETENSORS_FILES);
  if (found.endsWith(".json")) return await openSharded(found);
  const sources = new Map<string, Source>();
  try {
    const { tensors, metadata } = await openInto(sources, found);
    return new Safetensors(found, sources, tensors, metadata);
  } catch (error) {
    for (const source of sources.values()) source.close();
    throw error;
  }
}

async function openInto(sources: Map<string, Source>, path: string): Promise<Header> {
  const source = await Source.open(path);
  sources.set(path, source);
  const start = new Uint8Array(Math.min(HEADER_START, source.size));
  await source.fill(start, 0);
  const json = new Uint8Array(headerLength(start, source.size, path));
  await source.fill(json, HEADER_START);
  return parseHeader(json, source.size, path);
}

async function openSharded(path: string): Promise<Safetensors> {
  const bytes = await Deno.readFile(path).catch((cause) => {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new Deno.errors.NotFound(`Cannot open "${path}": there is no such file`, { cause });
  });
  const { shardOf, shards } = parseShardIndex(bytes, path);
  const sources = new Map<string, Source>();
  const shardTensors = new Map<string, ReadonlyMap<string, TensorInfo>>();
  const metadata: Record<string, string> = Object.create(null);
  try {
    for (const shard of shards) {
      const header = await openInto(sources, join(dirname(path), shard));
      shardTensors.set(shard, header.tensors);
      Object.assign(metadata, header.metadata);
    }
    const readBytes = async (shard: string, name: string) => {
      const { byteOffsets: [start, end], file } = shardTensors.get(shard)!.get(name)!;
      const bytes = new Uint8Array(end - start);
      await sources.get(file)!.fill(bytes, start);
      return bytes;
    };
    const { tensors, absent } = await mergeShards(path, shardOf, shardTensors, readBytes);
    return new Safetensors(path, sources, tensors, metadata, absent);
  } catch (error) {
    for (const source of sources.values()) source.close();
    throw error;
  }
}
