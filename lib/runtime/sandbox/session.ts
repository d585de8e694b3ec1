// A session in the sandbox, seen from outside: cells are sent one by one, as to a session of this
// process, and all that comes back has been through the inner runner's door.

import { TextLineStream } from "@std/streams/text-line-stream";
import type { ExecuteResult, SessionMessage } from "../session/types.ts";
import { innerProgram, openPlace, type Place, sandboxFault } from "./outer.ts";
import type { SessionReport, SessionRequest } from "./session_inner.ts";
import { SANDBOX_LIMITS, type SandboxOptions } from "./walls.ts";

/** How long the inner runner may take to stop a cell, in seconds. */
const GRACE = 60;

/** How to start a sandboxed session. */
export interface SandboxedSessionOptions extends SandboxOptions {
  /** The kernel's working directory: within, a folder of that name with what may be read. */
  cwd: string;
  /** The notebook's path, for `import.meta` in cells. */
  path: string;
  /** The limit of cells' output in bytes; 32 MiB by default. */
  maxOutput?: number;
  /** Called with messages other than outputs that cells broadcast. */
  onMessage?: (message: SessionMessage) => void;
}

/** How to run a cell in a sandboxed session. */
export interface SandboxedExecuteOptions {
  /** The cell's name in errors. */
  label?: string;
  /** Seconds after which the cell is stopped. */
  timeout?: number;
  /** Stops the cell; the kernel's state is kept if possible. */
  signal?: AbortSignal;
  /** Whether the cell is not counted. */
  silent?: boolean;
}

/** A kernel behind two walls, and the cells that have run in it. */
export class SandboxedSession implements AsyncDisposable {
  #place: Place;
  #process: Deno.ChildProcess;
  #input: WritableStreamDefaultWriter<Uint8Array>;
  #onMessage?: (message: SessionMessage) => void;
  #waiting = new Map<number, PromiseWithResolvers<SessionReport>>();
  #calls = 0;
  #ended = false;
  #flooded = false;
  /** Why nothing more can be run, once that is so. */
  #fault?: string;

  private constructor(place: Place, process: Deno.ChildProcess, options: SandboxedSessionOptions) {
    this.#place = place;
    this.#process = process;
    this.#input = process.stdin.getWriter();
    this.#input.closed.catch(() => {});
    this.#onMessage = options.onMessage;
    this.#listen();
  }

  /**
   * Builds the walls and starts a kernel behind them.
   *
   * @param options Where, and what it may do.
   * @returns The session; dispose it.
   * @throws {Error} If this system cannot build every wall, or the kernel does not start.
   */
  static async start(options: SandboxedSessionOptions): Promise<SandboxedSession> {
    const { cwd, path, maxOutput = SANDBOX_LIMITS.output, onMessage: _, ...sandbox } = options;
    const place = await openPlace(sandbox, cwd);
    let process: Deno.ChildProcess;
    try {
      process = place.command(
        await innerProgram(new URL("./session_inner.ts", import.meta.url)),
        "piped",
      ).spawn();
    } catch (error) {
      await place[Symbol.asyncDispose]();
      throw error;
    }
    const session = new SandboxedSession(place, process, options);
    try {
      await session.#ask({ type: "start", walls: place.walls, cwd, path, maxOutput });
      return session;
    } catch (error) {
      await session[Symbol.asyncDispose]();
      // A wall that cannot be built has a better explanation.
      throw new Error(await sandboxFault() ?? (error as Error).message, { cause: error });
    }
  }

  /** The id of the process around everything within the walls. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Whether the kernel has ended, as far as is known here: the last cell said so. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Whether cells exceeded the output limit, so that the kernel was ended. */
  get flooded(): boolean {
    return this.#flooded;
  }

  /**
   * Runs a cell.
   *
   * @param code The cell's TypeScript.
   * @param options A signal, a time limit.
   * @returns The result; neither errors of the cell nor the sandbox's own end throw.
   */
  async execute(code: string, options: SandboxedExecuteOptions = {}): Promise<ExecuteResult> {
    const { signal, ...rest } = options;
    const started = performance.now();
    const call = this.#calls + 1;
    // Within, a cell that has to stop is stopped; if nobody answers, there is nobody left within.
    let guard: ReturnType<typeof setTimeout> | undefined;
    const guardIn = (seconds: number) => {
      clearTimeout(guard);
      guard = setTimeout(() => this.#kill(), (seconds + GRACE) * 1000);
    };
    const stop = () => {
      guardIn(0);
      this.#tell({ type: "stop", call });
    };
    if (rest.timeout !== undefined) guardIn(rest.timeout);
    signal?.addEventListener("abort", stop, { once: true });
    try {
      const asked = this.#ask({ type: "execute", code, options: rest });
      if (signal?.aborted) stop();
      const report = await asked;
      if (report.type !== "result") throw new Error(`The sandbox answered a "${report.type}"`);
      this.#ended = report.ended;
      this.#flooded = report.flooded;
      return report.result;
    } catch (error) {
      this.#ended = true;
      const { message } = error as Error;
      const seconds = (performance.now() - started) / 1000;
      return {
        status: "died",
        executionCount: null,
        outputs: [],
        provenance: [],
        error: { name: "KernelDied", message, traceback: [`KernelDied: ${message}`] },
        seconds,
      };
    } finally {
      clearTimeout(guard);
      signal?.removeEventListener("abort", stop);
    }
  }

  /** Sends cells a message of a comm; see `Session.send()`. */
  async send(type: "comm_msg", content: Record<string, unknown>): Promise<void> {
    await this.#tell({ type: "send", kind: type, content });
  }

  /** Ends everything within the walls. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {});
    this.#kill();
    await this.#process.status;
    await this.#place[Symbol.asyncDispose]();
  }

  #kill() {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has already ended.
    }
  }

  #ask(request: SessionRequest): Promise<SessionReport> {
    if (this.#fault !== undefined) return Promise.reject(new Error(this.#fault));
    const call = ++this.#calls;
    const waiting = Promise.withResolvers<SessionReport>();
    this.#waiting.set(call, waiting);
    this.#tell({ ...request, call });
    return waiting.promise;
  }

  async #tell(request: SessionRequest & { call?: number }): Promise<void> {
    const line = new TextEncoder().encode(`${JSON.stringify(request)}\n`);
    await this.#input.write(line).catch(() => {});
  }

  async #listen() {
    const complaint = new Response(this.#process.stderr).text();
    try {
      const lines = this.#process.stdout.pipeThrough(new TextDecoderStream())
        .pipeThrough<string>(new TextLineStream());
      for await (const line of lines) this.#take(JSON.parse(line));
    } catch (error) {
      this.#fault = `The sandbox sent what cannot be read: ${(error as Error).message}`;
    }
    const { code } = await this.#process.status;
    const said = (await complaint).trim().split("\n").at(-1);
    this.#fault ??= `The sandbox ended with code ${code}: ${said}`;
    this.#ended = true;
    for (const { reject } of this.#waiting.values()) reject(new Error(this.#fault));
    this.#waiting.clear();
  }

  #take(report: SessionReport) {
    if (report.type === "message") {
      this.#onMessage?.(report.message);
      return;
    }
    const waiting = this.#waiting.get(report.call);
    this.#waiting.delete(report.call);
    if (report.type === "fault") waiting?.reject(new Error(report.message));
    else waiting?.resolve(report);
  }
}
