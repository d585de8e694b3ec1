/**
 * Rows of a file of any kind: JSON, JSON Lines, CSV, Parquet, and all of these in gzip.
 *
 * @module
 */

import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { concat } from "@std/bytes/concat";
import type { AsyncBuffer } from "hyparquet";
import { assertNoPointer } from "../../weights/git_lfs.ts";
import { csvRows } from "./csv.ts";
import { jsonRows } from "./json.ts";
import type { OpenFile } from "./open.ts";
import { parquetRows } from "./parquet.ts";

type Bytes = ReadableStream<Uint8Array<ArrayBuffer>>;

const GZIP = [0x1f, 0x8b];
/** Its byte-order marks. */
const UTF_16 = [[0xff, 0xfe], [0xfe, 0xff]];
const PARQUET = bytesOf("PAR1");
/** What is often downloaded and is to be unpacked or saved in another form first, by bytes at a place. */
const PACKED: readonly [kind: string, magic: readonly number[], at?: number][] = [
  ["a ZIP archive, as .zip and .xlsx files are", [0x50, 0x4b, 0x03, 0x04]],
  ["compressed by Zstandard", [0x28, 0xb5, 0x2f, 0xfd]],
  ["compressed by xz", [0xfd, 0x37, 0x7a, 0x58]],
  ["compressed by bzip2", [0x42, 0x5a, 0x68]],
  ["compressed by gzip twice", GZIP],
  ["a tar archive", bytesOf("ustar"), 257],
  [
    "an Arrow file, as Dataset.save_to_disk() writes (to_parquet() writes Parquet)",
    bytesOf("ARROW1"),
  ],
  [
    "an Arrow stream, as Dataset.save_to_disk() writes (to_parquet() writes Parquet)",
    [0xff, 0xff, 0xff, 0xff],
  ],
  ["an SQLite database", bytesOf("SQLite format 3")],
  ["a pickle, as to_pickle() writes (to_parquet() writes Parquet)", [0x80, 0x04, 0x95]],
  ["a pickle, as to_pickle() writes (to_parquet() writes Parquet)", [0x80, 0x05, 0x95]],
  ["an HTML page, not the file that it links to", bytesOf("<!DOCTYPE html")],
  ["an HTML page, not the file that it links to", bytesOf("<!doctype html")],
  ["an HTML page, not the file that it links to", bytesOf("<html")],
];
/** How JSON begins, which a table's first line does not. */
const JSON_START = /^\uFEFF?\s*(?:\[\s*)?\{\s*"/;
/** The number of bytes that tell a file's kind. */
const TELLING = 262;

/**
 * Reads the rows of a file. Its kind is told by its first bytes, that of CSV by its name.
 *
 * @param file The file.
 * @returns The rows, those of JSON Lines, CSV and Parquet as they are read.
 * @throws {SyntaxError} If the file is damaged, is not UTF-8 text or not what its name says.
 * @throws {TypeError} If it holds no rows.
 */
export async function* readRows(file: OpenFile): AsyncGenerator<unknown> {
  const { name, path } = file;
  let isPlain = true;
  let [first, bytes] = await peek(file.bytes, TELLING);
  // A browser unpacks what it saves and keeps the name.
  const ending = name.replace(/[?#].*$/, "").toLowerCase().replace(/\.(gz|gzip)$/, "");
  if (startsWith(first, GZIP)) {
    isPlain = false;
    [first, bytes] = await peek(unzip(bytes, name), TELLING);
  }
  assertNoPointer(first, name);
  if (startsWith(first, PARQUET)) {
    if (path === undefined || !isPlain) yield* parquetRows(await collect(bytes), name);
    else {
      await bytes.pipeTo(new WritableStream()); // for their hash; what is needed is read again from its place
      using opened = await FileBuffer.open(path);
      yield* parquetRows(opened, name);
    }
    return;
  }
  if (UTF_16.some((mark) => startsWith(first, mark))) {
    throw new SyntaxError(`Cannot read "${name}": it is UTF-16 text, expected UTF-8`);
  }
  const packed = PACKED.find(([, magic, at = 0]) => startsWith(first.subarray(at), magic));
  if (packed) {
    throw new SyntaxError(
      `Cannot read "${name}": it is ${
        packed[0]
      }, expected JSON, JSON Lines, CSV or Parquet, or one of them in gzip`,
    );
  }
  const text = bytes.pipeThrough(decode(name));
  try {
    yield* /\.(csv|tsv)$/.test(ending) && !JSON_START.test(new TextDecoder().decode(first))
      ? csvRows(text, name, ending.endsWith(".tsv"))
      : jsonRows(text, name);
  } catch (error) {
    if (!(error instanceof RangeError) || error.message !== "Invalid string length") throw error;
    throw new RangeError(
      `Cannot read "${name}": one of its lines is longer than a string can be; is it damaged?`,
      { cause: error },
    );
  }
}

function bytesOf(letters: string): readonly number[] {
  return [...letters].map((letter) => letter.charCodeAt(0));
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}

/** The first bytes, at least `least` if there are as many, and all bytes again. */
async function peek(bytes: Bytes, least: number): Promise<[first: Uint8Array, all: Bytes]> {
  const rest = bytes[Symbol.asyncIterator]();
  const start: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for (let next = await rest.next(); !next.done; next = await rest.next()) {
    start.push(next.value);
    if ((length += next.value.length) >= least) break;
  }
  async function* all() {
    try {
      yield* start;
      for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
    } finally {
      await rest.return?.();
    }
  }
  return [concat(start), ReadableStream.from(all())];
}

/**
 * Decompresses, with an error that names the file. A file can have several members, as `cat a.gz b.gz` makes it, which
 * DecompressionStream refuses.
 */
function unzip(bytes: Bytes, name: string): Bytes {
  async function* pieces() {
    const plain = createGunzip();
    pipeline(Readable.from(bytes), plain, () => {}); // its errors arrive where the bytes are read
    try {
      yield* plain;
    } catch (error) {
      if (!(error as { code?: string }).code?.startsWith("Z_")) throw error;
      throw new SyntaxError(`Cannot read "${name}" as gzip: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
  return ReadableStream.from(pieces());
}

/** Bytes as text, which must be UTF-8. A byte-order mark is left out. */
function decode(name: string): TransformStream<Uint8Array, string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decodePart = (bytes: Uint8Array | undefined, stream: boolean) => {
    try {
      return decoder.decode(bytes, { stream });
    } catch (error) {
      throw new SyntaxError(`Cannot read "${name}": it is not UTF-8 text`, { cause: error });
    }
  };
  return new TransformStream({
    transform: (bytes, controller) => controller.enqueue(decodePart(bytes, true)),
    flush: (controller) => controller.enqueue(decodePart(undefined, false)),
  });
}

/** The bytes of a file, read where they are asked for. */
class FileBuffer implements AsyncBuffer, Disposable {
  readonly #file: Deno.FsFile;
  readonly byteLength: number;
  /** Reads share the file's position, so they take turns. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(file: Deno.FsFile, byteLength: number) {
    this.#file = file;
    this.byteLength = byteLength;
  }

  static async open(path: string | URL): Promise<FileBuffer> {
    const file = await Deno.open(path);
    return new FileBuffer(file, (await file.stat()).size);
  }

  slice(start: number, end = this.byteLength): Promise<ArrayBuffer> {
    const from = start < 0 ? Math.max(0, this.byteLength + start) : start;
    const read = this.#last.catch(() => {}).then(async () => {
      const bytes = new Uint8Array(Math.max(0, Math.min(end, this.byteLength) - from));
      await this.#file.seek(from, Deno.SeekMode.Start);
      for (let filled = 0; filled < bytes.length;) {
        const count = await this.#file.read(bytes.subarray(filled));
        if (count === null) throw new Error("the file ends before its end");
        filled += count;
      }
      return bytes.buffer;
    });
    this.#last = read;
    return read;
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

async function collect(bytes: Bytes): Promise<AsyncBuffer> {
  const whole = concat(await Array.fromAsync(bytes));
  return { byteLength: whole.length, slice: (start, end) => whole.buffer.slice(start, end) };
}
