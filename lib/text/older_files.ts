/**
 * Tokenizers of models that have no `tokenizer.json`: `vocab.json` and `merges.txt`, or SentencePiece's `tokenizer.model`.
 * Each is converted as transformers' class for it does.
 */
import type { Component, TokenizerDefinition } from "./definition.ts";
import { GGUF_SPLITS } from "./gguf_splits.ts";
import { addTokens, namedTokens, type TokenizerSettings } from "./named_tokens.ts";
import { readSentencePiece } from "./sentencepiece.ts";
import { parseTokenizerJson, readChatTemplate } from "./tokenizer_json.ts";

interface FileOptions {
  /** The vocabulary's name. */
  name: string;
  /** The file, for errors. */
  path: string;
  /** The tokens that end a text by the model's configuration. */
  endIds: readonly number[];
}

/** What a class of transformers does that the files do not say. */
interface ByteLevelClass {
  readonly normalizer: Component | null;
  /** Special tokens where no file names them. */
  readonly roles: Readonly<Record<string, string>>;
  /** How texts are split, by its name in GGUF files. */
  readonly split: string;
}

const END_OF_TEXT = "<|endoftext|>";
const GPT2: ByteLevelClass = {
  normalizer: null,
  roles: { bos_token: END_OF_TEXT, eos_token: END_OF_TEXT, unk_token: END_OF_TEXT },
  split: "gpt-2",
};
const QWEN2: ByteLevelClass = {
  normalizer: { type: "NFC" },
  roles: { eos_token: END_OF_TEXT, unk_token: END_OF_TEXT, pad_token: END_OF_TEXT },
  split: "qwen2",
};

/** By the class that `tokenizer_config.json` names, or by the model's type. */
const CLASSES: ReadonlyMap<string, ByteLevelClass> = new Map([
  ...["GPT2Tokenizer", "GPT2TokenizerFast", "gpt2"].map((name) => [name, GPT2] as const),
  ...["Qwen2Tokenizer", "Qwen2TokenizerFast", "qwen2", "qwen3"].map((name) =>
    [name, QWEN2] as const
  ),
]);

/**
 * Reads a byte-level byte pair encoding from `vocab.json` and `merges.txt`.
 *
 * @param files Ids by token, the text of the merges, and the class of transformers or the type of the model.
 * @param settings The other files.
 * @param options Names, and the tokens that end a text.
 * @returns The tokenizer's definition.
 * @throws {TypeError} If the class is not known, or a file has the wrong form.
 */
export function readVocabularyFiles(
  files: { vocabulary: Readonly<Record<string, unknown>>; merges: string; kind: string },
  settings: TokenizerSettings,
  options: FileOptions,
): TokenizerDefinition {
  const kind = CLASSES.get(files.kind) ?? refuse(options.path, files.kind, [...CLASSES.keys()]);
  // As the class: lines of two tokens, and a first line with the version.
  const merges = files.merges.split(/\r?\n/).map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#version"));
  const { components } = GGUF_SPLITS.get(kind.split)!;
  const prefixed = settings.config.add_prefix_space === true;
  const pretokenizers = components.map((component) =>
    component.type === "ByteLevel" ? { ...component, add_prefix_space: prefixed } : component
  );
  const json = {
    normalizer: kind.normalizer,
    pre_tokenizer: { type: "Sequence", pretokenizers },
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { type: "BPE", vocab: files.vocabulary, merges },
  };
  const definition = parseTokenizerJson(
    json,
    { ...settings, config: { ...kind.roles, ...settings.config } },
    options,
  );
  return withBegin(definition, settings, false);
}

/**
 * Reads SentencePiece's `tokenizer.model`.
 *
 * @param bytes The file.
 * @param settings The other files.
 * @param options Names, the tokens that end a text, and the class of transformers or the type of the model.
 * @returns The tokenizer's definition.
 * @throws {SyntaxError} If it is not such a file.
 * @throws {TypeError} If it is of a kind that is not reproduced.
 */
export function readSentencePieceFile(
  bytes: Uint8Array,
  settings: TokenizerSettings,
  { kind, ...options }: FileOptions & { kind: string },
): TokenizerDefinition {
  const isOrdered = /^gemma/i.test(kind);
  const definition = readSentencePiece(bytes, { ...options, isOrdered });
  const fail = (reason: string): never => {
    throw new TypeError(`Cannot read the tokenizer "${options.path}": ${reason}`);
  };
  const named = namedTokens(settings, fail);
  const ids = new Map<string, number>();
  for (const [id, token] of definition.tokens.entries()) ids.set(token!, id);
  const addedTokens = addTokens(ids, definition.addedTokens, named);
  for (const { content, id } of addedTokens) ids.set(content, id);
  const idOf = (role: string, own: number | undefined) => ids.get(named.roles[role] ?? "") ?? own;
  const chatTemplate = readChatTemplate(settings.config.chat_template);
  const { tokens, eosId, bosId, unknownId, padId } = definition;
  const spelled = (id: number | undefined) => id === undefined ? undefined : tokens[id];
  const own = {
    bos_token: spelled(bosId),
    eos_token: spelled(eosId),
    unk_token: spelled(unknownId),
  };
  return withBegin(
    {
      ...definition,
      addedTokens,
      roles: {
        ...Object.fromEntries(Object.entries(own).filter(([, token]) => token !== undefined)),
        ...named.roles,
      } as Record<string, string>,
      eosId: idOf("eos_token", eosId)!,
      endIds: options.endIds,
      bosId: idOf("bos_token", bosId),
      unknownId: idOf("unk_token", unknownId),
      padId: idOf("pad_token", padId),
      ...(chatTemplate !== undefined && { chatTemplate }),
    },
    settings,
    true,
  );
}

/** Whether texts begin with the beginning token, which only the configuration can say. */
function withBegin(
  definition: TokenizerDefinition,
  { config }: TokenizerSettings,
  otherwise: boolean,
): TokenizerDefinition {
  const { bosId } = definition;
  const begins = typeof config.add_bos_token === "boolean" ? config.add_bos_token : otherwise;
  return begins && bosId !== undefined ? { ...definition, beginIds: [bosId] } : definition;
}

function refuse(path: string, kind: string, known: readonly string[]): never {
  throw new TypeError(
    `Cannot read the tokenizer "${path}": how "${kind}" splits a text is not known, known are ` +
      `${
        known.map((name) => `"${name}"`).join(", ")
      }; transformers writes the "tokenizer.json" of ` +
      "any model with AutoTokenizer.from_pretrained(…).save_pretrained(…)",
  );
}
