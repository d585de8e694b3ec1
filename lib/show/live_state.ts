// The state of a training run: progress, speed, time left.

import type { StepRecord } from "./step_record.ts";
import { formatNumber } from "./theme.ts";

/** Measures the speed over the last steps, including pauses for evaluation. */
export class TrainingClock {
  readonly #now: () => number;
  readonly #started: number;
  /** Time and totals at recent steps, and at the start. */
  #marks: { at: number; steps: number; tokens: number }[];
  #steps = 0;
  #tokens = 0;

  /** @param now The clock, in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
    this.#started = now();
    this.#marks = [{ at: this.#started, steps: 0, tokens: 0 }];
  }

  /** @param record A step that has just ended. */
  step(record: StepRecord): void {
    this.#steps++;
    this.#tokens += record.tokensComputed ?? 0;
    // The view may have been opened long before the training began, so the time starts with the
    // first step.
    if (this.#steps === 1 && record.seconds !== undefined && record.seconds >= 0) {
      this.#marks[0].at = Math.max(this.#started, this.#now() - 1000 * record.seconds);
    }
    this.#marks.push({ at: this.#now(), steps: this.#steps, tokens: this.#tokens });
    if (this.#marks.length > 51) this.#marks.shift();
  }

  /** @returns Seconds since the start. */
  get elapsed(): number {
    return (this.#now() - this.#started) / 1000;
  }

  /** @returns Steps and tokens per second over the last 50 steps; undefined before the first. */
  get speed(): { steps: number; tokens: number } | undefined {
    const [first, last] = [this.#marks[0], this.#marks[this.#marks.length - 1]];
    const seconds = (last.at - first.at) / 1000;
    if (!(seconds > 0)) return undefined;
    return {
      steps: (last.steps - first.steps) / seconds,
      tokens: (last.tokens - first.tokens) / seconds,
    };
  }
}

/** A training run in words. */
export interface RunDescription {
  /** From 0 to 1; undefined if the number of steps is not known. */
  fraction: number | undefined;
  /** Label and value of each number that does not depend on the machine. */
  facts: [label: string, value: string][];
  /** Label and value of each number that depends on time. */
  timings: [label: string, value: string][];
  /** Whether the last loss is not a number. */
  broken: boolean;
  /** One line for a terminal or a log. */
  line: string;
  /** One sentence without timings, so that it is the same in every run. */
  sentence: string;
}

/**
 * Describes the state of a run.
 *
 * @param history Steps so far.
 * @param clock The clock that measured them.
 * @param options Whether the run has ended.
 * @returns Facts, timings, a line and a sentence.
 */
export function describeRun(
  history: readonly StepRecord[],
  clock: TrainingClock,
  options: { finished: boolean },
): RunDescription {
  const last = history.at(-1);
  if (!last) {
    const sentence = options.finished ? "No training step was made." : "Training starts.";
    return { fraction: undefined, facts: [], timings: [], broken: false, line: sentence, sentence };
  }
  const total = last.totalSteps;
  const step = formatNumber(last.step) + (total ? `/${formatNumber(total)}` : "");
  const validation = history.findLast(({ evaluation }) => evaluation?.validationLoss !== undefined)
    ?.evaluation?.validationLoss;
  const facts: [string, string][] = [["step", step], ["loss", loss(last.loss)]];
  if (typeof validation === "number") facts.push(["validation loss", loss(validation)]);
  if (last.learningRate !== undefined) {
    facts.push(["learning rate", formatNumber(last.learningRate)]);
  }
  if (last.gradientNorm !== undefined) {
    facts.push(["gradient norm", formatNumber(last.gradientNorm)]);
  }

  const timings: [string, string][] = [];
  const speed = clock.speed;
  if (speed && speed.tokens > 0) timings.push(["tokens/s", formatNumber(Math.round(speed.tokens))]);
  if (options.finished) timings.push(["took", duration(clock.elapsed)]);
  else if (speed && total && total > last.step) {
    timings.push(["time left", duration((total - last.step) / speed.steps)]);
  }
  const broken = !Number.isFinite(last.loss);
  const fraction = total ? Math.min(1, last.step / total) : undefined;
  const percent = fraction === undefined ? "" : ` (${Math.floor(100 * fraction)} %)`;
  const inLine = [...facts.slice(1), ...timings].map(([label, value]) =>
    label === "tokens/s"
      ? `${value} tokens/s`
      : label === "time left"
      ? `${value} left`
      : `${label} ${value}`
  );
  const warning = broken ? " — the loss is not a number" : "";
  const ended = total !== undefined && last.step < total ? "stopped" : "ended";
  return {
    fraction,
    facts,
    timings,
    broken,
    line: [`step ${step}${percent}`, ...inLine].join("  ") + warning,
    sentence: `Training ${options.finished ? ended : "is"} at step ${step}${warning}: ${
      facts.slice(1, 3).filter(([label]) => label.includes("loss"))
        .map(([label, value]) => `${label} ${value}`).join(", ")
    }.`,
  };
}

const loss = (value: number) => Number.isFinite(value) ? value.toFixed(4) : String(value);

/**
 * Formats a duration for people.
 *
 * @param seconds The duration.
 * @returns For example `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`.
 */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return "unknown";
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}
