/**
 * The first hour: what a first notebook imports. Everything else has an entry point of its own: `tunebook/tensor`,
 * `/model`, `/text`, `/data`, `/train`, `/eval`, `/weights`, `/show`, `/course` and `/runtime`; `docs/interface.md` lists
 * them by task.
 *
 * ```ts
 * import { loadEntries, sft, splitEntries } from "tunebook";
 * import * as show from "tunebook/show";
 * ```
 *
 * @module
 */

// One object from a model's name to its answers
export {
  type AnswerEachOptions,
  type AnswerOptions,
  type DpoTrainOptions,
  type EvaluateOptions,
  type EvaluationFacts,
  type Exported,
  type ExportOptions,
  type ExportProof,
  type FinishedAnswer,
  type FormatName,
  type FormatOption,
  type FormatRecord,
  loadModel,
  type LoadModelOptions,
  type LoadProgress,
  Model,
  type ModelAdapter,
  type ModelEvaluation,
  type Question,
  type RecordedScore,
  type SavedModel,
  type SaveOptions,
  type StateDictNames,
  type Taught,
  type TaughtRecord,
  type TrainingAnswers,
  type TrainingFacts,
  type TrainOptions,
} from "./pipeline/mod.ts";

// Data
export {
  collate,
  type DataFile,
  type EncodedExample,
  encodeExample,
  encodeExamples,
  encodePrompt,
  exploreEntries,
  findNearDuplicates,
  forest,
  type ForestBatch,
  type InstructionEntry,
  loadDataset,
  loadEntries,
  orderBatches,
  type PaddedBatch,
  type PreferenceEntry,
  splitEntries,
  totalBatches,
} from "./dataset/mod.ts";
export {
  type ChatMessage,
  formatAlpaca,
  gpt2Tokenizer,
  type Mask,
  openTokenizer,
  parseMask,
  saveTokenizer,
  type Tokenizer,
} from "./text/mod.ts";

// Models
export {
  addLora,
  exportGguf,
  freeze,
  generate,
  Gpt2,
  loadNetwork,
  mergeLora,
  type Network,
  planModel,
  quantize,
  saveNetwork,
  trainableParameters,
} from "./model/mod.ts";
export { type Device, parseDevice, pick, Tensor } from "./tensor/mod.ts";
export { createOllamaModel, resolveModel } from "./weights/mod.ts";

// Training
export { learningRateAt, measureLoss, sft, type SftOptions, type Step } from "./train/mod.ts";

// Evaluation
export {
  cleanResponse,
  describeJudgement,
  judgeResponses,
  pairedBootstrap,
  parseJudge,
  rougeL,
  scoreResponses,
  writeResponses,
} from "./eval/mod.ts";

export { Random } from "./random.ts";
