// Progress on standard error: a bar that is redrawn in a terminal, plain lines elsewhere.

import { printable } from "./printable.ts";

/** Shows the progress of long work. */
export interface Progress {
  /**
   * Updates the progress.
   *
   * @param done Units done.
   * @param detail A detail to show next to it, in one line; what matters most comes first, since a terminal may be narrow.
   */
  update(done: number, detail?: string): void;
  /**
   * Writes a line that stays.
   *
   * @param done Units done.
   * @param line What it says.
   * @param detail What a bar below it shows.
   */
  keep(done: number, line: string, detail?: string): void;
  /** Ends the progress: in a terminal, the bar is removed, and a last line is printed if given. */
  finish(detail?: string): void;
}

/** How to show progress. */
export interface ProgressOptions {
  /** Whether the output is a terminal; by default whether standard error is one. */
  terminal?: boolean;
  /** The terminal's width in columns; detected by default. */
  columns?: number;
  /** Where to write; standard error by default. */
  write?: (text: string) => void;
  /** The least time between two plain lines, in milliseconds; 2000 by default. */
  interval?: number;
}

/** The most columns of a bar. */
const BAR_WIDTH = 20;
/** The least time between two updates of a terminal, in milliseconds. */
const REDRAW = 60;

/**
 * Starts showing progress.
 *
 * @param label The name of the work.
 * @param total The number of units; undefined if unknown.
 * @param options Where and how to show it.
 */
export function progress(label: string, total?: number, options: ProgressOptions = {}): Progress {
  const terminal = options.terminal ?? Deno.stderr.isTerminal();
  const write = options.write ?? writeToStderr;
  return terminal
    ? bar(oneLine(label), total, write, options.columns)
    : lines(oneLine(label), total, write, options.interval ?? 2000);
}

function bar(
  label: string,
  total: number | undefined,
  write: (text: string) => void,
  columns?: number,
): Progress {
  let drawn = -Infinity;
  let state: [number, string] = [0, ""];
  const draw = () => {
    const [done, detail] = state;
    drawn = performance.now();
    const most = columns ?? terminalColumns();
    const text = `${count(done, total)} ${detail}`.trimEnd();
    // Words say more than the bar: it has the columns that they leave.
    const width = Math.min(BAR_WIDTH, most - [...`${label}  ${text}`].length - 1);
    const drawing = total === undefined || width < 1 ? "" : `${barOf(done, total, width)} `;
    write(`\r${clip(`${label} ${drawing}${text}`, most)}\x1b[K`);
  };
  return {
    update(done, detail = "") {
      state = [done, oneLine(detail)];
      if (performance.now() - drawn >= REDRAW || done === total) draw();
    },
    keep(done, line, detail = "") {
      write(`\r\x1b[K${lineOf(label, done, total, line)}\n`);
      state = [done, oneLine(detail)];
      if (done !== total) draw();
    },
    finish(detail) {
      write(`\r\x1b[K${detail === undefined ? "" : `${label} ${oneLine(detail)}\n`}`);
    },
  };
}

function lines(
  label: string,
  total: number | undefined,
  write: (text: string) => void,
  interval: number,
): Progress {
  let written = -Infinity;
  let last = "";
  let line = "";
  let timer: number | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (line === last) return;
    last = line;
    written = performance.now();
    write(`${line}\n`);
  };
  return {
    update(done, detail = "") {
      line = lineOf(label, done, total, detail);
      const wait = written + interval - performance.now();
      if (wait <= 0 || done === total) flush();
      else if (timer === undefined) {
        // An update that comes too soon is written later, unless a newer one replaces it. Otherwise
        // a long pause after it would hide it.
        timer = startTimer(flush, wait);
      }
    },
    keep(done, kept) {
      line = lineOf(label, done, total, kept);
      flush();
    },
    finish(detail) {
      clearTimeout(timer);
      if (detail !== undefined) write(`${label} ${oneLine(detail)}\n`);
    },
  };
}

/** A timer that does not keep the process alive. */
function startTimer(run: () => void, milliseconds: number): number {
  const id = Number(setTimeout(run, milliseconds));
  Deno.unrefTimer(id);
  return id;
}

function barOf(done: number, total: number, width: number): string {
  const full = Math.round(width * Math.min(1, total === 0 ? 1 : done / total));
  return `${"█".repeat(full)}${"░".repeat(width - full)}`;
}

function lineOf(label: string, done: number, total: number | undefined, detail: string): string {
  return `${label} ${count(done, total)} ${oneLine(detail)}`.trimEnd();
}

const count = (done: number, total?: number) =>
  total === undefined ? `${done}` : `${done}/${total}`;

/** The last line of a text, without sequences that move the cursor. */
function oneLine(text: string): string {
  const line = text.trimEnd().split(/[\r\n]/).at(-1)!;
  return printable(line).replaceAll("\t", " ");
}

function clip(text: string, columns: number): string {
  const characters = [...text.trimEnd()];
  return characters.length < columns
    ? characters.join("")
    : `${characters.slice(0, Math.max(1, columns - 2)).join("")}…`;
}

function terminalColumns(): number {
  try {
    // A terminal without a known size reports 0.
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}

const encoder = new TextEncoder();
let muted = false;

/** Shows no more progress in this process, where another one does. */
export function muteProgress(): void {
  muted = true;
}

function writeToStderr(text: string) {
  if (muted) return;
  const bytes = encoder.encode(text);
  for (let done = 0; done < bytes.length;) done += Deno.stderr.writeSync(bytes.subarray(done));
}
