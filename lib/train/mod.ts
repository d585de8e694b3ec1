/**
 * Fine-tuning: the loop, the optimizer, checkpoints, evaluation.
 *
 * @module
 */

export type { Best, EarlyStopping } from "./early_stopping.ts";
export { type MeasuredLoss, measureLoss, type MeasureOptions } from "./evaluate.ts";
export {
  type Communicator,
  joinRanks,
  type MpiCommunicator,
  RankFailure,
  type SumStatistics,
} from "../mpi/mod.ts";
export { dpo } from "./dpo.ts";
export type { DpoEvaluation, DpoOptions, DpoSettings, DpoStep } from "./dpo_options.ts";
export { AdamW, type AdamWOptions, type Moments } from "./optimizer.ts";
export type {
  CheckpointOptions,
  Evaluation,
  Measurement,
  Observation,
  SampleAnswer,
  SftOptions,
  Step,
  TrainingOptions,
} from "./options.ts";
export type { PreferenceLoss, PreferenceMetrics } from "./preference_loss.ts";
export {
  learningRateAt,
  type Schedule,
  type ScheduleFunction,
  type ScheduleOptions,
} from "./schedule.ts";
export { sft } from "./sft.ts";
export type { Training } from "./training.ts";
export { TensorBoard } from "./tensorboard.ts";
export type { LoopSettings, TrainingSettings } from "./settings.ts";
export { leadRanks, releaseRanks } from "./notebook_ranks.ts";
export { StoppedByRank } from "./ranks.ts";
