/**
 * Loads `kernels.wasm` and `shared_kernels.wasm` from wherever this library is: a folder or a server.
 *
 * @module
 */

/**
 * Compiles the WASM kernels.
 *
 * @param name The module's file.
 * @returns The module, of which each thread makes an instance.
 * @throws {Error} If a server does not give the file.
 */
export async function loadWasm(
  name: "kernels.wasm" | "shared_kernels.wasm",
): Promise<WebAssembly.Module> {
  const url = new URL(name, import.meta.url);
  if (url.protocol === "file:") return new WebAssembly.Module(Deno.readFileSync(url));
  const response = await fetch(url);
  if (!response.ok) throw new Error(`Cannot load "${url}": the server answers ${response.status}`);
  return new WebAssembly.Module(await response.bytes());
}
