/**
 * Where a student's notebook is validated: a folder with copies of the files beside it, as the grader has one, so that
 * nothing of the student's is changed.
 *
 * @module
 */

import { join } from "@std/path/join";
import { makeOwnTempDir } from "../../own_temp.ts";
import { libraryConfig } from "../../runtime/library.ts";
import { openFolder } from "../collect/folder.ts";
import { removeIfThere } from "../replace_folder.ts";

/** The most that is copied. */
const LIMITS = { files: 2000, bytes: 256 * 2 ** 20 };

/** A folder for validating; disposing of it removes it. */
export interface Place extends AsyncDisposable {
  readonly cwd: string;
  /** Files that were left out because there is too much beside the notebook. */
  readonly left: readonly string[];
}

/**
 * Copies the files beside a notebook, but for other notebooks, links and hidden files.
 *
 * @param folder The notebook's folder.
 * @returns The copy.
 */
export async function openPlace(folder: string): Promise<Place> {
  const cwd = await makeOwnTempDir("tunebook-validate-");
  const close = () => removeIfThere(cwd);
  try {
    const left: string[] = [];
    let bytes = 0;
    for (const { path, size, fault, read } of await filesBeside(folder)) {
      const name = path.join("/");
      if (path.some((part) => part.startsWith(".")) || name.endsWith(".ipynb")) continue;
      if (fault !== undefined || bytes + size > LIMITS.bytes) left.push(name);
      else {
        bytes += size;
        await Deno.mkdir(join(cwd, ...path.slice(0, -1)), { recursive: true });
        await Deno.writeFile(join(cwd, ...path), await read(size));
      }
    }
    // The grader's settings hold, not the folder's.
    await Deno.writeTextFile(join(cwd, "deno.json"), JSON.stringify(libraryConfig()));
    return { cwd, left, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The files of a folder and of those in it. */
async function filesBeside(folder: string) {
  try {
    await using source = await openFolder(folder, LIMITS.files);
    return source.files;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(
      `Cannot validate in "${folder}": it holds more than ${LIMITS.files} files; put the notebook into a folder of its own`,
      { cause: error },
    );
  }
}
