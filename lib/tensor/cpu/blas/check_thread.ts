/**
 * A thread of `check.ts`: loads a BLAS, compares its products, and multiplies with it as training does.
 *
 * @module
 */

import { matmul } from "../../ops/matmul/matmul.cpu.ts";
import { Barrier } from "../barrier.ts";
import { Context } from "../context.ts";
import { loadWasm } from "../load_wasm.ts";
import type { BlasLibrary } from "./blas.ts";
import { findWrongProduct } from "./compare_products.ts";
import { loadBlas, openBlas } from "./open.ts";

/** What a thread is told to do with a library. */
export interface ThreadTask {
  /** Load it, compare its products, or multiply as one of several threads. */
  readonly task: "load" | "compare" | "multiply";
  /** The library's file; empty for our own kernels. */
  readonly path: string;
}

/** What it says: the library that it loaded (none where there is none), or a product that is wrong. */
export interface ThreadReply {
  readonly library?: BlasLibrary;
  readonly wrong?: string;
}

const wasm = await loadWasm("kernels.wasm");

function perform({ task, path }: ThreadTask): ThreadReply {
  switch (task) {
    case "load":
      return { library: load(path) };
    case "compare":
      return { wrong: compare(path) };
    case "multiply":
      multiplication ??= prepareMultiplication(path);
      multiplication();
      return {};
  }
}

function compare(path: string): string | undefined {
  const wrong = findWrongProduct(openBlas(path), wasm);
  if (wrong || !loadBlas(path).multipliesBfloat16) return wrong;
  const wrongBfloat16 = findWrongProduct(openBlas(path, "bfloat16"), wasm);
  return wrongBfloat16 && `in bfloat16, ${wrongBfloat16}`;
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

// --- Timing ---

/** A batch of 280 tokens and a linear layer of 512 columns, as one thread of a device has of it. */
const TIMED = { tokens: 280, inputs: 1024, outputs: 512 };

let multiplication: (() => void) | undefined;

/** Gives what a linear layer multiplies in a training step: forward, and for the gradients of input and weight. */
function prepareMultiplication(path: string): () => void {
  const { tokens, inputs, outputs } = TIMED;
  const blas = path === "" ? undefined : openBlas(path);
  const context = new Context(0, 1, new Barrier(new SharedArrayBuffer(16), 1), blas, wasm);
  const matrix = (rows: number, columns: number) =>
    Float32Array.from({ length: rows * columns }, (_, i) => (i * 7919 % 1009) / 1009 - 0.5);
  const x = matrix(tokens, inputs), weight = matrix(inputs, outputs), dy = matrix(tokens, outputs);
  const [y, dx, dWeight] = [dy, x, weight].map(({ length }) => new Float32Array(length));
  const product = (
    a: Float32Array,
    b: Float32Array,
    c: Float32Array,
    [m, n, k, transposeA, transposeB]: readonly number[],
  ) => {
    context.reset();
    matmul.run(context, { a, b, bias: c, c }, {
      ...{ m, n, k, transposeA, transposeB, hasBias: 0, accumulate: 0, cStride: n },
      ...{ aOffset: 0, bOffset: 0, cOffset: 0, biasOffset: 0 },
    });
  };
  return () => {
    product(x, weight, y, [tokens, outputs, inputs, 0, 0]);
    product(dy, weight, dx, [tokens, inputs, outputs, 0, 1]);
    product(x, dy, dWeight, [inputs, outputs, tokens, 1, 0]);
  };
}

self.onmessage = ({ data }: MessageEvent<ThreadTask>) => self.postMessage(perform(data));
