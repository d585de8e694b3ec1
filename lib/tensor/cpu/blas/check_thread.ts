/**
 * A thread of `check.ts`: loads a BLAS, and compares its products.
 *
 * @module
 */

import { loadWasm } from "../load_wasm.ts";
import { type BlasLibrary, loadBlas, openBlas } from "./blas.ts";
import { findWrongProduct } from "./compare_products.ts";

/** What a thread is told to do with a library. */
export interface ThreadTask {
  readonly task: "load" | "compare";
  readonly path: string;
}

/** What it says: the library that it loaded (none where there is none), or a product that is wrong. */
export interface ThreadReply {
  readonly library?: BlasLibrary;
  readonly wrong?: string;
}

async function perform({ task, path }: ThreadTask): Promise<ThreadReply> {
  const wasm = await loadWasm("kernels.wasm");
  return task === "load"
    ? { library: load(path) }
    : { wrong: findWrongProduct(openBlas(path), wasm) };
}

/** Loads a library, and finds its file: what is checked is what will be used. */
function load(path: string): BlasLibrary | undefined {
  const before = new Set(loadedFiles());
  let library: BlasLibrary;
  try {
    library = loadBlas(path);
  } catch {
    return undefined;
  }
  if (path.includes("/")) return library;
  // "libopenblas.so.0" may be a link to "libopenblasp-r0.3.21.so".
  const stem = path.split(".")[0];
  const file = loadedFiles().find((file) =>
    !before.has(file) && file.split("/").at(-1)!.startsWith(stem)
  );
  return { ...library, path: file ?? path };
}

/** Files that this process has mapped; only Linux tells. */
function loadedFiles(): string[] {
  if (Deno.build.os !== "linux") return [];
  const lines = Deno.readTextFileSync("/proc/self/maps").split("\n");
  return [...new Set(lines.flatMap((line) => /\s(\/.+)$/.exec(line)?.[1] ?? []))];
}

self.onmessage = async ({ data }: MessageEvent<ThreadTask>) =>
  self.postMessage(await perform(data));
