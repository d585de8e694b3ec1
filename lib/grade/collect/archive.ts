/**
 * A zip that anybody may have made. What it says of itself is not believed: sizes are counted while an entry is
 * unpacked, entries that share bytes are refused, and its names never become paths.
 *
 * @module
 */

import {
  configure,
  ERR_INVALID_UNCOMPRESSED_SIZE,
  type FileEntry,
  type Reader,
  Uint8ArrayReader,
  ZipReader,
  type ZipReaderConstructorOptions,
} from "@zip.js/zip.js";
import { type ReadAt, ZipFileReader } from "../../zip_reader.ts";
import { quoted, splitPath } from "./names.ts";
import type { Source, SourceFile } from "./source_file.ts";

// The work is done in this thread, by the system's own streams. A small chunk bounds what one may unpack to.
configure({ useWebWorkers: false, chunkSize: 16 * 1024 });

/** The bits of a Unix mode that say what kind of file it is, and the kinds that are read. */
const KIND = 0o170000;
const [PLAIN, FOLDER] = [0o100000, 0o040000];

const OPTIONS: ZipReaderConstructorOptions = {
  // Names are judged by the caller, so that one bad name does not void the rest.
  filenameValidation: "tolerant",
  checkCrc32: true,
  checkOverlappingEntry: true,
};

/**
 * Opens a zip file.
 *
 * @param path The file.
 * @param maxEntries The most entries that are listed.
 * @returns Its files, in its order; folders are left out.
 * @throws {SyntaxError} If it is not a zip, or a damaged one.
 * @throws {RangeError} If it has more entries.
 */
export async function openArchive(path: string, maxEntries: number): Promise<Source> {
  const file = await Deno.open(path, { read: true });
  try {
    const { size } = await file.stat();
    const files = await list(new ZipFileReader(readerOf(file), size), path, maxEntries);
    return {
      files,
      async [Symbol.asyncDispose]() {
        file.close();
      },
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

/**
 * Lists a zip that is in memory.
 *
 * @param bytes The zip.
 * @param name What to call it in errors.
 * @param maxEntries The most entries that are listed.
 * @returns Its files, in its order; folders are left out.
 * @throws {SyntaxError} If it is not a zip, or a damaged one.
 * @throws {RangeError} If it has more entries.
 */
export function listArchive(
  bytes: Uint8Array,
  name: string,
  maxEntries: number,
): Promise<SourceFile[]> {
  return list(new Uint8ArrayReader(bytes), name, maxEntries);
}

async function list(
  reader: Reader<unknown>,
  name: string,
  maxEntries: number,
): Promise<SourceFile[]> {
  const zip = new ZipReader(reader, OPTIONS);
  const files: SourceFile[] = [];
  let count = 0;
  try {
    for await (const entry of zip.getEntriesGenerator()) {
      if (++count > maxEntries) {
        throw new RangeError(`Cannot open ${quoted(name)}: it has more than ${maxEntries} entries`);
      }
      if (!entry.directory) files.push(listed(entry));
    }
  } catch (error) {
    if (error instanceof RangeError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new SyntaxError(`Cannot open ${quoted(name)} as a zip: ${why}`, { cause: error });
  }
  return files;
}

function listed(entry: FileEntry): SourceFile {
  const { components, fault } = splitPath(entry.filename);
  return {
    path: components,
    size: entry.uncompressedSize,
    ...!Number.isNaN(entry.lastModDate?.getTime()) && { modified: entry.lastModDate },
    ...withFault(fault ?? faultOf(entry)),
    read: (limit) => read(entry, limit),
  };
}

const withFault = (fault?: string) => fault === undefined ? {} : { fault };

/** Why an entry must not be read. */
function faultOf({ symlink, encrypted, unixMode = 0 }: FileEntry): string | undefined {
  if (symlink) return "it is a symbolic link";
  const kind = unixMode & KIND;
  if (kind !== 0 && kind !== PLAIN && kind !== FOLDER) return "it is not a plain file";
  if (encrypted) return "it is encrypted";
}

async function read(entry: FileEntry, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const { uncompressedSize: declared } = entry;
  if (declared > limit) throw new RangeError(`it holds more than ${limit} bytes`);
  const bytes = new Uint8Array(declared);
  const lie = () => new RangeError(`it does not hold the ${declared} bytes that it declares`);
  let length = 0;
  const sink = new WritableStream<Uint8Array>({
    write(chunk) {
      if (length + chunk.length > declared) throw lie();
      bytes.set(chunk, length);
      length += chunk.length;
    },
  });
  try {
    await entry.getData(sink);
  } catch (error) {
    throw error instanceof Error && error.message === ERR_INVALID_UNCOMPRESSED_SIZE ? lie() : error;
  }
  if (length < declared) throw lie();
  return bytes;
}

function readerOf(file: Deno.FsFile): ReadAt {
  return async (bytes, position) => {
    await file.seek(position, Deno.SeekMode.Start);
    let done = 0;
    for (let n; done < bytes.length && (n = await file.read(bytes.subarray(done)));) done += n;
    return done;
  };
}
