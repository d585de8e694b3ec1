/**
 * `deno task build`: compiles the AssemblyScript kernels of all ops into `kernels.wasm`.
 *
 * @module
 */

import asc from "assemblyscript/asc";
import { fromFileUrl } from "@std/path";
import { multiplyPanelSource } from "../ops/matmul/multiply_panel.ts";
import { INITIAL_PAGES } from "./context.ts";

/** Sources that are written by programs, by name. */
const written = new Map([["ops/matmul/multiply_panel.as.ts", multiplyPanelSource()]]);

/**
 * Compiles the kernels.
 *
 * @returns The module's bytes; the same for the same sources.
 * @throws {SyntaxError} With the compiler's messages.
 */
export async function compileKernels(): Promise<Uint8Array<ArrayBuffer>> {
  const root = new URL("..", import.meta.url);
  const output = new Map<string, Uint8Array<ArrayBuffer>>();
  const { error, stderr } = await asc.main([
    "cpu/kernels.as.ts",
    "--outFile",
    "kernels.wasm",
    // Level 3 folds an unrolled sum into one expression, whose terms V8 then computes one after another.
    "--optimizeLevel",
    "2",
    "--runtime",
    "stub",
    "--importMemory",
    // As much as a thread begins with (context.ts): V8 need not check constant offsets below this.
    "--initialMemory",
    `${INITIAL_PAGES}`,
    "--noAssert",
    "--enable",
    "simd,relaxed-simd",
  ], {
    readFile: (name: string) => {
      try {
        return written.get(name) ?? Deno.readTextFileSync(fromFileUrl(new URL(name, root)));
      } catch {
        return null;
      }
    },
    writeFile: (name: string, content: Uint8Array | string) => {
      output.set(name, content as Uint8Array<ArrayBuffer>);
    },
    listFiles: () => [],
  });
  if (error) throw new SyntaxError(`Cannot compile the CPU kernels: ${stderr.toString()}`);
  return output.get("kernels.wasm")!;
}

if (import.meta.main) {
  const bytes = await compileKernels();
  await Deno.writeFile(new URL("./kernels.wasm", import.meta.url), bytes);
  console.log(`Wrote lib/tensor/cpu/kernels.wasm (${bytes.length} bytes)`);
}
