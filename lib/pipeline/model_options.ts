/**
 * Options of a model's methods.
 *
 * @module
 */

import type { DatasetEntry, EntryFormat, PreferenceEntry } from "../dataset/mod.ts";
import type { Finish } from "../model/decoding.ts";
import { SAMPLING_OPTIONS, type SamplingOptions } from "../model/sampling.ts";
import type { OptionNames } from "../options.ts";
import type { Mask } from "../text/mod.ts";
import type { DpoOptions, SftOptions } from "../train/mod.ts";
import { DPO_OPTIONS } from "../train/dpo_options.ts";
import { SFT_OPTIONS } from "../train/options.ts";
import type { FormatName } from "./format.ts";
import type { TrainingAnswers } from "./training_answers.ts";

/**
 * Options of {@linkcode Model.answer} and {@linkcode Model.stream}. Penalties, cuts and excluded tokens that are not given are
 * those of the model's `generation_config.json`, as in transformers; drawing needs a `temperature`, whatever that file says.
 */
export interface AnswerOptions extends SamplingOptions {
  /** The most tokens of an answer. 256 by default. */
  readonly maxNewTokens?: number;
  /** Texts that end an answer; they are not part of it. None by default. */
  readonly stop?: readonly string[];
  /** Decides all draws, with a stream of its own for each question, so that batches do not matter. 123 by default. */
  readonly seed?: number;
  /** How many questions are answered at a time. 64 by default. */
  readonly batchSize?: number;
  /** How questions are written; {@linkcode Model.format} by default. */
  readonly format?: FormatName | EntryFormat;
  /** Stops it: the call rejects with the signal's reason. By default the stop button of a notebook. */
  readonly signal?: AbortSignal;
  /** Called as answers are finished. */
  readonly onProgress?: (done: number, total: number) => void;
  /**
   * Called for a question that cannot be answered, for example because its template refuses it; its answer is then empty,
   * and the others are answered. By default the call rejects.
   */
  readonly onFailure?: (index: number, error: Error) => void;
}

/** Options of {@linkcode Model.answerEach}. */
export interface AnswerEachOptions extends AnswerOptions {
  /** How many answers each question has, which differ at a temperature above 0. 1 by default. */
  readonly samples?: number;
  /** The indexes of questions that are not asked, because they have been answered before. None by default. */
  readonly skip?: ReadonlySet<number>;
}

/** One of many answers. */
export interface FinishedAnswer {
  /** The question's index. */
  readonly index: number;
  /** Which of the question's samples, from 0; the first is the answer that it has without `samples`. */
  readonly sample: number;
  /** The answer, without white space around it. */
  readonly answer: string;
  /** How many tokens it has. */
  readonly tokens: number;
  /** Why it ended: an end token, a text of `stop`, enough tokens, or a full context. */
  readonly finish: Finish;
}

/** How entries are written. */
export interface FormatOption {
  /** A name or a format; {@linkcode Model.format} by default. */
  readonly format?: FormatName | EntryFormat;
}

/** Options of {@linkcode Model.train}: those of `sft()`, and how entries become examples. */
export interface TrainOptions extends Omit<SftOptions, "examples" | "validation" | "measurement"> {
  /** Answers validation entries and scores the answers as the model learns. Not by default. */
  readonly answers?: TrainingAnswers;
  /** How entries are written; {@linkcode Model.format} by default. The model is asked in it from then on. */
  readonly format?: FormatName | EntryFormat;
  /** Entries to evaluate on, or what fraction of the entries, rounded up: a
   * seeded shuffle chooses them. None by default. */
  readonly validation?: readonly DatasetEntry[] | number;
}

/** Options of {@linkcode Model.dpo}: those of `dpo()`, with preferences instead of encoded pairs. */
export interface DpoTrainOptions extends Omit<DpoOptions, "pairs" | "validation" | "measurement"> {
  /** How preferences are written; {@linkcode Model.format} by default. The model is asked in it from then on. */
  readonly format?: FormatName | EntryFormat;
  /** Preferences to evaluate on. None by default. */
  readonly validation?: readonly PreferenceEntry[];
}

/** Options of {@linkcode Model.evaluate}: those of answers, and what the loss counts. */
export interface EvaluateOptions extends AnswerOptions {
  /** Which tokens the loss counts; by default as in the model's training, otherwise `prompt`. */
  readonly mask?: Mask;
  /**
   * The most tokens of a sequence in the loss; by default as in the model's training, otherwise its
   * context.
   */
  readonly maxLength?: number;
  /**
   * Metrics of the answers by name, such as `["bleu", "meteor"]`; `METRICS` of `tunebook/eval` lists them. With
   * `perplexity` the loss of each reference is measured by itself, which takes longer.
   */
  readonly metrics?: readonly string[];
}

/** The names of {@linkcode AnswerOptions}. */
export const ANSWER_OPTIONS: OptionNames<AnswerOptions> = {
  ...SAMPLING_OPTIONS,
  maxNewTokens: true,
  stop: true,
  seed: true,
  batchSize: true,
  format: true,
  signal: true,
  onProgress: true,
  onFailure: true,
};
/** The names of {@linkcode AnswerEachOptions}. */
export const ANSWER_EACH_OPTIONS: OptionNames<AnswerEachOptions> = {
  ...ANSWER_OPTIONS,
  samples: true,
  skip: true,
};
/** The names of {@linkcode FormatOption}. */
export const FORMAT_OPTION: OptionNames<FormatOption> = { format: true };
/** The names of {@linkcode EvaluateOptions}. */
export const EVALUATE_OPTIONS: OptionNames<EvaluateOptions> = {
  ...ANSWER_OPTIONS,
  mask: true,
  maxLength: true,
  metrics: true,
};
/** The names of {@linkcode TrainOptions}. */
export const TRAIN_OPTIONS: OptionNames<TrainOptions> = {
  ...without(SFT_OPTIONS, ["examples", "measurement"]),
  ...FORMAT_OPTION,
  answers: true,
};
/** The names of {@linkcode DpoTrainOptions}. */
export const DPO_TRAIN_OPTIONS: OptionNames<DpoTrainOptions> = {
  ...without(DPO_OPTIONS, ["pairs", "measurement"]),
  ...FORMAT_OPTION,
};

/** A table of names but for those that a model's method sets itself. */
function without<Names extends object, Left extends keyof Names>(
  names: Names,
  left: readonly Left[],
): Omit<Names, Left> {
  return Object.fromEntries(
    Object.entries(names).filter(([name]) => !left.includes(name as Left)),
  ) as Omit<Names, Left>;
}
