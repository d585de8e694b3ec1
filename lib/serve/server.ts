/**
 * A model behind HTTP, for the clients of Ollama and OpenAI.
 *
 * @module
 */

import { checkText, type FilterRule } from "../eval/filters/mod.ts";
import {
  type GenerationDefaults,
  withGenerationDefaults,
} from "../pipeline/generation_defaults.ts";
import type { Model } from "../pipeline/mod.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { stopSignal } from "../stop.ts";
import { assertAccess, crossOriginHeaders } from "./access.ts";
import type { AnswerForm, Ask, Finished, Protocol, Question, Route, ServedModel } from "./api.ts";
import { clientLeft, RequestError } from "./errors.ts";
import { checkAsk, refusedAnswer, refusedPrompt, type ServedFinding } from "./filtering.ts";
import { describeServed } from "./served_model.ts";
import { ollama } from "./ollama.ts";
import { openai } from "./openai.ts";
import { Prompts } from "./prompts.ts";
import { readJson } from "./request.ts";
import { type Answer, Scheduler } from "./scheduler.ts";
import { assertFits, type Settings, settle } from "./settings.ts";

/** Options of {@linkcode serveModel}. */
export interface ServeOptions {
  /** The name by which clients ask for the model; by default the model's own. */
  readonly name?: string;
  /** The address to listen on. `"127.0.0.1"` by default, which only this machine reaches. */
  readonly hostname?: string;
  /** The port. 0, the default, takes any that is free. */
  readonly port?: number;
  /** How many requests are answered at a time. 16 by default. */
  readonly parallel?: number;
  /** How many more may wait; one beyond that is refused. 512 by default. */
  readonly queue?: number;
  /** The most tokens of an answer, which also is what a request gets that does not say. 1024 by default. */
  readonly maxNewTokens?: number;
  /** The temperature of requests that name none. 0 by default, which takes the most likely token. */
  readonly temperature?: number;
  /** The most bytes of a request. 4 MiB by default. */
  readonly maxBytes?: number;
  /**
   * Filters of what is asked and answered; none by default. A refused prompt gets status 400, a refused answer 422, both with the
   * code `content_filter` for OpenAI's clients. Where a filter reads answers, each is sent once it is complete and checked, also to
   * clients that ask for a stream; until then a client that leaves is not noticed.
   */
  readonly filters?: readonly FilterRule[];
  /** The version that clients are told. */
  readonly version?: string;
  /** Called once for each request when it has been answered or refused. */
  readonly onRequest?: (served: ServedRequest) => void;
  /** Ends the server: what was asked before is answered, what comes after is refused. By default the stop button. */
  readonly signal?: AbortSignal;
}

const NAMES: OptionNames<ServeOptions> = {
  name: true,
  hostname: true,
  port: true,
  parallel: true,
  queue: true,
  maxNewTokens: true,
  temperature: true,
  maxBytes: true,
  filters: true,
  version: true,
  onRequest: true,
  signal: true,
};

/** A request, for a log. */
export interface ServedRequest {
  /** When it came, in ISO 8601. */
  readonly time: string;
  /** Its number in this process, and in OpenAI's answers. */
  readonly id: string;
  /** `"POST"`. */
  readonly method: string;
  /** `"/api/chat"`. */
  readonly path: string;
  /** The HTTP status: of an answer that broke off later, 500, or 499 if the client left. */
  readonly status: number;
  /** Why it was refused, or broke off. */
  readonly error?: string;
  /** What was asked: a conversation, or a text. What a filter found has its mask, also if the request was refused. */
  readonly ask?: Ask;
  /** What filters found, if anything. */
  readonly filtered?: readonly ServedFinding[];
  /** Whether the answer was sent in parts. */
  readonly stream?: boolean;
  /** How it was answered, the seed included, so that it can be repeated. */
  readonly settings?: Settings;
  /** The answer, as far as it came, with masks. */
  readonly answer?: string;
  /** How it ended, and what it took; times in milliseconds. */
  readonly finished?: Finished;
}

/** A server that runs. */
export interface ModelServer {
  /** Where it is: `"http://127.0.0.1:11500"`. */
  readonly url: string;
  /** The model's name for clients. */
  readonly name: string;
  /** Settles when the server has ended. */
  readonly finished: Promise<void>;
  /** Ends the server: what was asked before is answered, what comes after is refused. */
  close(): Promise<void>;
}

/**
 * Serves a model to clients of Ollama (`/api/chat`, `/api/generate`, `/api/tags`, `/api/show`, `/api/ps`,
 * `/api/version`) and of OpenAI (`/v1/chat/completions`, `/v1/models`), as a whole or in parts as they are written.
 *
 * Prompts are written as the model was taught. Requests that wait join those that are being answered after the next token.
 * A request that asks for what the server cannot do is refused by name; no field of it is ignored silently.
 *
 * @param model The model. While it is served, it must not be used otherwise.
 * @param options Address, limits, log.
 * @returns The server, which is already listening.
 * @throws {RangeError} If an option is out of range.
 * @throws {TypeError} If an option is unknown.
 * @throws {Deno.errors.AddrInUse} If the port is taken.
 *
 * @example Asking as Ollama's clients do
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { loadModel } from "tunebook";
 * import { serveModel } from "tunebook/serve";
 *
 * const model = await loadModel("nano", { device: "cpu" });
 * const server = serveModel(model);
 * const response = await fetch(`${server.url}/api/generate`, {
 *   method: "POST",
 *   body: JSON.stringify({ model: "nano", prompt: "Name a fruit.", stream: false, options: { num_predict: 4 } }),
 * });
 * const { done, eval_count } = await response.json();
 * assertEquals([done, eval_count <= 4], [true, true]);
 * await server.close();
 * ```
 */
export function serveModel(model: Model, options: ServeOptions = {}): ModelServer {
  assertKnownOptions("serve a model", options, NAMES);
  const limits = readLimits(model, options);
  const { hostname = "127.0.0.1", port = 0, name = model.source.name, version = "0.0.0" } = options;
  const { filters = [], onRequest } = options;
  const service = new Service(model, { ...limits, name, hostname, version, filters }, onRequest);
  const server = listen(hostname, port, (request) => service.handle(request));
  let closing: Promise<void> | undefined;
  const close = () => closing ??= service.drain().then(() => server.shutdown());
  const { signal = stopSignal() } = options;
  if (signal?.aborted) close();
  else signal?.addEventListener("abort", () => void close(), { once: true });
  const { addr } = server;
  const host = addr.hostname.includes(":") ? `[${addr.hostname}]` : addr.hostname;
  return { url: `http://${host}:${addr.port}`, name, finished: server.finished, close };
}

function listen(
  hostname: string,
  port: number,
  handle: (request: Request) => Promise<Response>,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ hostname, port, onListen: () => {} }, handle);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new Deno.errors.AddrInUse(
      `Cannot listen on ${hostname}:${port}: it is in use; give another port, or 0 for any that is free`,
    );
  }
}

interface Limits {
  readonly parallel: number;
  readonly queue: number;
  readonly maxBytes: number;
  readonly maxNewTokens: number;
  readonly contextLength: number;
  readonly temperature: number;
}

function readLimits(model: Model, options: ServeOptions): Limits {
  const { parallel = 16, queue = 512, maxBytes = 4 * 2 ** 20, temperature = 0 } = options;
  const { contextLength } = model.network;
  const { maxNewTokens = Math.min(1024, contextLength) } = options;
  const whole = { parallel, maxNewTokens, maxBytes };
  for (const [name, value] of Object.entries(whole)) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new RangeError(
      `Cannot serve a model with ${name} ${JSON.stringify(value)}: expected a positive integer`,
    );
  }
  if (!(Number.isSafeInteger(queue) && queue >= 0)) {
    throw new RangeError(
      `Cannot serve a model with queue ${JSON.stringify(queue)}: expected an integer of 0 or more`,
    );
  }
  if (!(temperature >= 0 && temperature < Infinity)) {
    throw new RangeError(
      `Cannot serve a model with temperature ${
        JSON.stringify(temperature)
      }: expected a number of 0 or more`,
    );
  }
  return { parallel, queue, maxBytes, maxNewTokens, contextLength, temperature };
}

/** What becomes of a request, noted while it is handled. */
type Notes = { -readonly [Name in keyof ServedRequest]?: ServedRequest[Name] };

/** Answers requests. */
class Service {
  readonly #served: ServedModel;
  readonly #limits: Limits;
  readonly #generation: GenerationDefaults;
  readonly #hostname: string;
  readonly #filters: readonly FilterRule[];
  readonly #prompts: Prompts;
  readonly #scheduler: Scheduler;
  readonly #onRequest: ((served: ServedRequest) => void) | undefined;
  readonly #routes = new Map<string, { protocol: Protocol; route: Route }>();
  readonly #protocols: { readonly ollama: Protocol; readonly openai: Protocol };
  #count = 0;

  constructor(
    model: Model,
    settings: Limits & {
      name: string;
      hostname: string;
      version: string;
      filters: readonly FilterRule[];
    },
    onRequest: ServeOptions["onRequest"],
  ) {
    this.#limits = settings;
    this.#generation = model.generation;
    this.#hostname = settings.hostname;
    this.#filters = settings.filters;
    checkText("", "prompt", this.#filters); // refuses rules that cannot be followed, before the first request
    this.#onRequest = onRequest;
    this.#prompts = new Prompts(model);
    this.#scheduler = new Scheduler(model.network, model.tokenizer, settings);
    this.#served = describeServed(model, { ...settings, template: this.#prompts.template.source });
    this.#protocols = { ollama: ollama(settings.version), openai: openai() };
    for (const protocol of Object.values(this.#protocols)) {
      for (const [at, route] of Object.entries(protocol.routes)) {
        this.#routes.set(at, { protocol, route });
      }
    }
  }

  /** Refuses what comes from now on, and waits until what came before is answered. */
  async drain(): Promise<void> {
    await this.#scheduler.drain();
  }

  /** Answers one request. */
  async handle(request: Request): Promise<Response> {
    const { pathname: path } = new URL(request.url);
    const id = String(++this.#count);
    const notes: Notes = { time: new Date().toISOString(), id, method: request.method, path };
    const { openai, ollama } = this.#protocols;
    const protocol = path.startsWith("/v1/") ? openai : ollama;
    try {
      assertAccess(request, this.#hostname);
      const response = await this.#answer(request, path, notes);
      for (const [name, value] of Object.entries(crossOriginHeaders(request))) {
        response.headers.set(name, value);
      }
      return response;
    } catch (error) {
      const { status, message } = failureOf(error);
      this.#note(notes, status, message);
      const shown = error instanceof RequestError ? error : new Error(message);
      return Response.json(protocol.error(shown, status), { status });
    }
  }

  async #answer(request: Request, path: string, notes: Notes): Promise<Response> {
    const { method } = request;
    if (method === "OPTIONS") return this.#reply(new Response(null, { status: 204 }), notes);
    if (path === "/" && (method === "GET" || method === "HEAD")) {
      return this.#reply(new Response("Tunebook is running"), notes);
    }
    const [{ route }, rest] = this.#find(method, path);
    const json = method === "POST" ? await readJson(request, this.#limits.maxBytes) : undefined;
    const read = route.kind === "about"
      ? route.tell(this.#served, json, rest)
      : route.read(json, notes.id!);
    if (read.model !== undefined) this.#assertServed(read.model);
    if ("json" in read) return this.#reply(Response.json(read.json), notes);
    return await this.#answerQuestion(read, notes);
  }

  /** The route of a request, and the end of its path where the route leaves that open. */
  #find(asked: string, path: string): [{ route: Route }, string] {
    const method = asked === "HEAD" ? "GET" : asked;
    const found = this.#routes.get(`${method} ${path}`);
    if (found) return [found, ""];
    for (const [at, route] of this.#routes) {
      const start = at.slice(at.indexOf(" ") + 1, -1);
      if (!at.endsWith("*") || !path.startsWith(start) || path === start) continue;
      if (at.startsWith(`${method} `)) return [route, decodeURIComponent(path.slice(start.length))];
    }
    const others = [...this.#routes.keys()].filter((at) => at.endsWith(` ${path}`));
    if (others.length > 0) {
      const [expected] = others[0].split(" ");
      throw new RequestError(405, `Cannot ${asked} "${path}": expected ${expected}`);
    }
    throw new RequestError(404, `Cannot find "${path}": this server does not have it`);
  }

  #assertServed(name: string): void {
    const { name: served } = this.#served;
    if (name === served || name === `${served}:latest`) return;
    throw new RequestError(
      404,
      `Cannot find the model "${name}": this server has "${served}"`,
      { code: "model_not_found", param: "model" },
    );
  }

  async #answerQuestion(question: Question, notes: Notes): Promise<Response> {
    const { form, stream } = question;
    const { ask, found, refusal } = checkAsk(question.ask, this.#filters);
    Object.assign(notes, { ask, stream });
    if (found.length > 0) notes.filtered = found;
    if (refusal !== undefined) throw refusedPrompt(refusal);
    const { ends } = this.#prompts;
    const settled = settle(question.asked, this.#limits, question.names);
    const sampling = withGenerationDefaults(settled.sampling, this.#generation, ends);
    const settings: Settings = { ...settled, sampling };
    notes.settings = settings;
    const prompt = "messages" in ask
      ? this.#prompts.ofChat(ask.messages)
      : this.#prompts.ofText(ask.text);
    assertFits(prompt, settings);
    const gone = new AbortController();
    const answer = this.#scheduler.submit({ ...settings, prompt, ends, signal: gone.signal });
    notes.answer = "";
    const written = this.#checked(this.#follow(answer, prompt.length, notes), notes);
    // What fails before the first piece has a status of its own. From there on both kinds of answers are bodies in
    // parts, since only these are told when the client leaves: `request.signal` is also aborted by success.
    const first = await written.next();
    const rest = async function* () {
      if (!first.done) yield first.value;
      yield* written;
    }();
    const parts = stream ? streamed(rest, form, notes) : whole(rest, form, notes);
    const body = this.#body(parts, notes, () => gone.abort(clientLeft()));
    const type = stream ? form.streamType : "application/json";
    return new Response(body, { headers: { "content-type": type } });
  }

  /** Passes pieces on and notes them, and the end. */
  async *#follow(
    answer: Answer,
    promptTokens: number,
    notes: Notes,
  ): AsyncGenerator<string, void, void> {
    while (true) {
      const { done, value } = await answer.next();
      if (done) {
        notes.finished = { ...value, promptTokens };
        return;
      }
      notes.answer += value;
      yield value;
    }
  }

  /** Passes pieces on; where a filter reads answers, one piece, once it is checked. */
  async *#checked(
    pieces: AsyncGenerator<string, void, void>,
    notes: Notes,
  ): AsyncGenerator<string, void, void> {
    if (!this.#filters.some(({ filter }) => filter.reads.includes("answer"))) return yield* pieces;
    try {
      for await (const _ of pieces) { /* noted */ }
    } catch (error) {
      // Of an answer that breaks off too, no log may have what a filter masks.
      this.#checkAnswer(notes);
      throw error;
    }
    const refusal = this.#checkAnswer(notes);
    if (refusal !== undefined) throw refusedAnswer(refusal);
    if (notes.answer) yield notes.answer;
  }

  /**
   * Checks the answer as far as it was noted, and masks it there.
   *
   * @returns Why nobody may see it; undefined if somebody may.
   */
  #checkAnswer(notes: Notes): string | undefined {
    const { text, findings, refusal } = checkText(notes.answer!, "answer", this.#filters);
    notes.answer = text;
    const found = findings.map((finding) => ({ of: "answer" as const, ...finding }));
    if (found.length > 0) notes.filtered = [...notes.filtered ?? [], ...found];
    return refusal;
  }

  /** A body in parts. One that fails breaks the connection off, so that no client takes half an answer for a whole one. */
  #body(
    parts: AsyncGenerator<string, void, void>,
    notes: Notes,
    leave: () => void,
  ): ReadableStream<Uint8Array> {
    const encoder = new TextEncoder();
    const note = (status: number, error?: string) => this.#note(notes, status, error);
    let isOver = false;
    return new ReadableStream({
      async pull(controller) {
        try {
          const { done, value } = await parts.next();
          if (isOver) return;
          if (!done) return controller.enqueue(encoder.encode(value));
          note(200);
          controller.close();
        } catch (error) {
          const { status, message } = failureOf(error);
          note(status, message);
          if (!isOver) controller.error(error);
        }
      },
      cancel() {
        isOver = true;
        leave();
        const { status, message } = clientLeft();
        note(status, message);
      },
    });
  }

  #reply(response: Response, notes: Notes): Response {
    this.#note(notes, response.status);
    return response;
  }

  /** Reports a request, once. */
  #note(notes: Notes, status: number, error?: string): void {
    if (notes.status !== undefined) return;
    notes.status = status;
    if (error !== undefined) notes.error = error;
    this.#onRequest?.({ ...notes } as ServedRequest);
  }
}

/** An answer as a whole: one part. */
async function* whole(
  written: AsyncIterable<string>,
  form: AnswerForm,
  notes: Notes,
): AsyncGenerator<string, void, void> {
  for await (const _ of written) { /* noted */ }
  yield JSON.stringify(form.whole(notes.answer!, notes.finished!));
}

/** An answer in parts, the last of which says how it ended, or failed. */
async function* streamed(
  written: AsyncIterable<string>,
  form: AnswerForm,
  notes: Notes,
): AsyncGenerator<string, void, void> {
  const first = form.first();
  if (first !== "") yield first;
  try {
    for await (const piece of written) yield form.piece(piece);
  } catch (error) {
    yield form.failure(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
  yield form.last(notes.finished!);
}

/** The status and message of an error. */
function failureOf(error: unknown): { status: number; message: string } {
  if (error instanceof RequestError) return error;
  return { status: 500, message: error instanceof Error ? error.message : String(error) };
}
