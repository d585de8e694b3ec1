/**
 * Reading GGUF, the files of llama.cpp and Ollama.
 *
 * As with safetensors, only the header is read on opening, and tensors are read by position and
 * widened into the caller's memory.
 *
 * @module
 */

import { quote } from "../json.ts";
import { READ_OPTIONS, type ReadOptions, rowRange } from "../rows.ts";
import { sha256File, STREAM_OPTIONS, type StreamOptions } from "../sha256.ts";
import { Source } from "../source.ts";
import { dequantize, isDequantizable } from "./dequantize.ts";
import { type GgufTensorInfo, type GgufValue, readGgufHeader } from "./header.ts";
import { GGML_TYPE_BY_NAME } from "./types.ts";
import { assertKnownOptions } from "../../options.ts";

// Blocks pass through a buffer of about this size.
const PIECE = 2 << 20;

/** An open GGUF file. Made by {@linkcode openGguf}; closes itself with `using`. */
export class Gguf implements Disposable {
  /** The file. */
  readonly path: string;
  /** The format's version. */
  readonly version: number;
  /** The metadata: architecture, sizes, tokenizer. */
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** The tensors by name. */
  readonly tensors: ReadonlyMap<string, GgufTensorInfo>;
  readonly #source: Source;

  /** @internal Use {@linkcode openGguf}. */
  constructor(source: Source) {
    const { version, metadata, tensors } = readGgufHeader(source);
    this.path = source.path;
    this.version = version;
    this.metadata = metadata;
    this.tensors = tensors;
    this.#source = source;
  }

  /**
   * The description of a tensor.
   *
   * @param name The tensor's name
   * @returns Its type, shape and place
   * @throws {RangeError} If there is no such tensor
   */
  info(name: string): GgufTensorInfo {
    const info = this.tensors.get(name);
    if (info !== undefined) return info;
    throw new RangeError(
      `Cannot find tensor ${quote(name)} in "${this.path}", which holds ${this.tensors.size}`,
    );
  }

  /**
   * Reads a tensor, or some of its rows, as float32.
   *
   * @param name The tensor's name
   * @param options Rows (along the first axis of {@linkcode GgufTensorInfo.shape}), destination,
   * signal
   * @returns The values in row-major order: `options.into` if it was given
   * @throws {RangeError} If there is no such tensor or row, or the destination's length differs
   * @throws {TypeError} If the tensor's type cannot be read as float32
   */
  async read(name: string, options: ReadOptions = {}): Promise<Float32Array> {
    assertKnownOptions("read a tensor", options, READ_OPTIONS);
    const info = this.info(name);
    const { type, byteOffsets } = info;
    if (!isDequantizable(type)) {
      throw new TypeError(
        `Cannot read tensor ${quote(name)} of "${this.path}" as float32: its type is ${type}`,
      );
    }
    const { blockElements, blockBytes } = GGML_TYPE_BY_NAME.get(type)!;
    const { first, values } = rowRange(info, options);
    if (first % blockElements !== 0 || values.length % blockElements !== 0) {
      throw new RangeError(
        `Cannot read ${values.length} elements from ${first} on of tensor ${
          quote(name)
        } of "${this.path}": ${type} has blocks of ${blockElements}`,
      );
    }
    const pieceBlocks = Math.floor(PIECE / blockBytes);
    const blocks = values.length / blockElements;
    const piece = new Uint8Array(Math.min(pieceBlocks, blocks) * blockBytes);
    for (let done = 0; done < blocks; done += pieceBlocks) {
      options.signal?.throwIfAborted();
      const count = Math.min(pieceBlocks, blocks - done);
      const bytes = piece.subarray(0, count * blockBytes);
      const position = byteOffsets[0] + (first / blockElements + done) * blockBytes;
      await this.#source.fill(bytes, position);
      const from = done * blockElements;
      dequantize(bytes, type, values.subarray(from, from + count * blockElements));
    }
    return values;
  }

  /**
   * Reads a tensor's blocks without converting them.
   *
   * @param name The tensor's name
   * @returns Its bytes
   * @throws {RangeError} If there is no such tensor
   */
  async readBytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const [start, end] = this.info(name).byteOffsets;
    const bytes = new Uint8Array(end - start);
    await this.#source.fill(bytes, start);
    return bytes;
  }

  /**
   * SHA-256 of the file, for provenance.
   *
   * @param options Signal and progress
   * @returns The hash in hexadecimal
   */
  async sha256(options: StreamOptions = {}): Promise<string> {
    assertKnownOptions("hash a file", options, STREAM_OPTIONS);
    return await sha256File(this.path, options);
  }

  /** Closes the file. Reading afterwards is an error. */
  close(): void {
    this.#source.close();
  }

  /** Releases what it holds. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Opens a GGUF file for reading and checks its header.
 *
 * @param path The file
 * @returns The open file; close it after use, or declare it with `using`
 * @throws {Deno.errors.NotFound} If there is no such file
 * @throws {SyntaxError} If it is not GGUF or is damaged: the message names file and tensor
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { openGguf, writeGguf } from "tunebook/weights";
 *
 * const path = await Deno.makeTempFile({ suffix: ".gguf" });
 * await writeGguf(path, [], { metadata: { "general.name": "mine" } });
 * using file = await openGguf(path);
 * assertEquals(file.metadata.get("general.name"), "mine");
 * await Deno.remove(path);
 * ```
 */
export async function openGguf(path: string): Promise<Gguf> {
  const source = await Source.open(path);
  try {
    return new Gguf(source);
  } catch (error) {
    source.close();
    throw error;
  }
}
