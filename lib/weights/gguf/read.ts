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
import { sha256Files, STREAM_OPTIONS, type StreamOptions } from "../sha256.ts";
import { Source } from "../source.ts";
import { dequantize, isDequantizable } from "./dequantize.ts";
import { type GgufHeader, type GgufTensorInfo, type GgufValue, readGgufHeader } from "./header.ts";
import { partsOf } from "./parts.ts";
import { GGML_TYPE_BY_NAME } from "./types.ts";
import { assertKnownOptions } from "../../options.ts";

// Blocks pass through a buffer of about this size.
const PIECE = 2 << 20;

/** An open GGUF file, or one that is in parts. Made by {@linkcode openGguf}; closes itself with `using`. */
export class Gguf implements Disposable {
  /** The file; the first, if it is in parts. */
  readonly path: string;
  /** Its parts in order, or the one file. */
  readonly files: readonly string[];
  /** The format's version. */
  readonly version: number;
  /** The metadata: architecture, sizes, tokenizer. */
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** The tensors by name. */
  readonly tensors: ReadonlyMap<string, GgufTensorInfo>;
  readonly #sources: ReadonlyMap<string, Source>;

  /** @internal Use {@linkcode openGguf}. */
  constructor(sources: readonly Source[], header: GgufHeader) {
    this.path = sources[0].path;
    this.files = sources.map(({ path }) => path);
    this.version = header.version;
    this.metadata = header.metadata;
    this.tensors = header.tensors;
    this.#sources = new Map(sources.map((source) => [source.path, source]));
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
      const integers = /^I\d+$/.test(type);
      throw new TypeError(
        `Cannot read tensor ${quote(name)} of "${this.path}" as float32: its type is ${type}` +
          (integers ? "" : "; take the model in another, such as Q4_K_M or Q8_0"),
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
      await this.#sources.get(info.file)!.fill(bytes, position);
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
    const { byteOffsets: [start, end], file } = this.info(name);
    const bytes = new Uint8Array(end - start);
    await this.#sources.get(file)!.fill(bytes, start);
    return bytes;
  }

  /**
   * SHA-256 of the file, or of its parts one after another, for provenance.
   *
   * @param options Signal and progress (per file)
   * @returns The hash in hexadecimal
   */
  async sha256(options: StreamOptions = {}): Promise<string> {
    assertKnownOptions("hash a file", options, STREAM_OPTIONS);
    return await sha256Files(this.files, options);
  }

  /** Closes the file. Reading afterwards is an error. */
  close(): void {
    for (const source of this.#sources.values()) source.close();
  }

  /** Releases what it holds. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Opens a GGUF file for reading and checks its header. If its name is that of a part, such as
 * `model-00001-of-00003.gguf`, all parts are opened and read as one file.
 *
 * @param path The file, or any of its parts
 * @returns The open file; close it after use, or declare it with `using`
 * @throws {Deno.errors.NotFound} If there is no such file, or a part is missing
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
  const sources: Source[] = [];
  try {
    const headers: GgufHeader[] = [];
    for (const part of partsOf(path)) {
      const source = await Source.open(part);
      sources.push(source);
      const first = headers[0]?.metadata.get("general.alignment");
      headers.push(readGgufHeader(source, typeof first === "number" ? first : undefined));
    }
    return new Gguf(sources, join(headers, sources.map((source) => source.path)));
  } catch (error) {
    for (const source of sources) source.close();
    throw error;
  }
}

/** The header of all parts: the first's metadata, and the tensors of each. */
function join(headers: readonly GgufHeader[], paths: readonly string[]): GgufHeader {
  const fail = (i: number, reason: string): never => {
    throw new SyntaxError(`Cannot read "${paths[i]}" as GGUF: ${reason}`);
  };
  const [{ version, metadata }] = headers;
  const tensors = new Map<string, GgufTensorInfo>();
  for (const [i, header] of headers.entries()) {
    const count = header.metadata.get("split.count") ?? 1;
    // Files that were cut up by hand have such names too, but not these numbers.
    if (count !== headers.length || (header.metadata.get("split.no") ?? 0) !== i) {
      const number = Number(header.metadata.get("split.no") ?? 0) + 1;
      fail(
        i,
        `by its metadata it is part ${number} of ${count}, by its name part ${
          i + 1
        } of ${headers.length}; parts have names such as NAME-00001-of-00003.gguf`,
      );
    }
    for (const [name, info] of header.tensors) {
      if (tensors.has(name)) fail(i, `an earlier part has its tensor ${quote(name)}`);
      tensors.set(name, info);
    }
  }
  const all = metadata.get("split.tensors.count") ?? tensors.size;
  if (all !== tensors.size) {
    fail(0, `it announces ${all} tensors in all parts, which hold ${tensors.size}`);
  }
  return { version, metadata, tensors };
}
