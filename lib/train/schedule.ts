/**
 * How the learning rate changes from step to step.
 *
 * The arithmetic is that of transformers' `get_constant_schedule_with_warmup`, `get_linear_schedule_with_warmup` and
 * `get_cosine_schedule_with_warmup`.
 *
 * @module
 */

import { SCHEDULE_DEFAULTS } from "./defaults.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

/**
 * A schedule: after the warm-up the rate is constant, decreases linearly, or follows half a cosine
 * wave.
 */
export type Schedule = "constant" | "linear" | "cosine";

/**
 * A schedule of one's own: the factor of the learning rate in each step, like the function that PyTorch's `LambdaLR` takes.
 * The step counts from 1, and includes those of the warm-up.
 */
export type ScheduleFunction = (step: number, totalSteps: number) => number;

/** The schedules by name. */
export const SCHEDULES: readonly Schedule[] = ["constant", "linear", "cosine"];

/** Options of {@linkcode learningRateAt}. */
export interface ScheduleOptions {
  /** The highest rate. 5e-5 by default. */
  readonly learningRate?: number;
  /**
   * How the rate changes after the warm-up; `constant` by default. A function returns the factor of the rate in each step;
   * checkpoints record the rates of all steps, since they cannot record the function.
   */
  readonly schedule?: Schedule | ScheduleFunction;
  /**
   * Steps over which the rate increases linearly from 0, the rate of the first step. A value below
   * 1 is a fraction of all steps, rounded up. None by default.
   */
  readonly warmup?: number;
  /** The final rate of `linear` and `cosine`. 0 by default. The warm-up always starts at 0. */
  readonly minLearningRate?: number;
}

/** The names of {@linkcode ScheduleOptions}. */
export const SCHEDULE_OPTIONS: OptionNames<ScheduleOptions> = {
  learningRate: true,
  schedule: true,
  warmup: true,
  minLearningRate: true,
};

/**
 * The learning rate of a step.
 *
 * @param step The step's number, from 1.
 * @param totalSteps The number of steps; `linear` and `cosine` would reach their final rate one
 * step after the last.
 * @param options Rate, schedule, warm-up.
 * @returns The rate: with p from 0 at the warm-up's end to 1 at the last, `min + (rate − min) · (1 − p)` for `linear`
 * and `min + (rate − min) · ½ (1 + cos πp)` for `cosine`.
 * @throws {RangeError} If a function of one's own returns something else than a number of 0 or more.
 *
 * @example Half of a cosine, after two steps of warm-up
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { learningRateAt } from "tunebook";
 *
 * const options = { learningRate: 1, schedule: "cosine", warmup: 2 } as const;
 * const rates = [1, 2, 3, 4, 5, 6].map((step) => learningRateAt(step, 6, options));
 * [0, 0.5, 1, 0.8536, 0.5, 0.1464].forEach((rate, i) => assertAlmostEquals(rates[i], rate, 1e-4));
 * ```
 */
export function learningRateAt(
  step: number,
  totalSteps: number,
  options: ScheduleOptions = {},
): number {
  assertKnownOptions("schedule the learning rate", options, SCHEDULE_OPTIONS);
  const {
    learningRate = SCHEDULE_DEFAULTS.learningRate,
    schedule = SCHEDULE_DEFAULTS.schedule,
    warmup = SCHEDULE_DEFAULTS.warmup,
    minLearningRate = SCHEDULE_DEFAULTS.minLearningRate,
  } = options;
  return scheduledRate(step, totalSteps, { learningRate, schedule, warmup, minLearningRate });
}

/** {@linkcode learningRateAt} with all settings given. */
export function scheduledRate(
  step: number,
  totalSteps: number,
  { learningRate, schedule, warmup, minLearningRate }: Required<ScheduleOptions>,
): number {
  const taken = step - 1;
  const rising = warmupSteps({ warmup }, totalSteps);
  if (taken < rising) return learningRate * (taken / rising);
  if (typeof schedule === "function") {
    return learningRate * assertFactor(schedule(step, totalSteps), step);
  }
  if (schedule === "constant") return learningRate;
  const progress = Math.min(1, (taken - rising) / Math.max(1, totalSteps - rising));
  const factor = schedule === "linear" ? 1 - progress : 0.5 * (1 + Math.cos(Math.PI * progress));
  return minLearningRate + (learningRate - minLearningRate) * factor;
}

function assertFactor(factor: unknown, step: number): number {
  if (typeof factor === "number" && factor >= 0 && factor < Infinity) return factor;
  throw new RangeError(
    `Cannot schedule the learning rate of step ${step}: the function returned ${factor}, ` +
      "expected a factor of 0 or more",
  );
}

/**
 * The rates of all steps.
 *
 * @param totalSteps The number of steps.
 * @param options Rate, schedule, warm-up.
 * @returns A rate for each step.
 * @throws {RangeError} If a function of one's own returns something else than a number of 0 or more.
 */
export function allRates(totalSteps: number, options: Required<ScheduleOptions>): Float64Array {
  return Float64Array.from(
    { length: totalSteps },
    (_, at) => scheduledRate(at + 1, totalSteps, options),
  );
}

/**
 * How many steps the warm-up has.
 *
 * @param options The warm-up, in steps or as a fraction.
 * @param totalSteps The number of steps.
 * @returns Whole steps.
 */
export function warmupSteps(
  { warmup }: Pick<Required<ScheduleOptions>, "warmup">,
  totalSteps: number,
): number {
  return warmup < 1 ? Math.ceil(totalSteps * warmup) : Math.floor(warmup);
}
