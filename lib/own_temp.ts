/**
 * Temporary folders that do not outlive their process for long: each is named by the process that made it, and what a
 * killed process has left is removed when the next folder is made.
 *
 * @module
 */

import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import process from "node:process";

/** The part of a name after the prefix: the process, and what tells its folders apart. */
const OWNED = /^(\d+)-[0-9a-f]{8}$/;

/**
 * Makes a temporary folder that only this user can enter.
 *
 * @param prefix How its name begins, such as `"tunebook-kernel-"`
 * @param root Where to make it; the system's folder for temporary files by default
 * @returns Its path
 */
export async function makeOwnTempDir(prefix: string, root?: string): Promise<string> {
  const parent = root ?? await temporaryRoot();
  await removeAbandoned(parent, prefix);
  const path = join(parent, `${prefix}${ownName()}`);
  await Deno.mkdir(path, { mode: 0o700 });
  return path;
}

/** A name that says which process it belongs to. */
export function ownName(): string {
  return `${Deno.pid}-${crypto.randomUUID().slice(0, 8)}`;
}

/**
 * Finds what processes that have ended left in a folder.
 *
 * @param folder Where to look
 * @param prefix How names begin, in front of what {@linkcode ownName} made
 * @returns Their paths
 */
export async function abandoned(folder: string, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    const owner = name.startsWith(prefix) ? OWNED.exec(name.slice(prefix.length)) : null;
    if (owner !== null && !isRunning(Number(owner[1]))) found.push(join(folder, name));
  }
  return found;
}

/**
 * Tells whether a process runs.
 *
 * @param pid Its id
 */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's cannot be signalled, but is there.
    return (error as { code?: string }).code === "EPERM";
  }
}

async function removeAbandoned(parent: string, prefix: string): Promise<void> {
  try {
    for (const path of await abandoned(parent, prefix)) {
      // Another user's is not ours to remove; nor is what another process is removing already.
      await Deno.remove(path, { recursive: true }).catch(() => {});
    }
  } catch {
    // A folder that cannot be listed can still be written.
  }
}

let root: Promise<string> | undefined;

/** Deno tells the system's folder only by making something there. */
function temporaryRoot(): Promise<string> {
  return root ??= (async () => {
    const probe = await Deno.makeTempDir({ prefix: "tunebook-" });
    await Deno.remove(probe);
    return dirname(probe);
  })();
}
