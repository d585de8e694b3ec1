// Who may enter: requests to this address only, with the token of the printed URL or the cookie that
// it was exchanged for, and changes from this page only.

import { timingSafeEqual } from "node:crypto";

/** Decides about every request before anything else sees it. */
export class Door {
  /** What the printed URL contains. */
  readonly token = random();
  readonly #session = random();
  readonly #hosts: ReadonlySet<string>;
  readonly #cookie: string;

  /** @param port The port that the server listens on. */
  constructor(port: number) {
    this.#hosts = new Set([`127.0.0.1:${port}`, `localhost:${port}`]);
    // Cookies are not kept apart by port; two courses may be marked at once.
    this.#cookie = `tunebook-marking-${port}`;
  }

  /**
   * Lets a request pass or answers it.
   *
   * @param request The request.
   * @returns The answer; undefined if the request may pass.
   */
  check(request: Request): Response | undefined {
    const url = new URL(request.url);
    const host = request.headers.get("host") ?? "";
    // A page of another name that resolves to this machine does not get in.
    if (!this.#hosts.has(host)) return refuse(421, "This server answers to 127.0.0.1 only.");
    const origin = request.headers.get("origin");
    if (origin !== null && origin !== `http://${host}`) {
      return refuse(403, "This request comes from another page.");
    }
    if (request.method !== "GET" && origin === null) {
      return refuse(403, "This request does not say which page it comes from.");
    }
    const token = url.searchParams.get("token");
    if (request.method === "GET" && url.pathname === "/" && token !== null) {
      if (!equal(token, this.token)) return refuse(403, FORBIDDEN);
      // Not a redirect: after a click in another page, such as a terminal in the browser, a strict
      // cookie is sent only by a navigation that begins in a page of this server.
      return new Response(ENTER, {
        headers: {
          "content-type": "text/html; charset=utf-8",
          "set-cookie": `${this.#cookie}=${this.#session}; Path=/; HttpOnly; SameSite=Strict`,
        },
      });
    }
    const given = cookie(request.headers.get("cookie") ?? "", this.#cookie);
    if (given === undefined || !equal(given, this.#session)) return refuse(403, FORBIDDEN);
    const site = request.headers.get("sec-fetch-site");
    if (site !== null && site !== "same-origin" && site !== "none") {
      return refuse(403, "This request comes from another page.");
    }
    return undefined;
  }
}

const FORBIDDEN = "Open the address that the command printed: it contains this server's token.";

const ENTER = `<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Marking</title>
<meta http-equiv="refresh" content="0; url=/"><p><a href="/">Begin to mark</a></p></html>`;

function random(): string {
  return crypto.getRandomValues(new Uint8Array(32)).toBase64({ alphabet: "base64url" })
    .replaceAll("=", "");
}

function equal(given: string, expected: string): boolean {
  const encoder = new TextEncoder();
  const a = encoder.encode(given), b = encoder.encode(expected);
  return a.length === b.length && timingSafeEqual(a, b);
}

function cookie(header: string, name: string): string | undefined {
  return header.split(/;\s*/).find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}

function refuse(status: number, message: string): Response {
  return new Response(message, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8" },
  });
}
