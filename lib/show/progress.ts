// A progress bar for any long work in a notebook.

import { type JupyterChannel, jupyterChannel, UpdatingDisplay } from "./jupyter.ts";
import { duration } from "./live_state.ts";
import { statusHtml } from "./progress_html.ts";
import { formatNumber } from "./theme.ts";
import { Throttle } from "./throttle.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

/** Options of a progress bar. */
export interface ProgressOptions {
  /** The unit, such as `"examples"`. */
  unit?: string;
  /** The most updates per second in a notebook, 4 by default. */
  updatesPerSecond?: number;
  /** Outside Jupyter: the least time between two printed lines in seconds, 5 by default. */
  secondsPerLine?: number;
  /** The kernel's output channel; detected by default. Null prints lines even inside a kernel. */
  channel?: JupyterChannel | null;
  /** Prints lines outside Jupyter; `console.log` by default. */
  print?: (line: string) => void;
  /** The clock, in milliseconds; `performance.now` by default. */
  now?: () => number;
}

/** The names of {@linkcode ProgressOptions}. */
export const PROGRESS_OPTIONS: OptionNames<ProgressOptions> = {
  unit: true,
  updatesPerSecond: true,
  secondsPerLine: true,
  channel: true,
  print: true,
  now: true,
};

/** A progress bar; see {@linkcode progress}. */
export class Progress {
  readonly #label: string;
  readonly #total: number | undefined;
  readonly #unit: string;
  readonly #display: UpdatingDisplay | undefined;
  readonly #print: (line: string) => void;
  readonly #throttle: Throttle;
  readonly #now: () => number;
  readonly #started: number;
  #done = 0;
  #note = "";
  #finished = false;

  /**
   * Opens a progress display.
   *
   * @param label The name of the work.
   * @param total The total, if known.
   * @param options Unit and pace.
   */
  constructor(label: string, total: number | undefined, options: ProgressOptions = {}) {
    assertKnownOptions("show progress", options, PROGRESS_OPTIONS);
    const channel = options.channel === null ? undefined : options.channel ?? jupyterChannel();
    this.#now = options.now ?? (() => performance.now());
    this.#started = this.#now();
    this.#label = label;
    this.#total = total;
    this.#unit = options.unit ?? "";
    this.#display = channel && new UpdatingDisplay(channel);
    this.#print = options.print ?? ((line) => console.log(line));
    const gap = channel
      ? 1000 / (options.updatesPerSecond ?? 4)
      : 1000 * (options.secondsPerLine ?? 5);
    this.#throttle = new Throttle(() => this.#draw(), {
      gap,
      now: this.#now,
      trailing: channel !== undefined,
    });
  }

  /** How many are done. */
  get done(): number {
    return this.#done;
  }

  /**
   * Updates the progress.
   *
   * @param done How many are done.
   * @param note A note on the current item.
   */
  update(done: number, note = ""): void {
    this.#done = done;
    this.#note = note;
    this.#finished = false;
    this.#throttle.call();
  }

  /**
   * Advances the progress by one or more.
   *
   * @param by How many more.
   * @param note A note on the current item.
   */
  advance(by = 1, note = ""): void {
    this.update(this.#done + by, note);
  }

  /**
   * Shows the final state.
   *
   * @param note The result.
   * @returns A promise that settles when the output has been sent.
   */
  async finish(note = ""): Promise<void> {
    this.#throttle.cancel();
    if (this.#finished) return;
    this.#finished = true;
    this.#note = note;
    await this.#draw();
  }

  /**
   * Passes items through and counts them. The final state is shown however the loop ends.
   *
   * @param items The items.
   * @returns The same items.
   */
  async *watch<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T, void> {
    try {
      for await (const item of items) {
        yield item;
        this.advance();
      }
    } finally {
      await this.finish();
    }
  }

  /** For `await using bar = progress("…")`, which finishes automatically. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.finish();
  }

  #draw(): Promise<void> {
    const count = formatNumber(this.#done) +
      (this.#total === undefined ? "" : `/${formatNumber(this.#total)}`);
    const amount = this.#unit ? `${count} ${this.#unit}` : count;
    const elapsed = (this.#now() - this.#started) / 1000;
    const left = this.#total === undefined || this.#done === 0
      ? undefined
      : elapsed * (this.#total - this.#done) / this.#done;
    const timing = this.#finished
      ? duration(elapsed)
      : left === undefined
      ? ""
      : `${duration(Math.max(0, left))} left`;
    const sentence = [`${this.#label}: ${amount}`, this.#note].filter(Boolean).join(", ");
    if (!this.#display) {
      this.#print(timing ? `${sentence} (${timing})` : sentence);
      return Promise.resolve();
    }
    const fraction = this.#total ? Math.min(1, this.#done / this.#total) : undefined;
    const html = statusHtml({
      fraction: fraction ?? (this.#finished ? 1 : undefined),
      facts: [["", amount], ...(this.#note ? [["", this.#note] as const] : [])],
      timings: timing ? [["", timing]] : [],
      finished: this.#finished,
      label: this.#label,
    });
    return this.#display.show({ "text/html": html, "text/plain": sentence });
  }
}

/**
 * Opens a progress bar: in a notebook one output that updates in place, elsewhere plain lines.
 *
 * @param label The name of the work.
 * @param total The total, if known.
 * @param options Unit and pace.
 * @returns The bar; `advance()` it and `finish()` it, or let `watch()` do both.
 *
 * @example
 * ```ts
 * import { progress } from "tunebook/show";
 * import { assertEquals } from "@std/assert";
 *
 * const lines: string[] = [];
 * const bar = progress("Reading", 3, { print: (line) => lines.push(line), now: () => 0 });
 * for await (const _ of bar.watch(["a", "b", "c"])) { // work
 * }
 * assertEquals(lines.at(-1), "Reading: 3/3 (0.0 s)");
 * ```
 */
export function progress(label: string, total?: number, options: ProgressOptions = {}): Progress {
  return new Progress(label, total, options);
}
