/** Reading and writing `tokenizer.json` and `tokenizer_config.json`. */
import type { AddedToken } from "./added_tokens.ts";
import type { Component, PieceModel, TokenizerDefinition } from "./definition.ts";
import { listMerges } from "./merge_ranks.ts";

type Json = Record<string, unknown>;

/**
 * Reads a tokenizer's definition from its parsed files.
 *
 * @param json The content of `tokenizer.json`.
 * @param config The content of `tokenizer_config.json`; an empty object if there is none.
 * @param options The vocabulary's name; the ids of tokens that end a text, the first of which is
 * the end token if the files do not name one; the file's name for errors.
 * @returns The tokenizer's definition.
 * @throws {TypeError} If something is missing or has the wrong form.
 */
export function parseTokenizerJson(
  json: unknown,
  config: Json,
  options: { name: string; path: string; endIds?: readonly number[] },
): TokenizerDefinition {
  const { path, endIds = [] } = options;
  const fail = (reason: string): never => {
    throw new TypeError(`Cannot read the tokenizer "${path}": ${reason}`);
  };
  if (!isObject(json)) return fail("it is not an object");
  const model = json.model;
  if (!isObject(model)) return fail('"model" is missing');
  const addedTokens = (json.added_tokens ?? []) as AddedToken[];
  if (
    !Array.isArray(addedTokens) ||
    addedTokens.some((one) => typeof one?.content !== "string" || !isId(one.id))
  ) {
    return fail('"added_tokens" must be an array of objects with "id" and "content"');
  }
  const tokens = readTokens(model.vocab, fail);
  const far = addedTokens.find(({ id }) => id > tokens.length + 1e6);
  if (far) {
    fail(`added token "${far.content}" has the id ${far.id}, and there are ${tokens.length}`);
  }
  const ids = new Map<string, number>();
  for (const [id, token] of tokens.entries()) if (token !== undefined) ids.set(token, id);
  for (const { content, id } of addedTokens) ids.set(content, id);
  const idOf = (key: string): number | undefined => {
    const value = config[key];
    const content = isObject(value) ? value.content : value;
    return typeof content === "string" ? ids.get(content) : undefined;
  };
  const bosId = idOf("bos_token");
  const eosId = idOf("eos_token") ?? endIds[0] ??
    fail('"tokenizer_config.json" names no "eos_token" of this vocabulary');
  const chatTemplate = readChatTemplate(config.chat_template);
  return {
    name: options.name,
    tokens,
    addedTokens: addedTokens.map((one) => ({ ...one, special: one.special === true })),
    normalizer: readComponent(json, "normalizer", fail),
    preTokenizer: readComponent(json, "pre_tokenizer", fail),
    model: readModel(model, fail),
    decoder: readComponent(json, "decoder", fail),
    beginIds: readBeginIds(json.post_processor, config, bosId, ids),
    eosId,
    endIds: endIds.filter((id) => id < tokens.length || addedTokens.some((one) => one.id === id)),
    bosId,
    unknownId: idOf("unk_token"),
    padId: idOf("pad_token"),
    ...(chatTemplate !== undefined && { chatTemplate }),
  };
}

/**
 * Converts a tokenizer to the files that transformers' `AutoTokenizer` reads.
 *
 * @param definition The tokenizer's definition.
 * @returns The contents of `tokenizer.json` and `tokenizer_config.json`.
 */
export function writeTokenizerJson(definition: TokenizerDefinition): { json: Json; config: Json } {
  const { tokens, addedTokens, model, beginIds, chatTemplate } = definition;
  const spelled = (id?: number) => id === undefined ? undefined : textOf(definition, id);
  const begin = beginIds.map((id) => ({ id, content: spelled(id)! }));
  const single = [
    ...begin.map(({ content }) => ({ SpecialToken: { id: content, type_id: 0 } })),
    { Sequence: { id: "A", type_id: 0 } },
  ];
  const json = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: addedTokens.map((token) => ({
      id: token.id,
      content: token.content,
      single_word: token.single_word ?? false,
      lstrip: token.lstrip ?? false,
      rstrip: token.rstrip ?? false,
      normalized: token.normalized ?? false,
      special: token.special,
    })),
    normalizer: definition.normalizer,
    pre_tokenizer: definition.preTokenizer,
    post_processor: {
      type: "TemplateProcessing",
      single,
      pair: [...single, { Sequence: { id: "B", type_id: 1 } }],
      special_tokens: Object.fromEntries(
        begin.map(({ id, content }) => [content, { id: content, ids: [id], tokens: [content] }]),
      ),
    },
    decoder: definition.decoder,
    model: model.type === "library" ? model.model : {
      type: "BPE",
      dropout: null,
      unk_token: model.unknownToken ?? null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: model.fuseUnknown ?? false,
      byte_fallback: model.byteFallback ?? false,
      ignore_merges: model.ignoreMerges ?? false,
      vocab: Object.fromEntries(
        tokens.flatMap((token, id) => token === undefined ? [] : [[token, id]]),
      ),
      merges: listMerges(model.merges, tokens),
    },
  };
  const names = {
    bos_token: spelled(definition.bosId),
    eos_token: spelled(definition.eosId),
    unk_token: spelled(definition.unknownId),
    pad_token: spelled(definition.padId),
  };
  const config = {
    tokenizer_class: "PreTrainedTokenizerFast",
    clean_up_tokenization_spaces: false,
    add_bos_token: beginIds.length > 0,
    ...Object.fromEntries(Object.entries(names).filter(([, name]) => name !== undefined)),
    ...(chatTemplate !== undefined && { chat_template: chatTemplate }),
  };
  return { json, config };
}

function textOf({ tokens, addedTokens }: TokenizerDefinition, id: number): string | undefined {
  return addedTokens.find((token) => token.id === id)?.content ?? tokens[id];
}

type Fail = (reason: string) => never;

function readTokens(vocab: unknown, fail: Fail): (string | undefined)[] {
  if (Array.isArray(vocab)) {
    return vocab.map((pair) => Array.isArray(pair) ? String(pair[0]) : undefined);
  }
  if (!isObject(vocab)) return fail('"model.vocab" is missing');
  const names = Object.keys(vocab);
  const tokens: (string | undefined)[] = new Array(names.length);
  for (const name of names) {
    const id = vocab[name];
    if (!isId(id)) fail(`token ${JSON.stringify(name)} has the id ${JSON.stringify(id)}`);
    if (id > 4 * names.length + 1e6) {
      fail(`token ${JSON.stringify(name)} has the id ${id}, and there are ${names.length} tokens`);
    }
    tokens[id] = name;
  }
  return tokens;
}

function readModel(model: Json, fail: Fail): PieceModel {
  // files of early versions have no type; only byte pair encoding has a list of merges
  const isBytePair = model.type === "BPE" || (model.type === undefined && "merges" in model);
  if (!isBytePair) return { type: "library", model: model as Component };
  const merges = model.merges;
  if (
    !Array.isArray(merges) ||
    merges.some((pair) =>
      typeof pair === "string"
        ? pair.split(" ").length !== 2
        : !Array.isArray(pair) || pair.length !== 2 || pair.some((one) => typeof one !== "string")
    )
  ) {
    return fail('"model.merges" must be an array of pairs of tokens');
  }
  for (const affix of ["continuing_subword_prefix", "end_of_word_suffix"]) {
    if (model[affix]) fail(`"model.${affix}" is ${JSON.stringify(model[affix])}, expected none`);
  }
  return {
    type: "BPE",
    merges: { kind: "listed", pairs: merges },
    ignoreMerges: model.ignore_merges === true,
    byteFallback: model.byte_fallback === true,
    fuseUnknown: model.fuse_unk === true,
    ...(typeof model.unk_token === "string" && { unknownToken: model.unk_token }),
  };
}

function readComponent(json: Json, key: string, fail: Fail): Component | null {
  const value = json[key] ?? null;
  if (value === null) return null;
  if (!isObject(value) || typeof value.type !== "string") return fail(`"${key}" has no "type"`);
  return value as Component;
}

/** The special tokens that the post-processor puts before a text; `add_bos_token` overrides it. */
function readBeginIds(
  processor: unknown,
  config: Json,
  bosId: number | undefined,
  ids: ReadonlyMap<string, number>,
): number[] {
  if (config.add_bos_token === false) return [];
  if (config.add_bos_token === true) return bosId === undefined ? [] : [bosId];
  if (!isObject(processor)) return [];
  const all = processor.type === "Sequence" ? processor.processors as unknown[] : [processor];
  for (const one of all ?? []) {
    if (!isObject(one) || !Array.isArray(one.single)) continue;
    const names: string[] = [];
    for (const item of one.single) {
      if (!isObject(item) || !isObject(item.SpecialToken)) break;
      names.push(String(item.SpecialToken.id));
    }
    return names.flatMap((name) => ids.get(name) ?? []);
  }
  return [];
}

/** A template, or the default one of several. */
function readChatTemplate(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return undefined;
  const named = value.find((one) => isObject(one) && one.name === "default") ?? value[0];
  return isObject(named) && typeof named.template === "string" ? named.template : undefined;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isId(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0;
}
