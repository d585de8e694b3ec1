// A hub on this machine that can misbehave: it writes HTTP by hand, so that it can lie about
// lengths, break off in the middle and fall silent.

import { createHash } from "node:crypto";

/** What a client asked. */
export interface Asked {
  method: string;
  /** Path with query. */
  path: string;
  headers: Headers;
}

/** What the hub answers. */
export interface Reply {
  status: number;
  headers: Record<string, string>;
  body?: Uint8Array;
  /** Bytes of the body after which the connection is closed. */
  cut?: number;
  /** Whether the connection stays open and silent where it should be closed. */
  hang?: boolean;
}

export const COMMIT = "0123456789abcdef0123456789abcdef01234567";

const encoder = new TextEncoder();
const isLarge = (file: string) => /\.(safetensors|gguf)$/.test(file);

/** A hub with one repository. Weights are stored as large files are. */
export class FakeHub implements AsyncDisposable {
  readonly files = new Map<string, Uint8Array>();
  readonly asked: Asked[] = [];
  repository = "owner/model";
  revisions: Record<string, string> = { main: COMMIT, [COMMIT]: COMMIT };
  /** Changes the honest answer. */
  intercept: (asked: Asked, honest: Reply) => Reply | Promise<Reply> = (_, honest) => honest;

  readonly #hub = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #store = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.Conn>();
  readonly #accepting: Promise<void>[];

  constructor() {
    this.#accepting = [this.#accept(this.#hub), this.#accept(this.#store)];
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#hub.addr.port}`;
  }

  /** Another origin, where large files lie. */
  get store(): string {
    return `http://127.0.0.1:${this.#store.addr.port}`;
  }

  /** How often something was asked for. */
  count(method: string, path: RegExp): number {
    return this.asked.filter((asked) => asked.method === method && path.test(asked.path)).length;
  }

  /** The etag by which the hub names a file. */
  etag(file: string): string {
    const bytes = this.files.get(file)!;
    return isLarge(file)
      ? createHash("sha256").update(bytes).digest("hex")
      : createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
  }

  /** What an honest hub answers. */
  honest({ method, path, headers }: Asked): Reply {
    const [, stored] = /^\/store\/([^?]*)\?signature=secret$/.exec(path) ?? [];
    if (stored !== undefined) return this.#send(stored, method, headers, {});
    const [, listed, at] = /^\/api\/(datasets\/[^/]+\/[^/]+)\/revision\/([^/]+)$/.exec(path) ?? [];
    if (listed !== undefined && listed === this.repository) {
      const sha = this.revisions[decodeURIComponent(at)];
      if (sha === undefined) {
        return { status: 404, headers: { "x-error-code": "RevisionNotFound" } };
      }
      const siblings = [...this.files.keys()].map((rfilename) => ({ rfilename }));
      const body = encoder.encode(JSON.stringify({ id: listed, sha, siblings }));
      return { status: 200, headers: { "content-length": String(body.length) }, body };
    }
    const [, repository, revision, file] =
      /^\/((?:datasets\/)?[^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/
        .exec(path) ?? [];
    const missing = (code: string, status = 404): Reply => ({
      status,
      headers: { "x-error-code": code },
      body: encoder.encode(code),
    });
    if (repository !== this.repository) return missing("RepoNotFound", 401);
    const commit = this.revisions[decodeURIComponent(revision)];
    if (commit === undefined) return missing("RevisionNotFound");
    if (!this.files.has(file)) return missing("EntryNotFound");
    const about = { "x-repo-commit": commit, "etag": `"${this.etag(file)}"` };
    if (!isLarge(file)) return this.#send(file, method, headers, about);
    return {
      status: 302,
      headers: {
        "x-repo-commit": commit,
        "x-linked-etag": `"${this.etag(file)}"`,
        "x-linked-size": String(this.files.get(file)!.length),
        "location": `${this.store}/store/${file}?signature=secret`,
      },
    };
  }

  #send(file: string, method: string, headers: Headers, about: Record<string, string>): Reply {
    const bytes = this.files.get(file)!;
    const [, from] = /^bytes=(\d+)-$/.exec(headers.get("range") ?? "") ?? [];
    const start = Number(from ?? 0);
    if (from !== undefined && start >= bytes.length) return { status: 416, headers: about };
    const range: Record<string, string> = from === undefined
      ? {}
      : { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
    const body = bytes.subarray(start);
    return {
      status: from === undefined ? 200 : 206,
      headers: { ...about, ...range, "content-length": String(body.length) },
      body: method === "HEAD" ? undefined : body,
    };
  }

  async #accept(listener: Deno.Listener): Promise<void> {
    const serving: Promise<void>[] = [];
    for await (const connection of listener) {
      this.#open.add(connection);
      serving.push(
        this.#serve(connection).catch(() => {}).finally(() => {
          this.#open.delete(connection);
          try {
            connection.close();
          } catch {
            // closed already, when the hub was
          }
        }),
      );
    }
    await Promise.all(serving);
  }

  /** One request a connection. */
  async #serve(connection: Deno.Conn): Promise<void> {
    let text = "";
    const buffer = new Uint8Array(4096);
    while (!text.includes("\r\n\r\n")) {
      const read = await connection.read(buffer);
      if (read === null) return;
      text += new TextDecoder().decode(buffer.subarray(0, read));
    }
    const [line, ...lines] = text.split("\r\n\r\n")[0].split("\r\n");
    const [method, path] = line.split(" ");
    const headers = new Headers(
      lines.map((line): [string, string] => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon), line.slice(colon + 1)];
      }),
    );
    const asked = { method, path, headers };
    this.asked.push(asked);
    const reply = await this.intercept(asked, this.honest(asked));
    const body = reply.body ?? new Uint8Array(0);
    const sent: Record<string, string> = {
      "content-length": String(body.length),
      ...reply.headers,
      "connection": "close",
    };
    const head = Object.entries(sent).map(([name, value]) => `${name}: ${value}\r\n`).join("");
    await writeAll(connection, encoder.encode(`HTTP/1.1 ${reply.status} Status\r\n${head}\r\n`));
    await writeAll(connection, body.subarray(0, reply.cut ?? body.length));
    if (reply.hang) await connection.read(buffer); // until the client goes away
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#hub.close();
    this.#store.close();
    for (const connection of this.#open) connection.close();
    await Promise.all(this.#accepting);
  }
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += await connection.write(bytes.subarray(done, done + 65536));
  }
}
