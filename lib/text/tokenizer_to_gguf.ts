/**
 * Converts a tokenizer to the metadata of a GGUF file, with which llama.cpp and Ollama produce the
 * same tokens: the inverse of {@linkcode ggufTokenizerDefinition}. Keys as llama.cpp's
 * `gguf-py/gguf/constants.py`.
 */
import type { GgufMetadata, GgufWritable } from "../weights/mod.ts";
import { type Component, componentsOf, type TokenizerDefinition } from "./definition.ts";
import { GGUF_SPLITS } from "./gguf_splits.ts";
import { HuggingFaceTokenizer } from "./hugging_face.ts";
import { listMerges } from "./merge_ranks.ts";
import { BYTE_ALPHABET, fallbackByte } from "./token_bytes.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** llama.cpp's kinds of tokens (`llama_token_type`). */
const NORMAL = 1, UNKNOWN = 2, CONTROL = 3, USER_DEFINED = 4, UNUSED = 5, BYTE = 6;

/**
 * Converts a tokenizer to a GGUF file's metadata.
 *
 * @param tokenizer GPT-2's own, or a Hugging Face tokenizer with byte pair encoding.
 * @returns The keys `tokenizer.*`.
 * @throws {TypeError} If GGUF has no name for the way it splits a text.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { gpt2Tokenizer } from "tunebook";
 * import { tokenizerToGguf } from "tunebook/text";
 *
 * const metadata = tokenizerToGguf(gpt2Tokenizer());
 * assertEquals(metadata["tokenizer.ggml.pre"], "gpt-2");
 * assertEquals((metadata["tokenizer.ggml.merges"] as string[])[0], "Ġ t");
 * ```
 */
export function tokenizerToGguf(tokenizer: Tokenizer): GgufMetadata {
  if (tokenizer instanceof HuggingFaceTokenizer) return describe(tokenizer.definition);
  if (tokenizer.name === "gpt2") return describe(gpt2Definition(tokenizer));
  throw new TypeError(
    `Cannot write the tokenizer "${tokenizer.name}" to GGUF: its kind is unknown`,
  );
}

function describe(definition: TokenizerDefinition): GgufMetadata {
  const { model } = definition;
  if (model.type !== "BPE") {
    throw new TypeError(
      `Cannot write the tokenizer "${definition.name}" to GGUF: its model is "${model.type}", expected "BPE"`,
    );
  }
  const byteLevel = componentsOf(definition.decoder, "decoders")
    .some(({ type }) => type === "ByteLevel");
  const { tokens, types } = listTokens(definition, byteLevel);
  const merges = () => [...listMerges(model.merges, definition.tokens)];
  const id = (value: number | undefined): GgufWritable | undefined =>
    value === undefined ? undefined : { uint32: value };
  // In llama.cpp the second and third are the end of a turn and of a message; Ollama reads the list
  // of all.
  const ends = [...new Set([definition.eosId, ...definition.endIds ?? []])];
  const keys: Record<string, GgufWritable | undefined> = {
    "ggml.model": byteLevel ? "gpt2" : "llama",
    "ggml.pre": byteLevel ? nameOfSplit(definition) : "default",
    "ggml.tokens": tokens,
    "ggml.scores": byteLevel ? undefined : scoresOf(definition, merges),
    "ggml.token_type": types,
    "ggml.merges": byteLevel ? merges().map((pair) => pair.join(" ")) : undefined,
    "ggml.bos_token_id": id(definition.bosId ?? definition.eosId),
    "ggml.eos_token_id": id(definition.eosId),
    "ggml.eos_token_ids": ends.length > 1 ? Int32Array.from(ends) : undefined,
    "ggml.eot_token_id": id(ends[1]),
    "ggml.eom_token_id": id(ends[2]),
    "ggml.unknown_token_id": id(definition.unknownId),
    "ggml.padding_token_id": id(definition.padId),
    "ggml.add_bos_token": definition.beginIds.length > 0,
    "ggml.add_eos_token": false,
    "ggml.add_space_prefix": byteLevel ? undefined : prefixesSpace(definition),
    "chat_template": definition.chatTemplate,
  };
  return Object.fromEntries(
    Object.entries(keys).flatMap(([key, value]) =>
      value === undefined ? [] : [[`tokenizer.${key}`, value]]
    ),
  );
}

function listTokens(
  { tokens: spelled, addedTokens, unknownId }: TokenizerDefinition,
  byteLevel: boolean,
): { tokens: string[]; types: Int32Array } {
  const count = addedTokens.reduce((most, { id }) => Math.max(most, id + 1), spelled.length);
  const types = new Int32Array(count);
  const tokens = Array.from({ length: count }, (_, id) => {
    const token = spelled[id];
    types[id] = token === undefined ? UNUSED : NORMAL;
    if (!byteLevel && token !== undefined && fallbackByte(token) !== undefined) types[id] = BYTE;
    return token ?? `[PAD${id}]`;
  });
  for (const { id, content, special } of addedTokens) {
    types[id] = special ? CONTROL : USER_DEFINED;
    // llama.cpp matches these literally in the text, in which a space is a space
    tokens[id] = byteLevel || special ? content : content.replaceAll("▁", " ");
  }
  if (!byteLevel && unknownId !== undefined) types[unknownId] = UNKNOWN;
  return { tokens, types };
}

/** Tokens of earlier merges get higher scores; tokens without a merge get the lowest. */
function scoresOf(
  { name, tokens, addedTokens, model }: TokenizerDefinition,
  merges: () => [string, string][],
): Float32Array {
  const count = addedTokens.reduce((most, { id }) => Math.max(most, id + 1), tokens.length);
  if (model.type === "BPE" && model.merges.kind === "scored") {
    const { scores } = model.merges;
    return Float32Array.from({ length: count }, (_, id) => id < scores.length ? scores[id] : 0);
  }
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const order = merges();
  const scores = new Float32Array(count).fill(-order.length - 1);
  let rank = 0;
  const made = new Set<number>();
  for (const [left, right] of order) {
    const id = ids.get(left + right);
    if (id === undefined || made.has(id)) continue;
    made.add(id);
    scores[id] = -rank++;
  }
  checkMerges(name, order.length, [...listMerges({ kind: "scored", scores }, tokens)].length);
  return scores;
}

/**
 * Scores imply all pairs of tokens that form a token. A byte pair encoding that was trained as such
 * lists one pair per token, and would split texts differently by scores. A SentencePiece model's
 * list may lack a few pairs of special tokens.
 */
function checkMerges(name: string, listed: number, scored: number): void {
  if (listed >= 0.99 * scored) return;
  throw new TypeError(
    `Cannot write the tokenizer "${name}" to GGUF: it lists ${listed} merges, but a SentencePiece model with its tokens has ${scored}`,
  );
}

/** Whether a space is put before a text, as in Llama's and Mistral's tokenizers. */
function prefixesSpace({ normalizer, preTokenizer }: TokenizerDefinition): boolean {
  return componentsOf(normalizer, "normalizers").some(({ type }) => type === "Prepend") ||
    componentsOf(preTokenizer, "pretokenizers").some(({ type, prepend_scheme }) =>
      type === "Metaspace" && prepend_scheme !== "never"
    );
}

/** llama.cpp's name for the way a byte-level vocabulary splits a text. */
function nameOfSplit({ name, preTokenizer, model }: TokenizerDefinition): string {
  const cut = componentsOf(preTokenizer, "pretokenizers").map(essence).join();
  const whole = model.type === "BPE" && (model.ignoreMerges ?? false);
  for (const [known, { components, ignoreMerges = false }] of GGUF_SPLITS) {
    if (known === "default") continue; // llama.cpp warns about this
    if (ignoreMerges === whole && components.map(essence).join() === cut) return known;
  }
  throw new TypeError(
    `Cannot write the tokenizer "${name}" to GGUF: llama.cpp has no name for the way it splits a text`,
  );
}

/** The parts of a pre-tokenizer that decide where it splits. */
function essence(component: Component): string {
  switch (component.type) {
    case "ByteLevel": {
      const { use_regex = true, add_prefix_space = true } = component;
      return `ByteLevel ${use_regex} ${add_prefix_space}`;
    }
    case "Digits":
      return `Digits ${component.individual_digits ?? false}`;
    case "Split": {
      const { pattern, behavior, invert = false } = component;
      return `Split ${JSON.stringify(pattern)} ${String(behavior).toLowerCase()} ${invert}`;
    }
    default:
      return JSON.stringify(component);
  }
}

/** All fields are present, because the crate that transformers uses requires them. */
const BYTE_LEVEL: Component = {
  type: "ByteLevel",
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: true,
};

/**
 * GPT-2's own tokenizer as a definition. Its merges follow from its tokens: each token is the last
 * merge of its bytes.
 *
 * @param tokenizer GPT-2's.
 * @returns The definition, as in its `tokenizer.json` and GGUF files.
 */
export function gpt2Definition(tokenizer: Tokenizer): TokenizerDefinition {
  const specials = new Set(tokenizer.specialTokens.values());
  const tokens = Array.from(
    { length: tokenizer.vocabSize },
    (_, id) =>
      specials.has(id)
        ? undefined
        : Array.from(tokenizer.bytes(id), (byte) => BYTE_ALPHABET[byte]).join(""),
  );
  const ranks = new Map<string, number>();
  for (const [id, token] of tokens.entries()) if (token !== undefined) ranks.set(token, id);
  return {
    name: tokenizer.name,
    tokens,
    addedTokens: Array.from(tokenizer.specialTokens, ([content, id]) => ({
      id,
      content,
      special: true,
    })),
    normalizer: null,
    preTokenizer: BYTE_LEVEL,
    model: {
      type: "BPE",
      merges: { kind: "listed", pairs: tokens.flatMap((token, id) => lastMerge(token, id, ranks)) },
    },
    decoder: BYTE_LEVEL,
    beginIds: [],
    eosId: tokenizer.eosId,
    bosId: tokenizer.eosId,
  };
}

/**
 * The two tokens of a token's last merge, given the merges of earlier tokens; none for a single
 * byte.
 */
function lastMerge(
  token: string | undefined,
  id: number,
  ranks: ReadonlyMap<string, number>,
): [string, string][] {
  if (token === undefined || token.length < 2) return [];
  const parts = [...token];
  while (parts.length > 2) {
    let [best, at] = [id, -1];
    for (let i = 0; i + 1 < parts.length; i++) {
      const rank = ranks.get(parts[i] + parts[i + 1]) ?? id;
      if (rank < best) [best, at] = [rank, i];
    }
    parts.splice(at, 2, parts[at] + parts[at + 1]);
  }
  return [[parts[0], parts[1]]];
}
