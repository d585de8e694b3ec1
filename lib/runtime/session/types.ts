// Options and results of a session.

import type { CellError } from "../cell_error.ts";
import type { Kernel, KernelLauncher } from "../kernel.ts";
import type { ProvenanceEntry } from "../manifest.ts";
import type { Output } from "../notebook.ts";
import type { OutputMessage } from "../outputs.ts";
import type { OptionNames } from "../../options.ts";

/** How to start a session. */
export interface SessionOptions {
  /**
   * The kernel's working directory, from which deno.json is searched; the current one by default.
   */
  cwd?: string;
  /**
   * A kernel that has been started in `cwd` already, for callers that cannot wait; later kernels
   * are started here.
   */
  kernel?: Promise<Kernel>;
  /** The notebook's path, for `import.meta` in cells. */
  path?: string;
  /** Environment variables for the kernel, in addition to those of this process. */
  env?: Record<string, string>;
  /** Changes the command that starts the kernel, so that it runs in a sandbox. */
  launcher?: KernelLauncher;
  /** Code that the kernel runs before any cell; the session does not start if it fails. */
  lock?: string;
  /**
   * Limit of cells' output in bytes, over all kinds of messages; the kernel is ended if it is
   * exceeded.
   */
  maxOutput?: number;
  /**
   * Called with output that arrives while no cell runs, from work that the last cell left behind,
   * and of errors in what an earlier cell has started; it has been added to that cell's outputs.
   */
  onLateOutput?: (message: OutputMessage) => void;
  /**
   * Called with messages of comms (widgets' channels) that cells open, and with other types that
   * cells broadcast.
   */
  onMessage?: (message: SessionMessage) => void;
  /** Called immediately when the kernel ends while no cell runs; the next cell reports it too. */
  onDeath?: (error: CellError) => void;
  /** Whether provenance recorded by library code stays among the outputs, for clients to store. */
  collectRecords?: boolean;
}

/** The names of {@linkcode SessionOptions}. */
export const SESSION_OPTIONS: OptionNames<SessionOptions> = {
  cwd: true,
  kernel: true,
  path: true,
  env: true,
  launcher: true,
  onLateOutput: true,
  onMessage: true,
  onDeath: true,
  collectRecords: true,
  lock: true,
  maxOutput: true,
};

/** A message other than an output: `comm_open`, `comm_msg`, `comm_close`, or a cell's own. */
export interface SessionMessage {
  /** The type of the message. */
  type: string;
  // deno-lint-ignore no-explicit-any
  /** The content of the message. */
  content: any;
  /** The metadata of the message. */
  metadata: Record<string, unknown>;
  /** Binary parts of the message. */
  buffers: Uint8Array[];
}

/** How to run a cell. */
export interface ExecuteOptions {
  /** The array in which outputs are collected as they arrive; a new one by default. */
  outputs?: Output[];
  /** Called with each output message as it arrives. */
  onOutput?: (message: OutputMessage) => void;
  /** Called with output after the cell's end, instead of the session's `onLateOutput`. */
  onLateOutput?: (message: OutputMessage) => void;
  /** Stops the cell; the kernel's state is kept if possible. */
  signal?: AbortSignal;
  /** Seconds after which the cell is stopped. */
  timeout?: number;
  /** The cell's name in errors; `"cell N"` with its execution count by default. */
  label?: string;
  /** Whether the cell is not counted: housekeeping between a notebook's own cells. */
  silent?: boolean;
  /** Answers `prompt` and `confirm` in the cell; without it they return null and false. */
  onInput?: (request: { prompt: string; password: boolean }) => Promise<string>;
}

/** The names of {@linkcode ExecuteOptions}. */
export const EXECUTE_OPTIONS: OptionNames<ExecuteOptions> = {
  outputs: true,
  onOutput: true,
  onLateOutput: true,
  signal: true,
  timeout: true,
  label: true,
  silent: true,
  onInput: true,
};

/** How a test of a cell ended. */
export interface CellTest {
  /** The name of the test. */
  name: string;
  /** Set if it failed. */
  error?: CellError;
  /** Wall time. */
  seconds: number;
}

/** The result of a cell. */
export interface ExecuteResult {
  /**
   * `"error"`: it threw. `"stopped"` and `"timeout"`: it was stopped. `"died"`: the kernel ended;
   * the next cell starts a new one.
   */
  status: "ok" | "error" | "stopped" | "timeout" | "died";
  /** The execution count; null if the cell was not sent. */
  executionCount: number | null;
  /** All outputs, the error last. */
  outputs: Output[];
  /** The facts that library code recorded for the manifest. */
  provenance: ProvenanceEntry[];
  /** Set unless the status is `"ok"`. */
  error?: CellError;
  /** The tests that the cell and what it imports have registered with `Deno.test`, in order. */
  tests?: CellTest[];
  /** Wall time. */
  seconds: number;
}
