/**
 * When the newest commit of a student's repository was made, as the machine that made it says. A repository's settings can
 * name programs that git runs; so git is given an empty repository of ours and only the objects of the student's.
 *
 * @module
 */

import { join } from "@std/path/join";
import { makeOwnTempDir } from "../../own_temp.ts";
import { removeIfThere } from "../replace_folder.ts";

/** The most that is read of a file of a repository, in bytes. */
const MAX_FILE = 4 * 2 ** 20;
/** How long git may take, in milliseconds. */
const TIMEOUT = 10_000;

/**
 * Reads the time of a repository's newest commit.
 *
 * @param folder The repository's folder.
 * @returns The time; undefined if the folder is not a repository, has no commit, cannot be read, or there is no git.
 */
export async function commitTime(folder: string): Promise<Date | undefined> {
  const git = join(folder, ".git");
  const commit = await headOf(git);
  if (commit === undefined) return undefined;
  const empty = await makeOwnTempDir("tunebook-git-");
  try {
    for (const name of ["objects", "refs"]) await Deno.mkdir(join(empty, name));
    await Deno.writeTextFile(join(empty, "HEAD"), "ref: refs/heads/none\n");
    const { success, stdout } = await new Deno.Command("git", {
      args: ["--no-replace-objects", "--git-dir", empty, "cat-file", "commit", commit],
      clearEnv: true,
      env: {
        PATH: Deno.env.get("PATH") ?? "",
        GIT_OBJECT_DIRECTORY: join(git, "objects"),
        GIT_CONFIG_GLOBAL: "/dev/null",
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_NO_LAZY_FETCH: "1",
      },
      stdin: "null",
      stderr: "null",
      signal: AbortSignal.timeout(TIMEOUT),
    }).output();
    if (!success || stdout.length > MAX_FILE) return undefined;
    const [header = ""] = new TextDecoder().decode(stdout).split("\n\n");
    const seconds = Number(/^committer .* (\d{1,12}) [+-]\d{4}$/m.exec(header)?.[1]);
    const time = new Date(seconds * 1000);
    return Number.isNaN(time.getTime()) ? undefined : time;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined; // no git
    throw error;
  } finally {
    await removeIfThere(empty);
  }
}

const HASH = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

/** The commit that a repository has checked out. */
async function headOf(git: string): Promise<string | undefined> {
  const head = await readPlain(join(git, "HEAD"));
  if (head === undefined || HASH.test(head)) return head;
  const ref = /^ref: (refs\/[\w./-]{1,200})$/.exec(head)?.[1];
  if (ref === undefined || ref.split("/").includes("..")) return undefined;
  const loose = await readPlain(join(git, ref));
  if (loose !== undefined) return HASH.test(loose) ? loose : undefined;
  const packed = await readPlain(join(git, "packed-refs"));
  const hash = packed?.split("\n").find((line) => line.endsWith(` ${ref}`))?.split(" ")[0];
  return hash !== undefined && HASH.test(hash) ? hash : undefined;
}

/** The text of a small plain file; links are not followed. */
async function readPlain(path: string): Promise<string | undefined> {
  try {
    const { isFile, size } = await Deno.lstat(path);
    return isFile && size <= MAX_FILE ? (await Deno.readTextFile(path)).trim() : undefined;
  } catch {
    return undefined;
  }
}
