/**
 * Evaluation: a table of metrics against references, and a language model as judge.
 *
 * @module
 */

export { type BootstrapOptions, type BootstrapResult, pairedBootstrap } from "./bootstrap.ts";
export {
  type CompareOptions,
  compareResponses,
  type Comparison,
  describeComparison,
} from "./compare.ts";
export { holm, mcnemar } from "./significance.ts";
export {
  describeJudgement,
  type Judge,
  JudgeError,
  type JudgeOptions,
  judgePrompt,
  type JudgeReport,
  judgeResponses,
  parseScore,
} from "./judge.ts";
export type { JudgeFailure, JudgeOutcome } from "./outcome.ts";
export {
  type CategoryScores,
  evaluateAnswers,
  type EvaluateAnswersOptions,
  type EvaluationReport,
  type JudgedModels,
} from "./evaluation_report.ts";
export {
  type BlindResult,
  blindSheet,
  joinBlindSheet,
  joinRatings,
  parseSheet,
  RATING_COLUMNS,
  ratingSheet,
  type SheetRow,
  writeSheet,
} from "./people.ts";
export { cohenKappa, spearman } from "./agreement.ts";
export { cachedJudge } from "./judges/cached_judge.ts";
export { type JudgeCard, judgeCard, type JudgeCardOptions } from "./judges/card.ts";
export { MT_BENCH_PAIR, MT_BENCH_SINGLE, MT_BENCH_TEMPERATURES } from "./judges/mt_bench.ts";
export { openAiJudge, type OpenAiJudgeOptions } from "./judges/openai_judge.ts";
export {
  judgePairs,
  type PairOptions,
  type PairOutcome,
  type PairQuestion,
  type PairReport,
} from "./judges/pairwise.ts";
export { parseJudge, type ParseJudgeOptions } from "./judges/parse_judge.ts";
export type { JudgeQuestion, ReplyForm } from "./judges/question.ts";
export type { ScoreScale } from "./judges/read_reply.ts";
export { type Criterion, CRITERION_NAMES, criterionQuestion } from "./judges/rubrics.ts";
export { parseTeacher } from "./judges/teacher.ts";
export { judgeWithSeeds, type SeededReport } from "./judges/seeds.ts";
export { ollamaJudge, type OllamaJudgeOptions } from "./ollama_judge.ts";
export { cleanResponse, readResponses, type ResponseEntry, writeResponses } from "./responses.ts";
export { blockListFilter, parseBlockList } from "./filters/block_list.ts";
export { type DomainFilter, domainFilter, type DomainOptions } from "./filters/domain.ts";
export type { FilteredSide, FilterFinding, FilterKind, TextFilter } from "./filters/filter.ts";
export { type CheckedText, checkText, type FilterRule, FILTERS } from "./filters/mod.ts";
export { personalDataFilter } from "./filters/personal_data.ts";
export { exactMatch } from "./metrics/exact_match.ts";
export type { Answered, Measure, Metric } from "./metrics/metric.ts";
export { METRICS } from "./metrics/mod.ts";
export { rougeL, type RougeOptions, type RougeScore } from "./rouge.ts";
export { type MetricScore, scoreMetrics, type ScoreMetricsOptions } from "./score_metrics.ts";
export { type ResponseScores, scoreResponses } from "./scores.ts";
export {
  checkTrust,
  judgeScorer,
  metricScorer,
  rougeScorer,
  type Scorer,
  shuffledAnswers,
  type ShuffleOptions,
  type TrustPart,
  type TrustReport,
} from "./trust.ts";
