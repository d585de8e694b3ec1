/** Two models' answers evaluated side by side: every metric with intervals, by category, and by a judge. */
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { type BootstrapResult, pairedBootstrap } from "./bootstrap.ts";
import { compareResponses, type Comparison } from "./compare.ts";
import { type Judge, type JudgeOptions, type JudgeReport, judgeResponses } from "./judge.ts";
import { judgePairs, type PairReport } from "./judges/pairwise.ts";
import type { ResponseEntry } from "./responses.ts";
import { type MetricScore, scoreMetrics } from "./score_metrics.ts";

/** What is evaluated, and how. */
export interface EvaluateAnswersOptions extends Pick<JudgeOptions, "signal"> {
  /** The metrics' names. `rougeL`, `chrf` and `exactMatch` by default. */
  readonly metrics?: readonly string[];
  /** A judge, which scores all answers and compares them in pairs. None by default. */
  readonly judge?: Judge;
  /** Called as the judge's questions are answered. */
  readonly onProgress?: (done: number, total: number) => void;
}

const NAMES: OptionNames<EvaluateAnswersOptions> = {
  metrics: true,
  judge: true,
  signal: true,
  onProgress: true,
};

/** The scores of one category. */
export interface CategoryScores {
  /** The category: an entry's `category`, otherwise its `topic`. */
  readonly category: string;
  /** How many entries it has. */
  readonly examples: number;
  /** The base's scores by metric. */
  readonly base: Readonly<Record<string, MetricScore>>;
  /** The model's. */
  readonly model: Readonly<Record<string, MetricScore>>;
}

/** What a judge made of both models. */
export interface JudgedModels {
  /** The base's scores. */
  readonly base: JudgeReport;
  /** The model's. */
  readonly model: JudgeReport;
  /** The difference of the mean scores on the entries for which both have one; `null` if there are none. */
  readonly difference: Omit<BootstrapResult, "differences"> | null;
  /** Which answers are better, in both orders. */
  readonly pairs: PairReport;
}

/** The result of {@linkcode evaluateAnswers}. */
export interface EvaluationReport {
  /** What the models are called. */
  readonly names: { readonly base: string; readonly model: string };
  /** How many entries there are. */
  readonly examples: number;
  /** The base's scores by metric, each with interval and signature. */
  readonly base: Readonly<Record<string, MetricScore>>;
  /** The model's. */
  readonly model: Readonly<Record<string, MetricScore>>;
  /** The comparison by each metric: `a` is the base, `b` the model. */
  readonly comparisons: readonly Comparison[];
  /** The scores by category, if entries have one. */
  readonly categories: readonly CategoryScores[];
  /** What the judge said, if there is one. */
  readonly judged?: JudgedModels;
  /** Each question with the reference and both answers. */
  readonly answers: readonly {
    readonly instruction: string;
    readonly input: string;
    readonly reference: string;
    readonly base: string;
    readonly model: string;
    readonly category?: string;
  }[];
}

/**
 * Evaluates a model beside its base on the same questions.
 *
 * @param base The base's name, and entries with its answers.
 * @param model The model's name, and the same entries with its answers.
 * @param options Metrics and judge.
 * @returns Scores, comparisons, categories, and the answers side by side.
 * @throws {RangeError} If the entries are not the same, there are none, or a metric is unknown.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { evaluateAnswers } from "tunebook/eval";
 *
 * const answered = (model_response: string) => [
 *   { instruction: "Name a colour.", input: "", output: "Blue.", model_response, category: "art" },
 * ];
 * const { comparisons, categories } = await evaluateAnswers(
 *   { name: "base", responses: answered("A car.") },
 *   { name: "tuned", responses: answered("Blue.") },
 * );
 * assertEquals([comparisons.length, categories[0].category], [3, "art"]);
 * ```
 */
export async function evaluateAnswers(
  base: { name: string; responses: readonly ResponseEntry[] },
  model: { name: string; responses: readonly ResponseEntry[] },
  options: EvaluateAnswersOptions = {},
): Promise<EvaluationReport> {
  assertKnownOptions("evaluate answers", options, NAMES);
  const { metrics = ["rougeL", "chrf", "exactMatch"], judge } = options;
  const comparisons = compareResponses(base.responses, model.responses, metrics);
  return {
    names: { base: base.name, model: model.name },
    examples: base.responses.length,
    base: scoreMetrics(base.responses, metrics),
    model: scoreMetrics(model.responses, metrics),
    comparisons,
    categories: byCategory(base.responses, model.responses, metrics),
    ...(judge && { judged: await judgeBoth(base.responses, model.responses, judge, options) }),
    answers: base.responses.map((entry, i) => ({
      instruction: entry.instruction,
      input: entry.input,
      reference: entry.output,
      base: entry.model_response,
      model: model.responses[i].model_response,
      ...(categoryOf(entry) !== undefined && { category: categoryOf(entry) }),
    })),
  };
}

const categoryOf = ({ category, topic }: ResponseEntry) => category ?? topic;

function byCategory(
  base: readonly ResponseEntry[],
  model: readonly ResponseEntry[],
  metrics: readonly string[],
): CategoryScores[] {
  const places = Map.groupBy(base.keys(), (i) => categoryOf(base[i]));
  return [...places].flatMap(([category, at]) =>
    category === undefined ? [] : {
      category,
      examples: at.length,
      base: scoreMetrics(at.map((i) => base[i]), metrics),
      model: scoreMetrics(at.map((i) => model[i]), metrics),
    }
  );
}

async function judgeBoth(
  base: readonly ResponseEntry[],
  model: readonly ResponseEntry[],
  judge: Judge,
  { signal, onProgress }: EvaluateAnswersOptions,
): Promise<JudgedModels> {
  let done = 0;
  const onOutcome = () => onProgress?.(++done, 3 * base.length);
  const asking = { ...(signal && { signal }), onOutcome };
  const reports = {
    base: await judgeResponses(base, judge, asking),
    model: await judgeResponses(model, judge, asking),
  };
  const both = reports.base.outcomes.flatMap((one, i) => {
    const other = reports.model.outcomes[i];
    return one.status === "scored" && other.status === "scored" ? [[one.score, other.score]] : [];
  });
  const { differences: _, ...difference } = both.length === 0
    ? { differences: null }
    : pairedBootstrap(both.map(([a]) => a), both.map(([, b]) => b));
  return {
    ...reports,
    difference: "pairs" in difference ? difference : null,
    pairs: await judgePairs(base, model, judge, asking),
  };
}
