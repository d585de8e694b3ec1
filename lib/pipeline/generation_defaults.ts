/**
 * What a model's `generation_config.json` says of its answers, as transformers' `generate()` takes it for what a caller does not
 * say: penalties, cuts and excluded tokens are honoured; what is not is named. Where there is no such file, `config.json` may
 * have the same fields.
 *
 * Drawing itself (`do_sample`) is not taken from it: answers are the same every time unless a temperature is given.
 *
 * @module
 */

import { join } from "@std/path/join";
import type { LogitsProcessor, SamplingOptions } from "../model/sampling.ts";
import { ruleProcessor, type TokenRules } from "../model/token_rules.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { withoutUndefined } from "../train/settings.ts";
import type { ResolvedDirectory } from "../weights/resolved.ts";

/** What a model's files say of its answers. */
export interface GenerationDefaults {
  /** The program that they say it to. */
  readonly program: "transformers" | "Ollama" | "llama.cpp";
  /** Cuts and penalties for callers who give none. */
  readonly sampling: SamplingOptions;
  /** Tokens that are excluded. */
  readonly rules: TokenRules;
  /** The temperature at which transformers draws; undefined if it takes the most likely tokens, too. */
  readonly temperature?: number;
  /** The most tokens of an answer that it names, which is not taken from it. */
  readonly maxNewTokens?: number;
  /** Fields that change answers in transformers and are not honoured, with their values. */
  readonly unsupported: readonly string[];
}

/** Fields that change no answer of a decoder, or that the tokenizer reads. */
const WITHOUT_EFFECT = `
  bos_token_id eos_token_id pad_token_id decoder_start_token_id transformers_version _from_model_config
  _commit_hash use_cache cache_implementation cache_config max_cache_len output_attentions
  output_hidden_states output_scores output_logits return_dict_in_generate return_legacy_cache is_assistant
  low_memory compile_config disable_compile continuous_batching_config prefill_chunk_size num_return_sequences
  max_matching_ngram_size assistant_early_exit assistant_lookbehind target_lookbehind num_assistant_tokens
  num_assistant_tokens_schedule assistant_confidence_threshold assistant_ensemble_weight speculation_type
  prompt_lookup_num_tokens use_mtp encoder_no_repeat_ngram_size remove_invalid_values renormalize_logits
  generation_kwargs trust_remote_code early_stopping length_penalty max_length
`.trim().split(/\s+/);

/** Fields with a value at which they change nothing. */
const NEUTRAL: Readonly<Record<string, unknown>> = {
  ...{ num_beams: 1, num_beam_groups: 1, diversity_penalty: 0, penalty_alpha: 0 },
  ...{ encoder_repetition_penalty: 1, guidance_scale: 1, typical_p: 1 },
  ...{ epsilon_cutoff: 0, eta_cutoff: 0, token_healing: false },
};

/** Fields of a `config.json` that older versions of transformers wrote there. */
const IN_CONFIG = [
  ...`
    do_sample temperature top_k top_p repetition_penalty no_repeat_ngram_size bad_words_ids min_length
    suppress_tokens begin_suppress_tokens forced_bos_token_id forced_eos_token_id
    exponential_decay_length_penalty
  `.trim().split(/\s+/),
  ...Object.keys(NEUTRAL),
];

/**
 * Reads what a model's files say of its answers.
 *
 * @param source The model's files.
 * @returns What they say.
 * @throws {SyntaxError} If a file is not JSON.
 */
export async function readGenerationDefaults(
  source: ResolvedDirectory,
): Promise<GenerationDefaults> {
  const read = async (path: string): Promise<Record<string, unknown>> => {
    try {
      return JSON.parse(await Deno.readTextFile(path)) ?? {};
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause;
      throw new SyntaxError(`Cannot read "${path}" as JSON: ${cause.message}`, { cause });
    }
  };
  const name = "generation_config.json";
  if (source.files.includes(name)) {
    return generationDefaults(await read(join(source.directory, name)));
  }
  const config = await read(source.config);
  return generationDefaults(
    Object.fromEntries(Object.entries(config).filter(([key]) => IN_CONFIG.includes(key))),
  );
}

/**
 * What a `generation_config.json` says.
 *
 * @param json Its contents.
 * @returns What is honoured, and what is not.
 */
export function generationDefaults(json: Readonly<Record<string, unknown>>): GenerationDefaults {
  const left = new Map(Object.entries(json).filter(([, value]) => value != null));
  for (const key of WITHOUT_EFFECT) left.delete(key);
  for (const [key, value] of Object.entries(NEUTRAL)) if (left.get(key) === value) left.delete(key);
  /** Takes a field if its value is one that is honoured; otherwise it is left, to be named. */
  const take = <T>(key: string, isValid: (value: unknown) => value is T): T | undefined => {
    const value = left.get(key);
    if (!isValid(value)) return undefined;
    left.delete(key);
    return value;
  };
  const isNumber = (valid: (value: number) => boolean) => (value: unknown): value is number =>
    typeof value === "number" && valid(value);
  const isCount = isNumber((value) => Number.isInteger(value) && value >= 0);
  const isIds = (value: unknown): value is number[] => Array.isArray(value) && value.every(isCount);
  const isWords = (value: unknown): value is number[][] =>
    Array.isArray(value) && value.every((word) => isIds(word) && word.length > 0);

  const topK = take("top_k", isCount);
  const topP = take("top_p", isNumber((value) => value > 0 && value <= 1));
  const minP = take("min_p", isNumber((value) => value >= 0 && value <= 1));
  const repetitionPenalty = take("repetition_penalty", isNumber((value) => value > 0));
  const noRepeat = take("no_repeat_ngram_size", isCount);
  const badWords = take("bad_words_ids", isWords);
  const minNewTokens = take("min_new_tokens", isCount);
  const minLength = take("min_length", isCount);
  const suppressed = take("suppress_tokens", isIds);
  const suppressedFirst = take("begin_suppress_tokens", isIds);
  const maxNewTokens = take("max_new_tokens", isCount);
  const draws = take("do_sample", (value) => typeof value === "boolean") ?? false;
  const temperature = take("temperature", isNumber((value) => value > 0)) ?? 1;
  return {
    program: "transformers",
    sampling: withoutUndefined({
      topK: topK === 0 ? undefined : topK,
      topP: topP === 1 ? undefined : topP,
      minP: minP === 0 ? undefined : minP,
      repetitionPenalty: repetitionPenalty === 1 ? undefined : repetitionPenalty,
    }),
    // transformers' min_new_tokens takes precedence over its min_length
    rules: withoutUndefined({
      noRepeat,
      badWords,
      minNewTokens,
      minLength: minNewTokens === undefined ? minLength : undefined,
      suppressed,
      suppressedFirst,
    }),
    ...(draws && { temperature }),
    ...(maxNewTokens !== undefined && { maxNewTokens }),
    unsupported: nameFields(left),
  };
}

/**
 * A `generation_config.json` for a model whose files have none, as those that came from a GGUF file or Ollama.
 *
 * @param defaults What its files say.
 * @param tokenizer Its tokenizer: transformers takes the tokens that end an answer from this file.
 * @returns Its contents; undefined if there is nothing to say, or the model came with such a file.
 */
export function toGenerationConfig(
  { program, sampling, rules, temperature }: GenerationDefaults,
  { endIds, definition }: Tokenizer,
): Record<string, unknown> | undefined {
  if (program === "transformers") return undefined;
  const settings = withoutUndefined({
    ...(temperature !== undefined && { do_sample: true, temperature }),
    top_k: sampling.topK,
    top_p: sampling.topP,
    min_p: sampling.minP,
    suppress_tokens: rules.suppressed,
  });
  if (Object.keys(settings).length === 0) return undefined;
  return withoutUndefined({
    bos_token_id: definition?.bosId,
    eos_token_id: endIds.length > 1 ? endIds : endIds[0],
    pad_token_id: definition?.padId,
    ...settings,
  });
}

/**
 * Fields as notes name them.
 *
 * @param fields Their names and values.
 * @returns A name with its value for each.
 */
export function nameFields(fields: Iterable<readonly [name: string, value: unknown]>): string[] {
  return Array.from(fields, ([name, value]) => `"${name}" ${JSON.stringify(value)}`);
}

/**
 * A caller's options, and a model's own for what the caller does not say.
 *
 * @param options The caller's.
 * @param defaults The model's.
 * @param ends The tokens that end an answer.
 * @returns The options to choose tokens by.
 */
export function withGenerationDefaults<O extends SamplingOptions>(
  options: O,
  { sampling, rules }: GenerationDefaults,
  ends: readonly number[],
): O {
  const own = ruleProcessor(rules, ends);
  const { processLogits: theirs } = options;
  const processLogits: LogitsProcessor | undefined = own === undefined || theirs === undefined
    ? own ?? theirs
    : (logits, tokens, promptLength) =>
      theirs(own(logits, tokens, promptLength) ?? logits, tokens, promptLength) ?? logits;
  return { ...sampling, ...withoutUndefined(options), ...(processLogits && { processLogits }) };
}

/**
 * What a person should know of a model's own settings before it answers.
 *
 * @param defaults The model's settings.
 * @param options How it will answer.
 * @returns Sentences.
 */
export function notesOnGeneration(
  { program, sampling, rules, temperature, maxNewTokens, unsupported }: GenerationDefaults,
  options: SamplingOptions & { readonly maxNewTokens?: number },
): string[] {
  const notes: string[] = [];
  const { topK, topP, minP, repetitionPenalty } = sampling;
  const cuts = Object.entries({ "top-k": topK, "top-p": topP, "min-p": minP })
    .filter(([, value]) => value !== undefined).map(([name, value]) => `${name} ${value}`);
  const honoured = [
    ...(repetitionPenalty !== undefined && options.repetitionPenalty === undefined
      ? [`repetition penalty ${repetitionPenalty}`]
      : []),
    ...Object.entries(rules).map(([rule]) => RULES[rule as keyof TokenRules]),
  ];
  if (honoured.length > 0) {
    notes.push(`the model's own settings apply, as in ${program}: ${honoured.join(", ")}`);
  }
  const greedy = (options.temperature ?? 0) === 0;
  if (temperature !== undefined && greedy) {
    notes.push(
      `the model's own settings draw answers at temperature ${
        [String(temperature), ...cuts].join(", ")
      }: --temperature ${temperature} does so; without it the most likely tokens are taken`,
    );
  } else if (cuts.length > 0 && !greedy) {
    notes.push(`the model's own settings apply to what is not given: ${cuts.join(", ")}`);
  }
  const { maxNewTokens: most = 256 } = options;
  if (maxNewTokens !== undefined && maxNewTokens !== most) {
    notes.push(
      `the model's own settings have answers of at most ${maxNewTokens} tokens; they have at most ${most} here: ` +
        "see --max-new-tokens",
    );
  }
  if (unsupported.length > 0) {
    notes.push(
      `the model's own settings have ${
        unsupported.join(", ")
      }, which ${program} may honour; answers here do not`,
    );
  }
  return notes;
}

/** What rules are called in notes. */
const RULES: Readonly<Record<keyof TokenRules, string>> = {
  noRepeat: '"no_repeat_ngram_size"',
  badWords: '"bad_words_ids"',
  minNewTokens: '"min_new_tokens"',
  minLength: '"min_length"',
  suppressed: '"suppress_tokens"',
  suppressedFirst: '"begin_suppress_tokens"',
};
