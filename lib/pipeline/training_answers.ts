/**
 * Answers that a model gives while it learns, and their scores.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { isTextEntry } from "../dataset/chat_entry.ts";
import type { DatasetEntry } from "../dataset/chat_entry.ts";
import { encodeExamples, type EntryFormat } from "../dataset/encode.ts";
import { findMetric, type FoundMetric } from "../eval/metrics/mod.ts";
import { withResponse } from "../eval/responses.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { measureLoss } from "../train/evaluate.ts";
import { type EarlyStopping, VALIDATION_LOSS } from "../train/early_stopping.ts";
import type { Measurement } from "../train/mod.ts";
import type { Network } from "../model/model.ts";
import type { Tokenizer } from "../text/mod.ts";

/** How a model is asked while it learns. Answers are greedy: they draw no numbers, and the training's bits stay the same. */
export interface TrainingAnswers {
  /** Answers after every this many steps, and after the last. */
  readonly every: number;
  /** How many of the first validation entries are answered. 8 by default. */
  readonly count?: number;
  /** The most tokens of an answer. 64 by default. */
  readonly maxNewTokens?: number;
  /** Metrics of `METRICS` in `tunebook/eval` that score the answers, such as `["rougeL"]`. None by default. */
  readonly metrics?: readonly string[];
  /**
   * The most bytes that keys and values of the answers take on the device: more answers are given in several batches.
   * 256 MiB by default.
   */
  readonly maxBytes?: number;
}

/** What answers: a model, as far as it is asked here. */
interface Answering {
  readonly network: Network;
  readonly tokenizer: Tokenizer;
  encodePrompt(entry: DatasetEntry, options: { readonly format: EntryFormat }): number[];
  answer(
    entries: readonly DatasetEntry[],
    options: {
      readonly maxNewTokens: number;
      readonly batchSize: number;
      readonly format: EntryFormat;
      readonly signal?: AbortSignal;
    },
  ): Promise<string[]>;
}

/** The names of {@linkcode TrainingAnswers}. */
export const ANSWERS_OPTIONS: OptionNames<TrainingAnswers> = {
  every: true,
  count: true,
  maxNewTokens: true,
  metrics: true,
  maxBytes: true,
};

/** The defaults of {@linkcode TrainingAnswers}. */
export const ANSWERS_DEFAULTS = {
  count: 8,
  maxNewTokens: 64,
  metrics: [] as readonly string[],
  maxBytes: 256 * 2 ** 20,
};

/**
 * Checks how a model is asked while it learns.
 *
 * @param answers The options.
 * @throws {TypeError} If there is an unknown option.
 * @throws {RangeError} If a number is out of range or a metric is unknown.
 */
export function assertAnswers(answers: TrainingAnswers): void {
  assertKnownOptions("answer in a training", answers, ANSWERS_OPTIONS);
  for (const name of ["every", "count", "maxNewTokens", "maxBytes"] as const) {
    const value = answers[name];
    if (value === undefined && name !== "every") continue;
    if (Number.isInteger(value) && value! >= 1) continue;
    throw new RangeError(
      `Cannot answer in a training with "${name}" ${value}: expected a positive integer`,
    );
  }
  (answers.metrics ?? []).forEach(findMetric);
}

/**
 * Fills in which values of early stopping's metric are better, as the table of metrics says.
 *
 * @param earlyStopping The option.
 * @param metrics Metrics that score the answers.
 * @returns The option for `sft()`.
 * @throws {RangeError} If the metric is unknown.
 * @throws {TypeError} If the answers are not scored by the metric, or another order is asked for.
 */
export function withBetter(
  earlyStopping: EarlyStopping,
  metrics: readonly string[],
): EarlyStopping {
  const { metric = VALIDATION_LOSS, better } = earlyStopping;
  if (metric === VALIDATION_LOSS) return earlyStopping;
  const { metric: { top } } = findMetric(metric);
  if (!metrics.includes(metric)) {
    throw new TypeError(
      `Cannot stop early by "${metric}": expected it among the metrics of "answers", ` +
        `which are ${metrics.length > 0 ? `"${metrics.join('", "')}"` : "none"}`,
    );
  }
  const known = top === undefined ? "lower" : "higher";
  if (better !== undefined && better !== known) {
    throw new TypeError(
      `Cannot stop early by "${metric}" with "better" "${better}": ${known} values of it are better`,
    );
  }
  return { ...earlyStopping, better: known };
}

/**
 * How many answers are given at a time.
 *
 * @param network The network.
 * @param longest Tokens of the longest prompt.
 * @param answers How it is asked.
 * @returns As many as keep keys and values below the limit, at least one.
 */
export function answersAtOnce(
  { layers, keyWidth }: Pick<Network, "layers" | "keyWidth">,
  longest: number,
  { maxNewTokens = ANSWERS_DEFAULTS.maxNewTokens, maxBytes = ANSWERS_DEFAULTS.maxBytes }: Pick<
    TrainingAnswers,
    "maxNewTokens" | "maxBytes"
  >,
): number {
  const bytes = 4 * 2 * layers * keyWidth * (longest + maxNewTokens);
  return Math.max(1, Math.floor(maxBytes / bytes));
}

/**
 * Makes the measurement of a training.
 *
 * @param model The model.
 * @param entries Its validation entries.
 * @param answers How it is asked.
 * @param format How entries are written.
 * @returns For `sft()`.
 * @throws {TypeError} If no entry asks something that fits the context.
 */
export function measurementOf(
  model: Answering,
  entries: readonly DatasetEntry[],
  answers: TrainingAnswers,
  format: EntryFormat,
): Measurement {
  const { every, count, maxNewTokens, metrics } = { ...ANSWERS_DEFAULTS, ...answers };
  const lengthOf = (entry: DatasetEntry) => model.encodePrompt(entry, { format }).length;
  const asked = entries
    .filter((entry) => !isTextEntry(entry) && lengthOf(entry) < model.network.contextLength)
    .slice(0, count);
  if (asked.length === 0) {
    throw new TypeError(
      'Cannot answer in a training: expected entries in "validation" that ask something and fit the context',
    );
  }
  const found = metrics.map((name) => [name, findMetric(name)] as const);
  const batchSize = answersAtOnce(model.network, Math.max(...asked.map(lengthOf)), answers);
  const examples = encodeExamples(asked, model.tokenizer, format);
  return {
    every,
    settings: {
      maxNewTokens,
      asked: createHash("sha256").update(JSON.stringify(asked)).digest("hex"),
    },
    async measure(network, signal) {
      const texts = await model.answer(asked, {
        ...{ maxNewTokens, batchSize, format },
        ...(signal && { signal }),
      });
      const responses = asked.map((entry, i) => withResponse(entry, texts[i]));
      if (found.some(([, { metric }]) => metric.name === "perplexity")) {
        for (const [i, example] of examples.entries()) {
          const { loss, tokens } = await measureLoss(network, [example], signal && { signal });
          Object.assign(responses[i], { reference_loss: loss, reference_tokens: tokens });
        }
      }
      return {
        scores: Object.fromEntries(found.map(([name, one]) => [name, scoreOf(one, responses)])),
        answers: responses.map(({ instruction, input, output, model_response }) => ({
          prompt: input === "" ? instruction : `${instruction}\n${input}`,
          answer: model_response,
          reference: output,
        })),
      };
    },
  };
}

/** The score of all responses, of which each has statistics that add up. */
function scoreOf(
  { measure }: FoundMetric,
  responses: readonly ReturnType<typeof withResponse>[],
): number {
  const sum: number[] = [];
  for (const [i, response] of responses.entries()) {
    measure.measure(response, i).forEach((value, at) => sum[at] = (sum[at] ?? 0) + value);
  }
  return measure.score(sum);
}
