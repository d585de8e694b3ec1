/**
 * One object from a model's name to its answers: `loadModel`, then `answer`, `stream`, `train`, `evaluate`, `save`,
 * `export`. Notebooks and the command line use it.
 *
 * @module
 */

// Registers how models are stored between runs of a notebook.
import "./restorable.ts";

export type { ModelEvaluation } from "./evaluation.ts";
export type { Exported, ExportOptions } from "./export/options.ts";
export type { ExportProof } from "./proof.ts";
export type { StateDictNames } from "./state_dict.ts";
export { FORMAT_NAMES, type FormatName, type FormatRecord } from "./format.ts";
export { loadModel, type LoadModelOptions, type LoadProgress } from "./load.ts";
export type { Question } from "./entries.ts";
export { Model, type ModelAdapter } from "./model.ts";
export type {
  AnswerEachOptions,
  AnswerOptions,
  DpoTrainOptions,
  EvaluateOptions,
  FinishedAnswer,
  FormatOption,
  TrainOptions,
} from "./model_options.ts";
export {
  type EvaluationFacts,
  readRecord,
  type RecordedScore,
  type Taught,
  type TaughtRecord,
  type TrainingFacts,
} from "./record.ts";
export type { SavedModel, SaveOptions } from "./save.ts";
export type { TrainingAnswers } from "./training_answers.ts";
