/**
 * Reading PyTorch state dicts, without running anything that they hold.
 *
 * @module
 */

import { Reader, Uint8ArrayWriter, ZipReader } from "@zip.js/zip.js";
import { widen } from "../dtype.ts";
import { type PickledTensor, unpickleStateDict } from "./pickle.ts";

/** A tensor of a state dict, as float32. */
export interface StateDictTensor {
  /** Its name. */
  readonly name: string;
  /** Its shape. */
  readonly shape: readonly number[];
  /** The type that it is stored as. */
  readonly dtype: "F32" | "F16" | "BF16";
  /** Its values in row-major order. */
  readonly data: Float32Array;
}

/** A part of a file. */
interface Part {
  readonly start: number;
  readonly end: number;
}

/** A file, read where it is needed, without one part. */
class FileReader extends Reader<Deno.FsFile> {
  readonly #file: Deno.FsFile;
  readonly #left: Part;

  constructor(file: Deno.FsFile, size: number, left: Part) {
    super(file);
    this.#file = file;
    this.#left = left;
    this.size = size - (left.end - left.start);
  }

  override async readUint8Array(index: number, length: number): Promise<Uint8Array> {
    const { start, end } = this.#left;
    const bytes = new Uint8Array(Math.min(length, this.size - index));
    const before = Math.min(Math.max(start - index, 0), bytes.length);
    await readAt(this.#file, index, bytes.subarray(0, before));
    await readAt(this.#file, index + before + end - start, bytes.subarray(before));
    return bytes;
  }
}

async function readAt(file: Deno.FsFile, offset: number, bytes: Uint8Array): Promise<void> {
  await file.seek(offset, Deno.SeekMode.Start);
  for (let done = 0; done < bytes.length;) {
    const read = await file.read(bytes.subarray(done));
    if (read === null) throw new SyntaxError("Cannot read the file: it ends early");
    done += read;
  }
}

/**
 * Finds the ZIP64 records that torch.save() writes before the end of every file, where it needs none (APPNOTE.TXT, 4.3.14 to
 * 4.3.16). zip.js must not see these: it tries the place that the directory would have if nothing stood behind it, and takes
 * that where an entry begins there, as one does if the first has a name of 30 characters.
 */
async function unneededRecords(file: Deno.FsFile, size: number): Promise<Part> {
  const LOCATOR = 20, END = 22;
  const none = { start: size, end: size };
  if (size < LOCATOR + END) return none;
  const tail = new DataView(new ArrayBuffer(LOCATOR + END));
  await readAt(file, size - LOCATOR - END, new Uint8Array(tail.buffer));
  const isLocator = tail.getUint32(0, true) === 0x07064b50;
  const isEnd = tail.getUint32(LOCATOR, true) === 0x06054b50;
  const start = Number(tail.getBigUint64(8, true));
  const [length, offset] = [12, 16].map((at) => tail.getUint32(LOCATOR + at, true));
  // Where an offset or a length has no room, it is all ones, and the sum is another.
  const whole = offset + length === start && start <= size - LOCATOR - END;
  return isLocator && isEnd && whole ? { start, end: size - END } : none;
}

/**
 * Reads a PyTorch state dict, one tensor at a time. Only dictionaries of contiguous float tensors are read: what else a
 * pickle may hold is refused, and nothing is called.
 *
 * @param path The file, as `torch.save()` writes it.
 * @returns Its tensors, in the dictionary's order.
 * @throws {SyntaxError} If it is not such a file.
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
  using file = await Deno.open(path);
  const { size } = await file.stat();
  const zip = new ZipReader(new FileReader(file, size, await unneededRecords(file, size)), {
    useWebWorkers: false,
  });
  const cannot = (found: string) => new SyntaxError(`Cannot read "${path}": ${found}`);
  const entries = await zip.getEntries().catch((error) => {
    throw cannot(`it is not a zip file, as torch.save() writes: ${error.message}`);
  });
  const contents = new Map(entries.map((entry) => [entry.filename, entry]));
  const pickled = entries.find(({ filename }) => /^[^/]+\/data\.pkl$/.test(filename));
  if (pickled === undefined) throw cannot('it has no "data.pkl"');
  const folder = pickled.filename.slice(0, -"data.pkl".length);
  const read = async (name: string) => {
    const entry = contents.get(folder + name);
    if (entry === undefined || entry.directory) throw cannot(`it has no "${folder}${name}"`);
    return await entry.getData(new Uint8ArrayWriter());
  };
  for (const tensor of unpickleStateDict(await read("data.pkl"), path)) {
    yield toFloat32(tensor, await read(`data/${tensor.storage}`), cannot);
  }
}

function toFloat32(
  { name, shape, dtype, offset, strides }: PickledTensor,
  bytes: Uint8Array,
  cannot: (found: string) => SyntaxError,
): StateDictTensor {
  const count = shape.reduce((a, b) => a * b, 1);
  const contiguous = shape.every((size, i) =>
    size === 1 || strides[i] === shape.slice(i + 1).reduce((a, b) => a * b, 1)
  );
  if (!contiguous) throw cannot(`the tensor "${name}" is not contiguous`);
  const width = dtype === "F32" ? 4 : 2;
  const part = bytes.slice(offset * width, (offset + count) * width); // aligned
  if (part.length !== count * width) throw cannot(`the tensor "${name}" is cut short`);
  const data = new Float32Array(count);
  widen(part, dtype, data);
  return { name, shape, dtype, data };
}
