/**
 * A folder of submissions, which students may have written: links are not followed, and what is read is what was listed.
 *
 * @module
 */

import { join } from "@std/path/join";
import type { Source, SourceFile } from "./source_file.ts";

/** Folders that are not looked into: their files are not part of a submission, and may be large. */
const SKIPPED = new Set([".git", ".ipynb_checkpoints", "node_modules", "__MACOSX"]);

/** How deep folders are listed. */
const MAX_DEPTH = 16;

/**
 * Opens a folder.
 *
 * @param root The folder.
 * @param maxFiles The most files that are listed.
 * @returns Its files, in the order of their paths.
 * @throws {RangeError} If there are more.
 */
export async function openFolder(root: string, maxFiles: number): Promise<Source> {
  // The folder itself may be reached by a link: the person who collects has named it.
  const real = await Deno.realPath(root);
  const files: SourceFile[] = [];
  const add = (file: SourceFile) => {
    if (files.length >= maxFiles) {
      throw new RangeError(`Cannot collect from "${root}": it holds more than ${maxFiles} files`);
    }
    files.push(file);
  };
  const walk = async (path: readonly string[]) => {
    for (const name of await namesIn(join(real, ...path))) {
      const inner = [...path, name];
      try {
        const info = await Deno.lstat(join(real, ...inner));
        if (!info.isDirectory) add(listed(real, inner, info));
        else if (SKIPPED.has(name)) continue;
        else if (inner.length < MAX_DEPTH) await walk(inner);
        else add(refused(inner, `it is a folder more than ${MAX_DEPTH} levels deep`));
      } catch (error) {
        // What one student's files are like does not stop the others'.
        if (error instanceof Deno.errors.PermissionDenied) {
          add(refused(inner, "it cannot be opened: permission denied"));
        } else if (error instanceof Deno.errors.NotFound) {
          add(refused(inner, "its name is not valid, or it was removed meanwhile"));
        } else throw error;
      }
    }
  };
  await walk([]);
  return { files, async [Symbol.asyncDispose]() {} };
}

async function namesIn(folder: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  return names.sort((a, b) => a < b ? -1 : 1);
}

function listed(root: string, path: readonly string[], info: Deno.FileInfo): SourceFile {
  if (info.isSymlink) return refused(path, "it is a symbolic link");
  if (!info.isFile) return refused(path, "it is not a plain file");
  if ((info.nlink ?? 1) > 1) {
    return refused(path, "it is a hard link: other names lead to its file");
  }
  return {
    path,
    size: info.size,
    ...info.mtime && { modified: info.mtime },
    read: (limit) => read(root, path, info, limit),
  };
}

function refused(path: readonly string[], fault: string): SourceFile {
  const read = () => Promise.reject(new Error(`Cannot read "${path.join("/")}": ${fault}`));
  return { path, size: 0, fault, read };
}

/** Reads the file that was listed, though its owner may put a link in its place meanwhile. */
async function read(
  root: string,
  path: readonly string[],
  listed: Deno.FileInfo,
  limit: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const full = join(root, ...path);
  using file = await Deno.open(full, { read: true });
  const info = await file.stat();
  const isSame = info.isFile && info.dev === listed.dev && info.ino === listed.ino;
  if (!isSame || await Deno.realPath(full) !== full) {
    throw new Error("it was replaced while it was being collected");
  }
  const tooLarge = () => new RangeError(`it holds more than ${limit} bytes`);
  if (info.size > limit) throw tooLarge();
  // One byte more shows that it has grown.
  const bytes = new Uint8Array(info.size + 1);
  let length = 0;
  for (let n; length < bytes.length && (n = await file.read(bytes.subarray(length))) !== null;) {
    length += n;
  }
  if (length > info.size) throw new Error("it was written to while it was being collected");
  return bytes.slice(0, length);
}
