// A session with a real Deno kernel that loses nothing: every output under its cell and in order,
// syntax errors with their place, a stop that keeps the state, and an end to everything that hangs.

import { resolve, toFileUrl } from "@std/path";
import { type CellError, describeError, describeSyntaxError, type SentCell } from "./cell_error.ts";
import { CellSyntaxError, padCode, rewriteCell } from "./cell_source.ts";
import { Kernel, type KernelExit } from "./kernel.ts";
import { PROVENANCE_MIME, type ProvenanceEntry } from "./manifest.ts";
import type { Message } from "./messages.ts";
import type { Output } from "./notebook.ts";
import { type Displays, OutputCollector, type OutputMessage } from "./outputs.ts";
import { PipeReader } from "./pipe_reader.ts";
import { type PreludeMessage, preludeSource, STOPPED } from "./prelude.ts";
import { startTimer } from "./timer.ts";

/** How to start a session. */
export interface SessionOptions {
  /** The kernel's working directory, from which deno.json is looked for; the current one if not said. */
  cwd?: string;
  /** The notebook's path, for `import.meta` in cells. */
  path?: string;
  /** Environment variables for the kernel, on top of this process's own. */
  env?: Record<string, string>;
  /**
   * Is told of output that arrives while no cell runs, from work that the last cell left behind; it
   * has been added to that cell's outputs.
   */
  onLateOutput?: (message: OutputMessage) => void;
}

/** How to run a cell. */
export interface ExecuteOptions {
  /** Takes each output message as it comes. */
  onOutput?: (message: OutputMessage) => void;
  /** Stops the cell; the kernel's state is kept where that is possible at all. */
  signal?: AbortSignal;
  /** Seconds after which the cell is stopped. */
  timeout?: number;
  /** What errors call the cell; `"cell N"` by its execution count if not said. */
  label?: string;
}

/** What came of a cell. */
export interface ExecuteResult {
  /**
   * `"error"`: it threw. `"stopped"` and `"timeout"`: it was stopped. `"died"`: the kernel ended;
   * the next cell starts a new one.
   */
  status: "ok" | "error" | "stopped" | "timeout" | "died";
  /** The number in front of the cell; null where it was not sent. */
  executionCount: number | null;
  /** All outputs, the error last. */
  outputs: Output[];
  /** What library code recorded for the manifest. */
  provenance: ProvenanceEntry[];
  /** Set unless the status is `"ok"`. */
  error?: CellError;
  /** Wall time. */
  seconds: number;
}

/** How long the steps of a stop may take, in milliseconds. */
const STOP = {
  /** Library code that took the signal may end by itself this long, then its await is given up. */
  grace: 10_000,
  /** An event loop that does not turn for this long is busy: running JavaScript is interrupted. */
  busy: 1000,
  /** How much longer a kernel gets that uses little processor time meanwhile. */
  starved: 10_000,
  /** As `busy`, where library code took the signal: it is in the middle of a step. */
  busyLibrary: 30_000,
  /** From the end of what was waited for to the cell's end. */
  settle: 1500,
};

/** The prelude's own lines; cells come after. */
const FIRST_CELL_LINE = 2000;
/** Where lines begin anew: the blank lines in front of a cell should not become many. */
const LAST_CELL_LINE = 200_000;

interface Running {
  number: number;
  label: string;
  collector: OutputCollector;
  onOutput?: (message: OutputMessage) => void;
  executionCount: number | null;
  provenance: ProvenanceEntry[];
  uncaught: Promise<CellError>[];
  sent: SentCell;
  stopped?: "stopped" | "timeout";
}

/**
 * A kernel and what has been run in it.
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
  #kernel!: Kernel;
  #exit?: KernelExit;
  #languageInfo: Record<string, unknown> = {};
  #displays: Displays = new Map();
  #sent: SentCell[] = [];
  #nextLine = FIRST_CELL_LINE;
  #names = new Set<string>();
  #numbers = 0;
  #running?: Running;
  /** The last cell that was sent, which is where late output belongs. */
  #last?: Running;
  #replies = new Map<string, (message: Message) => void>();
  #waiting = new Map<string, (message: PreludeMessage) => void>();
  #exitCode?: number;
  /** Whether the kernel's end has been told. */
  #mourned = false;
  #signalTaken = false;
  #closed = false;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(options: SessionOptions) {
    this.#options = options;
  }

  /**
   * Starts a kernel and makes it ready.
   *
   * @param options Where and how.
   * @returns The session; dispose it, or the kernel lives as long as this process.
   */
  static async start(options: SessionOptions = {}): Promise<Session> {
    const session = new Session(options);
    await session.#boot();
    return session;
  }

  /** What the kernel says of its language, as notebooks keep it in their metadata. */
  get languageInfo(): Record<string, unknown> {
    return this.#languageInfo;
  }

  /** The kernel's process id. */
  get pid(): number {
    return this.#kernel.pid;
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
   * @returns What came of it; errors of the cell are no exceptions.
   * @throws {Error} If the session is closed, or a kernel cannot be started.
   */
  execute(code: string, options: ExecuteOptions = {}): Promise<ExecuteResult> {
    const result = this.#queue.then(() => this.#execute(code, options));
    this.#queue = result.catch(() => {});
    return result;
  }

  /** Ends the kernel and starts a new one: all state is lost. */
  restart(): Promise<void> {
    const restarted = this.#queue.then(() => this.#reboot());
    this.#queue = restarted.catch(() => {});
    return restarted;
  }

  /** Ends the kernel; a running cell ends with status `"died"`. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#kernel[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // ---- The kernel ----

  async #boot() {
    this.#exit = this.#exitCode = undefined;
    this.#mourned = false;
    const pipe = new PipeReader((message) => this.#take(message), (text) => this.#plain(text));
    const kernel = await Kernel.start({
      cwd: this.#options.cwd,
      env: this.#options.env,
      onProcessOutput: (name, text) => {
        if (name === "stdout") pipe.push(text);
      },
    });
    this.#kernel = kernel;
    kernel.exited.then((exit) => {
      if (this.#kernel === kernel) this.#exit = exit;
    });
    try {
      const heard = Promise.withResolvers<void>();
      this.#readIopub(kernel, heard.resolve);
      this.#readShell(kernel);
      const url = this.#options.path !== undefined
        ? toFileUrl(resolve(this.#options.path)).href
        : toFileUrl(resolve(`${this.#options.cwd ?? "."}/notebook.ipynb`)).href;
      const ready = this.#waitFor("ready");
      const source = preludeSource({ url, grace: STOP.grace });
      await this.#until(this.#request("execute_request", executeContent(source, true)), 30_000);
      await this.#until(ready, 5000);
      // Until something arrives, the kernel may not know yet that this side has subscribed.
      while (true) {
        const info = await this.#until(this.#request("kernel_info_request", {}), 5000);
        this.#languageInfo = info.content.language_info ?? {};
        if (await this.#within(heard.promise, 20)) break;
      }
    } catch (error) {
      await kernel[Symbol.asyncDispose]();
      const { message } = error as Error;
      throw new Error(`Cannot start the Deno kernel: ${message}`, { cause: error });
    }
  }

  async #reboot() {
    if (this.#closed) throw new Error("Cannot use the session: it is closed");
    await this.#kernel[Symbol.asyncDispose]();
    this.#names.clear();
    this.#displays.clear();
    this.#sent.length = 0;
    this.#last = undefined;
    this.#nextLine = FIRST_CELL_LINE;
    await this.#boot();
  }

  async #readIopub(kernel: Kernel, heard: () => void) {
    try {
      for await (const message of kernel.messages("iopub")) {
        heard();
        const { msg_type: type } = message.header;
        // Where the prelude found no pipe, its messages come this way.
        if (type === "tunebook") this.#take(message.content);
        else if (type === "tunebook_end") this.#resolve(`native ${message.content.token}`);
        // Errors come with the reply; the rest is written past the prelude, and still counts.
        else if (OUTPUT_TYPES.has(type) && type !== "error") {
          this.#output({ type: type as OutputMessage["type"], content: message.content });
        }
      }
    } catch {
      // A stream that makes no sense any more: the replies will be missed, and the kernel ended.
      kernel.kill();
    }
  }

  async #readShell(kernel: Kernel) {
    try {
      for await (const message of kernel.messages("shell")) {
        const id = message.parentHeader.msg_id ?? "";
        this.#replies.get(id)?.(message);
        this.#replies.delete(id);
      }
    } catch {
      kernel.kill();
    }
  }

  #plain(text: string) {
    this.#output({ type: "stream", content: { name: "stdout", text } });
  }

  #take(message: PreludeMessage) {
    switch (message.type) {
      case "output":
        this.#output({ type: message.kind as OutputMessage["type"], content: message.content });
        break;
      case "uncaught":
        this.#uncaught(message.error);
        break;
      case "signal_taken":
        this.#signalTaken = true;
        break;
      case "exit":
        this.#exitCode = message.code;
        break;
      case "stopping":
        this.#resolve(`stopping ${message.cell}`, message);
        break;
      case "end":
        this.#resolve(`end ${message.token}`, message);
        break;
      case "ready":
        this.#resolve("ready", message);
        break;
    }
  }

  #output(message: OutputMessage) {
    if (!OUTPUT_TYPES.has(message.type)) return;
    // What arrives between cells comes from work that the last cell left behind.
    const running = this.#running ?? this.#last;
    if (running === undefined) return;
    const fact = message.content?.data?.[PROVENANCE_MIME];
    if (fact !== undefined) {
      running.provenance.push(fact as ProvenanceEntry);
      return;
    }
    running.collector.add(message, running.executionCount);
    if (this.#running === undefined) this.#options.onLateOutput?.(message);
    else running.onOutput?.(message);
  }

  async #uncaught(description: Parameters<typeof describeError>[0]) {
    const running = this.#running ?? this.#last;
    if (running === undefined) return;
    const late = this.#running === undefined;
    const described = describeError(description, running.sent, this.#sent);
    if (!late) running.uncaught.push(described);
    const error = await described;
    if (late) this.#output(errorMessage(error));
  }

  // ---- Requests ----

  #request(type: string, content: Record<string, unknown>): Promise<Message> {
    const { promise, resolve } = Promise.withResolvers<Message>();
    this.#kernel.send("shell", type, content).then(
      (id) => this.#replies.set(id, resolve),
      () => {}, // The kernel has ended, which whoever waits is told.
    );
    return promise;
  }

  #waitFor(key: string): Promise<PreludeMessage> {
    const { promise, resolve } = Promise.withResolvers<PreludeMessage>();
    this.#waiting.set(key, resolve);
    return promise;
  }

  #resolve(key: string, message: PreludeMessage = { type: "ready" }) {
    this.#waiting.get(key)?.(message);
    this.#waiting.delete(key);
  }

  /** What was waited for; throws where the kernel ends or the time is over first. */
  async #until<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
    const settled = await this.#within(promise, milliseconds);
    if (settled === undefined) {
      throw new Error(
        this.#exit === undefined
          ? `it does not answer within ${milliseconds} ms`
          : `it ended with code ${this.#exit.code}: ${this.#exit.stderr.trim()}`,
      );
    }
    return settled.value;
  }

  /** What was waited for, undefined where the kernel ends or the time is over first. */
  async #within<T>(promise: Promise<T>, milliseconds: number): Promise<{ value: T } | undefined> {
    const timer = startTimer(milliseconds);
    try {
      return await Promise.race([
        promise.then((value) => ({ value })),
        this.#kernel.exited.then(() => undefined),
        timer.passed,
      ]);
    } finally {
      timer.cancel();
    }
  }

  // ---- Cells ----

  async #execute(source: string, options: ExecuteOptions): Promise<ExecuteResult> {
    const started = performance.now();
    if (this.#closed) throw new Error("Cannot use the session: it is closed");
    const diedBefore = this.#kernel.ended && !this.#mourned;
    if (this.#kernel.ended && this.#mourned) await this.#reboot();
    const number = ++this.#numbers;
    const label = options.label ?? `cell ${number}`;
    const collector = new OutputCollector(this.#displays);
    const finish = (
      status: ExecuteResult["status"],
      executionCount: number | null,
      error?: CellError,
      provenance: ProvenanceEntry[] = [],
    ): ExecuteResult => {
      if (error !== undefined) {
        const message = errorMessage(error);
        collector.add(message, executionCount);
        options.onOutput?.(message);
      }
      const seconds = (performance.now() - started) / 1000;
      return { status, executionCount, outputs: collector.outputs, provenance, error, seconds };
    };

    if (options.signal?.aborted) return finish("stopped", null, stopError("stopped", label));
    if (diedBefore) {
      return finish("died", null, await this.#obituary(`before ${label}`));
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
    this.#signalTaken = false;
    const running: Running = {
      number,
      label,
      collector,
      onOutput: options.onOutput,
      executionCount: null,
      provenance: [],
      uncaught: [],
      sent,
    };
    const dead = async () => {
      const error = await this.#obituary(`in ${label}`, running);
      return finish(running.stopped ?? "died", null, error, running.provenance);
    };
    this.#running = running;
    try {
      const reply = this.#request("execute_request", executeContent(padCode(cell.code, blank)));
      const replied = await this.#supervise(running, reply, options);
      for (const name of cell.names) this.#names.add(name);
      if (replied === undefined) return await dead();
      const count = running.executionCount = replied.content.execution_count ?? null;
      const failed = replied.content.status !== "ok";
      const ended = await this.#drain(failed);
      if (ended === undefined) return await dead();
      for (const output of collector.outputs) {
        if (output.output_type === "execute_result") output.execution_count = count;
      }
      const uncaught = await Promise.all(running.uncaught);
      let error = failed ? await this.#errorOf(replied, ended, sent) : undefined;
      let status: ExecuteResult["status"] = "ok";
      if (running.stopped !== undefined) {
        status = running.stopped;
        error = { ...stopError(status, label, options.timeout), line: error?.line };
      } else if (error !== undefined || uncaught.length > 0) {
        status = "error";
        // All are shown; the one that ended the cell, or else the first, is the cell's.
        const shown = error === undefined ? uncaught.slice(1) : uncaught;
        error ??= uncaught[0];
        for (const one of shown) {
          const message = errorMessage(one);
          collector.add(message, count);
          options.onOutput?.(message);
        }
      }
      return finish(status, count, error, running.provenance);
    } finally {
      this.#last = running;
      this.#running = undefined;
    }
  }

  /** Waits for the cell's reply, and stops the cell when told; undefined where the kernel ended. */
  async #supervise(
    running: Running,
    reply: Promise<Message>,
    { signal, timeout }: ExecuteOptions,
  ): Promise<Message | undefined> {
    const stop = Promise.withResolvers<"stopped" | "timeout">();
    const onAbort = () => stop.resolve("stopped");
    signal?.addEventListener("abort", onAbort, { once: true });
    const timer = timeout === undefined ? undefined : startTimer(timeout * 1000);
    timer?.passed.then(() => stop.resolve("timeout"));
    try {
      const first = await Promise.race([
        reply,
        this.#kernel.exited.then(() => undefined),
        stop.promise,
      ]);
      if (typeof first !== "string") return first;
      running.stopped = first;
      return await this.#stop(running, reply);
    } finally {
      signal?.removeEventListener("abort", onAbort);
      timer?.cancel();
    }
  }

  /** Stops the running cell by the mildest means that works; the last is to end the kernel. */
  async #stop(running: Running, reply: Promise<Message>): Promise<Message | undefined> {
    const within = async (milliseconds: number) => (await this.#within(reply, milliseconds))?.value;
    const heard = Promise.race([reply, this.#waitFor(`stopping ${running.number}`)]);
    const before = await this.#kernel.cpuSeconds();
    await this.#kernel.tell(`stop ${running.number}`);
    let first = await this.#within(heard, this.#signalTaken ? STOP.busyLibrary : STOP.busy);
    if (first === undefined && !this.#kernel.ended) {
      // A kernel that is not running either is starved by a loaded machine: give it time, since an
      // interrupt of a pending await would cost all state.
      const after = await this.#kernel.cpuSeconds();
      const idle = before !== undefined && after !== undefined &&
        after - before < 0.05;
      if (idle) first = await this.#within(heard, STOP.starved);
    }
    if (first !== undefined && "header" in first.value) return first.value;
    if (first !== undefined) {
      // The event loop turns: awaits are being given up.
      const ended = await within(STOP.settle + (this.#signalTaken ? STOP.grace : 0));
      if (ended !== undefined) return ended;
    }
    if (!this.#kernel.ended) {
      // JavaScript runs without a break. (With a pending await this would hang the kernel for good.)
      await this.#kernel.interrupt();
      const ended = await within(STOP.settle);
      if (ended !== undefined) return ended;
    }
    this.#kernel.kill();
    await this.#kernel.exited;
    return undefined;
  }

  /** Waits until all that the cell put out has arrived. */
  async #drain(failed: boolean): Promise<PreludeMessage | undefined> {
    const token = crypto.randomUUID();
    const end = this.#waitFor(`end ${token}`);
    const native = this.#waitFor(`native ${token}`);
    const call = `__tunebook__.end(${JSON.stringify(token)}, ${failed});void 0`;
    const reply = this.#request("execute_request", executeContent(call, true));
    // A kernel that finished a cell and does not answer this is beyond help.
    const all = await this.#within(Promise.all([end, native, reply]), 30_000);
    if (all !== undefined) return all.value[0];
    if (!this.#kernel.ended) {
      this.#kernel.kill();
      await this.#kernel.exited;
    }
    return undefined;
  }

  async #errorOf(reply: Message, end: PreludeMessage, sent: SentCell): Promise<CellError> {
    const { ename, evalue, traceback } = reply.content;
    const told = end.type === "end" ? end.error : undefined;
    if (evalue === "Execution failed" && traceback?.length === 0) {
      return {
        name: "SyntaxError",
        message: `Deno cannot compile ${sent.label}`,
        traceback: [`SyntaxError: Deno cannot compile ${sent.label}`],
      };
    }
    // The prelude's word is fuller; it is another error's where user code formats stacks itself.
    const same = told !== undefined && (told.message === evalue || told.name === "Uncaught");
    const stack = (traceback as string[]).join("\n");
    return await describeError(
      same ? { ...told, stack: told.stack || stack } : {
        name: ename,
        message: evalue,
        stack,
        causes: [],
      },
      sent,
      this.#sent,
    );
  }

  /** What to say when the kernel has ended. */
  async #obituary(where: string, running?: Running): Promise<CellError> {
    const exit = await this.#kernel.exited;
    this.#mourned = true;
    const lost = this.#names.size === 0 ? "" : `; lost: ${listNames([...this.#names])}`;
    let message: string;
    if (this.#closed) message = `The session was closed ${where}`;
    else if (running?.stopped !== undefined) {
      const why = running.stopped === "timeout" ? " after its time limit" : "";
      message = `${capitalize(running.label)} could not be stopped${why}, ` +
        `so the kernel was ended${lost}`;
    } else if (/out of memory|OOM/i.test(exit.stderr)) {
      message = `The kernel ran out of memory ${where}${lost}`;
    } else if (this.#exitCode !== undefined) {
      message = `The kernel was ended by Deno.exit(${this.#exitCode}) ${where}${lost}`;
    } else {
      const how = exit.signal !== null ? `signal ${exit.signal}` : `exit code ${exit.code}`;
      message = `The kernel was ended by ${how} ${where}${lost}`;
    }
    const name = running?.stopped === "timeout" ? "TimeoutError" : "KernelDied";
    return { name, message, traceback: [`${name}: ${message}`] };
  }
}

const OUTPUT_TYPES = new Set([
  "stream",
  "display_data",
  "update_display_data",
  "execute_result",
  "clear_output",
  "error",
]);

function executeContent(code: string, silent = false): Record<string, unknown> {
  return {
    code,
    silent,
    store_history: !silent,
    user_expressions: {},
    allow_stdin: false,
    stop_on_error: false,
  };
}

function errorMessage(error: CellError): OutputMessage {
  const { name, message, traceback } = error;
  return { type: "error", content: { ename: name, evalue: message, traceback } };
}

function stopError(status: "stopped" | "timeout", label: string, seconds?: number): CellError {
  const name = status === "timeout" ? "TimeoutError" : STOPPED;
  const message = status === "timeout"
    ? `${capitalize(label)} ran longer than its limit of ${seconds} s and was stopped`
    : `${capitalize(label)} was stopped`;
  const kept = "What cells have defined so far is kept";
  return { name, message, traceback: [`${name}: ${message}`, kept] };
}

function listNames(names: string[]): string {
  const shown = names.slice(0, 12);
  return shown.join(", ") + (names.length > shown.length ? ` and ${names.length - 12} more` : "");
}

function capitalize(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}
