/**
 * The header of a safetensors file: an eight-byte length, then JSON, then the tensors' bytes.
 *
 * All checks of the format's reference implementation are made here, before any tensor is read:
 * https://github.com/huggingface/safetensors#format
 *
 * @module
 */

import { DTYPE_BITS, isDtype, type StoredDtype } from "../dtype.ts";
import { isObject, parseStrictJson, quote } from "../json.ts";

/** The format's limit on the length of the JSON header, in bytes. */
export const MAX_HEADER_BYTES = 100_000_000;

/** Where the JSON begins: after its length as an unsigned 64-bit little-endian integer. */
export const HEADER_START = 8;

/** A tensor as the header describes it. */
export interface TensorInfo {
  /** Its name, for example `h.0.attn.c_attn.weight`. */
  readonly name: string;
  /** The type of its elements in the file. */
  readonly dtype: StoredDtype;
  /** Its shape; empty for a scalar. */
  readonly shape: readonly number[];
  /** First byte and one past the last byte, counted from the beginning of the file. */
  readonly byteOffsets: readonly [start: number, end: number];
  /** The file that holds it; the shard, if a model is split over several files. */
  readonly file: string;
}

/** A parsed header. */
export interface Header {
  /** The tensors by name, in the order of their bytes in the file. */
  tensors: Map<string, TensorInfo>;
  /** The map of strings under `__metadata__`; empty if there is none. */
  metadata: Record<string, string>;
}

/**
 * Reads the header's length from the first bytes of a file.
 *
 * @param start The first bytes of the file: eight, or fewer if it is shorter
 * @param fileSize The length of the file in bytes
 * @param path The file, for error messages
 * @returns The length of the JSON header in bytes
 * @throws {SyntaxError} If the file is too short for a header, or the length is impossible
 */
export function headerLength(start: Uint8Array, fileSize: number, path: string): number {
  if (start.length < HEADER_START) {
    throw new SyntaxError(
      `Cannot read "${path}" as safetensors: it has ${fileSize} bytes and a header needs at least 10`,
    );
  }
  const length = new DataView(start.buffer, start.byteOffset).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw new SyntaxError(
      `Cannot read "${path}" as safetensors: it announces a header of ${length} bytes and at most ${MAX_HEADER_BYTES} are allowed`,
    );
  }
  if (Number(length) + HEADER_START > fileSize) {
    throw new SyntaxError(
      `Cannot read "${path}" as safetensors: it announces a header of ${length} bytes and the file ends after ${fileSize}`,
    );
  }
  if (length < 2n) {
    throw new SyntaxError(
      `Cannot read "${path}" as safetensors: a header of ${length} bytes cannot hold a JSON object`,
    );
  }
  return Number(length);
}

/**
 * Parses and checks the JSON header.
 *
 * @param json The header's bytes, without the length before it
 * @param fileSize The length of the file in bytes
 * @param path The file, for error messages and for {@linkcode TensorInfo.file}
 * @returns The tensors and metadata
 * @throws {SyntaxError} If the header violates the format; the message names the tensor
 */
export function parseHeader(json: Uint8Array, fileSize: number, path: string): Header {
  const what = `header of "${path}"`;
  const fail = (reason: string): never => {
    throw new SyntaxError(`Cannot read the ${what}: ${reason}`);
  };
  if (json[0] !== 0x7b) fail(`it must begin with "{"`);
  const parsed = parseStrictJson(json, what);
  if (!isObject(parsed)) return fail("it must be a JSON object");

  const dataStart = HEADER_START + json.length;
  const dataSize = fileSize - dataStart;
  const metadata: Record<string, string> = Object.create(null);
  const infos: TensorInfo[] = [];
  for (const [name, entry] of Object.entries(parsed)) {
    if (name === "__metadata__") Object.assign(metadata, parseMetadata(entry, fail));
    else infos.push(parseTensor(name, entry, dataStart, path, fail));
  }

  infos.sort((a, b) => a.byteOffsets[0] - b.byteOffsets[0] || a.byteOffsets[1] - b.byteOffsets[1]);
  let end = dataStart;
  let before: string | undefined;
  for (const { name, byteOffsets: [start, stop] } of infos) {
    if (start < end) {
      fail(
        `tensor ${quote(name)} begins at byte ${start - dataStart} of the data, inside tensor ${
          quote(before ?? "")
        }, which ends at ${end - dataStart}`,
      );
    }
    if (start > end) {
      fail(
        `nothing describes the ${start - end} bytes of data before tensor ${
          quote(name)
        } and holes are not allowed`,
      );
    }
    if (stop > fileSize) {
      fail(
        `tensor ${quote(name)} ends at byte ${
          stop - dataStart
        } of the data and the file holds ${dataSize}, so it is cut short`,
      );
    }
    end = stop;
    before = name;
  }
  if (end !== fileSize) {
    fail(`it describes ${end - dataStart} bytes of data and the file holds ${dataSize}`);
  }
  return { tensors: new Map(infos.map((info) => [info.name, info])), metadata };
}

type Fail = (reason: string) => never;

function parseMetadata(entry: unknown, fail: Fail): Record<string, string> {
  if (entry === null) return {}; // safetensors' own implementation reads it as no metadata
  if (!isObject(entry)) return fail(`"__metadata__" must be an object of strings`);
  for (const [key, value] of Object.entries(entry)) {
    if (typeof value !== "string") {
      fail(`"__metadata__" must hold strings only and ${quote(key)} is not one`);
    }
  }
  return entry as Record<string, string>;
}

function isSize(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function parseTensor(
  name: string,
  entry: unknown,
  dataStart: number,
  file: string,
  fail: Fail,
): TensorInfo {
  const tensor = `tensor ${quote(name)}`;
  if (!isObject(entry)) return fail(`${tensor} must be an object with dtype, shape, data_offsets`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (!isDtype(dtype)) {
    return fail(
      `${tensor} has the dtype ${quote(String(dtype))} and known are ${
        Object.keys(DTYPE_BITS).join(", ")
      }`,
    );
  }
  if (!Array.isArray(shape) || !shape.every(isSize)) {
    return fail(`${tensor} must have a shape of whole numbers from 0 to 2^53 - 1`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    return fail(`${tensor} must have two data_offsets, whole numbers from 0 to 2^53 - 1`);
  }
  const [start, end] = offsets as [number, number];
  if (end < start) {
    return fail(`${tensor} ends at byte ${end} of the data, before its beginning at ${start}`);
  }
  // Products of integers are exact while they are safe integers, so each step is checked.
  let bits: number = DTYPE_BITS[dtype];
  for (const size of shape) {
    bits *= size;
    if (!Number.isSafeInteger(bits)) {
      return fail(`${tensor} of shape (${shape.join(", ")}) is too large to have a size in bytes`);
    }
  }
  if (bits % 8 !== 0) {
    return fail(`${tensor} of shape (${shape.join(", ")}) and ${dtype} does not fill whole bytes`);
  }
  if (bits / 8 !== end - start) {
    return fail(
      `${tensor} of shape (${shape.join(", ")}) and ${dtype} needs ${bits / 8} bytes and has ${
        end - start
      }`,
    );
  }
  if (!Number.isSafeInteger(end + dataStart)) {
    return fail(`${tensor} ends at byte ${end} of the data, which is beyond 2^53`);
  }
  return Object.freeze({
    name,
    dtype,
    shape: Object.freeze(shape.slice()),
    byteOffsets: Object.freeze([start + dataStart, end + dataStart]) as readonly [number, number],
    file,
  });
}
