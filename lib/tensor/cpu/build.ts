/**
 * `deno task build`: compiles the AssemblyScript kernels of all ops into `kernels.wasm` and
 * `shared_kernels.wasm`, and writes the files that
 * `generate.ts` makes.
 *
 * @module
 */

import asc from "assemblyscript/asc";
import { fromFileUrl } from "@std/path/from-file-url";
import { INITIAL_PAGES } from "./context.ts";
import { MOST_PAGES } from "./packed_memory.ts";
import {
  formulaMethods,
  generatedSources,
  kernelRegistry,
  operationRows,
  wasmSignatures,
} from "./generate.ts";

/** The files besides the modules that are written, by their address. */
const GENERATED = {
  registry: new URL("./kernels.ts", import.meta.url),
  signatures: new URL("./wasm_kernels.ts", import.meta.url),
  methods: new URL("../formula_methods.ts", import.meta.url),
  rows: new URL("../../../tests/golden/operation_rows.json", import.meta.url),
};

/** The two modules: for the memory of one thread, and for memory that all threads share. */
export const MODULES = {
  "kernels.wasm": [],
  "shared_kernels.wasm": ["--sharedMemory", "--maximumMemory", `${MOST_PAGES}`],
} as const;

/**
 * Compiles the kernels.
 *
 * @param module Which of the modules.
 * @returns The module's bytes; the same for the same sources.
 * @throws {SyntaxError} With the compiler's messages.
 */
export async function compileKernels(
  module: keyof typeof MODULES,
): Promise<Uint8Array<ArrayBuffer>> {
  const root = new URL("..", import.meta.url);
  const written = generatedSources();
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
    ...MODULES[module],
    "--enable",
    "simd,relaxed-simd,threads",
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

/**
 * Makes the files that are committed beside `kernels.wasm`.
 *
 * @returns Their texts by address.
 */
export async function generatedFiles(): Promise<Map<URL, string>> {
  return new Map([
    [GENERATED.registry, await formatted(await kernelRegistry())],
    [GENERATED.signatures, await formatted(wasmSignatures())],
    [GENERATED.methods, await formatted(formulaMethods())],
    [GENERATED.rows, operationRows()],
  ]);
}

/** As `deno fmt` has it. */
async function formatted(text: string): Promise<string> {
  const configuration = fromFileUrl(new URL("../../../deno.json", import.meta.url));
  const command = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--config", configuration, "--ext", "ts", "-"],
    stdin: "piped",
    stdout: "piped",
  });
  const process = command.spawn();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  return new TextDecoder().decode((await process.output()).stdout);
}

if (import.meta.main) {
  for (const name of Object.keys(MODULES) as (keyof typeof MODULES)[]) {
    const bytes = await compileKernels(name);
    await Deno.writeFile(new URL(name, import.meta.url), bytes);
    console.log(`Wrote lib/tensor/cpu/${name} (${bytes.length} bytes)`);
  }
  for (const [address, text] of await generatedFiles()) {
    await Deno.writeTextFile(address, text);
    console.log(`Wrote ${address.pathname.split("/").slice(-3).join("/")}`);
  }
}
