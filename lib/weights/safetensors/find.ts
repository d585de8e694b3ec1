/**
 * Finds the weights in a model's directory.
 *
 * @module
 */

import { join } from "@std/path";

/** The names of a model's weights in a directory, in search order. */
export const WEIGHT_FILES = ["model.safetensors", "model.safetensors.index.json"] as const;

/**
 * Finds a model's weights in a directory.
 *
 * @param path A directory, or a file, which is returned unchanged
 * @returns The weights' file or index
 * @throws {Deno.errors.NotFound} If a directory holds neither; the message lists what it holds
 */
export async function findWeights(path: string): Promise<string> {
  const info = await Deno.stat(path).catch(() => undefined);
  if (!info?.isDirectory) return path;
  for (const name of WEIGHT_FILES) {
    if ((await Deno.stat(join(path, name)).catch(() => undefined))?.isFile) return join(path, name);
  }
  const names = (await Array.fromAsync(Deno.readDir(path))).map((entry) => entry.name).sort();
  throw new Deno.errors.NotFound(
    `Cannot find weights in directory "${path}": looked for "${WEIGHT_FILES.join('" and "')}", ${
      names.length === 0 ? "and it is empty" : `it holds ${listNames(names)}`
    }`,
  );
}

function listNames(names: string[]): string {
  const shown = names.slice(0, 8).map((name) => `"${name}"`).join(", ");
  return names.length > 8 ? `${shown} and ${names.length - 8} more` : shown;
}
