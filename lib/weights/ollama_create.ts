/**
 * Creates a model in a running Ollama: uploads its files, then a model that refers to them.
 *
 * https://github.com/ollama/ollama/blob/main/docs/api.md
 *
 * @module
 */

import type { CreateRequest } from "ollama";
import type { OllamaQuantization } from "./ollama_quantization.ts";
import { ollamaHost } from "./ollama_host.ts";
import type { WrittenFile } from "./write_tensors.ts";
import { sha256File } from "./sha256.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

/** Options of {@linkcode createOllamaModel}. */
export interface CreateOllamaOptions {
  /**
   * The GGUF file with the weights: its path, or what `writeGguf()` returned; `from` is the
   * alternative.
   */
  gguf?: string | WrittenFile;
  /** A model in Ollama whose weights are used. */
  from?: string;
  /** A GGUF file with a LoRA adapter for these weights. */
  adapter?: string | WrittenFile;
  /**
   * The prompt's template, in Go's template language; without it Ollama chooses one that it knows.
   */
  template?: string;
  /** The system message of the model. */
  system?: string;
  /** How Ollama quantises the weights of `gguf`, which must be F16. Not by default. */
  quantize?: OllamaQuantization;
  /** Default parameters: `stop`, `temperature`, `repeat_penalty`, … */
  parameters?: Record<string, unknown>;
  /** Where Ollama runs, in the form of OLLAMA_HOST, which is the default. */
  host?: string;
  /** Stops the work; files already uploaded are reused next time. */
  signal?: AbortSignal;
  /** Called while a file is sent, with the bytes sent so far and the total. */
  onProgress?: (done: number, total: number) => void;
}

/** The names of {@linkcode CreateOllamaOptions}. */
export const CREATE_OLLAMA_OPTIONS: OptionNames<CreateOllamaOptions> = {
  gguf: true,
  from: true,
  adapter: true,
  template: true,
  system: true,
  quantize: true,
  parameters: true,
  host: true,
  signal: true,
  onProgress: true,
};

/**
 * Creates a model in Ollama, or replaces the one of that name.
 *
 * @param name Its name in Ollama: `name` or `name:tag`
 * @param options Its weights, template and parameters
 * @throws {Deno.errors.ConnectionRefused} If Ollama does not run; the message says what to do
 * @throws {Error} If Ollama refuses or disconnects; the message quotes it
 * @throws {TypeError} If OLLAMA_HOST is not an address, or neither weights nor a model is given
 *
 * @example Where no Ollama runs, the error says so
 * ```ts
 * import { assertRejects } from "@std/assert";
 * import { createOllamaModel } from "tunebook";
 *
 * const away = { host: "127.0.0.1:9", from: "smollm2:135m", system: "Answer in one word." };
 * await assertRejects(() => createOllamaModel("terse", away), Error, "127.0.0.1:9");
 * ```
 */
export async function createOllamaModel(name: string, options: CreateOllamaOptions): Promise<void> {
  assertKnownOptions("make a model in Ollama", options, CREATE_OLLAMA_OPTIONS);
  const { gguf, from, adapter, template, system, quantize, parameters, signal } = options;
  if ((gguf === undefined) === (from === undefined)) {
    throw new TypeError(`Cannot make the Ollama model "${name}": give either "gguf" or "from"`);
  }
  if (quantize !== undefined && gguf === undefined) {
    throw new TypeError(
      `Cannot quantise the Ollama model "${name}": expected its weights as "gguf"`,
    );
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
    quantize,
    parameters,
    stream: false,
  };
  const { Ollama } = await import("ollama"); // when it is needed: it loads slowly
  const client = new Ollama({ host: server.host, fetch: server.fetch });
  const { status } = await client.create(request);
  if (status !== "success") {
    throw new Error(`Cannot make the Ollama model "${name}": Ollama ends with "${status}"`);
  }
}

/** Sends a file unless Ollama has it: Ollama disconnects if a blob is sent again. */
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

/** A server whose failures become one sentence. */
class Server {
  constructor(readonly host: string, readonly signal?: AbortSignal) {}

  /** `fetch` for the client, which prints to the console if a response is not JSON. */
  readonly fetch: typeof fetch = (input, init) => this.ask(String(input), init);

  /** Sends a request. A response with a status other than 200 and `allowed` is an error. */
  async ask(url: string, init: RequestInit = {}, allowed: number[] = []): Promise<Response> {
    const { host, signal } = this;
    let response: Response;
    try {
      response = await fetch(url, { ...init, signal });
    } catch (cause) {
      if (signal?.aborted) throw signal.reason;
      // Deno reports the phase in which a request failed only as text
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
      // not JSON: the text itself is the message
    }
    const reason = (said || response.statusText).split("\n")[0].slice(0, 200);
    throw new Error(`Ollama at "${host}" answered with status ${response.status}: ${reason}`);
  }
}
