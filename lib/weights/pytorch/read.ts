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

/** A file, read where it is needed. */
class FileReader extends Reader<Deno.FsFile> {
  readonly #file: Deno.FsFile;

  constructor(file: Deno.FsFile, size: number) {
    super(file);
    this.#file = file;
    this.size = size;
  }

  override async readUint8Array(index: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(Math.min(length, this.size - index));
    await this.#file.seek(index, Deno.SeekMode.Start);
    for (let done = 0; done < bytes.length;) {
      const read = await this.#file.read(bytes.subarray(done));
      if (read === null) throw new SyntaxError("Cannot read the file: it ends early");
      done += read;
    }
    return bytes;
  }
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
  const zip = new ZipReader(new FileReader(file, (await file.stat()).size), {
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
