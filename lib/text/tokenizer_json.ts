/** Reading and writing `tokenizer.json` and `tokenizer_config.json`. */
import type { AddedToken } from "./added_tokens.ts";
import type { Component, PieceModel, TokenizerDefinition } from "./definition.ts";
import { listMerges } from "./merge_ranks.ts";
import { addTokens, namedTokens, type TokenizerSettings } from "./named_tokens.ts";

type Json = Record<string, unknown>;

/**
 * Reads a tokenizer's definition from its parsed files.
 *
 * @param json The content of `tokenizer.json`.
 * @param settings The content of the other files.
 * @param options The vocabulary's name; the ids of tokens that end a text, the first of which is
 * the end token if the files do not name one; the file's name for errors.
 * @returns The tokenizer's definition.
 * @throws {TypeError} If something is missing or has the wrong form.
 */
export function parseTokenizerJson(
  json: unknown,
  settings: TokenizerSettings,
  options: { name: string; path: string; endIds?: readonly number[] },
): TokenizerDefinition {
  const { path, endIds = [] } = options;
  const fail = (reason: string): never => {
    throw new TypeError(`Cannot read the tokenizer "${path}": ${reason}`);
  };
  if (!isObject(json)) return fail("it is not an object");
  const model = json.model;
  if (!isObject(model)) return fail('"model" is missing');
  const before = (json.added_tokens ?? []) as AddedToken[];
  if (
    !Array.isArray(before) ||
    before.some((one) => typeof one?.content !== "string" || !isId(one.id))
  ) {
    return fail('"added_tokens" must be an array of objects with "id" and "content"');
  }
  if (settings.config.split_special_tokens === true) {
    fail('"split_special_tokens" is true, expected special tokens that stay whole');
  }
  const tokens = readTokens(model.vocab, fail);
  const far = before.find(({ id }) => id > tokens.length + 1e6);
  if (far) {
    fail(`added token "${far.content}" has the id ${far.id}, and there are ${tokens.length}`);
  }
  const ids = new Map<string, number>();
  for (const [id, token] of tokens.entries()) if (token !== undefined) ids.set(token, id);
  const named = namedTokens(settings, fail);
  const addedTokens = addTokens(
    ids,
    before.map((one) => ({ ...one, special: one.special === true })),
    named,
  );
  for (const { content, id } of addedTokens) ids.set(content, id);
  const idOf = (role: string): number | undefined => ids.get(named.roles[role] ?? "");
  const eosId = idOf("eos_token") ?? endIds[0] ??
    fail('"tokenizer_config.json" names no "eos_token" of this vocabulary');
  const chatTemplate = readChatTemplate(settings.config.chat_template);
  return {
    name: options.name,
    tokens,
    addedTokens,
    roles: named.roles,
    normalizer: readComponent(json, "normalizer", fail),
    preTokenizer: readComponent(json, "pre_tokenizer", fail),
    model: readModel(model, fail),
    decoder: readComponent(json, "decoder", fail),
    beginIds: readBeginIds(json.post_processor, fail),
    eosId,
    endIds: endIds.filter((id) => id < tokens.length || addedTokens.some((one) => one.id === id)),
    bosId: idOf("bos_token"),
    unknownId: idOf("unk_token"),
    padId: idOf("pad_token"),
    ...(chatTemplate !== undefined && { chatTemplate }),
  };
}

/**
 * Converts a tokenizer to the files that transformers' `AutoTokenizer` reads.
 *
 * @param definition The tokenizer's definition.
 * @returns The text of `tokenizer.json` in pieces, because that of a large vocabulary as a whole takes many times its memory,
 * and the content of `tokenizer_config.json`.
 */
export function writeTokenizerJson(
  definition: TokenizerDefinition,
): { json: Iterable<string>; config: Json } {
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
    model: writeModel(model, tokens),
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
    ...definition.roles,
    ...Object.fromEntries(Object.entries(names).filter(([, name]) => name !== undefined)),
    ...(chatTemplate !== undefined && { chat_template: chatTemplate }),
  };
  return { json: jsonPieces(json), config };
}

function writeModel(model: PieceModel, tokens: readonly (string | undefined)[]): Json {
  if (model.type === "Unigram") {
    return {
      type: "Unigram",
      unk_id: model.unknownId ?? null,
      vocab: tokens.entries().map(([id, token]) => [token ?? "", model.scores[id]]),
      byte_fallback: model.byteFallback,
    };
  }
  const vocab = new Map<string, number>();
  for (const [id, token] of tokens.entries()) if (token !== undefined) vocab.set(token, id);
  if (model.type === "WordLevel") {
    return { type: "WordLevel", vocab, unk_token: model.unknownToken ?? "" };
  }
  return {
    type: "BPE",
    dropout: null,
    unk_token: model.unknownToken ?? null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: model.fuseUnknown ?? false,
    byte_fallback: model.byteFallback ?? false,
    ignore_merges: model.ignoreMerges ?? false,
    vocab,
    merges: listMerges(model.merges, tokens),
  };
}

/** Members of an object or an array that are written at once. */
const MEMBERS = 4096;

/** JSON in pieces. A map is written as an object, a generator as an array. */
function* jsonPieces(value: unknown): Generator<string, void, void> {
  if (value instanceof Map) {
    const members = value.entries().map(([key, one]) =>
      `${JSON.stringify(key)}:${JSON.stringify(one)}`
    );
    yield* enclosed("{", members, "}");
  } else if (value instanceof Iterator) {
    yield* enclosed("[", value.map((one) => JSON.stringify(one)), "]");
  } else if (isObject(value)) {
    let before = "{";
    for (const [key, one] of Object.entries(value)) {
      yield `${before}${JSON.stringify(key)}:`;
      yield* jsonPieces(one);
      before = ",";
    }
    yield before === "{" ? "{}" : "}";
  } else yield JSON.stringify(value);
}

/** Members between brackets, many of them in a piece. */
function* enclosed(
  open: string,
  members: IteratorObject<string>,
  close: string,
): Generator<string, void, void> {
  yield open;
  let piece: string[] = [];
  let before = "";
  for (const member of members) {
    piece.push(member);
    if (piece.length < MEMBERS) continue;
    yield before + piece.join(",");
    before = ",";
    piece = [];
  }
  if (piece.length > 0) yield before + piece.join(",");
  yield close;
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

/** Files of early versions have no type; only byte pair encoding has a list of merges, and only Unigram scores. */
function typeOf(model: Json): unknown {
  return model.type ??
    ("merges" in model ? "BPE" : Array.isArray(model.vocab) ? "Unigram" : "WordLevel");
}

function readModel(model: Json, fail: Fail): PieceModel {
  const type = typeOf(model);
  if (type === "Unigram") return readUnigram(model, fail);
  if (type === "WordLevel") {
    const { unk_token: unknownToken } = model;
    return { type, ...(typeof unknownToken === "string" && { unknownToken }) };
  }
  if (type !== "BPE") {
    fail(`"model.type" is ${JSON.stringify(type)}, expected "BPE", "Unigram" or "WordLevel"`);
  }
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
  // With dropout a text has other tokens each time.
  for (const affix of ["continuing_subword_prefix", "end_of_word_suffix", "dropout"]) {
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

function readUnigram(model: Json, fail: Fail): PieceModel {
  const vocab = model.vocab;
  const isPair = (pair: unknown) =>
    Array.isArray(pair) && typeof pair[0] === "string" && typeof pair[1] === "number";
  if (!Array.isArray(vocab) || !vocab.every(isPair)) {
    return fail('"model.vocab" must be an array of pairs of a token and its score');
  }
  const { unk_id: unknownId } = model;
  if (unknownId != null && !(isId(unknownId) && unknownId < vocab.length)) {
    fail(`"model.unk_id" is ${JSON.stringify(unknownId)}, and there are ${vocab.length} tokens`);
  }
  return {
    type: "Unigram",
    scores: Float64Array.from(vocab, (pair) => pair[1]),
    byteFallback: model.byte_fallback === true,
    ...(isId(unknownId) && { unknownId }),
  };
}

function readComponent(json: Json, key: string, fail: Fail): Component | null {
  const value = json[key] ?? null;
  if (value === null) return null;
  if (!isObject(value) || typeof value.type !== "string") return fail(`"${key}" has no "type"`);
  return value as Component;
}

/**
 * The special tokens that the post-processor puts before a text. As in transformers, `add_bos_token` of
 * `tokenizer_config.json` is not asked where there is a `tokenizer.json`.
 */
function readBeginIds(processor: unknown, fail: Fail): number[] {
  if (!isObject(processor)) return [];
  switch (processor.type) {
    case "Sequence": {
      const all = Array.isArray(processor.processors) ? processor.processors : [];
      return all.toReversed().flatMap((one) => readBeginIds(one, fail)); // the last is outermost
    }
    case "ByteLevel":
      return [];
    case "BertProcessing":
    case "RobertaProcessing": {
      const id = Array.isArray(processor.cls) ? processor.cls[1] : undefined;
      return isId(id) ? [id] : fail(`"post_processor" has no "cls"`);
    }
    case "TemplateProcessing": {
      const known = isObject(processor.special_tokens) ? processor.special_tokens : {};
      const ids: number[] = [];
      for (const item of Array.isArray(processor.single) ? processor.single : []) {
        if (!isObject(item) || !isObject(item.SpecialToken)) break;
        const name = String(item.SpecialToken.id);
        const token = Object.hasOwn(known, name) ? known[name] : undefined;
        const own = isObject(token) ? token.ids : undefined;
        if (!Array.isArray(own) || !own.every(isId)) {
          return fail(`"post_processor" has no ids for ${JSON.stringify(name)}`);
        }
        ids.push(...own);
      }
      return ids;
    }
    default:
      return fail(`"post_processor" is ${JSON.stringify(processor.type)}`);
  }
}

/**
 * A template, or the default one of several.
 *
 * @param value What `tokenizer_config.json` has as "chat_template".
 * @returns The template; undefined if there is none.
 * @throws {TypeError} If there are several, and none is the default one.
 */
export function readChatTemplate(value: unknown): string | undefined {
  if (value === null || value === undefined || typeof value === "string") return value ?? undefined;
  const list = Array.isArray(value) ? value : [];
  const named = list.find((one) => isObject(one) && one.name === "default");
  if (isObject(named) && typeof named.template === "string") return named.template;
  const names = list.map((one) => JSON.stringify(isObject(one) ? one.name : one));
  throw new TypeError(
    `Cannot read the chat templates ${
      names.join(", ") || JSON.stringify(value)
    }: expected a text, or one ` +
      'with the name "default" among several; a file "chat_template.jinja" in the directory takes their place',
  );
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isId(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0;
}
