// What a kernel imports by this library's name where no deno.json maps it. The modules of a package
// can be imported from anywhere. Those of a checkout name other packages by the checkout's import
// map, which applies in the checkout alone: a kernel elsewhere gets a copy of them that names these
// packages in full.

import { dirname } from "@std/path/dirname";
import { fromFileUrl } from "@std/path/from-file-url";
import { join } from "@std/path/join";
import { relative } from "@std/path/relative";
import { resolve } from "@std/path/resolve";
import { toFileUrl } from "@std/path/to-file-url";
import config from "../../deno.json" with { type: "json" };
import { findDenoConfig } from "./deno_config.ts";
import { ENTRY_POINTS, IS_CHECKOUT, LIBRARY, STANDALONE_FOLDER, VERSION } from "./library.ts";

/** How long a copy of modules that have changed since may still be in use, in milliseconds. */
const LAST_USE = 24 * 60 * 60 * 1000;

let copied: Promise<string> | undefined;

/**
 * Finds the modules that a kernel is given for the library's entry points.
 *
 * @param cwd The kernel's folder.
 * @returns URLs by name; none where the nearest deno.json maps the library itself.
 */
export async function kernelImports(cwd: string): Promise<Readonly<Record<string, string>>> {
  if (!IS_CHECKOUT) return ENTRY_POINTS;
  const own = await findDenoConfig(cwd);
  if (own?.imports.tunebook !== undefined) return {};
  const folder = await (copied ??= copyStandalone());
  return Object.fromEntries(
    Object.entries(config.imports).filter(([, target]) => target.startsWith("./"))
      .map(([name, target]) => [name, toFileUrl(join(folder, target)).href]),
  );
}

/** Copies the checkout's modules, unless that was done since they last changed; returns the folder. */
async function copyStandalone(): Promise<string> {
  const root = resolve(fromFileUrl(LIBRARY));
  const files = [...filesIn(join(root, "lib"))];
  const stamps = files.map(({ path, stamp }) => `${relative(root, path)} ${stamp}`);
  stamps.push(JSON.stringify(config.imports));
  const text = new TextEncoder().encode(stamps.sort().join("\n"));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", text)).toHex().slice(0, 12);
  // With a version in its name, as a package's folder has it, its files count as nobody's own.
  const folder = join(STANDALONE_FOLDER, `${VERSION}-${hash}`);
  if (await exists(folder)) return folder;
  const unfinished = `${folder}.${crypto.randomUUID().slice(0, 8)}.unfinished`;
  try {
    for (const { path } of files) await copyModule(path, join(unfinished, relative(root, path)));
    const imports = Object.entries(config.imports).filter(([, target]) => target.startsWith("./"));
    const { name, version, exports } = config;
    const own = { name, version, exports, imports: Object.fromEntries(imports) };
    await Deno.writeTextFile(join(unfinished, "deno.json"), JSON.stringify(own, null, 2));
    await Deno.symlink(join(root, "data"), join(unfinished, "data"), { type: "dir" });
    await Deno.rename(unfinished, folder);
  } catch (error) {
    await Deno.remove(unfinished, { recursive: true }).catch(() => {});
    if (!await exists(folder)) throw error; // Another process was faster.
  }
  await removeOld(folder);
  return folder;
}

async function copyModule(from: string, to: string): Promise<void> {
  await Deno.mkdir(dirname(to), { recursive: true });
  if (!from.endsWith(".ts")) return await Deno.copyFile(from, to);
  await Deno.writeTextFile(to, withFullNames(await Deno.readTextFile(from)));
}

/**
 * Names the packages that a module imports in full, such as `npm:zod@4.6.7` for `zod`.
 *
 * @param code The module, as `deno fmt` has it.
 * @returns The same module for any place.
 */
export function withFullNames(code: string): string {
  const named = /^((?:(?:import|export)\b.*|\}) from |import |.*\bimport\(\s*)"([^"./][^"]*)"/gm;
  return code.replace(
    named,
    (whole, before: string, name: string) =>
      /^\s*(\*|\/\/)/.test(before) ? whole : `${before}${JSON.stringify(fullName(name))}`,
  );
}

function fullName(name: string): string {
  const imports: Readonly<Record<string, string>> = config.imports;
  // The longest key counts, as in every import map.
  for (let key = name; key !== "."; key = dirname(key)) {
    const target = imports[key];
    if (target?.startsWith("npm:")) return target + name.slice(key.length);
  }
  return name;
}

function* filesIn(folder: string): Generator<{ path: string; stamp: string }> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = join(folder, name);
    if (isDirectory) {
      yield* filesIn(path);
    } else if (!name.endsWith(".as.ts")) {
      const { size, mtime } = Deno.statSync(path);
      yield { path, stamp: `${size} ${mtime?.getTime()}` };
    }
  }
}

/** Removes copies of earlier states that no kernel is likely to use any more. */
async function removeOld(folder: string): Promise<void> {
  for (const { name } of Deno.readDirSync(STANDALONE_FOLDER)) {
    const path = join(STANDALONE_FOLDER, name);
    const { mtime } = await Deno.stat(path).catch(() => ({ mtime: null }));
    if (path === folder || mtime === null || Date.now() - mtime.getTime() < LAST_USE) continue;
    await Deno.remove(path, { recursive: true }).catch(() => {}); // Another process was faster.
  }
}

function exists(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}
