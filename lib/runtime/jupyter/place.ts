// Where the notebook of a client is: cells' imports and deno.json are resolved from there.

import { dirname } from "@std/path/dirname";
import { isAbsolute } from "@std/path/is-absolute";
import { resolve } from "@std/path/resolve";

/** A notebook's place. */
export interface NotebookPlace {
  /** The folder to work in. */
  cwd: string;
  /** The notebook's file, if the client names it. */
  path?: string;
}

/**
 * Finds the notebook's place.
 *
 * Jupyter servers name the notebook in `JPY_SESSION_NAME`; other clients start the kernel in its
 * folder.
 *
 * @param env The environment.
 * @param cwd The working directory that the client chose.
 */
export function notebookPlace(env: Record<string, string>, cwd: string): NotebookPlace {
  const name = env.JPY_SESSION_NAME;
  if (name === undefined || !name.endsWith(".ipynb")) return { cwd };
  // The name is relative to the server's folder, which may be the working directory's parent.
  const path = isAbsolute(name) ? name : resolve(cwd, name);
  const folder = dirname(path);
  if (isFolder(folder)) return { cwd: folder, path };
  const beside = resolve(cwd, name.replace(/.*[/\\]/, ""));
  return { cwd, path: beside };
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
