/**
 * The two kernels of a grading: the student's, in a sandbox, and the examiner's, in which only the
 * instructor's code runs.
 *
 * @module
 */

import { join } from "@std/path/join";
import { SandboxedSession } from "../../runtime/sandbox/session.ts";
import type { SandboxOptions } from "../../runtime/sandbox/walls.ts";
import { Session } from "../../runtime/session.ts";
import type { ErrorOutput } from "../../runtime/notebook.ts";
import type { ExecuteOptions, ExecuteResult, SessionMessage } from "../../runtime/session/types.ts";
import type { ProcessorClock } from "../autograde/processor_time.ts";
import { EXAMINER } from "./examiner.ts";
import { CALL, type Reply } from "./messages.ts";
import type { Cells } from "./relay.ts";

/** Where and how the student's cells run. */
export interface StudentOptions {
  readonly cwd: string;
  readonly codecs: readonly string[];
  readonly output: number;
  readonly sandbox?: SandboxOptions;
  readonly signal?: AbortSignal;
  /** The clock of time limits. */
  readonly clock: ProcessorClock;
  readonly onMessage: (message: SessionMessage) => void;
  readonly secondsLeft: () => number;
  /** Whether to find out which GPU cells see. */
  readonly asksForGpu: boolean;
}

/** The student's process, restarted when it has ended. */
export class Student implements Cells {
  readonly #options: StudentOptions;
  #session?: SandboxedSession | Session;
  #isOpen = false;
  #gpu?: string;
  /** The cells that have run and did not end the process. */
  readonly #ran: { readonly source: string; readonly label: string; readonly seconds: number }[] =
    [];

  constructor(options: StudentOptions) {
    this.#options = options;
  }

  /** The process, while there is one. */
  get processes(): readonly number[] {
    return this.#session === undefined ? [] : [this.#session.pid];
  }

  /** The GPU that cells see, or the driver that acts as one; undefined if there is none, or nobody asked. */
  get gpu(): string | undefined {
    return this.#gpu;
  }

  /** Runs a cell; one that does not end the process is run again in the next. */
  async run(source: string, label: string, timeout: number): Promise<ExecuteResult> {
    await this.ready();
    const result = await this.execute(source, { label, timeout });
    const { status, seconds } = result;
    if (status === "ok" || status === "error") this.#ran.push({ source, label, seconds });
    return result;
  }

  /** Makes sure that there is a process with the bridge, in which the cells before have run. */
  async ready(): Promise<void> {
    while (!this.#isOpen) await this.#open();
  }

  async #open(): Promise<void> {
    await this.close();
    const { codecs } = this.#options;
    const bridge = new URL("./bridge.ts", import.meta.url).href;
    this.#session = await this.#start();
    this.#isOpen = true;
    const opened = await this.execute(
      `await (await import(${JSON.stringify(bridge)})).openBridge(${JSON.stringify(codecs)});`,
      { label: "the bridge", silent: true, timeout: 30 },
    );
    if (opened.error !== undefined) {
      throw new Error(`Cannot open the bridge: ${opened.error.name}: ${opened.error.message}`);
    }
    if (this.#options.asksForGpu && this.#ran.length === 0) await this.#askForGpu();
    for (const [at, { source, label, seconds }] of this.#ran.entries()) {
      const left = this.#options.secondsLeft();
      if (left <= 0) break;
      // What took long before may take as long again, and a little more.
      const timeout = Math.min(left, 5 + 3 * seconds);
      await this.execute(source, { label, timeout, silent: true });
      if (this.#isOpen) continue;
      // A cell that ends the process, now that it is repeated, is left out the next time.
      this.#ran.splice(at, 1);
      return;
    }
  }

  /** Asks a kernel in which nothing of the student's has run. */
  async #askForGpu(): Promise<void> {
    const code = "console.log(await (async () => { " +
      "const info = (await navigator.gpu?.requestAdapter())?.info; " +
      'return info && (info.description || info.device || info.vendor || "a GPU"); })() ?? "");';
    const { outputs } = await this.execute(code, { label: "the GPU", silent: true, timeout: 30 });
    const [output] = outputs;
    const name = output?.output_type === "stream" ? output.text.trim() : "";
    this.#gpu = name === "" ? undefined : name;
  }

  async execute(code: string, options: Parameters<Cells["execute"]>[1]): Promise<ExecuteResult> {
    const { signal = this.#options.signal } = options;
    const { clock } = this.#options;
    const result = await executeWithin(this.#session!, code, { ...options, signal }, clock);
    if (result.status === "died" || this.#session!.ended) this.#isOpen = false;
    return result;
  }

  async send(type: "comm_msg", content: Record<string, unknown>): Promise<void> {
    await this.#session?.send(type, content);
  }

  async #start(): Promise<SandboxedSession | Session> {
    const { cwd, sandbox, output: maxOutput, onMessage } = this.#options;
    const path = join(cwd, "submission.ipynb");
    return sandbox === undefined
      ? await Session.start({ cwd, path, maxOutput, onMessage })
      : await SandboxedSession.start({ ...sandbox, cwd, path, maxOutput, onMessage });
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    const session = this.#session;
    this.#session = undefined;
    await session?.[Symbol.asyncDispose]();
  }
}

/** Where and how the instructor's cells run. */
export interface ExaminerOptions extends Pick<StudentOptions, "cwd" | "codecs" | "clock"> {
  /** Answers what the examiner asks of the student's process: its thread waits. */
  readonly onCall: (content: unknown) => Promise<Reply>;
}

/** The heap of the grader's own kernel, in MiB. */
const EXAMINER_HEAP = 2048;

/** The grader's own kernel, started with the first test. */
export class ExaminerKernel implements Cells {
  readonly #options: ExaminerOptions;
  #session?: Session;
  /** The instructor's cells that have run in it. */
  readonly #ran = new Set<string>();

  constructor(options: ExaminerOptions) {
    this.#options = options;
  }

  /** The process, while there is one. */
  get processes(): readonly number[] {
    return this.#session === undefined ? [] : [this.#session.pid];
  }

  /** Starts the kernel where there is none; gives those cells that have not run in it yet. */
  async prepare<Source extends { source: string }>(cells: readonly Source[]): Promise<Source[]> {
    if (this.#session === undefined) {
      const { cwd, codecs } = this.#options;
      // Values of the student's may be small until they are compared or printed.
      const env = { DENO_V8_FLAGS: `--max-old-space-size=${EXAMINER_HEAP}` };
      this.#session = await Session.start({ cwd, path: join(cwd, "tests.ipynb"), env });
      const url = new URL("./examiner.ts", import.meta.url).href;
      const opened = await this.#session.execute(
        `await (await import(${JSON.stringify(url)})).openExaminer(${JSON.stringify(codecs)});`,
        { label: "the examiner", silent: true, timeout: 30 },
      );
      if (opened.error !== undefined) {
        throw new Error(`Cannot open ${EXAMINER}: ${opened.error.name}: ${opened.error.message}`);
      }
    }
    const fresh = cells.filter(({ source }) => !this.#ran.has(source));
    for (const { source } of fresh) this.#ran.add(source);
    return fresh;
  }

  async execute(code: string, options: Parameters<Cells["execute"]>[1]): Promise<ExecuteResult> {
    const { clock, onCall } = this.#options;
    const onInput = async ({ prompt }: { prompt: string }) => {
      if (!prompt.startsWith(CALL)) return ""; // The instructor's test asks somebody at a keyboard.
      return JSON.stringify(await onCall(JSON.parse(prompt.slice(CALL.length))));
    };
    return await executeWithin(this.#session!, code, { ...options, onInput }, clock);
  }

  async send(type: "comm_msg", content: Record<string, unknown>): Promise<void> {
    await this.#session?.send(type, content);
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    this.#ran.clear();
    await session?.close();
  }
}

/** Runs a cell, whose time limit is one of a clock. */
async function executeWithin(
  session: SandboxedSession | Session,
  code: string,
  { timeout, signal, ...rest }:
    & Parameters<Cells["execute"]>[1]
    & Pick<ExecuteOptions, "onInput">,
  clock: ProcessorClock,
): Promise<ExecuteResult> {
  if (timeout === undefined) return await session.execute(code, { ...rest, signal });
  const late = new AbortController();
  const signals = [late.signal, ...signal === undefined ? [] : [signal]];
  using _timer = clock.timer(timeout, () => late.abort());
  const result = await session.execute(code, { ...rest, signal: AbortSignal.any(signals) });
  const isLate = late.signal.aborted && !signal?.aborted;
  if (!isLate || result.status === "ok" || result.status === "error") return result;
  return timedOut(result, rest.label ?? "the cell", timeout);
}

/** A cell's result, as it says that a time limit was met. */
function timedOut(result: ExecuteResult, label: string, seconds: number): ExecuteResult {
  const name = "TimeoutError";
  const limit = Math.round(seconds * 100) / 100;
  const message = `${label[0]!.toUpperCase()}${label.slice(1)} ran longer than its limit of ` +
    `${limit} s and was stopped`;
  const error = { name, message, traceback: [`${name}: ${message}`] };
  const shown: ErrorOutput = {
    output_type: "error",
    ename: name,
    evalue: message,
    traceback: error.traceback,
  };
  const outputs = [...result.outputs];
  const at = outputs.findLastIndex(({ output_type }) => output_type === "error");
  outputs.splice(at < 0 ? outputs.length : at, 1, shown);
  return { ...result, status: "timeout", error, outputs };
}
