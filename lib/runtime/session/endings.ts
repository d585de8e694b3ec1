// Messages for cells that were stopped, failed, or lost their kernel.

import { type CellError, describeError, type SentCell } from "../cell_error.ts";
import type { KernelExit } from "../kernel.ts";
import type { Message } from "../messages.ts";
import { type PreludeMessage, STOPPED } from "../prelude.ts";
import type { CellTest } from "./types.ts";

/** The error of a cell that was stopped, its state kept. */
export function stopError(
  status: "stopped" | "timeout",
  label: string,
  seconds?: number,
): CellError {
  const name = status === "timeout" ? "TimeoutError" : STOPPED;
  const message = status === "timeout"
    ? `${capitalize(label)} ran longer than its limit of ${seconds} s and was stopped`
    : `${capitalize(label)} was stopped`;
  const kept = "What cells have defined so far is kept";
  return { name, message, traceback: [`${name}: ${message}`, kept] };
}

/**
 * The error of a cell whose reply says that it failed.
 *
 * @param reply The kernel's reply.
 * @param end The prelude's report of the same error.
 * @param cell The cell.
 * @param sent All cells that were sent.
 */
export async function replyError(
  reply: Message,
  end: PreludeMessage,
  cell: SentCell,
  sent: readonly SentCell[],
): Promise<CellError> {
  const { ename, evalue, traceback } = reply.content;
  const told = end.type === "end" ? end.error : undefined;
  if (evalue === "Execution failed" && traceback?.length === 0) {
    const message = `Deno cannot compile ${cell.label}`;
    return { name: "SyntaxError", message, traceback: [`SyntaxError: ${message}`] };
  }
  // The prelude's report is more complete, but may be of another error if user code formats stacks
  // itself.
  const same = told !== undefined && (told.message === evalue || told.name === "Uncaught");
  const stack = (traceback as string[]).join("\n");
  return await describeError(
    same ? { ...told, stack: told.stack || stack } : {
      name: ename,
      message: evalue,
      stack,
      causes: [],
    },
    cell,
    sent,
  );
}

/** How a kernel ended. */
export interface KernelEnd {
  exit: KernelExit;
  /** The code of the `Deno.exit()` that a cell has called. */
  exitCode?: number;
  /** Whether the session was closed. */
  closed: boolean;
  /** The cell that was being stopped, and why. */
  stopping?: { label: string; cause: "stopped" | "timeout" };
  /** The output limit of cells in bytes, if they exceeded it. */
  flooded?: number;
  /** Whether the kernel was in a sandbox, which kills it where it has too much memory. */
  sandboxed: boolean;
  /** `"in cell 3"` or `"before cell 3"`. */
  where: string;
  /** Names whose values are lost. */
  names: string[];
}

/** The message for a kernel that has ended. */
export function kernelEndError(end: KernelEnd): CellError {
  const { exit, where, stopping } = end;
  const lost = end.names.length === 0 ? "" : `; lost: ${listNames(end.names)}`;
  let message: string;
  if (end.flooded !== undefined) {
    const most = `${Math.round(end.flooded / 2 ** 20)} MiB`;
    message =
      `The notebook wrote more than ${most} of output and was stopped; later output is left out`;
  } else if (end.closed) message = `The session was closed ${where}`;
  else if (stopping !== undefined) {
    const why = stopping.cause === "timeout" ? " after its time limit" : "";
    message = `${capitalize(stopping.label)} could not be stopped${why}, ` +
      `so the kernel was ended${lost}`;
  } else if (end.sandboxed && (exit.signal === "SIGKILL" || exit.code === 128 + 9)) {
    message = `The kernel was killed ${where}, as it is where it runs out of memory${lost}`;
  } else if (/out of memory|OOM/i.test(exit.stderr)) {
    message = `The kernel ran out of memory ${where}${lost}`;
  } else if (exit.stderr.includes("\nDeno has panicked.")) {
    const place = /panicked at ([^\s:]+:\d+)/.exec(exit.stderr)?.[1];
    message = `Deno crashed ${where} by a fault of its own${place ? `, in ${place}` : ""}${lost}`;
  } else if (end.exitCode !== undefined) {
    message = `The kernel was ended by Deno.exit(${end.exitCode}) ${where}${lost}`;
  } else {
    const how = exit.signal !== null ? `signal ${exit.signal}` : `exit code ${exit.code}`;
    message = `The kernel was ended by ${how} ${where}${lost}`;
  }
  const name = end.flooded !== undefined
    ? "OutputLimit"
    : stopping?.cause === "timeout"
    ? "TimeoutError"
    : "KernelDied";
  return { name, message, traceback: [`${name}: ${message}`] };
}

function listNames(names: string[]): string {
  const shown = names.slice(0, 12);
  return shown.join(", ") + (names.length > shown.length ? ` and ${names.length - 12} more` : "");
}

function capitalize(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}

/**
 * Describes the tests of a cell.
 *
 * @param end The prelude's report at the cell's end.
 * @param cell The cell.
 * @param sent All cells that were sent.
 */
export async function describeTests(
  end: PreludeMessage,
  cell: SentCell,
  sent: readonly SentCell[],
): Promise<CellTest[]> {
  const tests = end.type === "end" ? end.tests ?? [] : [];
  return await Promise.all(tests.map(async ({ name, error, seconds }) => ({
    name,
    seconds,
    ...error && { error: await describeError(error, cell, sent) },
  })));
}

/** The error of a cell with failed tests. */
export function testError(tests: readonly CellTest[]): CellError {
  const failed = tests.filter((test) => test.error !== undefined);
  const names = failed.map(({ name }) => `"${name}"`).join(", ");
  const message = `${failed.length} of ${tests.length} tests failed: ${names}`;
  const { line } = failed[0].error!;
  const traceback = failed.flatMap(({ name, error }) => [`${name}:`, ...error!.traceback]);
  return { name: "TestError", message, line, traceback: [`TestError: ${message}`, ...traceback] };
}
