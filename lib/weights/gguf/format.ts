/**
 * The metadata of a GGUF file as bytes.
 *
 * @module
 */

import { quote } from "../json.ts";
import type { GgufArray } from "./header.ts";

/** The name of a numeric type of metadata. */
export type GgufNumberType =
  | "uint8"
  | "int8"
  | "uint16"
  | "int16"
  | "uint32"
  | "int32"
  | "float32"
  | "uint64"
  | "int64"
  | "float64";

/** Numeric types of a GGUF value, with their numbers in a file. */
const NUMBER_TYPES: Readonly<Record<GgufNumberType, number>> = {
  uint8: 0,
  int8: 1,
  uint16: 2,
  int16: 3,
  uint32: 4,
  int32: 5,
  float32: 6,
  uint64: 10,
  int64: 11,
  float64: 12,
};

const BOOL = 7, STRING = 8, ARRAY = 9;

/**
 * A value to be written. A number names its type, because readers check it: `{ uint32: 12 }`, `{
 * float32: 1e-5 }`. A typed array has the type of its elements.
 */
export type GgufWritable =
  | string
  | boolean
  | Partial<Record<GgufNumberType, number | bigint>>
  | Exclude<GgufArray, unknown[]>
  | readonly string[]
  | readonly boolean[];

/** Metadata to be written, by key. */
export type GgufMetadata = Readonly<Record<string, GgufWritable>>;

/** The type of a typed array's elements. */
const ARRAY_TYPES: [constructor: new (length: number) => ArrayBufferView, type: GgufNumberType][] =
  [
    [Uint8Array, "uint8"],
    [Int8Array, "int8"],
    [Uint16Array, "uint16"],
    [Int16Array, "int16"],
    [Uint32Array, "uint32"],
    [Int32Array, "int32"],
    [Float32Array, "float32"],
    [BigUint64Array, "uint64"],
    [BigInt64Array, "int64"],
    [Float64Array, "float64"],
  ];

/** A growing byte buffer. */
export class HeaderBytes {
  #bytes = new Uint8Array(1 << 16);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  readonly #encoder = new TextEncoder();

  /** Makes room for bytes and returns their offset. */
  #claim(length: number): number {
    const at = this.#length;
    this.#length += length;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }

  /** Adds bytes unchanged. */
  bytes(bytes: Uint8Array): void {
    const at = this.#claim(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Adds a text after its length. */
  text(text: string): void {
    const bytes = this.#encoder.encode(text);
    this.number("uint64", bytes.length);
    this.bytes(bytes);
  }

  /** Adds a number. */
  number(type: GgufNumberType, value: number | bigint): void {
    const at = this.#claim(Number(type.match(/\d+/)![0]) / 8); // may replace the view
    const view = this.#view;
    switch (type) {
      case "uint8":
      case "int8":
        return view.setUint8(at, Number(value));
      case "uint16":
      case "int16":
        return view.setUint16(at, Number(value), true);
      case "uint32":
      case "int32":
        return view.setUint32(at, Number(value), true);
      case "float32":
        return view.setFloat32(at, Number(value), true);
      case "uint64":
      case "int64":
        return view.setBigUint64(at, BigInt(value), true);
      case "float64":
        return view.setFloat64(at, Number(value), true);
    }
  }

  /** All bytes added, padded with zeros to a multiple of `alignment`. */
  finish(alignment: number): Uint8Array {
    this.#claim((alignment - this.#length % alignment) % alignment);
    return this.#bytes.subarray(0, this.#length);
  }
}

/**
 * Adds the number of metadata entries, then each of them.
 *
 * @param header Receives the bytes
 * @param metadata Keys and values
 * @param path The file, for messages
 * @throws {TypeError} If a value is not as described
 * @throws {RangeError} If a number does not fit its type
 */
export function formatMetadata(header: HeaderBytes, metadata: GgufMetadata, path: string): void {
  const entries = Object.entries(metadata);
  header.number("uint64", entries.length);
  for (const [key, value] of entries) {
    header.text(key);
    formatValue(header, value, `Cannot write metadata ${quote(key)} to "${path}"`);
  }
}

function formatValue(header: HeaderBytes, value: GgufWritable, cannot: string): void {
  if (typeof value === "string") {
    header.number("uint32", STRING);
    header.text(value);
  } else if (typeof value === "boolean") {
    header.number("uint32", BOOL);
    header.number("uint8", value ? 1 : 0);
  } else if (Array.isArray(value)) {
    formatList(header, value, cannot);
  } else if (ArrayBuffer.isView(value)) {
    formatNumbers(header, value, cannot);
  } else {
    formatNumber(header, value, cannot);
  }
}

function formatList(header: HeaderBytes, list: readonly unknown[], cannot: string): void {
  const booleans = list.length > 0 && list.every((item) => typeof item === "boolean");
  if (!booleans && !list.every((item) => typeof item === "string")) {
    throw new TypeError(`${cannot}: expected an array of strings, of booleans, or a typed array`);
  }
  header.number("uint32", ARRAY);
  header.number("uint32", booleans ? BOOL : STRING);
  header.number("uint64", list.length);
  for (const item of list) {
    if (booleans) header.number("uint8", item ? 1 : 0);
    else header.text(item as string);
  }
}

function formatNumbers(header: HeaderBytes, array: ArrayBufferView, cannot: string): void {
  const [, type] = ARRAY_TYPES.find(([constructor]) => array instanceof constructor) ?? [];
  if (type === undefined) {
    throw new TypeError(`${cannot}: GGUF has no arrays such as ${array.constructor.name}`);
  }
  header.number("uint32", ARRAY);
  header.number("uint32", NUMBER_TYPES[type]);
  header.number("uint64", (array as Uint8Array).length);
  header.bytes(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
}

function formatNumber(header: HeaderBytes, value: object, cannot: string): void {
  const [entry, ...more] = Object.entries(value ?? {}) as [GgufNumberType, number | bigint][];
  const [type, number] = entry ?? [];
  if (
    more.length > 0 || !Object.hasOwn(NUMBER_TYPES, type) ||
    (typeof number !== "number" && typeof number !== "bigint")
  ) {
    throw new TypeError(
      `${cannot}: expected a text, a boolean, an array, or a number with its type such as { uint32: 1 }`,
    );
  }
  if (!type.startsWith("float")) {
    const bits = Number(type.match(/\d+/)![0]);
    const within = type.startsWith("u") ? BigInt.asUintN : BigInt.asIntN;
    const whole = typeof number === "bigint" || Number.isInteger(number);
    if (!whole || within(bits, BigInt(number)) !== BigInt(number)) {
      throw new RangeError(`${cannot}: ${number} is not a valid ${type}`);
    }
  }
  header.number("uint32", NUMBER_TYPES[type]);
  header.number(type, number);
}
