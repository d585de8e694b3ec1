/**
 * The model that comes with the library. It is read where the library lies or, where that is a
 * server, downloaded once into the user's cache and checked.
 *
 * @module
 */

import { fromFileUrl } from "@std/path/from-file-url";
import { join } from "@std/path/join";
import { resolve } from "@std/path/resolve";
import { writeFileBeside } from "../write_beside.ts";
import { EMBEDDED_NAME } from "./names.ts";
import { sha256File } from "./sha256.ts";

/** SHA-256 of the model's files. */
export const EMBEDDED_FILES: Readonly<Record<string, string>> = {
  "config.json": "c43101eef9041390952732c74f7a0d170494516dc572903f9b3d8937e642c4ea",
  "model.safetensors": "62cca89bcdc0f4bbec095c3c09b0b7c7596ff2eb644d199340d693666f3430ec",
};

/**
 * Finds the directory of the embedded model.
 *
 * @param home Where it lies beside the library; ends with a slash
 * @param signal Stops a download
 * @returns A directory that has all its files
 * @throws {Deno.errors.NotFound} If the files are not on this machine and cannot be downloaded
 */
export async function embeddedDirectory(
  home: URL = new URL("../../data/nano/", import.meta.url),
  signal?: AbortSignal,
): Promise<string> {
  if (home.protocol === "file:") return resolve(fromFileUrl(home));
  const directory = join(cacheFolder(), `${EMBEDDED_NAME}-${EMBEDDED_FILES["model.safetensors"]}`);
  for (const [name, expected] of Object.entries(EMBEDDED_FILES)) {
    const path = join(directory, name);
    if (await hashOf(path) === expected) continue;
    const bytes = await download(new URL(name, home), signal);
    const found = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
    if (found !== expected) {
      throw new TypeError(
        `Cannot use "${new URL(name, home)}": its SHA-256 is ${found}, expected ${expected}`,
      );
    }
    await writeFileBeside(path, bytes);
  }
  return directory;
}

async function hashOf(path: string): Promise<string | undefined> {
  try {
    return await sha256File(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function download(url: URL, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const cannot = `Cannot find model "${EMBEDDED_NAME}": "${url}" cannot be downloaded`;
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw new Deno.errors.NotFound(`${cannot}: ${(error as Error).message}`, { cause: error });
  }
  if (!response.ok) {
    await response.body?.cancel();
    throw new Deno.errors.NotFound(`${cannot}: the server answers ${response.status}`);
  }
  return await response.bytes();
}

/** The library's folder in the user's cache. */
function cacheFolder(): string {
  const { env } = Deno;
  const home = env.get("HOME") ?? env.get("USERPROFILE") ?? ".";
  const local = Deno.build.os === "windows" ? env.get("LOCALAPPDATA") : undefined;
  return join(env.get("XDG_CACHE_HOME") || local || join(home, ".cache"), "tunebook");
}
