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

// Each name comes from its own file: a room's mod.ts would load all of the room, and what `tunebook run --resume` needs to
// keep these values, which is registered here instead.
import "./model/restorable.ts";
import "./pipeline/restorable.ts";

// One object from a model's name to its answers
export type { Question } from "./pipeline/entries.ts";
export type { ModelEvaluation } from "./pipeline/evaluation.ts";
export type { Exported, ExportOptions } from "./pipeline/export/options.ts";
export type { FormatName, FormatRecord } from "./pipeline/format.ts";
export { loadModel, type LoadModelOptions, type LoadProgress } from "./pipeline/load.ts";
export { Model, type ModelAdapter } from "./pipeline/model.ts";
export type {
  AnswerEachOptions,
  AnswerOptions,
  DpoTrainOptions,
  EvaluateOptions,
  FinishedAnswer,
  FormatOption,
  TrainOptions,
} from "./pipeline/model_options.ts";
export type { ExportProof } from "./pipeline/proof.ts";
export type {
  EvaluationFacts,
  RecordedScore,
  Taught,
  TaughtRecord,
  TrainingFacts,
} from "./pipeline/record.ts";
export type { SavedModel, SaveOptions } from "./pipeline/save.ts";
export type { StateDictNames } from "./pipeline/state_dict.ts";
export type { TrainingAnswers } from "./pipeline/training_answers.ts";

// Data
export { orderBatches } from "./dataset/batches.ts";
export { collate, type PaddedBatch } from "./dataset/collate.ts";
export {
  type EncodedExample,
  encodeExample,
  encodeExamples,
  encodePrompt,
} from "./dataset/encode.ts";
export type { InstructionEntry } from "./dataset/entry.ts";
export { exploreEntries, totalBatches } from "./dataset/explore.ts";
export { forest } from "./dataset/forest.ts";
export { loadDataset, loadEntries } from "./dataset/load.ts";
export { findNearDuplicates } from "./dataset/near_duplicates.ts";
export type { DataFile } from "./dataset/origin.ts";
export type { PreferenceEntry } from "./dataset/preferences.ts";
export { splitEntries } from "./dataset/split.ts";
export type { ForestBatch } from "./forest.ts";
export { formatAlpaca } from "./text/alpaca.ts";
export type { ChatMessage } from "./text/chat_template.ts";
export { openTokenizer, saveTokenizer } from "./text/files.ts";
export { gpt2Tokenizer } from "./text/gpt2.ts";
export { type Mask, parseMask } from "./text/mask.ts";
export type { Tokenizer } from "./text/tokenizer.ts";

// Models
export { planModel } from "./model/architectures.ts";
export { Gpt2 } from "./model/families/gpt2.ts";
export { loadNetwork, saveNetwork } from "./model/files.ts";
export { generate } from "./model/generate.ts";
export { exportGguf } from "./model/gguf_export.ts";
export { addLora, mergeLora } from "./model/lora.ts";
export type { Network } from "./model/model.ts";
export { quantize } from "./model/quantize.ts";
export { freeze, trainableParameters } from "./model/trainable.ts";
export { type Device, type MatmulPrecision, parseDevice, pick, Tensor } from "./tensor/mod.ts";
export { createOllamaModel } from "./weights/ollama_create.ts";
export { resolveModel } from "./weights/resolve.ts";

// Training
export { measureLoss } from "./train/evaluate.ts";
export type { SftOptions, Step } from "./train/options.ts";
export { learningRateAt } from "./train/schedule.ts";
export { sft } from "./train/sft.ts";

// Evaluation
export { pairedBootstrap } from "./eval/bootstrap.ts";
export { describeJudgement, judgeResponses } from "./eval/judge.ts";
export { parseJudge } from "./eval/judges/parse_judge.ts";
export { cleanResponse, writeResponses } from "./eval/responses.ts";
export { rougeL } from "./eval/rouge.ts";
export { scoreResponses } from "./eval/scores.ts";

export { Random } from "./random.ts";
