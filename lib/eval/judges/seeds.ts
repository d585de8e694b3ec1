/** The same judge with several seeds: how much of a score is the draw. */
import { type Judge, type JudgeOptions, type JudgeReport, judgeResponses } from "../judge.ts";
import type { ResponseEntry } from "../responses.ts";

/** The scores by several seeds. */
export interface SeededReport {
  /** The mean over the seeds' averages; `null` if none has a score. */
  readonly average: number | null;
  /** The standard deviation of the seeds' averages: what another seed changes. `null` with fewer than two. */
  readonly spread: number | null;
  /** The mean over responses of the standard deviation of their scores by the seeds. */
  readonly eachSpread: number | null;
  /** Each seed's report. */
  readonly reports: readonly (JudgeReport & { readonly seed: number })[];
}

/**
 * Judges responses with several seeds. At temperature 0 most judges say the same each time; a temperature above 0 shows how
 * sure they are.
 *
 * @param entries Entries with a model's responses.
 * @param judgeOf Makes the judge of a seed.
 * @param seeds The seeds.
 * @param options Question, stopping and progress, as for {@linkcode judgeResponses}.
 * @returns The mean and the spread.
 * @throws {RangeError} If no seed is given.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { judgeWithSeeds } from "tunebook/eval";
 *
 * const judgeOf = (seed: number) => ({
 *   name: "moody",
 *   settings: { seed },
 *   ask: () => Promise.resolve({ reply: `${50 + seed}`, cut: false }),
 * });
 * const answered = [{ instruction: "Name a colour.", input: "", output: "Blue.", model_response: "Red." }];
 * const { average, spread } = await judgeWithSeeds(answered, judgeOf, [1, 2, 3]);
 * assertEquals([average, spread], [52, 1]);
 * ```
 */
export async function judgeWithSeeds(
  entries: readonly ResponseEntry[],
  judgeOf: (seed: number) => Judge,
  seeds: readonly number[],
  options: JudgeOptions = {},
): Promise<SeededReport> {
  if (seeds.length === 0) {
    throw new RangeError("Cannot judge without a seed: expected at least one");
  }
  const reports: (JudgeReport & { seed: number })[] = [];
  for (const seed of seeds) {
    reports.push({ ...await judgeResponses(entries, judgeOf(seed), options), seed });
  }
  const averages = reports.flatMap(({ average }) => average ?? []);
  const deviations = entries.flatMap((_, i) => {
    const scores = reports.flatMap(({ outcomes }) => {
      const outcome = outcomes[i];
      return outcome.status === "scored" ? outcome.score : [];
    });
    return deviation(scores) ?? [];
  });
  return {
    average: mean(averages),
    spread: deviation(averages),
    eachSpread: mean(deviations),
    reports,
  };
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function deviation(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const middle = mean(values)!;
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}
