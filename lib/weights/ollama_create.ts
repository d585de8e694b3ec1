/**
 * Gives a model to a running Ollama: its files first, then a model that names them.
 *
 * https://github.com/ollama/ollama/blob/main/docs/api.md
 *
 * @module
 */

import { type CreateRequest, Ollama } from "ollama";
import { ollamaHost } from "./ollama_host.ts";
import type { WrittenFile } from "./write_tensors.ts";
import { sha256File } from "./sha256.ts";

/** Options of {@linkcode createOllamaModel}. */
export interface CreateOllamaOptions {
  /** The GGUF file with the weights: its path, or what `writeGguf()` returned; or else `from`. */
  gguf?: string | WrittenFile;
  /** A model that Ollama has, whose weights are used. */
  from?: string;
  /** A GGUF file with a LoRA for these weights. */
  adapter?: string | WrittenFile;
  /** The prompt's template, in Go's template language; without it Ollama looks for one it knows. */
  template?: string;
  /** The system message that it begins with. */
  system?: string;
  /** Default parameters: `stop`, `temperature`, `repeat_penalty`, … */
  parameters?: Record<string, unknown>;
  /** Where Ollama runs, as in OLLAMA_HOST, which is the default. */
  host?: string;
  /** Stops it; what was uploaded is there the next time. */
  signal?: AbortSignal;
  /** Called as a file's bytes are sent with the bytes done so far and those in all. */
  onProgress?: (done: number, total: number) => void;
}

/**
 * Makes a model in Ollama, or replaces the one of that name.
 *
 * @param name Its name there: `name` or `name:tag`
 * @param options Its weights and what belongs to them
 * @throws {Deno.errors.ConnectionRefused} If no Ollama is there; the message says what to do
 * @throws {Error} If Ollama refuses or goes away; the message has its own words
 * @throws {TypeError} If OLLAMA_HOST is no address, or neither weights nor a model is named
 */
export async function createOllamaModel(name: string, options: CreateOllamaOptions): Promise<void> {
  const { gguf, from, adapter, template, system, parameters, signal } = options;
  if ((gguf === undefined) === (from === undefined)) {
    throw new TypeError(`Cannot make the Ollama model "${name}": give either "gguf" or "from"`);
  }
  const server = new Server(ollamaHost(options.host ?? Deno.env.get("OLLAMA_HOST")), signal);
  const upload = async (from: string | WrittenFile | undefined, file: string) =>
    from === undefined
      ? undefined
      : { [file]: await uploadBlob(server, from, options.onProgress, signal) };
  // The client's type lacks `files`, and its class sends what it is given.
  const request: CreateRequest & { stream: false; files?: Record<string, string> } = {
    model: name,
    from,
    files: await upload(gguf, "model.gguf"),
    adapters: await upload(adapter, "adapter.gguf"),
    template,
    system,
    parameters,
    stream: false,
  };
  const client = new Ollama({ host: server.host, fetch: server.fetch });
  const { status } = await client.create(request);
  if (status !== "success") {
    throw new Error(`Cannot make the Ollama model "${name}": Ollama ends with "${status}"`);
  }
}

/** Sends a file unless Ollama has it: it breaks off where a blob comes a second time. */
async function uploadBlob(
  server: Server,
  from: string | WrittenFile,
  onProgress?: (done: number, total: number) => void,
  signal?: AbortSignal,
): Promise<string> {
  const { path, sha256 } = typeof from === "string"
    ? { path: from, sha256: await sha256File(from, { signal }) }
    : from;
  const digest = `sha256:${sha256}`;
  const url = `${server.host}/api/blobs/${digest}`;
  const known = await server.ask(url, { method: "HEAD" }, [404]);
  if (known.ok) return digest;
  const file = await Deno.open(path);
  const total = (await file.stat()).size;
  let done = 0;
  const counted = new TransformStream<Uint8Array, Uint8Array>({
    transform(piece, controller) {
      controller.enqueue(piece);
      onProgress?.(done += piece.length, total);
    },
  });
  const body = file.readable.pipeThrough(counted);
  const answer = await server.ask(url, { method: "POST", body });
  await answer.body?.cancel();
  return digest;
}

/** A server whose failures are told in one sentence. */
class Server {
  constructor(readonly host: string, readonly signal?: AbortSignal) {}

  /** For the client, which prints to the console where an answer is no JSON. */
  readonly fetch: typeof fetch = (input, init) => this.ask(String(input), init);

  /** Asks; an answer with another status than 200 or one that is `allowed` is an error. */
  async ask(url: string, init: RequestInit = {}, allowed: number[] = []): Promise<Response> {
    const { host, signal } = this;
    let response: Response;
    try {
      response = await fetch(url, { ...init, signal });
    } catch (cause) {
      if (signal?.aborted) throw signal.reason;
      // Deno tells the phase in which a request failed only in words
      if (/\(Connect\)/.test(`${cause} ${(cause as Error).cause}`)) {
        throw new Deno.errors.ConnectionRefused(
          `Cannot reach Ollama at "${host}": start it with "ollama serve", or set OLLAMA_HOST`,
          { cause },
        );
      }
      throw new Error(`Ollama at "${host}" dropped the connection, as it does when it fails`, {
        cause,
      });
    }
    if (response.ok || allowed.includes(response.status)) return response;
    const text = (await response.text().catch(() => "")).trim();
    let said = text;
    try {
      said = String(JSON.parse(text).error ?? text);
    } catch {
      // not JSON: the text itself is what was said
    }
    const reason = (said || response.statusText).split("\n")[0].slice(0, 200);
    throw new Error(`Ollama at "${host}" answered with status ${response.status}: ${reason}`);
  }
}
