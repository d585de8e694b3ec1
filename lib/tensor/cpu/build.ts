/**
 * `deno task build`: compiles the AssemblyScript kernels of all ops into `kernels.wasm`.
 *
 * @module
 */

import asc from "assemblyscript/asc";
import { fromFileUrl } from "@std/path";

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
    "--optimizeLevel",
    "3",
    "--runtime",
    "stub",
    "--importMemory",
    "--noAssert",
    "--enable",
    "simd,relaxed-simd",
  ], {
    readFile: (name: string) => {
      try {
        return Deno.readTextFileSync(fromFileUrl(new URL(name, root)));
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
