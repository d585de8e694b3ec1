/**
 * Questions as the prompts that a model continues, and what the generation is told.
 *
 * @module
 */

import { type DatasetEntry, isChatEntry } from "../dataset/chat_entry.ts";
import { closingTokensOf, encodePrompt, type EntryFormat } from "../dataset/encode.ts";
import { assertArray } from "../kind_of.ts";
import type { Network } from "../model/model.ts";
import { stopSignal } from "../stop.ts";
import { encodeChatPrompt } from "../text/chat.ts";
import { ChatTemplate } from "../text/chat_template.ts";
import { StopStrings } from "../text/stop_strings.ts";
import { TokenDecoder, type Tokenizer } from "../text/tokenizer.ts";
import { type GenerationDefaults, withGenerationDefaults } from "./generation_defaults.ts";
import type { AnswerOptions } from "./model_options.ts";

/** What prompts are made for. */
interface Asked {
  readonly network: Network;
  readonly tokenizer: Tokenizer;
  readonly generation: GenerationDefaults;
}

/**
 * Writes questions as tokens.
 *
 * @param model The model that is asked.
 * @param entries The questions.
 * @param format The format of the prompts.
 * @param options Those of the answers.
 * @returns A prompt for each, empty where it was reported as failed; and the settings of `generateTokens()`.
 * @throws {RangeError} If a prompt does not fit the model.
 */
export function askModel(
  model: Asked,
  entries: readonly DatasetEntry[],
  format: EntryFormat,
  { format: _, onProgress: __, onFailure, stop = [], ...options }: AnswerOptions,
) {
  const stopping = stopperFor(model.tokenizer, stop);
  const prompts = entries.map((entry, i) => {
    try {
      return promptOf(model, entry, format, i);
    } catch (error) {
      if (onFailure === undefined) throw error;
      onFailure(i, error as Error);
      return [];
    }
  });
  const { signal = stopSignal() } = options;
  const eosId = closingTokensOf(format, model.tokenizer);
  const sampling = withGenerationDefaults(options, model.generation, eosId);
  return { prompts, settings: { ...sampling, ...stopping, eosId, ...(signal && { signal }) } };
}

/**
 * Encodes a question.
 *
 * @param entry The question. A conversation that ends with one is encoded unchanged, with its earlier answers.
 * @param tokenizer The model's tokenizer.
 * @param format The format of the prompt.
 * @returns The prompt.
 */
export function encodeQuestion(
  entry: DatasetEntry,
  tokenizer: Tokenizer,
  format: EntryFormat,
): number[] {
  const isOpen = isChatEntry(entry) && entry.messages.at(-1)?.role !== "assistant";
  return isOpen && format instanceof ChatTemplate
    ? encodeChatPrompt(entry.messages, tokenizer, format)
    : encodePrompt(entry, tokenizer, format);
}

/** A question's tokens, which the network has room for. */
function promptOf(
  { network, tokenizer }: Asked,
  entry: DatasetEntry,
  format: EntryFormat,
  index: number,
): number[] {
  const prompt = encodeQuestion(entry, tokenizer, format);
  const cannot = `Cannot answer prompt ${index}`;
  if (prompt.length === 0) throw new RangeError(`${cannot}: it has no tokens`);
  if (prompt.length > network.contextLength) {
    throw new RangeError(
      `${cannot} of ${prompt.length} tokens: the model's context holds ${network.contextLength}`,
    );
  }
  const outside = prompt.find((id) => id >= network.vocabularySize);
  if (outside !== undefined) {
    throw new RangeError(
      `${cannot}: it has the token ${outside}, ${JSON.stringify(tokenizer.decode([outside]))}, ` +
        `and the model has ${network.vocabularySize}`,
    );
  }
  return prompt;
}

/** Ends an answer at one of several texts. */
function stopperFor(
  tokenizer: Tokenizer,
  stop: readonly string[],
): { stopper?: () => (token: number) => boolean } {
  assertArray("stop at", stop, "texts");
  const wrong = stop.find((text) => typeof text !== "string" || text === "");
  if (wrong !== undefined) {
    throw new TypeError(
      `Cannot stop at ${JSON.stringify(wrong)}: expected texts that are not empty`,
    );
  }
  if (stop.length === 0) return {};
  const stopper = () => {
    const decoder = new TokenDecoder(tokenizer);
    const strings = new StopStrings(stop);
    return (token: number) => {
      strings.push(decoder.push(token));
      return strings.stopped;
    };
  };
  return { stopper };
}

/**
 * Refuses samples that would all be the same.
 *
 * @param samples How many answers to each question.
 * @param options Those of the answers.
 * @throws {RangeError} If that is not a positive integer, or more than one at temperature 0.
 */
export function assertSamples(samples: number, { temperature = 0 }: AnswerOptions): void {
  if (!Number.isInteger(samples) || samples < 1) {
    throw new RangeError(
      `Cannot draw ${JSON.stringify(samples)} samples: expected a positive integer as samples`,
    );
  }
  if (samples === 1 || temperature !== 0) return;
  throw new RangeError(
    `Cannot draw ${samples} samples at temperature 0: they would be equal; give a temperature`,
  );
}
