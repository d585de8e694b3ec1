/**
 * The header of a GGUF file: metadata, then the table of tensors.
 *
 * https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 *
 * Lengths and counts in a file are not trusted: each is checked against the remaining bytes before
 * anything is allocated for it.
 *
 * @module
 */

import { quote } from "../json.ts";
import type { Source } from "../source.ts";
import { GGML_TYPES } from "./types.ts";

/** An array in the metadata; numbers are in the typed array of their width. */
export type GgufArray =
  | string[]
  | boolean[]
  | GgufValue[]
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | BigUint64Array
  | BigInt64Array
  | Float64Array;

/** A metadata value. 64-bit integers are numbers if a number holds them exactly. */
export type GgufValue = number | bigint | boolean | string | GgufArray;

/** A tensor as the table describes it. */
export interface GgufTensorInfo {
  /** Its name, for example `blk.0.attn_q.weight`. */
  readonly name: string;
  /** ggml's name of its type, for example `Q4_K`. */
  readonly type: string;
  /** Its shape with the fastest axis last, as everywhere in this library (in GGUF it is first). */
  readonly shape: readonly number[];
  /** First byte and one past the last byte, counted from the beginning of the file. */
  readonly byteOffsets: readonly [start: number, end: number];
  /** The file that holds it. */
  readonly file: string;
}

/** A parsed header. */
export interface GgufHeader {
  /** The format's version, 2 or 3. */
  version: number;
  /** The metadata by key. */
  metadata: Map<string, GgufValue>;
  /** The tensors by name, in the order of the table. */
  tensors: Map<string, GgufTensorInfo>;
}

/** Bytes to whose multiples tensors are aligned in a file that does not say. */
const ALIGNMENT = 32;
const MAX_DIMENSIONS = 4;
const MAX_NESTING = 4;
const MAX_STRING = 1 << 26;
const MAX_ELEMENTS = 1 << 27;
/** Shortest possible entries: their counts are checked with these before anything is read. */
const SMALLEST_PAIR = 8 + 4 + 1;
const SMALLEST_TENSOR = 8 + 4 + 8 + 4 + 8;

const STRING = 8, ARRAY = 9, BOOL = 7;

/** Bytes of the numeric value types, by number. */
const WIDTHS: Record<number, number> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
};

/**
 * Reads and checks the header.
 *
 * @param source The open file
 * @param first The alignment of the first part, for a later part of a file: gguf-py writes all parts in it and says so in the
 * first only, llama.cpp writes later ones in {@linkcode ALIGNMENT}
 * @returns Metadata and tensors
 * @throws {SyntaxError} If the file is not GGUF, is cut short, or contradicts itself
 */
export function readGgufHeader(source: Source, first: number = ALIGNMENT): GgufHeader {
  const cursor = new Cursor(source);
  if (source.size < 24 || String.fromCharCode(...cursor.take(4)) !== "GGUF") {
    cursor.fail(`it does not begin with "GGUF"`);
  }
  const version = cursor.u32();
  if ((version & 0xffff) === 0) {
    cursor.fail("it is big-endian and only little-endian files are read");
  }
  if (version !== 2 && version !== 3) cursor.fail(`its version is ${version}, expected 2 or 3`);
  const tensorCount = cursor.count(SMALLEST_TENSOR, "tensors");
  const pairCount = cursor.count(SMALLEST_PAIR, "metadata entries");

  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < pairCount; i++) {
    const key = cursor.string("a metadata key");
    if (metadata.has(key)) cursor.fail(`it holds the metadata key ${quote(key)} twice`);
    metadata.set(key, readValue(cursor, cursor.u32(), key, 0));
  }
  return { version, metadata, tensors: readTensors(cursor, tensorCount, metadata, first) };
}

function readValue(cursor: Cursor, type: number, key: string, depth: number): GgufValue {
  if (type === STRING) return cursor.string(`metadata ${quote(key)}`);
  if (type === ARRAY) return readArray(cursor, key, depth + 1);
  const width = WIDTHS[type] ??
    cursor.fail(`metadata ${quote(key)} has the unknown value type ${type}`);
  const bytes = cursor.take(width);
  if (type === BOOL) return bytes[0] !== 0;
  const value = numbers(type, bytes.slice())[0];
  return typeof value === "bigint" && value === BigInt(Number(value)) &&
      Number.isSafeInteger(Number(value))
    ? Number(value)
    : value;
}

function readArray(cursor: Cursor, key: string, depth: number): GgufArray {
  if (depth > MAX_NESTING) {
    cursor.fail(`metadata ${quote(key)} nests arrays more than ${MAX_NESTING} deep`);
  }
  const type = cursor.u32();
  const width = type === STRING ? 8 : type === ARRAY ? 12 : WIDTHS[type] ??
    cursor.fail(`metadata ${quote(key)} has the unknown element type ${type}`);
  const what = `metadata ${quote(key)}`;
  const length = cursor.count(width, `elements of ${what}`);
  if (type === STRING) return cursor.strings(length, what);
  if (type === ARRAY) return Array.from({ length }, () => readArray(cursor, key, depth + 1));
  const bytes = cursor.take(length * width);
  if (type === BOOL) return Array.from(bytes, (byte) => byte !== 0);
  return numbers(type, bytes.slice()); // a copy, which is aligned because it begins at offset 0
}

type NumberArray = Exclude<GgufArray, string[] | boolean[] | GgufValue[]>;

function numbers(type: number, { buffer }: Uint8Array<ArrayBuffer>): NumberArray {
  switch (type) {
    case 0:
      return new Uint8Array(buffer);
    case 1:
      return new Int8Array(buffer);
    case 2:
      return new Uint16Array(buffer);
    case 3:
      return new Int16Array(buffer);
    case 4:
      return new Uint32Array(buffer);
    case 5:
      return new Int32Array(buffer);
    case 6:
      return new Float32Array(buffer);
    case 10:
      return new BigUint64Array(buffer);
    case 11:
      return new BigInt64Array(buffer);
    default:
      return new Float64Array(buffer);
  }
}

/** A tensor as the table has it: its place is counted from the beginning of the data. */
interface Placed {
  readonly name: string;
  readonly type: string;
  readonly shape: number[];
  readonly start: number;
  readonly bytes: number;
}

const alignedTo = (alignment: number, at: number) => Math.ceil(at / alignment) * alignment;

/** The alignment of a part that does not name it: that by which its tensors follow each other and fill the file. */
function alignmentOf(cursor: Cursor, infos: readonly Placed[], first: number): number {
  if (first === ALIGNMENT) return first;
  const found = [ALIGNMENT, first].find((alignment) => {
    let end = 0;
    return infos.every(({ start, bytes }) => {
      const follows = start === end;
      end += alignedTo(alignment, bytes);
      return follows;
    }) && alignedTo(alignment, cursor.position) + end === cursor.source.size;
  });
  return found ??
    cursor.fail(
      `it has no general.alignment, and its tensors are neither aligned to ${ALIGNMENT} nor, as the first part, to ${first}`,
    );
}

function readTensors(
  cursor: Cursor,
  count: number,
  metadata: Map<string, GgufValue>,
  first: number,
): Map<string, GgufTensorInfo> {
  const own = metadata.get("general.alignment");
  if (
    own !== undefined && (typeof own !== "number" || own < 1 || own > 1 << 20 ||
      (own & (own - 1)) !== 0)
  ) {
    return cursor.fail(`its general.alignment is ${own}, expected a power of two`);
  }
  const infos: Placed[] = [];
  const names = new Set<string>();
  for (let i = 0; i < count; i++) {
    const name = cursor.string("a tensor's name");
    const tensor = `tensor ${quote(name)}`;
    if (names.has(name)) cursor.fail(`it holds the ${tensor} twice`);
    names.add(name);
    const dimensions = cursor.u32();
    if (dimensions < 1 || dimensions > MAX_DIMENSIONS) {
      cursor.fail(`${tensor} has ${dimensions} axes, expected 1 to ${MAX_DIMENSIONS}`);
    }
    const shape = Array.from({ length: dimensions }, () => cursor.u64(`the shape of ${tensor}`))
      .reverse();
    const id = cursor.u32();
    const type = GGML_TYPES.get(id) ?? cursor.fail(`${tensor} has the unknown type ${id}`);
    const start = cursor.u64(`the offset of ${tensor}`);
    const elements = shape.reduce((a, b) => a * b, 1);
    const { blockElements, blockBytes } = type;
    if (!Number.isSafeInteger(elements * blockBytes) || !shape.every(Number.isSafeInteger)) {
      cursor.fail(`${tensor} of shape (${shape.join(", ")}) is too large`);
    }
    if (shape[dimensions - 1] % blockElements !== 0) {
      cursor.fail(
        `${tensor} of shape (${
          shape.join(", ")
        }) cannot be ${type.name}: its rows must be multiples of ${blockElements}`,
      );
    }
    infos.push({
      name,
      type: type.name,
      shape,
      start,
      bytes: elements / blockElements * blockBytes,
    });
  }

  const alignment = own ?? alignmentOf(cursor, infos, first);
  for (const { name, start } of infos) {
    if (start % alignment === 0) continue;
    cursor.fail(
      `tensor ${
        quote(name)
      } begins at byte ${start} of the data, expected a multiple of ${alignment}`,
    );
  }
  const dataStart = alignedTo(alignment, cursor.position);
  let end = 0;
  let before = "";
  for (const info of infos.toSorted((a, b) => a.start - b.start || a.bytes - b.bytes)) {
    const tensor = `tensor ${quote(info.name)}`;
    if (info.start < end) {
      cursor.fail(`${tensor} begins at byte ${info.start} of the data, inside ${before}`);
    }
    end = info.start + info.bytes;
    before = tensor;
    if (dataStart + end > cursor.source.size) {
      cursor.fail(
        `${tensor} ends at byte ${end} of the data and the file holds ${
          Math.max(0, cursor.source.size - dataStart)
        }, so it is cut short`,
      );
    }
  }
  return new Map(infos.map(({ name, type, shape, start, bytes }) => [
    name,
    Object.freeze({
      name,
      type,
      shape: Object.freeze(shape),
      byteOffsets: [dataStart + start, dataStart + start + bytes] as const,
      file: cursor.source.path,
    }),
  ]));
}

/** Reads a file from the front through a window. */
class Cursor {
  /** The next byte to read. */
  position = 0;
  #window = new Uint8Array(0);
  #windowStart = 0;
  // A byte order mark at the beginning of a token belongs to the token.
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(readonly source: Source) {}

  fail(reason: string): never {
    throw new SyntaxError(`Cannot read "${this.source.path}" as GGUF: ${reason}`);
  }

  /** The next bytes; valid until the next call. */
  take(length: number): Uint8Array {
    const start = this.#reach(length);
    this.position += length;
    return this.#window.subarray(start, start + length);
  }

  /** Loads the next bytes into the window and returns their offset in it. */
  #reach(length: number): number {
    const left = this.source.size - this.position;
    if (length > left) this.fail(`its header is cut short after ${this.source.size} bytes`);
    if (this.position + length > this.#windowStart + this.#window.length) {
      this.#window = new Uint8Array(Math.min(left, Math.max(length, 1 << 20)));
      this.#windowStart = this.position;
      this.source.fillSync(this.#window, this.position);
    }
    return this.position - this.#windowStart;
  }

  u32(): number {
    const bytes = this.take(4);
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  }

  u64(what: string): number {
    const at = this.#reach(8);
    this.position += 8;
    // in two halves: a vocabulary has many lengths, and big integers are slow
    const low = this.#half(at);
    const high = this.#half(at + 4);
    if (high > 0x1fffff) this.fail(`${what} has the number ${BigInt(high) << 32n | BigInt(low)}`);
    return high * 2 ** 32 + low;
  }

  #half(at: number): number {
    const window = this.#window;
    return (window[at] | window[at + 1] << 8 | window[at + 2] << 16 | window[at + 3] << 24) >>> 0;
  }

  /**
   * The number of entries of at least `smallest` bytes each; that many must fit in the rest of the
   * file.
   */
  count(smallest: number, what: string): number {
    const count = this.u64(`the number of ${what}`);
    if (count > MAX_ELEMENTS || count * smallest > this.source.size - this.position) {
      this.fail(`it announces ${count} ${what}, more than the file has room for`);
    }
    return count;
  }

  string(what: string): string {
    const length = this.u64(`the length of ${what}`);
    if (length > MAX_STRING || length > this.source.size - this.position) {
      this.fail(`${what} announces a text of ${length} bytes, more than the file has room for`);
    }
    return this.#decoder.decode(this.take(length));
  }

  /** Many strings at once: a vocabulary has 262,000, and decoding each by itself takes half a second. */
  strings(count: number, what: string): string[] {
    let packed = new Uint8Array(Math.max(1 << 16, 16 * count));
    let used = 0;
    const byteEnds = new Float64Array(count);
    const ends = new Float64Array(count); // in UTF-16 units, as JavaScript counts
    let units = 0;
    const lengthName = `the length of ${what}`;
    for (let i = 0; i < count; i++) {
      const length = this.u64(lengthName);
      if (length > MAX_STRING || length > this.source.size - this.position) {
        this.fail(`${what} announces a text of ${length} bytes, more than the file has room for`);
      }
      if (used + length > packed.length) {
        const larger = new Uint8Array(2 * packed.length + length);
        larger.set(packed.subarray(0, used));
        packed = larger;
      }
      const start = this.#reach(length);
      this.position += length;
      const window = this.#window;
      for (let k = start; k < start + length; k++) {
        const byte = window[k];
        packed[used++] = byte;
        // a character is one unit, or two if it takes four bytes; its continuation bytes count as
        // none
        if ((byte & 0xc0) !== 0x80) units += byte >= 0xf0 ? 2 : 1;
      }
      byteEnds[i] = used;
      ends[i] = units;
    }
    let all: string;
    try {
      all = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
        .decode(packed.subarray(0, used));
    } catch { // some of them are not UTF-8, so that the unit counts are wrong
      return Array.from(
        byteEnds,
        (end, i) => this.#decoder.decode(packed.subarray(i === 0 ? 0 : byteEnds[i - 1], end)),
      );
    }
    const strings = new Array<string>(count);
    for (let i = 0, start = 0; i < count; start = ends[i++]) strings[i] = all.slice(start, ends[i]);
    return strings;
  }
}
