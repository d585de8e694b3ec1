// For a sandbox that root starts: it runs as nobody, who can neither read root's private files nor
// write root's folders. What is to be read is copied where that is so; what is to be written is copied
// in, and copied back once nothing runs any more.

import { basename } from "@std/path/basename";
import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { isRoot, NOBODY } from "./runner_wall.ts";
import { writeBeside } from "../../write_beside.ts";

/** Copies of what nobody could not read or write. */
export class Staging {
  #folder: string;
  #copies = 0;
  #written: { copy: string; path: string; given: Set<string> }[] = [];

  /** @param folder A folder of one's own, to be removed afterwards. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Makes a file or folder readable.
   *
   * @param path The file or folder.
   * @returns Where it is to be read.
   */
  async read(path: string): Promise<string> {
    if (!isRoot() || await isReadable(path)) return path;
    const copy = await this.#copy(path);
    await run("chmod", ["-R", "a+rX", copy]);
    return copy;
  }

  /**
   * Makes a file or folder writable.
   *
   * @param path The file or folder.
   * @returns Where it is to be written.
   */
  async write(path: string): Promise<string> {
    if (!isRoot()) return path;
    const copy = await this.#copy(path);
    await run("chown", ["-R", "-h", `${NOBODY}:${NOBODY}`, copy]);
    await run("chmod", ["-R", "u+rwX", copy]);
    this.#written.push({ copy, path, given: await contents(copy) });
    return copy;
  }

  /** Copies back what was written: files and folders, no links, and nothing through a link. */
  async finish(): Promise<void> {
    for (const { copy, path, given } of this.#written) {
      await copyBack(copy, path);
      // What the notebook has removed is removed, but nothing that came there meanwhile.
      for (const name of given) {
        if (await isThere(join(copy, name))) continue;
        await Deno.remove(join(path, name), { recursive: true }).catch(() => {});
      }
    }
  }

  async #copy(path: string): Promise<string> {
    const place = join(this.#folder, `copy-${++this.#copies}`);
    await Deno.mkdir(place, { mode: 0o755 });
    const copy = join(place, basename(path));
    await run("cp", ["-a", "--", path, copy]);
    return copy;
  }
}

/** Whether everybody can read a file, or all that is in a folder. */
async function isReadable(path: string): Promise<boolean> {
  const tests = ["(", "-type", "d", "!", "-perm", "-005", "-o", "-type", "f", "!", "-perm", "-004"];
  const out = await run("find", ["-H", path, ...tests, ")", "-print", "-quit"]);
  return out === "";
}

/** All that is in a folder, by paths relative to it, folders before what they hold. */
async function contents(folder: string, below = ""): Promise<Set<string>> {
  const found = new Set<string>();
  if (!(await Deno.lstat(join(folder, below))).isDirectory) return found;
  for await (const { name, isDirectory } of Deno.readDir(join(folder, below))) {
    const path = join(below, name);
    found.add(path);
    if (isDirectory) { for (const inner of await contents(folder, path)) found.add(inner); }
  }
  return found;
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

async function copyBack(from: string, to: string): Promise<void> {
  const info = await Deno.lstat(from);
  const there = await Deno.lstat(to).catch(() => undefined);
  if (info.isDirectory) {
    if (there === undefined) await Deno.mkdir(to);
    else if (!there.isDirectory) return;
    for await (const { name } of Deno.readDir(from)) {
      await copyBack(join(from, name), join(to, name));
    }
  } else if (info.isFile && !there?.isDirectory) {
    const same = there?.isFile && there.size === info.size &&
      there.mtime?.getTime() === info.mtime?.getTime();
    if (same) return;
    await Deno.mkdir(dirname(to), { recursive: true });
    using source = await Deno.open(from, { read: true });
    // Written beside and renamed: a link of that name is replaced, not followed.
    await writeBeside(
      to,
      async (file) => await source.readable.pipeTo(file.writable, { preventClose: true }),
    );
  }
}

async function run(program: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  if (!success) {
    throw new Error(`Cannot prepare the sandbox: ${decoder.decode(stderr).trim().split("\n")[0]}`);
  }
  return decoder.decode(stdout);
}
