// An updating output for a training run: progress, numbers and the loss curve.

import { describeRun, TrainingClock } from "./live_state.ts";
import type { StepRecord } from "./step_record.ts";
import { type JupyterChannel, jupyterChannel, UpdatingDisplay } from "./jupyter.ts";
import { lossCurve } from "./loss_curve.ts";
import { plotlyMimeType } from "./figure.ts";
import { statusHtml } from "./progress_html.ts";
import { Throttle } from "./throttle.ts";
import type { MimeBundle } from "./view.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

/** Options of a live training view. */
export interface LiveTrainingOptions {
  /** The title above the curve. */
  title?: string;
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

/** The names of {@linkcode LiveTrainingOptions}. */
export const LIVE_TRAINING_OPTIONS: OptionNames<LiveTrainingOptions> = {
  title: true,
  updatesPerSecond: true,
  secondsPerLine: true,
  channel: true,
  print: true,
  now: true,
};

/** A live view of one training run; see {@linkcode liveTraining}. */
export class LiveTraining {
  /** All steps so far. */
  readonly history: StepRecord[] = [];
  readonly #title: string | undefined;
  readonly #display: UpdatingDisplay | undefined;
  readonly #throttle: Throttle;
  readonly #print: (line: string) => void;
  readonly #clock: TrainingClock;
  #printed = -1;
  #finished = false;

  /**
   * Opens a live view.
   *
   * @param options Title and pace.
   */
  constructor(options: LiveTrainingOptions = {}) {
    assertKnownOptions("show a training", options, LIVE_TRAINING_OPTIONS);
    const channel = options.channel === null ? undefined : options.channel ?? jupyterChannel();
    const now = options.now ?? (() => performance.now());
    this.#title = options.title;
    this.#display = channel && new UpdatingDisplay(channel);
    this.#print = options.print ?? ((line) => console.log(line));
    this.#clock = new TrainingClock(now);
    const gap = channel
      ? 1000 / (options.updatesPerSecond ?? 4)
      : 1000 * (options.secondsPerLine ?? 5);
    this.#throttle = new Throttle(() => this.#draw(), {
      gap,
      now,
      trailing: channel !== undefined,
    });
  }

  /**
   * Adds one step. Most calls only store it, which is cheap.
   *
   * @param record The step's report.
   */
  step(record: StepRecord): void {
    this.#finished = false;
    this.history.push({ ...record });
    this.#clock.step(record);
    this.#throttle.call();
  }

  /**
   * Shows the final state, which remains as a complete output: progress, numbers, and the curve as
   * a Plotly figure. More steps may follow.
   *
   * @returns A promise that settles when the output has been sent.
   */
  async finish(): Promise<void> {
    this.#throttle.cancel();
    if (this.#finished) return;
    this.#finished = true;
    if (!this.#display) return this.#line();
    const { bundle } = lossCurve(this.history, this.#curveOptions());
    await this.#display.show({
      [plotlyMimeType]: bundle[plotlyMimeType],
      "text/html": `<div class="tb-training">${this.#status()}${bundle["text/html"]}</div>`,
      "text/plain": `${this.#sentence()} ${bundle["text/plain"]}`,
    });
  }

  /**
   * Passes steps through and shows them. The final state is shown however the loop ends: normally,
   * by `break`, by an error or by a stop.
   *
   * @param steps The steps of a training loop.
   * @returns The same steps.
   */
  async *watch<T extends StepRecord>(
    steps: AsyncIterable<T> | Iterable<T>,
  ): AsyncGenerator<T, void> {
    try {
      for await (const step of steps) {
        this.step(step);
        yield step;
      }
    } finally {
      await this.finish();
    }
  }

  /** For `await using live = liveTraining()`, which finishes automatically. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.finish();
  }

  #draw(): void {
    if (!this.#display) return this.#line();
    // While it is updated several times per second, it has no script and no second copy of the
    // data.
    const { bundle } = lossCurve(this.history, this.#curveOptions());
    const html = bundle["text/html"]!.replace(/<script[\s\S]*$/, "</div>");
    const update: MimeBundle = {
      "text/html": `<div class="tb-training">${this.#status()}${html}</div>`,
      "text/plain": this.#sentence(),
    };
    void this.#display.show(update);
  }

  #line(): void {
    if (this.history.length === 0 || this.#printed === this.history.length) return;
    this.#printed = this.history.length;
    this.#print(describeRun(this.history, this.#clock, { finished: this.#finished }).line);
  }

  #sentence(): string {
    return describeRun(this.history, this.#clock, { finished: this.#finished }).sentence;
  }

  #status(): string {
    const run = describeRun(this.history, this.#clock, { finished: this.#finished });
    return statusHtml({ ...run, finished: this.#finished });
  }

  #curveOptions() {
    const total = this.history.at(-1)?.totalSteps;
    return {
      ...(this.#title ? { title: this.#title } : {}),
      ...(total && !this.#finished ? { totalSteps: total } : {}),
    };
  }
}

/**
 * Opens a live view of a training run: progress bar, step, loss, tokens per second, time left and
 * the loss curve, in one output that updates in place. Outside Jupyter it prints plain lines.
 *
 * @param options Title and pace.
 * @returns The view; add steps with `step()` and close it with `finish()`, or let `watch()` do
 * both.
 *
 * @example
 * ```ts
 * import { liveTraining } from "tunebook/show";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const lines: string[] = [];
 * const live = liveTraining({ print: (line) => lines.push(line) });
 * for await (const _step of live.watch([{ step: 1, totalSteps: 1, loss: 2.5 }])) { // train
 * }
 * assertStringIncludes(lines[0], "step 1/1");
 * ```
 */
export function liveTraining(options: LiveTrainingOptions = {}): LiveTraining {
  return new LiveTraining(options);
}
