// A copy of this library that a kernelspec can point to. A package lies in a cache of npx's or Deno's,
// or in the node_modules of a project: places that are emptied while the kernel is still installed.

import { dirname } from "@std/path/dirname";
import { fromFileUrl } from "@std/path/from-file-url";
import { join } from "@std/path/join";
import { resolve } from "@std/path/resolve";
import { IS_CHECKOUT, LIBRARY, VERSION } from "../library.ts";
import { libraryHash } from "../new_manifest.ts";

/** What a kernelspec starts. */
export interface KernelProgram {
  /** The Deno that runs it. */
  deno: string;
  /** The library's folder; undefined where the library is loaded from a server. */
  library?: string;
}

/** What a copy consists of. */
const PARTS = ["lib", "data", "deno.json", "package.json", "LICENSE", "THIRD_PARTY_LICENSES.txt"];

/**
 * Makes sure that the library and the Deno that runs it lie where nothing removes them.
 *
 * @param prefix A Python environment or the like; the user's data folder if not given.
 * @returns Where they are. A checkout stays where it is.
 */
export async function stableProgram(prefix?: string): Promise<KernelProgram> {
  if (LIBRARY.protocol !== "file:") return { deno: Deno.execPath() };
  const home = copiesFolder(prefix);
  const deno = await stableDeno(home);
  const own = resolve(fromFileUrl(LIBRARY));
  if (IS_CHECKOUT) return { deno, library: own };
  const hash = (await libraryHash())!.slice(0, 12);
  const library = join(home, `${VERSION}-${hash}`);
  if (!await exists(library)) await copyWhole(own, library);
  return { deno, library };
}

/** This Deno, or a copy of it where it is npx's. */
async function stableDeno(home: string): Promise<string> {
  const deno = Deno.execPath();
  if (!/[/\\]node_modules[/\\]/.test(deno)) return deno;
  const name = Deno.build.os === "windows" ? "deno.exe" : "deno";
  const program = join(home, `deno-${Deno.version.deno}`, name);
  if (!await exists(program)) await linkOrCopy(await Deno.realPath(deno), program);
  return program;
}

/**
 * Removes copies that no kernel needs any more.
 *
 * @param used Texts of all kernelspecs that remain.
 * @param prefix As for {@linkcode stableProgram}.
 */
export async function removeUnusedCopies(used: string[], prefix?: string): Promise<void> {
  const home = copiesFolder(prefix);
  const names = await Array.fromAsync(Deno.readDir(home), ({ name }) => name).catch(() => []);
  for (const name of names) {
    const folder = JSON.stringify(join(home, name)).slice(1, -1);
    if (used.some((text) => text.includes(folder))) continue;
    await Deno.remove(join(home, name), { recursive: true });
  }
  if (names.length > 0) await Deno.remove(home).catch(() => {}); // It may hold others.
}

/** Where copies lie. */
function copiesFolder(prefix?: string): string {
  if (prefix !== undefined) return join(prefix, "share", "tunebook");
  const { env } = Deno;
  const home = env.get("HOME") ?? env.get("USERPROFILE") ?? ".";
  switch (Deno.build.os) {
    case "windows":
      return join(env.get("LOCALAPPDATA") ?? join(home, "AppData", "Local"), "tunebook", "kernels");
    case "darwin":
      return join(home, "Library", "Application Support", "tunebook", "kernels");
    default:
      return join(env.get("XDG_DATA_HOME") || join(home, ".local", "share"), "tunebook", "kernels");
  }
}

/** A copy is whole or absent. */
async function copyWhole(from: string, to: string): Promise<void> {
  const unfinished = `${to}.${crypto.randomUUID().slice(0, 8)}.unfinished`;
  try {
    for (const part of PARTS) await copy(join(from, part), join(unfinished, part));
    await Deno.rename(unfinished, to);
  } catch (error) {
    await Deno.remove(unfinished, { recursive: true }).catch(() => {});
    if (!await exists(to)) throw error; // Another installation was faster.
  }
}

async function copy(from: string, to: string): Promise<void> {
  if ((await Deno.stat(from)).isDirectory) {
    await Deno.mkdir(to, { recursive: true });
    for await (const { name } of Deno.readDir(from)) await copy(join(from, name), join(to, name));
  } else {
    await Deno.mkdir(dirname(to), { recursive: true });
    await Deno.copyFile(from, to);
  }
}

/** A second name of the file costs no space, but needs the same disk. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  await Deno.mkdir(dirname(to), { recursive: true });
  const unfinished = `${to}.${crypto.randomUUID().slice(0, 8)}.unfinished`;
  try {
    await Deno.link(from, unfinished);
  } catch {
    await Deno.copyFile(from, unfinished);
  }
  await Deno.rename(unfinished, to);
}

function exists(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}
