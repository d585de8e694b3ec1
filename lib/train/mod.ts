/**
 * Fine-tuning: the loop, the optimizer, checkpoints, evaluation.
 *
 * @module
 */

export { type BatchLayout, makeBatch, type TrainingBatch } from "./batch.ts";
export { findCheckpoint, type TrainingState } from "./checkpoint.ts";
export { type MeasuredLoss, measureLoss, type MeasureOptions, withCounted } from "./evaluate.ts";
export { AdamW, type AdamWSettings, type Moments } from "./optimizer.ts";
export { type Evaluation, sft, type SftOptions, type Step, type Training } from "./sft.ts";
