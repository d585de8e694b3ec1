/**
 * Evaluation: scores against references, and a language model as judge.
 *
 * @module
 */

export { type BootstrapOptions, type BootstrapResult, pairedBootstrap } from "./bootstrap.ts";
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
export { rougeL, type RougeScore } from "./rouge.ts";
export { exactMatch, type ResponseScores, scoreResponses } from "./scores.ts";
export {
  checkTrust,
  judgeScorer,
  rougeScorer,
  type Scorer,
  shuffledAnswers,
  type ShuffleOptions,
  type TrustPart,
  type TrustReport,
} from "./trust.ts";
