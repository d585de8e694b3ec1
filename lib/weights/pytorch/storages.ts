/**
 * Where the storages of a file of `torch.save()` stand: in the zip file that it writes since PyTorch 1.6, or one after the
 * other behind the pickles, as before.
 *
 * @module
 */

import { ZipReader } from "@zip.js/zip.js";
import { ZipFileReader } from "../../zip_reader.ts";
import { DTYPE_BITS } from "../dtype.ts";
import { quote } from "../json.ts";
import type { Source } from "../source.ts";
import type { PickledTensor } from "./pickle.ts";
import { tensorsOf, unpickle } from "./unpickle.ts";

/** A part of a file. */
export interface Part {
  readonly start: number;
  readonly end: number;
}

/** A state dict's tensors, and where their storages stand. */
export interface OpenedDict {
  readonly tensors: readonly PickledTensor[];
  /** Where a storage stands; undefined if there is none of this name. */
  readonly storageOf: (key: string) => Part | undefined;
}

/** A dictionary of a hundred thousand tensors takes 20 MB. */
const MOST_PICKLE = 256 * 2 ** 20;

/**
 * Reads what a file of `torch.save()` says of its tensors.
 *
 * @param file The open file.
 * @returns Its tensors, and where their storages stand.
 * @throws {SyntaxError} If it is not such a file, or holds anything but a dictionary of tensors.
 */
export async function openDict(file: Source): Promise<OpenedDict> {
  const start = new Uint8Array(Math.min(MAGIC.length, file.size));
  await file.fill(start, 0);
  return MAGIC.every((byte, i) => start[i] === byte) ? await openOld(file) : await openZip(file);
}

/** PROTO 2, and LONG1 of the magic number. */
const MAGIC = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

async function openZip(file: Source): Promise<OpenedDict> {
  const { path, size } = file;
  const cannot = (found: string) => new SyntaxError(`Cannot read "${path}": ${found}`);
  const left = await unneededRecords(file);
  const gap = left.end - left.start;
  const readAt = async (bytes: Uint8Array, position: number) => {
    const before = Math.min(Math.max(left.start - position, 0), bytes.length);
    await file.fill(bytes.subarray(0, before), position);
    await file.fill(bytes.subarray(before), position + before + gap);
    return bytes.length;
  };
  const zip = new ZipReader(new ZipFileReader(readAt, size - gap), { useWebWorkers: false });
  const entries = await zip.getEntries().catch((error) => {
    throw cannot(`it is not a zip file, as torch.save() writes: ${error.message}`);
  });
  const contents = new Map(entries.map((entry) => [entry.filename, entry]));
  const pickled = entries.find(({ filename }) => /^[^/]+\/data\.pkl$/.test(filename));
  if (pickled === undefined) throw cannot('it has no "data.pkl"');
  const folder = pickled.filename.slice(0, -"data.pkl".length);
  const partOf = async (name: string): Promise<Part | undefined> => {
    const entry = contents.get(folder + name);
    if (entry === undefined || entry.directory) return undefined;
    if (entry.compressionMethod !== 0 || entry.encrypted) {
      throw cannot(`"${folder}${name}" is packed, which torch.save() does not do`);
    }
    const local = new DataView(new ArrayBuffer(30));
    await file.fill(new Uint8Array(local.buffer), entry.offset);
    if (local.getUint32(0, true) !== 0x04034b50) throw cannot("its list of entries is wrong");
    const start = entry.offset + 30 + local.getUint16(26, true) + local.getUint16(28, true);
    const end = start + entry.uncompressedSize;
    if (end > size) throw cannot(`"${folder}${name}" is cut short`);
    return { start, end };
  };
  const order = await partOf("byteorder");
  if (order !== undefined && order.end - order.start < 16) {
    const text = new TextDecoder().decode(await readPart(file, order));
    if (text !== "little") throw cannot(`its bytes are in the order ${quote(text)}`);
  }
  const pickle = (await partOf("data.pkl"))!;
  if (pickle.end - pickle.start > MOST_PICKLE) throw cannot('its "data.pkl" is too long');
  const tensors = tensorsOf(unpickle(await readPart(file, pickle), path).value, path);
  const parts = new Map<string, Part>();
  for (const { storage } of tensors) {
    if (parts.has(storage)) continue;
    const part = await partOf(`data/${storage}`);
    if (part === undefined) throw cannot(`it has no "${folder}data/${storage}"`);
    parts.set(storage, part);
  }
  return { tensors, storageOf: (key) => parts.get(key) };
}

async function readPart(file: Source, { start, end }: Part): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - start);
  await file.fill(bytes, start);
  return bytes;
}

/**
 * Finds the ZIP64 records that torch.save() writes before the end of every file, where it needs none (APPNOTE.TXT, 4.3.14 to
 * 4.3.16). zip.js must not see these: it tries the place that the directory would have if nothing stood behind it, and takes
 * that where an entry begins there, as one does if the first has a name of 30 characters.
 */
async function unneededRecords(file: Source): Promise<Part> {
  const LOCATOR = 20, END = 22;
  const { size } = file;
  const none = { start: size, end: size };
  if (size < LOCATOR + END) return none;
  const tail = new DataView(new ArrayBuffer(LOCATOR + END));
  await file.fill(new Uint8Array(tail.buffer), size - LOCATOR - END);
  const isLocator = tail.getUint32(0, true) === 0x07064b50;
  const isEnd = tail.getUint32(LOCATOR, true) === 0x06054b50;
  const start = Number(tail.getBigUint64(8, true));
  const [length, offset] = [12, 16].map((at) => tail.getUint32(LOCATOR + at, true));
  // Where an offset or a length has no room, it is all ones, and the sum is another.
  const whole = offset + length === start && start <= size - LOCATOR - END;
  return isLocator && isEnd && whole ? { start, end: size - END } : none;
}

/** Before PyTorch 1.6: magic number, version, the system, the dictionary, names of storages, and these, each after its length. */
async function openOld(file: Source): Promise<OpenedDict> {
  const { path, size } = file;
  const cannot = (found: string) => new SyntaxError(`Cannot read "${path}": ${found}`);
  const bytes = await readPart(file, { start: 0, end: Math.min(size, MOST_PICKLE) });
  let at = 0;
  const next = () => {
    const { value, end } = unpickle(bytes, path, at);
    at = end;
    return value;
  };
  next(); // the magic number
  const version = next();
  if (version !== 1001) throw cannot(`its version is ${quote(String(version))}, expected 1001`);
  const system = next();
  if (system instanceof Map && system.get("little_endian") === false) {
    throw cannot("its bytes are in the order of another kind of machine");
  }
  const tensors = tensorsOf(next(), path);
  const keys = next();
  if (!Array.isArray(keys)) throw cannot("it does not name its storages");
  const widths = new Map(tensors.map(({ storage, dtype }) => [storage, DTYPE_BITS[dtype] / 8]));
  const parts = new Map<string, Part>();
  const length = new DataView(new ArrayBuffer(8));
  for (const key of keys) {
    const width = widths.get(key);
    // What no tensor uses has an unknown width, and all after it an unknown place.
    if (width === undefined) throw cannot("it holds a storage that belongs to no tensor");
    if (at + 8 > size) throw cannot("it ends early");
    await file.fill(new Uint8Array(length.buffer), at);
    const start = at + 8;
    const end = start + Number(length.getBigUint64(0, true)) * width;
    if (end > size) throw cannot("it ends early");
    parts.set(key, { start, end });
    at = end;
  }
  return { tensors, storageOf: (key) => parts.get(key) };
}
