/**
 * The tokenizer described by a GGUF file's metadata, equal to the `tokenizer.json` that it came
 * from. There are two kinds, which llama.cpp calls "gpt2" (byte-level byte pair encoding) and
 * "llama" (SentencePiece, with scores instead of merges). Follows transformers'
 * `integrations/gguf/gguf_tokenizer_mapping.py`, except that `smollm` and similar ones split
 * digits, as the models' own files and llama.cpp do; transformers 5.23 does not.
 */
import type { GgufArray, GgufValue } from "../weights/mod.ts";
import type { AddedToken } from "./added_tokens.ts";
import type { PieceModel, TokenizerDefinition } from "./definition.ts";
import { GGUF_SPLITS } from "./gguf_splits.ts";
import { isByteSpelled, spellBytes } from "./token_bytes.ts";

/** llama.cpp's kinds of tokens (`llama_token_type`). */
const CONTROL = 3, USER_DEFINED = 4;

/** The special tokens of a SentencePiece vocabulary that a file does not name, as llama.cpp has them. */
const SENTENCE_PIECE_IDS: { bos?: number; eos?: number; unknown?: number } = {
  bos: 1,
  eos: 2,
  unknown: 0,
};

/**
 * Reads a tokenizer's definition.
 *
 * @param metadata The file's metadata.
 * @param path The file, for errors.
 * @returns Vocabulary, merges, and how a text is split.
 * @throws {TypeError} If the metadata describes no tokenizer or one of another kind, or is
 * inconsistent.
 */
export function ggufTokenizerDefinition(
  metadata: ReadonlyMap<string, GgufValue>,
  path: string,
): TokenizerDefinition {
  const reader = new MetadataReader(metadata, path);
  const kind = reader.text("model") ?? reader.fail('it has no "tokenizer.ggml.model"');
  if (kind !== "gpt2" && kind !== "llama") {
    reader.fail(`its "tokenizer.ggml.model" is "${kind}", expected "gpt2" or "llama"`);
  }
  const tokens = reader.strings("tokens") ?? reader.fail('it has no "tokenizer.ggml.tokens"');
  const types = reader.numbers("token_type", tokens.length);
  const usual = kind === "llama" ? SENTENCE_PIECE_IDS : {};
  const shared = {
    name: metadata.get("general.name")?.toString() ?? kind,
    eosId: reader.id("eos_token_id", tokens.length, usual.eos) ??
      reader.fail('it has no "tokenizer.ggml.eos_token_id"'),
    endIds: [
      ...reader.ids("eos_token_ids", tokens.length),
      ...["eot", "eom"].flatMap((name) => reader.id(`${name}_token_id`, tokens.length) ?? []),
    ],
    bosId: reader.id("bos_token_id", tokens.length, usual.bos),
    unknownId: reader.id("unknown_token_id", tokens.length, usual.unknown),
    padId: reader.id("padding_token_id", tokens.length),
    chatTemplate: metadata.get("tokenizer.chat_template")?.toString(),
  };
  const built = kind === "gpt2"
    ? byteLevel(reader, tokens)
    : sentencePiece(reader, tokens, String(metadata.get("general.architecture")));
  const { addBos, ...definition } = built;
  const asked = reader.flag("add_bos_token");
  if (asked && shared.bosId === undefined) {
    reader.fail(
      'its "tokenizer.ggml.add_bos_token" is true, and it has no "tokenizer.ggml.bos_token_id"',
    );
  }
  const begins = asked ?? addBos;
  const special = new Set([shared.bosId, shared.eosId, shared.unknownId, shared.padId]);
  return {
    ...shared,
    ...definition,
    addedTokens: addedTokens(tokens, built.tokens, types, special),
    beginIds: begins && shared.bosId !== undefined ? [shared.bosId] : [],
  };
}

type Built =
  & Pick<TokenizerDefinition, "tokens" | "normalizer" | "preTokenizer" | "model" | "decoder">
  & { addBos: boolean };

function byteLevel(reader: MetadataReader, tokens: readonly string[]): Built {
  const pre = reader.text("pre") ?? "default";
  const split = GGUF_SPLITS.get(pre) ?? reader.fail(
    `its "tokenizer.ggml.pre" is "${pre}", expected one of ` +
      [...GGUF_SPLITS.keys()].map((name) => `"${name}"`).join(", "),
  );
  const pairs = reader.strings("merges") ?? reader.fail('it has no "tokenizer.ggml.merges"');
  const wrong = pairs.findIndex((pair) => {
    const space = pair.indexOf(" ");
    return space < 1 || space === pair.length - 1 || pair.includes(" ", space + 1);
  });
  if (wrong >= 0) {
    reader.fail(
      `merge ${wrong + 1} of ${pairs.length} is ${JSON.stringify(pairs[wrong])}, ` +
        "expected two tokens with a space between",
    );
  }
  const [only] = split.components;
  return {
    tokens: tokens.map((token) => isByteSpelled(token) ? token : spellBytes(token)),
    normalizer: null,
    preTokenizer: split.components.length === 1
      ? only!
      : { type: "Sequence", pretokenizers: split.components },
    model: {
      type: "BPE",
      merges: { kind: "listed", pairs },
      ignoreMerges: split.ignoreMerges ?? false,
    },
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    addBos: split.addBos ?? false,
  };
}

function sentencePiece(
  reader: MetadataReader,
  tokens: readonly string[],
  architecture: string,
): Built {
  const isGemma = /^gemma[23]?$/.test(architecture);
  const prefixed = !isGemma && (reader.flag("add_space_prefix") ?? true);
  const pairs = reader.strings("merges");
  const scores = reader.numbers("scores", tokens.length);
  if (pairs === undefined && scores === undefined) {
    reader.fail('it has neither "tokenizer.ggml.scores" nor "tokenizer.ggml.merges"');
  }
  const space = { type: "Replace", pattern: { String: " " }, content: "▁" };
  // "▁" means a space everywhere except in Gemma's tokens of several spaces
  const spelled = isGemma ? tokens.map(respellSpaces) : tokens;
  // Gemma's tokens are in the order of its merges; its scores are not
  const order = isGemma ? Float64Array.from(tokens, (_, id) => -id) : scores!;
  const model: PieceModel = {
    type: "BPE",
    merges: pairs === undefined ? { kind: "scored", scores: order } : { kind: "listed", pairs },
    byteFallback: true,
    fuseUnknown: true,
    ...(isGemma && tokens.includes("<unk>") && { unknownToken: "<unk>" }),
  };
  const text = { type: "Replace", pattern: { String: "▁" }, content: " " };
  const strip = { type: "Strip", content: " ", start: 1, stop: 0 };
  return {
    tokens: spelled,
    normalizer: isGemma ? space : null,
    preTokenizer: isGemma ? null : {
      type: "Metaspace",
      replacement: "▁",
      prepend_scheme: prefixed ? "first" : "never",
      split: false,
    },
    model,
    decoder: {
      type: "Sequence",
      decoders: [text, { type: "ByteFallback" }, { type: "Fuse" }, ...(prefixed ? [strip] : [])],
    },
    addBos: true,
  };
}

function respellSpaces(token: string): string {
  return /^ +$/.test(token) ? "▁".repeat(token.length) : token;
}

/**
 * Control tokens and those that the file names become special tokens; user-defined ones become
 * plain added tokens.
 */
function addedTokens(
  tokens: readonly string[],
  spelled: readonly (string | undefined)[],
  types: ArrayLike<number> | undefined,
  special: ReadonlySet<number | undefined>,
): AddedToken[] {
  const added: AddedToken[] = [];
  for (let id = 0; id < tokens.length; id++) {
    const type = types?.[id];
    const isSpecial = type === CONTROL || special.has(id);
    if (!isSpecial && type !== USER_DEFINED) continue;
    const content = tokens[id]!;
    // a token with another spelling in the vocabulary is found by merging
    if (content === "" || spelled[id] !== content) continue;
    added.push({ id, content, special: isSpecial, normalized: false });
  }
  return added;
}

/** Reads `tokenizer.ggml.*` with checks. */
class MetadataReader {
  constructor(
    private readonly metadata: ReadonlyMap<string, GgufValue>,
    private readonly path: string,
  ) {}

  fail(reason: string): never {
    throw new TypeError(`Cannot read the tokenizer of "${this.path}": ${reason}`);
  }

  text(key: string): string | undefined {
    return this.#typed(key, "a string", (value) => typeof value === "string") as string | undefined;
  }

  flag(key: string): boolean | undefined {
    return this.#typed(key, "true or false", (value) => typeof value === "boolean") as
      | boolean
      | undefined;
  }

  strings(key: string): string[] | undefined {
    const isStrings = (value: GgufValue) =>
      Array.isArray(value) && value.length > 0 && typeof value[0] === "string";
    return this.#typed(key, "an array of strings", isStrings) as string[] | undefined;
  }

  numbers(key: string, length: number): ArrayLike<number> | undefined {
    const isNumbers = (value: GgufValue) =>
      ArrayBuffer.isView(value) && (value as ArrayLike<unknown> & GgufArray).length === length;
    return this.#typed(key, `${length} numbers`, isNumbers) as ArrayLike<number> | undefined;
  }

  /** A token; the usual one if the file does not say and has so many. */
  id(key: string, count: number, usual = count): number | undefined {
    const isToken = (value: GgufValue) =>
      typeof value === "number" && Number.isInteger(value) && value >= 0 && value < count;
    const given = this.#typed(key, `a token from 0 to ${count - 1}`, isToken);
    return given as number | undefined ?? (usual < count ? usual : undefined);
  }

  ids(key: string, count: number): number[] {
    const areTokens = (value: GgufValue) =>
      ArrayBuffer.isView(value) &&
      Array.from(value as ArrayLike<number>).every((id) => id >= 0 && id < count);
    const ids = this.#typed(key, `tokens from 0 to ${count - 1}`, areTokens);
    return Array.from((ids ?? []) as ArrayLike<number>);
  }

  #typed(key: string, expected: string, check: (value: GgufValue) => boolean): unknown {
    const value = this.metadata.get(`tokenizer.ggml.${key}`);
    if (value === undefined || check(value)) return value;
    const got = typeof value === "object"
      ? `${value.length} elements`
      : JSON.stringify(String(value));
    this.fail(`its "tokenizer.ggml.${key}" is ${got}, expected ${expected}`);
  }
}
