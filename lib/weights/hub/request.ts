/**
 * Requests to the Hugging Face hub: redirects, credentials, silence, retries and their messages.
 *
 * @module
 */

import { delay } from "@std/async/delay";

/** A server, and how requests to it are retried. */
export interface Connection {
  /** Base address without a closing slash: `https://huggingface.co`. */
  readonly endpoint: string;
  /** Sent to the endpoint, never to the targets of its redirects. */
  readonly token?: string;
  /** How many consecutive transient failures are retried. */
  readonly retries: number;
  /** Milliseconds before the first retry; doubles up to half a minute. */
  readonly retryDelay: number;
  /** Milliseconds of silence after which a connection counts as lost. */
  readonly timeout: number;
  /** Stops everything. */
  readonly signal?: AbortSignal;
}

/**
 * A failure of the hub, or of the connection to it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { HubError, resolveModel } from "tunebook/weights";
 *
 * const cacheDirectory = await Deno.makeTempDir();
 * try {
 *   await resolveModel("hf:owner/name", { cacheDirectory, offline: true });
 * } catch (error) {
 *   assertEquals(error instanceof HubError, true);
 * }
 * await Deno.remove(cacheDirectory, { recursive: true });
 * ```
 */
export class HubError extends Error {
  /** The name of the error class. */
  override name = "HubError";
  /** The HTTP status, if there was a response. */
  readonly status?: number;
  /** The hub's own name for the failure (`X-Error-Code`), for example `RepoNotFound`. */
  readonly code?: string;
  /** Whether trying again may help. */
  readonly transient: boolean;
  /** Milliseconds that the server asked to wait. */
  readonly retryAfter?: number;

  /**
   * Makes an error.
   *
   * @param message One sentence
   * @param details What is known about the failure
   */
  constructor(
    message: string,
    details: {
      status?: number;
      code?: string;
      transient?: boolean;
      retryAfter?: number;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: details.cause });
    this.status = details.status;
    this.code = details.code;
    this.transient = details.transient ?? false;
    this.retryAfter = details.retryAfter;
  }
}

const MAX_REDIRECTS = 10;
const LONGEST_DELAY = 30_000;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const TRANSIENT = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * A URL for messages: without its query, which may hold a signature.
 *
 * @param url The URL
 * @returns Origin and path
 */
export function shown(url: string | URL): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`.replace(/\/$/, "");
}

/** A response whose body must arrive without long silences. */
export class Answer {
  readonly #silence: Silence;

  /** @internal */
  constructor(readonly response: Response, readonly url: string, silence: Silence) {
    this.#silence = silence;
  }

  /**
   * The body, in chunks.
   *
   * @throws {HubError} Transient, if the connection breaks or falls silent
   */
  async *pieces(): AsyncGenerator<Uint8Array> {
    const reader = this.response.body?.getReader();
    try {
      while (reader !== undefined) {
        this.#silence.restart();
        const { done, value } = await reader.read();
        this.#silence.pause();
        if (done) return;
        yield value;
      }
    } catch (cause) {
      throw this.#silence.explain(cause, `Lost the connection to ${shown(this.url)}`);
    } finally {
      this.#silence.pause();
      await reader?.cancel().catch(() => {});
    }
  }

  /** Cancels the body. */
  async cancel(): Promise<void> {
    this.#silence.pause();
    await this.response.body?.cancel().catch(() => {});
  }
}

/** Aborts a request when the server is silent for too long, or when the caller stops it. */
class Silence {
  readonly #controller = new AbortController();
  readonly signal: AbortSignal;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly connection: Connection) {
    const stopped = connection.signal;
    this.signal = stopped
      ? AbortSignal.any([this.#controller.signal, stopped])
      : this.#controller.signal;
  }

  restart(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(), this.connection.timeout);
  }

  pause(): void {
    clearTimeout(this.#timer);
  }

  /**
   * Converts what fetch threw to the caller's abort reason, or to a transient error with an
   * explanation.
   */
  explain(cause: unknown, what: string): unknown {
    if (this.connection.signal?.aborted) return this.connection.signal.reason;
    if (cause instanceof HubError) return cause;
    const reason = this.#controller.signal.aborted
      ? `it said nothing for ${this.connection.timeout / 1000} seconds`
      : rootMessage(cause);
    return new HubError(`${what}: ${reason}`, { transient: true, cause });
  }
}

/** The innermost message of an error: fetch wraps the informative one several times. */
function rootMessage(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split(": ").at(-1)!.split("\n")[0];
}

/**
 * Sends one request and follows its redirects.
 *
 * The token goes only to the endpoint's own origin. A redirect from https to http is refused.
 *
 * @param connection The server
 * @param url The first URL
 * @param method The request's method
 * @param headers Further headers
 * @param last Whether a response is returned even if it redirects
 * @returns The response, whatever its status
 * @throws {HubError} If there is no response, or redirects do not end
 */
export async function request(
  connection: Connection,
  url: string,
  method: "GET" | "HEAD",
  headers: Record<string, string> = {},
  last: (response: Response) => boolean = () => false,
): Promise<Answer> {
  const home = new URL(connection.endpoint).origin;
  let current = new URL(url);
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    connection.signal?.throwIfAborted();
    const silence = new Silence(connection);
    const sent = new Headers(headers);
    // Compressed responses have another length and cannot be resumed.
    sent.set("accept-encoding", "identity");
    sent.set("user-agent", "tunebook");
    if (connection.token !== undefined && current.origin === home) {
      sent.set("authorization", `Bearer ${connection.token}`);
    }
    let response: Response;
    try {
      silence.restart();
      response = await fetch(current, {
        method,
        headers: sent,
        redirect: "manual",
        signal: silence.signal,
      });
    } catch (cause) {
      throw silence.explain(cause, `Cannot reach ${shown(current)}`);
    } finally {
      silence.pause();
    }
    const answer = new Answer(response, current.href, silence);
    if (!REDIRECTS.has(response.status) || last(response)) return answer;
    await answer.cancel();
    current = redirectTarget(current, response.headers.get("location"));
  }
  throw new HubError(`Cannot fetch ${shown(url)}: it redirects more than ${MAX_REDIRECTS} times`);
}

function redirectTarget(from: URL, location: string | null): URL {
  const target = location === null ? null : URL.parse(location, from);
  if (target === null || !/^https?:$/.test(target.protocol)) {
    throw new HubError(
      `Cannot fetch ${shown(from)}: it redirects to ${
        location === null ? "nowhere" : JSON.stringify(location.slice(0, 100))
      }`,
    );
  }
  if (from.protocol === "https:" && target.protocol === "http:") {
    throw new HubError(
      `Cannot fetch ${shown(from)}: it redirects to ${shown(target)}, which is not encrypted`,
    );
  }
  return target;
}

/**
 * The error for an unsuccessful response.
 *
 * @param response The response
 * @param connection The server
 * @param what What was requested: `"config.json" of "hf:owner/name"`
 * @param repository `owner/name`
 * @returns The error, which says what to do
 */
export function statusError(
  response: Response,
  connection: Connection,
  what: string,
  repository: string,
): HubError {
  const { status } = response;
  const code = response.headers.get("x-error-code") ?? undefined;
  const { token } = connection;
  const endpoint = shown(connection.endpoint);
  const cannot = `Cannot download ${what} from ${endpoint}`;
  const access = token === undefined
    ? "set HF_TOKEN if it is private"
    : "the token that was sent may not read it";
  let reason: string;
  if (code === "GatedRepo" || (status === 403 && code === undefined)) {
    reason = `access is restricted: ask for it at ${endpoint}/${repository}${
      token === undefined ? " and set HF_TOKEN" : ", then the token that was sent may read it"
    }`;
  } else if (code === "RevisionNotFound") {
    reason = "there is no such revision";
  } else if (code === "RepoNotFound") {
    reason = `there is no such repository, or it is hidden: ${access}`;
  } else if (status === 401) {
    reason = token === undefined
      ? `there is no such repository, or it is hidden: ${access}`
      : "the token that was sent is not valid";
  } else if (status === 404) {
    reason = "there is no such repository, revision or file";
  } else if (status === 429) {
    reason = "the server says that there were too many requests (429): wait a little";
  } else {
    reason = `the server answered with status ${status}`;
  }
  return new HubError(`${cannot}: ${reason}`, {
    status,
    code,
    transient: TRANSIENT.has(status),
    retryAfter: retryAfter(response.headers.get("retry-after")),
  });
}

function retryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  const seconds = Number(header);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}

/**
 * Waits before a retry, longer each time.
 *
 * @param connection The server
 * @param failures The number of consecutive failures, at least 1
 * @param error The last failure; a delay that the server asked for is respected up to half a minute
 */
export async function backOff(
  connection: Connection,
  failures: number,
  error: HubError,
): Promise<void> {
  const doubled = connection.retryDelay * 2 ** (failures - 1);
  const wait = Math.min(LONGEST_DELAY, Math.max(doubled, error.retryAfter ?? 0));
  await delay(wait, { signal: connection.signal });
}

/**
 * Retries a function while it fails transiently.
 *
 * @param connection The server
 * @param attempt The function
 * @returns The result of the first successful attempt
 * @throws The last failure
 */
export async function withRetries<T>(
  connection: Connection,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let failures = 1;; failures++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof HubError && error.transient) || failures > connection.retries) {
        throw error;
      }
      await backOff(connection, failures, error);
    }
  }
}
