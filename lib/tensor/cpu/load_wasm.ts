/**
 * Loads `kernels.wasm` and `shared_kernels.wasm` from wherever this library is: a folder or a server.
 *
 * @module
 */

/** The modules' addresses, each written out: what is packaged is found by them. */
const MODULES = {
  "kernels.wasm": new URL("./kernels.wasm", import.meta.url),
  "shared_kernels.wasm": new URL("./shared_kernels.wasm", import.meta.url),
};

/**
 * Compiles the WASM kernels.
 *
 * @param name The module's file.
 * @returns The module, of which each thread makes an instance.
 * @throws {Error} If a server does not give the file.
 */
export async function loadWasm(
  name: keyof typeof MODULES,
): Promise<WebAssembly.Module> {
  const url = MODULES[name];
  if (url.protocol === "file:") return new WebAssembly.Module(Deno.readFileSync(url));
  const response = await fetch(url);
  if (!response.ok) throw new Error(`Cannot load "${url}": the server answers ${response.status}`);
  return new WebAssembly.Module(await response.bytes());
}
