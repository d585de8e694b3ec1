// A session with a real Deno kernel that loses nothing: every output under its cell and in order,
// syntax errors with their positions, a stop that keeps the state, and no hangs.

import { resolve } from "@std/path/resolve";
import { toFileUrl } from "@std/path/to-file-url";
import { type CellError, describeError, describeSyntaxError, type SentCell } from "./cell_error.ts";
import { CellSyntaxError, padCode, rewriteCell } from "./cell_source.ts";
import { PROVENANCE_MIME, type ProvenanceEntry } from "./manifest.ts";
import type { Message } from "./messages.ts";
import { type Displays, errorMessage, OutputCollector, type OutputMessage } from "./outputs.ts";
import type { ErrorDescription, PreludeMessage } from "./prelude.ts";
import { isOutputType, measure, readOutput } from "./session/door.ts";
import {
  describeTests,
  kernelEndError,
  replyError,
  stopError,
  testError,
} from "./session/endings.ts";
import { executeContent, KernelLink } from "./session/link.ts";
import { supervise } from "./session/stop.ts";
import { completeTests, MOST_REPORT } from "./session/test_report.ts";
import type { ExecuteOptions, ExecuteResult, SessionOptions } from "./session/types.ts";
import { assertKnownOptions } from "../options.ts";
import { EXECUTE_OPTIONS, SESSION_OPTIONS } from "./session/types.ts";

export type {
  CellTest,
  ExecuteOptions,
  ExecuteResult,
  SessionMessage,
  SessionOptions,
} from "./session/types.ts";

/** The prelude's own lines; cells come after. */
const FIRST_CELL_LINE = 2000;
/** The number of earlier cells whose background work is tracked. */
const OWNERS = 64;
/** The line after which numbering starts again, to limit the blank lines before a cell. */
const LAST_CELL_LINE = 200_000;

interface Running {
  number: number;
  label: string;
  collector: OutputCollector;
  onOutput?: ExecuteOptions["onOutput"];
  onLateOutput?: ExecuteOptions["onLateOutput"];
  onInput?: ExecuteOptions["onInput"];
  executionCount: number | null;
  provenance: ProvenanceEntry[];
  uncaught: Promise<CellError>[];
  /** Whether its invalid messages have been reported. */
  corrected: boolean;
  /** What the kernel's test runner has printed. */
  report: string;
  sent: SentCell;
  stopped?: "stopped" | "timeout";
}

/**
 * A kernel and the cells that have run in it.
 *
 * @example
 * ```ts
 * import { Session } from "tunebook/runtime";
 * import { assertEquals } from "@std/assert";
 *
 * await using session = await Session.start();
 * const { outputs } = await session.execute("console.log(1); 6n * 7n");
 * assertEquals(outputs.map((output) => output.output_type), ["stream", "execute_result"]);
 * ```
 */
export class Session {
  #options: SessionOptions;
  #link!: KernelLink;
  #displays: Displays = new Map();
  #sent: SentCell[] = [];
  #nextLine = FIRST_CELL_LINE;
  #names = new Set<string>();
  #numbers = 0;
  #running?: Running;
  /** The last cell that was sent; late output belongs to it. */
  #last?: Running;
  /** The last cells by their numbers. */
  #owners = new Map<number, Running>();
  /** Errors that are being described. */
  readonly #telling = new Set<Promise<CellError>>();
  /** Whether the kernel's end has been reported. */
  #endReported = false;
  #closed = false;
  /** What has arrived since cells run, and what of it is kept, in bytes. */
  #arrived = 0;
  #kept = 0;
  #flooded = false;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(options: SessionOptions) {
    this.#options = options;
  }

  /**
   * Starts a kernel and makes it ready.
   *
   * @param options Where and how.
   * @returns The session; dispose it, otherwise the kernel lives as long as this process.
   */
  static async start(options: SessionOptions = {}): Promise<Session> {
    assertKnownOptions("start a session", options, SESSION_OPTIONS);
    const session = new Session(options);
    await session.#boot();
    return session;
  }

  /** The kernel's `language_info`, as in notebooks' metadata. */
  get languageInfo(): Record<string, unknown> {
    return this.#link.languageInfo;
  }

  /** The kernel's process id. */
  get pid(): number {
    return this.#link.kernel.pid;
  }

  /** Whether the kernel has ended; the next cell reports it, or starts a new one. */
  get ended(): boolean {
    return this.#link.kernel.ended;
  }

  /** Whether cells exceeded the output limit `maxOutput`, so that the kernel was ended. */
  get flooded(): boolean {
    return this.#flooded;
  }

  /** Top-level names that the cells run so far have declared. */
  get names(): string[] {
    return [...this.#names];
  }

  /**
   * Runs a cell. Cells run one after another; a call while one runs waits for it.
   *
   * @param code The cell's TypeScript.
   * @param options Outputs as they come, a signal, a time limit.
   * @returns The result; errors of the cell do not throw.
   * @throws {Error} If the session is closed, or a kernel cannot be started.
   */
  execute(code: string, options: ExecuteOptions = {}): Promise<ExecuteResult> {
    assertKnownOptions("run a cell", options, EXECUTE_OPTIONS);
    const result = this.#queue.then(() => this.#execute(code, options));
    this.#queue = result.catch(() => {});
    return result;
  }

  /**
   * Sends the kernel a request of the Jupyter protocol that runs no cell, as `complete_request`.
   *
   * @param type The request's type.
   * @param content Its content.
   * @returns The reply's content.
   * @throws {Error} If the kernel does not answer within 5 s, for example while a cell runs.
   */
  async request(
    type: string,
    content: Record<string, unknown>,
  ): Promise<Record<string, unknown>> {
    const reply = await this.#link.within(this.#link.request(type, content), 5000);
    if (reply === undefined) throw new Error(`The kernel does not answer a "${type}"`);
    return reply.value.content;
  }

  /**
   * Sends cells a message of a comm, the channel of widgets: the kernel's global scope gets an
   * event of the message's type, whose `detail` has its `content`, `metadata` and `buffers`. A
   * `comm_open` that no listener accepts with `preventDefault()` is closed.
   */
  async send(
    type: "comm_open" | "comm_msg" | "comm_close",
    content: Record<string, unknown>,
    rest: { metadata?: Record<string, unknown>; buffers?: Uint8Array[] } = {},
  ): Promise<void> {
    const { metadata = {}, buffers = [] } = rest;
    const encoded = buffers.map((buffer) => buffer.toBase64());
    const message = { type, content, metadata, buffers: encoded };
    await this.#link.kernel.tell(`comm ${JSON.stringify(message)}`);
  }

  /** Ends the kernel and starts a new one: all state is lost. */
  restart(): Promise<void> {
    const restarted = this.#queue.then(() => this.#reboot());
    this.#queue = restarted.catch(() => {});
    return restarted;
  }

  /**
   * Stops waiting for library code that received the stop signal and may end by itself. Does
   * nothing unless a cell is being stopped.
   */
  async hurry(): Promise<void> {
    const running = this.#running;
    if (running?.stopped !== undefined) await this.#link.kernel.tell(`stop ${running.number}`);
  }

  /** Ends the kernel; a running cell ends with status `"died"`. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#link.kernel[Symbol.asyncDispose]();
  }

  /** Releases what it holds. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // ---- The kernel ----

  async #boot() {
    this.#endReported = false;
    const { cwd, env, kernel, launcher, lock, maxOutput, path } = this.#options;
    this.#options = { ...this.#options, kernel: undefined }; // It serves once.
    this.#link = await KernelLink.start({
      cwd,
      env,
      launcher,
      kernel,
      lock,
      maxMessage: maxOutput,
      url: toFileUrl(resolve(path ?? `${cwd ?? "."}/notebook.ipynb`)).href,
      onPrelude: (message) => this.#take(message),
      onIopub: (message) => this.#takeNative(message),
      onText: (text) => this.#receiveText(text),
      onBytes: (count) => this.#count(count, 0),
      onExit: () => this.#died(),
      onInput: (request) => this.#running?.onInput?.(request) ?? Promise.resolve(""),
    });
  }

  /**
   * Waits for the timers that cells have left pending: their output belongs to the last cell.
   *
   * @param milliseconds The longest wait.
   * @returns How many are still pending, or not reported by the kernel.
   */
  async settle(milliseconds: number): Promise<number> {
    if (this.#link.kernel.ended) return 0;
    const settled = this.#link.waitFor("settled");
    await this.#link.kernel.tell(`settle ${milliseconds}`);
    const heard = await this.#link.within(settled, milliseconds + 5000);
    return heard?.value.type === "settled" ? heard.value.pending : 0;
  }

  /** The kernel has ended: notifies those who would not notice it otherwise. */
  async #died() {
    const { onDeath } = this.#options;
    const told = this.#running !== undefined || this.#endReported || this.#closed;
    if (onDeath === undefined || told) return;
    // The next cell reports it too, so that it does not silently run on lost state.
    onDeath(await this.#kernelEnded("while no cell ran"));
  }

  async #reboot() {
    if (this.#closed) throw new Error("Cannot use the session: it is closed");
    this.#endReported = true; // This end is intended.
    await this.#link.kernel[Symbol.asyncDispose]();
    this.#names.clear();
    this.#displays.clear();
    this.#sent.length = 0;
    this.#last = undefined;
    this.#owners.clear();
    this.#nextLine = FIRST_CELL_LINE;
    await this.#boot();
  }

  /** Counts arriving and stored bytes; ends the kernel if they exceed the limit. */
  #count(arrived: number, kept: number) {
    const { maxOutput = Infinity } = this.#options;
    // What belongs to no cell is the kernel's own, as it starts.
    if (this.#running === undefined && this.#last === undefined) return;
    this.#arrived += arrived;
    this.#kept += kept;
    if (this.#flooded || Math.max(this.#arrived, this.#kept) <= maxOutput) return;
    this.#flooded = true;
    this.#link.kernel.kill();
  }

  /** Handles output that bypasses the prelude. */
  #takeNative({ header, content, metadata, buffers }: Message) {
    const { msg_type: type } = header;
    // Errors are in the reply; other output still counts.
    if (isOutputType(type)) {
      if (type === "stream" && typeof content.text === "string") {
        this.#receive(type, this.#nameCells(content as { text: string }));
      } else if (type !== "error") this.#receive(type, content);
    } else if (!/^(status|execute_input)$/.test(type)) {
      this.#options.onMessage?.({ type, content, metadata, buffers });
    }
  }

  /** Handles what the kernel itself prints: mostly the report of its test runner. */
  #receiveText(text: string) {
    const content = this.#nameCells({ name: "stdout", text });
    const running = this.#running;
    if (running !== undefined && running.report.length < MOST_REPORT) {
      running.report += content.text;
    }
    this.#receive("stream", content);
  }

  /** Replaces the kernel's line numbers by cells' names in the output of its test runner. */
  #nameCells<Content extends { text: string }>(content: Content): Content {
    const text = content.text.replace(/<anonymous>:(\d+):\d+/g, (place, line) => {
      const at = Number(line);
      return this.#sent.findLast(({ firstLine, endLine }) => firstLine <= at && at < endLine)
        ?.label ?? place;
    });
    return { ...content, text };
  }

  #take(message: PreludeMessage) {
    if (message.type === "package") {
      const { specifier: source, version } = message;
      const owner = this.#running ?? this.#last;
      owner?.provenance.push({ kind: "package", source, version });
    } else if (message.type === "uncaught") this.#uncaught(message.error, message.cell);
    else if (message.type === "output") {
      const { kind: type, content } = message;
      if (isOutputType(type)) this.#receive(type, content);
      else if (typeof content === "object" && content !== null && !Array.isArray(content)) {
        this.#options.onMessage?.({ type, content, metadata: {}, buffers: [] });
      }
    }
  }

  /** Checks an output before it is forwarded. */
  #receive(type: OutputMessage["type"], content: unknown) {
    if (this.#flooded) return;
    let read;
    try {
      read = readOutput(type, content);
    } catch (error) {
      this.#correct(error as Error);
      return;
    }
    this.#count(0, read.size);
    if (!this.#flooded) this.#output(read.message);
  }

  /** Reports once that a cell has sent an invalid message. */
  #correct({ name, message }: Error) {
    const owner = this.#running ?? this.#last;
    if (owner === undefined || owner.corrected) return;
    owner.corrected = true;
    const error = { name, message, traceback: [`${name}: ${message}`, `    at ${owner.label}`] };
    owner.uncaught.push(Promise.resolve(error));
    this.#output(errorMessage(error), owner);
  }

  /**
   * @param owner The cell that it belongs to; by default output between cells comes from the last
   * cell's background work.
   */
  #output(message: OutputMessage, owner = this.#running ?? this.#last) {
    if (owner === undefined) return;
    const fact = message.content?.data?.[PROVENANCE_MIME];
    if (fact !== undefined) {
      owner.provenance.push(fact as ProvenanceEntry);
      if (!this.#options.collectRecords) return;
    }
    owner.collector.add(message, owner.executionCount);
    if (owner === this.#running) owner.onOutput?.(message);
    else (owner.onLateOutput ?? this.#options.onLateOutput)?.(message);
  }

  /**
   * Shows an error immediately: a cell may run for long, or wait forever for work that has failed.
   */
  #uncaught(description: ErrorDescription, cell?: number) {
    const owner = this.#owners.get(cell ?? -1) ?? this.#running ?? this.#last;
    if (owner === undefined || this.#flooded) return;
    this.#count(0, measure(description).size);
    const told = describeError(description, owner.sent, this.#sent).then((error) => {
      this.#output(errorMessage(error), owner);
      return error;
    });
    owner.uncaught.push(told);
    this.#telling.add(told);
    const forget = () => this.#telling.delete(told);
    told.then(forget, forget);
  }

  // ---- Cells ----

  async #execute(source: string, options: ExecuteOptions): Promise<ExecuteResult> {
    const started = performance.now();
    if (this.#closed) throw new Error("Cannot use the session: it is closed");
    const diedBefore = this.#link.kernel.ended && !this.#endReported;
    if (this.#link.kernel.ended && this.#endReported) await this.#reboot();
    const number = ++this.#numbers;
    const label = options.label ?? `cell ${number}`;
    const collector = new OutputCollector(this.#displays, options.outputs);
    const finish = (
      status: ExecuteResult["status"],
      executionCount: number | null,
      error?: CellError,
      provenance: ProvenanceEntry[] = [],
      shown = false,
    ): ExecuteResult => {
      if (error !== undefined && !shown) {
        const message = errorMessage(error);
        collector.add(message, executionCount);
        options.onOutput?.(message);
      }
      const seconds = (performance.now() - started) / 1000;
      return { status, executionCount, outputs: collector.outputs, provenance, error, seconds };
    };

    if (options.signal?.aborted) return finish("stopped", null, stopError("stopped", label));
    if (diedBefore) {
      this.#endReported = true;
      return finish("died", null, await this.#kernelEnded(`before ${label}`));
    }
    let cell;
    try {
      cell = rewriteCell(source, number, label);
    } catch (error) {
      if (!(error instanceof CellSyntaxError)) throw error;
      return finish("error", null, describeSyntaxError(error, label, source));
    }
    if (this.#nextLine > LAST_CELL_LINE) this.#nextLine = FIRST_CELL_LINE;
    const blank = this.#nextLine;
    this.#nextLine += cell.lines;
    const sent = {
      label,
      source,
      code: cell.code,
      firstLine: blank + 1,
      endLine: this.#nextLine + 1,
    };
    this.#sent.push(sent);
    this.#link.signalTaken = false;
    const running: Running = {
      number,
      label,
      collector,
      onOutput: options.onOutput,
      onLateOutput: options.onLateOutput,
      onInput: options.onInput,
      executionCount: null,
      provenance: [],
      uncaught: [],
      corrected: false,
      report: "",
      sent,
    };
    const dead = async () => {
      this.#endReported = true;
      await Promise.all(running.uncaught);
      const error = await this.#kernelEnded(`in ${label}`, running);
      return finish(running.stopped ?? "died", null, error, running.provenance);
    };
    this.#running = running;
    this.#owners.set(number, running);
    this.#owners.delete(number - OWNERS);
    try {
      const content = executeContent(
        padCode(cell.code, blank),
        options.silent ?? false,
        options.onInput !== undefined,
      );
      const replied = await supervise(
        this.#link,
        number,
        this.#link.request("execute_request", content),
        { ...options, onStop: (cause) => running.stopped = cause },
      );
      for (const name of cell.names) this.#names.add(name);
      if (replied === undefined) return await dead();
      const count = running.executionCount = replied.content.execution_count ?? null;
      const failed = replied.content.status !== "ok";
      const ended = await this.#link.drain(failed);
      if (ended === undefined) return await dead();
      for (const output of collector.outputs) {
        if (output.output_type === "execute_result") output.execution_count = count;
      }
      const uncaught = await Promise.all(running.uncaught);
      // Some clients listen only while a cell runs, also to errors of earlier ones.
      await Promise.all(this.#telling);
      const tests = completeTests(
        await describeTests(ended, sent, this.#sent),
        running.report,
      );
      let error = failed ? await replyError(replied, ended, sent, this.#sent) : undefined;
      let status: ExecuteResult["status"] = "ok";
      let shown = false;
      if (running.stopped !== undefined) {
        status = running.stopped;
        error = { ...stopError(status, label, options.timeout), line: error?.line };
      } else if (error !== undefined || uncaught.length > 0) {
        status = "error";
        // The error that ended the cell or, without one, the first uncaught error.
        shown = error === undefined;
        error ??= uncaught[0];
      } else if (tests.some((test) => test.error !== undefined)) {
        status = "error";
        error = testError(tests);
      }
      const result = finish(status, count, error, running.provenance, shown);
      return tests.length > 0 ? { ...result, tests } : result;
    } finally {
      this.#last = running;
      this.#running = undefined;
    }
  }

  /** The message for a kernel that has ended. */
  async #kernelEnded(where: string, running?: Running): Promise<CellError> {
    const cause = running?.stopped;
    return kernelEndError({
      exit: await this.#link.kernel.exited,
      exitCode: this.#link.exitCode,
      closed: this.#closed,
      sandboxed: this.#options.launcher !== undefined,
      flooded: this.#flooded ? this.#options.maxOutput : undefined,
      stopping: cause === undefined ? undefined : { label: running!.label, cause },
      where,
      names: [...this.#names],
    });
  }
}
