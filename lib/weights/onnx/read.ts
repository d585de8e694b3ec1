/**
 * Reading the weights of an ONNX file back, one at a time.
 *
 * @module
 */

import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { basename } from "@std/path/basename";
import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { widen } from "../dtype.ts";
import { FIELDS, ONNX_TYPES } from "./graph.ts";

/** A weight of an ONNX file, as float32. */
export interface StoredOnnxWeight {
  /** Its name. */
  readonly name: string;
  /** Its shape. */
  readonly shape: readonly number[];
  /** Its values in row-major order. */
  readonly data: Float32Array<ArrayBuffer>;
}

/** A field of a message: a number, or the place of its bytes in the file. */
interface Field {
  readonly number: number;
  readonly value: number;
  readonly start: number;
  readonly end: number;
}

/** Bytes that hold a tag and a length. */
const HEAD = 20;

/**
 * Reads the floating-point tensors of an ONNX file, from the file itself or the one beside it that it names.
 *
 * @param path The file.
 * @returns Each, when it is asked for; constants of integers are left out.
 * @throws {SyntaxError} If it is not an ONNX file, or ends early.
 */
export async function* readOnnxWeights(path: string): AsyncGenerator<StoredOnnxWeight> {
  using file = await Deno.open(path);
  const { size } = await file.stat();
  let isFound = false;
  for await (const model of fieldsOf(file, 0, size, path)) {
    if (model.number !== FIELDS.model.graph) continue;
    isFound = true;
    for await (const part of fieldsOf(file, model.start, model.end, path)) {
      if (part.number !== FIELDS.graph.initializer) continue;
      const weight = await readWeight(file, part, path);
      if (weight !== undefined) yield weight;
    }
  }
  if (!isFound) throw broken(path, "it holds no graph");
}

async function readWeight(
  file: Deno.FsFile,
  { start, end }: Field,
  path: string,
): Promise<StoredOnnxWeight | undefined> {
  const shape: number[] = [];
  let [name, type] = ["", 0];
  let raw: Field | undefined;
  const place = new Map<string, string>();
  for await (const field of fieldsOf(file, start, end, path)) {
    if (field.number === FIELDS.tensor.dims) shape.push(field.value);
    if (field.number === FIELDS.tensor.type) type = field.value;
    if (field.number === FIELDS.tensor.name) name = await readString(file, field, path);
    if (field.number === FIELDS.tensor.raw) raw = field;
    if (field.number !== FIELDS.tensor.external) continue;
    const entry = new Map<number, string>();
    for await (const part of fieldsOf(file, field.start, field.end, path)) {
      entry.set(part.number, await readString(file, part, path));
    }
    place.set(entry.get(FIELDS.entry.key) ?? "", entry.get(FIELDS.entry.value) ?? "");
  }
  if (type !== ONNX_TYPES.float32 && type !== ONNX_TYPES.float16) return;
  const data = new Float32Array(shape.reduce((count, size) => count * size, 1));
  const bytes = new Uint8Array(data.length * (type === ONNX_TYPES.float32 ? 4 : 2));
  if (raw !== undefined) {
    if (raw.end - raw.start !== bytes.length) throw broken(path, `"${name}" has another length`);
    await readAt(file, raw.start, bytes, path);
  } else {
    // The name of a file in the same folder, whatever else stands there.
    const beside = join(dirname(path), basename(place.get("location") ?? ""));
    using other = await Deno.open(beside);
    await readAt(other, Number(place.get("offset") ?? 0), bytes, beside);
  }
  widen(bytes, type === ONNX_TYPES.float32 ? "F32" : "F16", data);
  return { name, shape, data };
}

/** The fields of a message, of which only tags and lengths are read. */
async function* fieldsOf(
  file: Deno.FsFile,
  start: number,
  end: number,
  path: string,
): AsyncGenerator<Field> {
  for (let at = start; at < end;) {
    const head = new Uint8Array(Math.min(HEAD, end - at));
    await readAt(file, at, head, path);
    let field: Field;
    try {
      field = readField(head, at);
    } catch (error) {
      throw broken(path, (error as Error).message);
    }
    if (field.end > end) throw broken(path, "a message is longer than the one that it is in");
    yield field;
    at = field.end;
  }
}

function readField(head: Uint8Array, at: number): Field {
  const reader = new BinaryReader(head);
  const [number, type] = reader.tag();
  if (type === WireType.LengthDelimited) {
    const length = reader.uint32();
    const start = at + reader.pos;
    return { number, value: length, start, end: start + length };
  }
  const value = type === WireType.Varint ? Number(reader.int64()) : Number.NaN;
  if (type !== WireType.Varint) reader.skip(type, number);
  return { number, value, start: at, end: at + reader.pos };
}

async function readString(file: Deno.FsFile, { start, end }: Field, path: string): Promise<string> {
  const bytes = new Uint8Array(end - start);
  await readAt(file, start, bytes, path);
  return new TextDecoder().decode(bytes);
}

async function readAt(
  file: Deno.FsFile,
  offset: number,
  bytes: Uint8Array,
  path: string,
): Promise<void> {
  await file.seek(offset, Deno.SeekMode.Start);
  for (let done = 0; done < bytes.length;) {
    const read = await file.read(bytes.subarray(done));
    if (read === null) throw broken(path, "it ends early");
    done += read;
  }
}

function broken(path: string, reason: string): SyntaxError {
  return new SyntaxError(`Cannot read "${path}" as ONNX: ${reason}`);
}
