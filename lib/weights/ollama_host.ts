/** The address of Ollama. */

/**
 * Returns the address of Ollama, from the forms that OLLAMA_HOST allows: a port, a host, an address, a URL.
 *
 * @param host The variable's value.
 * @returns The base URL, without a trailing slash.
 * @throws {TypeError} If it is not an address.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ollamaHost } from "tunebook/weights";
 *
 * assertEquals(ollamaHost(undefined), "http://127.0.0.1:11434");
 * assertEquals(ollamaHost("gpu.example:8080"), "http://gpu.example:8080");
 * ```
 */
export function ollamaHost(host: string | undefined): string {
  const text = (host ?? "").trim().replace(/^["']|["']$/g, "");
  const withScheme = /^https?:\/\//i.test(text) ? text : `http://${text}`;
  let url: URL;
  try {
    url = new URL(withScheme.replace(/^(https?:\/\/)(?=:|\/|$)/i, "$1127.0.0.1"));
  } catch (error) {
    throw new TypeError(`Cannot use OLLAMA_HOST "${host}": it is not an address`, { cause: error });
  }
  // a server that listens on every address is reached through the loopback address
  if (url.hostname === "0.0.0.0" || url.hostname === "[::]") url.hostname = "127.0.0.1";
  // a URL's own default port, or Ollama's port for a bare host; `URL` drops an explicit ":80"
  const standard = url.protocol === "https:" ? "443" : "80";
  const bare = withScheme !== text && !/:\d+(\/|$)/.test(text);
  const port = url.port || (bare ? "11434" : standard);
  return `${url.protocol}//${url.hostname}:${port}${url.pathname.replace(/\/+$/, "")}`;
}
