// Progress on standard error: a bar that is drawn over in a terminal, plain lines elsewhere.

import { printable } from "./printable.ts";

/** A piece of long work that tells how far it is. */
export interface Progress {
  /**
   * Tells how far the work is.
   *
   * @param done Units done, of the total.
   * @param detail What to say beside it, one line.
   */
  update(done: number, detail?: string): void;
  /** Ends it; in a terminal the bar goes and, where one is given, a last line stays. */
  finish(detail?: string): void;
}

/** How to show progress. */
export interface ProgressOptions {
  /** Whether the output is a terminal; standard error is asked where not said. */
  terminal?: boolean;
  /** The terminal's width in columns; asked for where not said. */
  columns?: number;
  /** Where to write; standard error where not said. */
  write?: (text: string) => void;
  /** The least time between two plain lines, in milliseconds; 2000 where not said. */
  interval?: number;
}

const BAR_WIDTH = 20;
/** A terminal is drawn at most this often, in milliseconds. */
const REDRAW = 60;

/**
 * Begins to show progress.
 *
 * @param label What is being done.
 * @param total How many units there are; undefined where nobody knows.
 * @param options Where and how.
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
    let text = `${label} `;
    if (total !== undefined) {
      const full = Math.round(BAR_WIDTH * Math.min(1, total === 0 ? 1 : done / total));
      text += `${"█".repeat(full)}${"░".repeat(BAR_WIDTH - full)} `;
    }
    text += `${count(done, total)} ${detail}`;
    write(`\r${clip(text, columns ?? terminalColumns())}\x1b[K`);
  };
  return {
    update(done, detail = "") {
      state = [done, oneLine(detail)];
      if (performance.now() - drawn >= REDRAW || done === total) draw();
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
      line = `${label} ${count(done, total)} ${oneLine(detail)}`.trimEnd();
      const wait = written + interval - performance.now();
      if (wait <= 0 || done === total) flush();
      else if (timer === undefined) {
        // What is told too soon is written later, unless something newer is: work that then takes
        // long would stay unsaid.
        timer = startTimer(flush, wait);
      }
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

const count = (done: number, total?: number) =>
  total === undefined ? `${done}` : `${done}/${total}`;

/** The last line of a text, without what would move a terminal's cursor. */
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
    // A terminal that does not know its size says 0.
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}

const encoder = new TextEncoder();

function writeToStderr(text: string) {
  const bytes = encoder.encode(text);
  for (let done = 0; done < bytes.length;) done += Deno.stderr.writeSync(bytes.subarray(done));
}
