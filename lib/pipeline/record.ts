/**
 * The record of what a model was taught: `taught.json` beside its weights, or beside an adapter's. Every way of saving
 * writes it and every way of loading reads it, so that a model is asked, scored and exported as it was trained.
 *
 * @module
 */

import { join } from "@std/path";
import { z } from "zod";
import { writeFileBeside } from "../write_beside.ts";
import { formatSchema } from "./format.ts";

/** The record's file. */
export const RECORD_FILE = "taught.json";

const trainingSchema = z.object({
  /** Which tokens counted. */
  mask: z.enum(["none", "instruction", "prompt"]),
  /** The most tokens of a sequence. */
  maxLength: z.number().int().positive(),
  /** What decided order and dropout. */
  seed: z.number().int().nonnegative(),
  /** How many examples it learnt from. */
  examples: z.number().int().positive(),
  /** SHA-256 of the examples' tokens. */
  data: z.string(),
  /** Steps taken, and how many there were to be. */
  steps: z.number().int().positive(),
  totalSteps: z.number().int().positive(),
  /** The last step's loss, in nats. */
  loss: z.number().optional(),
  /** The last evaluation. */
  evaluation: z.object({ trainLoss: z.number(), validationLoss: z.number().optional() }).optional(),
  /** The adapters that learnt, where not the weights did. */
  adapter: z.object({
    rank: z.number(),
    alpha: z.number(),
    dropout: z.number(),
    rsLora: z.boolean(),
  }).optional(),
  /** What computed it. */
  device: z.string(),
  /** The other settings: learning rate, batch size, schedule, … */
  settings: z.record(z.string(), z.unknown()),
});

const recordSchema = z.object({
  version: z.literal(1),
  /** How prompts are written; left out where the model was taught none, or one that nobody knows. */
  format: formatSchema.optional(),
  /** The model that it was made from, as PEFT names it. */
  base: z.string(),
  /** The base's revision on the hub, where one was asked for. */
  revision: z.string().optional(),
  /** The commit that the revision stood for. */
  commit: z.string().optional(),
  /** All trainings, those of the base included, first to last. */
  trainings: z.array(trainingSchema),
  /** The program that saved it; files by their path from this folder. */
  program: z.object({
    kind: z.enum(["notebook", "script", "command"]),
    name: z.string(),
  }).optional(),
  /** SHA-256 of the file with the weights. */
  sha256: z.string().optional(),
});

/** One training, as a record holds it. */
export type TrainingFacts = z.infer<typeof trainingSchema>;

/** What a model was taught. */
export type TaughtRecord = z.infer<typeof recordSchema>;

/** What a model was taught, less what is known only once it is saved. */
export type Taught = Omit<TaughtRecord, "version" | "program" | "sha256">;

/**
 * Reads the record of a model's or an adapter's folder.
 *
 * @param directory The folder.
 * @returns The record; undefined where there is none.
 * @throws {SyntaxError} If it is not JSON, or not a record of a version that is known.
 */
export async function readRecord(directory: string): Promise<TaughtRecord | undefined> {
  const path = join(directory, RECORD_FILE);
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new SyntaxError(`Cannot read "${path}" as JSON: ${(cause as Error).message}`, { cause });
  }
  const parsed = recordSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [{ path: at, message }] = parsed.error.issues;
  throw new SyntaxError(
    `Cannot read "${path}": "${
      at.join(".") || "the whole"
    }" is not what a record of version 1 has: ` +
      message,
  );
}

/**
 * Writes a record, whole or not at all.
 *
 * @param directory The folder.
 * @param record The record.
 */
export async function writeRecord(directory: string, record: TaughtRecord): Promise<void> {
  await writeFileBeside(join(directory, RECORD_FILE), `${JSON.stringify(record, null, 2)}\n`);
}
