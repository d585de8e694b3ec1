// The local modules that a notebook's cells import, directly or indirectly: they are as much part
// of the notebook's code as the cells.

import { fromFileUrl } from "@std/path/from-file-url";
import { join } from "@std/path/join";
import { relative } from "@std/path/relative";
import { resolve } from "@std/path/resolve";
import { toFileUrl } from "@std/path/to-file-url";
import { findDenoConfig } from "./deno_config.ts";
import { LIBRARY } from "./library.ts";
import type { Notebook } from "./notebook.ts";
import { sha256 } from "./new_manifest.ts";
import { parseTypeScript } from "./parse_typescript.ts";

/** This library's own files: their hash is the manifest's `library`. */
const OWN = new URL("lib/", LIBRARY).href;
/** A larger number is not a notebook's helpers but a code base. */
const MAX_MODULES = 1000;
/** The most bytes of one; what is larger is data, and is named by who reads it. */
const MAX_MODULE = 64 * 2 ** 20;

/**
 * Finds and hashes the local modules that code cells import.
 *
 * Literal specifiers are followed: relative ones, `file:` URLs, and those that the nearest
 * deno.json maps to local files.
 *
 * @param notebook The notebook.
 * @param folder The folder that cells' imports are relative to.
 * @returns SHA-256 of each file, by its path relative to the folder, sorted; missing files are left out.
 */
export async function localModules(
  notebook: Notebook,
  folder: string,
): Promise<Record<string, string>> {
  const map = await readImportMap(folder);
  const found = new Map<string, string>();
  const visit = async (source: string, base: string) => {
    for (const specifier of specifiersOf(source)) {
      const url = map(specifier, base);
      if (url === undefined || found.has(url) || found.size >= MAX_MODULES) continue;
      let bytes: Uint8Array<ArrayBuffer>;
      try {
        bytes = await readModule(fromFileUrl(url));
      } catch {
        continue; // The cell itself will report it.
      }
      found.set(url, await sha256(bytes));
      if (/\.[cm]?[jt]sx?$/.test(url)) await visit(new TextDecoder().decode(bytes), url);
    }
  };
  const base = toFileUrl(join(resolve(folder), "notebook.ipynb")).href;
  for (const cell of notebook.cells) {
    if (cell.cell_type === "code") await visit(cell.source, base);
  }
  return Object.fromEntries(
    [...found].map(([url, hash]) => [relative(resolve(folder), fromFileUrl(url)), hash])
      .sort(([a], [b]) => a < b ? -1 : 1),
  );
}

/** Specifiers of imports and re-exports, and of dynamic imports with a literal specifier. */
function specifiersOf(source: string): string[] {
  const specifiers: string[] = [];
  let tokens: { value?: unknown; type: { label: string } }[];
  try {
    const file = parseTypeScript(source, { tokens: true, errorRecovery: true });
    tokens = (file.tokens ?? []) as unknown as typeof tokens;
  } catch {
    return specifiers;
  }
  for (const [at, { type, value }] of tokens.entries()) {
    if (type.label !== "string" || typeof value !== "string") continue;
    const before = tokens[at - 1];
    const word = before?.value ?? before?.type.label;
    const call = before?.type.label === "(" && tokens[at - 2]?.type.label === "import";
    if (word === "from" || word === "import" || call) specifiers.push(value);
  }
  return specifiers;
}

/** Resolves specifiers to local files; undefined for other locations and for this library. */
async function readImportMap(
  folder: string,
): Promise<(specifier: string, base: string) => string | undefined> {
  const imports = Object.entries((await findDenoConfig(folder))?.imports ?? {})
    .sort(([a], [b]) => b.length - a.length);
  return (specifier, base) => {
    let url: string | undefined;
    if (/^(\.{0,2}\/|file:)/.test(specifier)) url = new URL(specifier, base).href;
    else {
      const entry = imports.find(([name]) =>
        name.endsWith("/") ? specifier.startsWith(name) : specifier === name
      );
      if (entry !== undefined) url = entry[1] + specifier.slice(entry[0].length);
    }
    const local = url?.startsWith("file:") && !url.startsWith(OWN);
    return local ? url!.replace(/[?#].*$/, "") : undefined;
  };
}

/** Reads a file of code; a named pipe would never end, a device never be full. */
async function readModule(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const { isFile, size } = await Deno.stat(path);
  if (!isFile || size > MAX_MODULE) throw new TypeError(`"${path}" is not a code file`);
  return await Deno.readFile(path);
}
