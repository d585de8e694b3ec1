/**
 * The record of what a model was taught: `taught.json` beside its weights, or beside an adapter's. Every way of
 * saving writes it and every way of loading reads it, so that prompts, scores and exports match the training.
 *
 * @module
 */

import { join } from "@std/path/join";
import { writeFileBeside } from "../write_beside.ts";
import type { DataFile } from "../dataset/origin.ts";
import type { LoraSettings } from "../model/mod.ts";
import type { Mask } from "../text/mod.ts";
import type { TrainingLog } from "../train/log.ts";
import type { Evaluation } from "../train/mod.ts";
import { sha256File } from "../weights/sha256.ts";
import type { FormatRecord } from "./format.ts";
import type { Program } from "./program.ts";

/** The record's file. */
export const RECORD_FILE = "taught.json";

/** One training, as a record holds it. */
export interface TrainingFacts {
  /** Which tokens counted. */
  readonly mask: Mask;
  /** The most tokens of a sequence. */
  readonly maxLength: number;
  /** What decided order and dropout. */
  readonly seed: number;
  /** How many examples it learnt from. */
  readonly examples: number;
  /** SHA-256 of the examples' tokens. */
  readonly data: string;
  /** The files that they were read from; left out where none is known. */
  readonly files?: readonly DataFile[];
  /** Steps taken. */
  readonly steps: number;
  /** How many there were to be. */
  readonly totalSteps: number;
  /** The last step's loss, in nats. */
  readonly loss?: number;
  /** The last evaluation. */
  readonly evaluation?: Evaluation;
  /** The adapters that learnt, where not the weights did. */
  readonly adapter?: LoraSettings;
  /** What computed it. */
  readonly device: string;
  /** The other settings: learning rate, batch size, schedule, … */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** One evaluation, as a record holds it. */
export interface EvaluationFacts {
  /** How many entries the model answered. */
  readonly examples: number;
  /** SHA-256 of the entries, as JSON. */
  readonly data: string;
  /** The files that they were read from; left out where none is known. */
  readonly files?: readonly DataFile[];
  /** Mean negative log-likelihood of a counted token of the references, in nats; left out where it is not finite. */
  readonly loss?: number;
  /** The scores of the answers by metric; without an interval where none was computed. */
  readonly metrics: Readonly<Record<string, RecordedScore>>;
  /** How the answers were generated, and what the loss counts. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** A score by a metric, as a record holds it. */
export interface RecordedScore {
  /** The score of all answers together. */
  readonly corpus: number;
  /** Its interval of 95 %. */
  readonly interval?: readonly [low: number, high: number];
  /** All that the number depends on. */
  readonly signature?: string;
}

/** What a model was taught: what `taught.json` holds. */
export interface TaughtRecord {
  /** The file's version. */
  readonly version: 1;
  /** How prompts are written; left out where the model was taught no format, or one that nobody knows. */
  readonly format?: FormatRecord;
  /** The model that it was made from, as PEFT names it; a folder by its path from this one. */
  readonly base: string;
  /** The base's revision on the hub, where one was asked for. */
  readonly revision?: string;
  /** The commit that the revision stood for. */
  readonly commit?: string;
  /** All trainings, those of the base included, first to last. */
  readonly trainings: readonly TrainingFacts[];
  /** What was measured since the last training; left out where nothing was. */
  readonly evaluations?: readonly EvaluationFacts[];
  /** The program that saved it; files by their path from this folder. */
  readonly program?: Program;
  /** SHA-256 of the file with the weights. */
  readonly sha256?: string;
}

/** What a model was taught, less what is known only once it is saved. */
export type Taught = Omit<TaughtRecord, "version" | "program" | "sha256">;

/**
 * Reads the record of a model's or an adapter's folder.
 *
 * @param directory The folder.
 * @returns The record; undefined if there is none.
 * @throws {SyntaxError} If it is not JSON, or not a record of a known version.
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
  const { recordSchema } = await import("./record_schema.ts");
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
 * Checks that a file of weights is the one that was saved beside its record, so that a damaged file is noticed.
 *
 * @param directory The folder of a model or an adapter; without a record in it nothing is checked.
 * @param file The name of the file with the weights.
 * @param signal Stops the reading.
 * @throws {SyntaxError} If the file has other bytes.
 */
export async function assertAsSaved(
  directory: string,
  file: string,
  signal?: AbortSignal,
): Promise<void> {
  const expected = (await readRecord(directory))?.sha256;
  if (expected === undefined) return;
  const path = join(directory, file);
  let sha256: string;
  try {
    sha256 = await sha256File(path, signal && { signal });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return; // the reader of the weights reports it
    throw error;
  }
  if (sha256 === expected) return;
  throw new SyntaxError(
    `Cannot load "${path}": it is not what was saved (its SHA-256 is ${sha256}, and ${RECORD_FILE} ` +
      `beside it says ${expected}); if the weights were replaced on purpose, remove ${RECORD_FILE}`,
  );
}

/**
 * Writes a record atomically.
 *
 * @param directory The folder.
 * @param record The record.
 */
export async function writeRecord(directory: string, record: TaughtRecord): Promise<void> {
  await writeFileBeside(join(directory, RECORD_FILE), `${JSON.stringify(record, null, 2)}\n`);
}

/**
 * Describes a training for the record.
 *
 * @param log What the training noted of itself.
 * @returns Its facts.
 */
export function describeTraining(
  { settings, examples, files, device, step, totalSteps, loss, evaluation, adapter }: TrainingLog,
): TrainingFacts {
  const { mask, maxLength, seed, examples: data, ...others } = settings;
  return {
    mask: mask as Mask,
    maxLength: maxLength as number,
    seed: seed as number,
    examples,
    data: data as string,
    ...(files.length > 0 && { files }),
    steps: step,
    totalSteps,
    ...(loss !== undefined && { loss }),
    ...(evaluation && { evaluation }),
    ...(adapter && { adapter }),
    device,
    settings: others,
  };
}
