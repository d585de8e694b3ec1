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
export { ollamaJudge, type OllamaJudgeOptions, parseJudge } from "./ollama_judge.ts";
export { cleanResponse, readResponses, type ResponseEntry, writeResponses } from "./responses.ts";
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
