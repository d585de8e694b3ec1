/**
 * Finds the weights in a model's directory.
 *
 * @module
 */

import { join } from "@std/path/join";

/** The names of safetensors in a model's directory, in search order: one file, or the index of several. */
export const SAFETENSORS_FILES = ["model.safetensors", "model.safetensors.index.json"] as const;

/** The names of a model's weights in a directory, in search order, which is transformers'. */
export const WEIGHT_FILES = [
  ...SAFETENSORS_FILES,
  "pytorch_model.bin",
  "pytorch_model.bin.index.json",
] as const;

/**
 * Finds a model's weights in a directory.
 *
 * @param path A directory, or a file, which is returned unchanged
 * @param wanted Names in search order
 * @returns The weights' file or index
 * @throws {Deno.errors.NotFound} If a directory holds none; the message lists what it holds
 */
export async function findWeights(
  path: string,
  wanted: readonly string[] = WEIGHT_FILES,
): Promise<string> {
  const info = await Deno.stat(path).catch(() => undefined);
  if (!info?.isDirectory) return path;
  for (const name of wanted) {
    if ((await Deno.stat(join(path, name)).catch(() => undefined))?.isFile) return join(path, name);
  }
  const names = (await Array.fromAsync(Deno.readDir(path))).map((entry) => entry.name).sort();
  throw new Deno.errors.NotFound(
    `Cannot find weights in directory "${path}": looked for ${listed(wanted)}, ${
      names.length === 0 ? "and it is empty" : `it holds ${listNames(names)}`
    }`,
  );
}

/**
 * Names in quotation marks, the last after "and".
 *
 * @param names At least two names.
 * @returns `"a", "b" and "c"`
 */
export function listed(names: readonly string[]): string {
  return `"${names.slice(0, -1).join('", "')}" and "${names.at(-1)}"`;
}

function listNames(names: string[]): string {
  const shown = names.slice(0, 8).map((name) => `"${name}"`).join(", ");
  return names.length > 8 ? `${shown} and ${names.length - 8} more` : shown;
}
