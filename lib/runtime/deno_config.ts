// The deno.json that Deno finds for a folder, and what it lets modules there import.

import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { resolve } from "@std/path/resolve";
import { toFileUrl } from "@std/path/to-file-url";
import { parse as parseJsonc } from "@std/jsonc/parse";

/** A deno.json or deno.jsonc. */
export interface DenoConfig {
  path: string;
  value: Record<string, unknown>;
  /** Its import map; relative targets are `file:` URLs. */
  imports: Record<string, string>;
}

/**
 * Finds the nearest configuration file in a folder and those above it.
 *
 * @param folder Where the search starts.
 * @returns The file; undefined where there is none. A file that is not JSON counts as empty.
 */
export async function findDenoConfig(folder: string): Promise<DenoConfig | undefined> {
  for (let at = resolve(folder);; at = dirname(at)) {
    for (const name of ["deno.json", "deno.jsonc"]) {
      const path = join(at, name);
      let text: string;
      try {
        text = await Deno.readTextFile(path);
      } catch {
        continue;
      }
      const value = parseObject(text);
      return { path, value, imports: await importsOf(value, path) };
    }
    if (dirname(at) === at) return undefined;
  }
}

async function importsOf(
  value: Record<string, unknown>,
  path: string,
): Promise<Record<string, string>> {
  let { imports } = value;
  let base = toFileUrl(path);
  if (imports === undefined && typeof value.importMap === "string") {
    base = new URL(value.importMap, base);
    try {
      ({ imports } = parseObject(await Deno.readTextFile(base)));
    } catch {
      // Deno reports it.
    }
  }
  return Object.fromEntries(
    Object.entries(imports ?? {})
      .filter((entry): entry is [string, string] => typeof entry[1] === "string")
      .map(([name, target]) =>
        [name, /^\.{0,2}\//.test(target) ? new URL(target, base).href : target] as const
      ),
  );
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value = parseJsonc(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
  } catch {
    return {};
  }
}
