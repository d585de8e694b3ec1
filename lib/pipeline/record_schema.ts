/**
 * What the record of a model's training must look like; loaded when a record is read.
 *
 * @module
 */

import { z } from "zod";
import type { FormatRecord, PromptPieces } from "./format.ts";
import type { EvaluationFacts, TaughtRecord, TrainingFacts } from "./record.ts";

const piecesSchema: z.ZodType<PromptPieces> = z.array(
  z.union([z.string(), z.strictObject({ slot: z.enum(["instruction", "input"]) })]),
);

const formatSchema: z.ZodType<FormatRecord> = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("prompt"),
    name: z.string(),
    withoutInput: piecesSchema,
    withInput: piecesSchema,
    responseMarker: z.string(),
  }),
  z.object({ kind: z.literal("chat"), name: z.string(), template: z.string() }),
]);

const filesSchema = z.array(
  z.object({ name: z.string(), sha256: z.string(), entries: z.number().int().positive() }),
).optional();

const trainingSchema: z.ZodType<TrainingFacts> = z.object({
  mask: z.enum(["none", "instruction", "prompt"]),
  maxLength: z.number().int().positive(),
  seed: z.number().int().nonnegative(),
  examples: z.number().int().positive(),
  data: z.string(),
  files: filesSchema,
  steps: z.number().int().positive(),
  totalSteps: z.number().int().positive(),
  loss: z.number().optional(),
  evaluation: z.object({
    trainLoss: z.number(),
    validationLoss: z.number().optional(),
    topicLosses: z.record(z.string(), z.number()).optional(),
    warnings: z.array(z.string()).optional(),
    // What `dpo()` measures of pairs.
    train: z.record(z.string(), z.number()).optional(),
    validation: z.record(z.string(), z.number()).optional(),
  }).optional(),
  adapter: z.object({
    rank: z.number(),
    alpha: z.number(),
    dropout: z.number(),
    rsLora: z.boolean(),
  }).optional(),
  device: z.string(),
  settings: z.record(z.string(), z.unknown()),
});

const evaluationSchema: z.ZodType<EvaluationFacts> = z.object({
  examples: z.number().int().positive(),
  data: z.string(),
  files: filesSchema,
  loss: z.number().optional(),
  metrics: z.record(
    z.string(),
    z.object({
      corpus: z.number(),
      interval: z.tuple([z.number(), z.number()]).optional(),
      signature: z.string().optional(),
    }),
  ),
  settings: z.record(z.string(), z.unknown()),
});

/** What `taught.json` must look like. */
export const recordSchema: z.ZodType<TaughtRecord> = z.object({
  version: z.literal(1),
  format: formatSchema.optional(),
  base: z.string(),
  revision: z.string().optional(),
  commit: z.string().optional(),
  trainings: z.array(trainingSchema),
  evaluations: z.array(evaluationSchema).optional(),
  program: z.object({ kind: z.enum(["notebook", "script", "command"]), name: z.string() })
    .optional(),
  sha256: z.string().optional(),
});
