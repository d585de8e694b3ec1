/**
 * Which pages and names may ask: a web page of somebody else must not reach a server on this machine.
 *
 * @module
 */

import { RequestError } from "./errors.ts";

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * Whether only this machine reaches an address.
 *
 * @param hostname What a server listens on.
 * @returns Whether it is a loopback address.
 */
export function isLoopback(hostname: string): boolean {
  return LOOPBACK.has(hostname) || hostname === "::1" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/**
 * Refuses requests that a page of another site sent, and names that were made to lead to this machine.
 *
 * @param request The request.
 * @param hostname What the server listens on. On other than loopback addresses any name may lead here.
 * @throws {RequestError} If the request is refused.
 */
export function assertAccess(request: Request, hostname: string): void {
  const host = hostnameOf(`http://${request.headers.get("host") ?? ""}`);
  if (isLoopback(hostname) && !(host !== undefined && isLoopback(host))) {
    throw new RequestError(
      421,
      "Cannot answer: this server answers to 127.0.0.1 and localhost only",
    );
  }
  const origin = request.headers.get("origin");
  if (origin === null) return;
  const from = hostnameOf(origin);
  if (from !== undefined && (isLoopback(from) || from === host)) return;
  throw new RequestError(403, `Cannot answer: the request comes from a page of "${origin}"`);
}

/**
 * What lets pages of this machine, such as a notebook's, read an answer.
 *
 * @param request A request that {@linkcode assertAccess} let pass.
 * @returns Headers.
 */
export function crossOriginHeaders(request: Request): Record<string, string> {
  const origin = request.headers.get("origin");
  if (origin === null) return {};
  return {
    "access-control-allow-origin": origin,
    "access-control-allow-methods": "GET, HEAD, POST",
    "access-control-allow-headers": request.headers.get("access-control-request-headers") ??
      "content-type",
    "vary": "origin",
  };
}

function hostnameOf(url: string): string | undefined {
  return URL.parse(url)?.hostname;
}
