/**
 * Fine-tuning: the loop, the optimizer, checkpoints, evaluation.
 *
 * @module
 */

export { type BatchLayout, makeBatch, type TrainingBatch } from "./batch.ts";
export { findCheckpoint, removeCheckpoints } from "./checkpoint.ts";
export { type MeasuredLoss, measureLoss, type MeasureOptions, withCounted } from "./evaluate.ts";
export type { Best, EarlyStopping } from "./early_stopping.ts";
export { AdamW, type AdamWSettings, type Moments } from "./optimizer.ts";
export type { Evaluation, SftOptions, Step } from "./options.ts";
export { type TrainingLog, trainingsOf } from "./log.ts";
export { learningRateAt, type Schedule, type ScheduleOptions, SCHEDULES } from "./schedule.ts";
export { sft, type Training } from "./sft.ts";
export type { TrainingState } from "./state.ts";
export { TensorBoard } from "./tensorboard.ts";
