/**
 * Scores a model on entries: its loss, and its answers against the references.
 *
 * @module
 */

import type { DatasetEntry } from "../dataset/chat_entry.ts";
import { encodeExamples, type EntryFormat } from "../dataset/encode.ts";
import { findMetric } from "../eval/metrics/mod.ts";
import { withResponse } from "../eval/responses.ts";
import { scoreMetrics } from "../eval/score_metrics.ts";
import { scoreResponses } from "../eval/scores.ts";
import { assertArray } from "../kind_of.ts";
import type { Network } from "../model/model.ts";
import { stopSignal } from "../stop.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { measureLoss } from "../train/evaluate.ts";
import { describeEvaluation, type ModelEvaluation } from "./evaluation.ts";
import type { AnswerOptions, EvaluateOptions } from "./model_options.ts";
import type { EvaluationFacts, Taught } from "./record.ts";

/** A model that is scored. */
interface Scored {
  readonly network: Network;
  readonly tokenizer: Tokenizer;
  readonly taught: Pick<Taught, "trainings">;
  answer(entries: readonly DatasetEntry[], options: AnswerOptions): Promise<string[]>;
}

/**
 * Scores a model; see {@linkcode Model.evaluate}.
 *
 * @param model The model.
 * @param entries Entries with reference answers.
 * @param format The format of the prompts.
 * @param options How tokens are chosen, what the loss counts.
 * @returns The evaluation, and its facts for the record.
 */
export async function evaluateModel(
  model: Scored,
  entries: readonly DatasetEntry[],
  format: EntryFormat,
  options: EvaluateOptions,
): Promise<{ evaluation: ModelEvaluation; facts: EvaluationFacts }> {
  const last = model.taught.trainings.at(-1);
  const { mask = last?.mask, maxLength = last?.maxLength, metrics = [], ...answering } = options;
  const { signal = stopSignal() } = options;
  assertArray("score by", metrics, "names of metrics");
  metrics.forEach(findMetric); // a misspelt name is refused before anything is computed
  const examples = encodeExamples(entries, model.tokenizer, format);
  const measuring = {
    ...(mask !== undefined && { mask }),
    ...(maxLength !== undefined && { maxLength }),
    ...(signal && { signal }),
  };
  const { loss, tokens } = await measureLoss(model.network, examples, measuring);
  const answers = await model.answer(entries, { ...answering, format });
  const responses = entries.map((entry, i) => withResponse(entry, answers[i]));
  if (metrics.includes("perplexity")) {
    for (const [i, example] of examples.entries()) {
      const one = await measureLoss(model.network, [example], measuring);
      Object.assign(responses[i], { reference_loss: one.loss, reference_tokens: one.tokens });
    }
  }
  const evaluation = {
    loss,
    tokens,
    ...scoreResponses(responses),
    answers,
    responses,
    metrics: metrics.length > 0 ? scoreMetrics(responses, metrics) : {},
  };
  const { maxNewTokens, temperature, topK, topP, seed, stop } = answering;
  const facts = describeEvaluation(entries, evaluation, {
    ...{ maxNewTokens, temperature, topK, topP, seed, stop },
    ...{ mask, maxLength, format: format.name },
  });
  return { evaluation, facts };
}
