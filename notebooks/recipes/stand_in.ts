/**
 * Models that stand in for those of the recipes, where these are not on the machine: the same architecture, chat template
 * and kind of tokenizer, but tiny, with random weights and a vocabulary of the recipe's own words. They run the same code
 * with the same settings. They know nothing, so their answers mean nothing.
 */

import { pick } from "tunebook";
import { Gemma, Gpt2, Llama, type Network, saveNetwork } from "tunebook/model";
import { scale } from "tunebook/tensor";
import { CHAT_TEMPLATES, gpt2Tokenizer, saveTokenizer } from "tunebook/text";

/**
 * What a recipe's model is: a Gemma such as Gemma-2b-it, a Llama such as TinyLlama-1.1B-Chat, or a Mistral such as
 * Mistral-7B-Instruct.
 */
export type StandInKind = "gemma" | "llama" | "mistral";

/** How many pairs of tokens the vocabulary merges. */
const MERGES = 600;
/**
 * How much larger the layers' weights are than those of an untrained model, in which a token passes through the layers nearly
 * unchanged: a Gemma, whose output head is its table of tokens, would only repeat the last one.
 */
const LARGER = 8;
/** NF4 packs rows in blocks of 64. */
const SHAPE = {
  contextLength: 1024,
  width: 64,
  heads: 2,
  feedForwardWidth: 128,
} as const;

const SPACE = { type: "Replace", pattern: { String: " " }, content: "▁" };
const DECODERS = [
  { type: "Replace", pattern: { String: "▁" }, content: " " },
  { type: "ByteFallback" },
  { type: "Fuse" },
];

/** A space before the text, as SentencePiece adds it. */
const SPACE_FIRST = {
  type: "Sequence",
  normalizers: [{ type: "Prepend", prepend: "▁" }, SPACE],
};
const STRIP_FIRST = [...DECODERS, { type: "Strip", content: " ", start: 1, stop: 0 }];

const KINDS = {
  gemma: {
    layers: 2,
    special: ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"],
    names: { pad_token: "<pad>", eos_token: "<eos>", bos_token: "<bos>", unk_token: "<unk>" },
    style: "gemma",
    normalizer: SPACE,
    decoders: DECODERS,
  },
  llama: {
    layers: 2,
    special: ["<unk>", "<s>", "</s>"],
    names: { eos_token: "</s>", bos_token: "<s>", unk_token: "<unk>" },
    style: "zephyr",
    normalizer: SPACE_FIRST,
    decoders: STRIP_FIRST,
  },
  mistral: {
    layers: 3, // the first two of which its recipe freezes
    special: ["<unk>", "<s>", "</s>", "[INST]", "[/INST]"],
    names: { eos_token: "</s>", bos_token: "<s>", unk_token: "<unk>" },
    style: "mistral",
    normalizer: SPACE_FIRST,
    decoders: STRIP_FIRST,
  },
} as const;

/** What {@linkcode makeStandIn} needs. */
export interface StandInOptions {
  /** The texts that its vocabulary is made of. */
  readonly texts: readonly string[];
  /** The folder that is written. */
  readonly directory: string;
  /** Decides the weights. */
  readonly seed: number;
}

/**
 * Writes a stand-in in Hugging Face's layout.
 *
 * @param kind Whose architecture it has.
 * @param options Texts, folder, seed.
 * @returns The folder, for `loadModel()`.
 */
export async function makeStandIn(kind: StandInKind, options: StandInOptions): Promise<string> {
  const { texts, directory, seed } = options;
  const { layers, special, names, style, normalizer, decoders } = KINDS[kind];
  const { tokens, merges } = makeVocabulary(special, texts);
  const idOf = (name: string) => tokens.indexOf(name);
  const device = await pick({ device: "cpu" });
  const config = {
    ...SHAPE,
    layers,
    vocabularySize: tokens.length,
    kvHeads: 1,
    special: { bos: idOf(names.bos_token), eos: idOf(names.eos_token) },
  };
  const network = kind === "gemma"
    ? Gemma.create(device, { ...config, generation: 1, headDim: 32 }, { seed })
    : Llama.create(device, { ...config, modelType: kind }, { seed });
  await Deno.mkdir(directory, { recursive: true });
  enlarge(network);
  await saveNetwork(network, directory);
  for (const tensor of network.parameters.values()) tensor.dispose();
  const tokenizer = {
    version: "1.0",
    added_tokens: special.map((content, id) => ({ id, content, special: true, normalized: false })),
    normalizer,
    pre_tokenizer: null,
    decoder: { type: "Sequence", decoders },
    model: {
      type: "BPE",
      unk_token: "<unk>",
      fuse_unk: true,
      byte_fallback: true,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    },
  };
  const settings = {
    tokenizer_class: "PreTrainedTokenizerFast",
    add_bos_token: true,
    ...names,
    chat_template: CHAT_TEMPLATES[style],
  };
  for (const [name, json] of [["tokenizer", tokenizer], ["tokenizer_config", settings]] as const) {
    await Deno.writeTextFile(`${directory}/${name}.json`, JSON.stringify(json));
  }
  return directory;
}

/**
 * Writes a stand-in of a model whose tokenizer is byte-level, as GPT-2's: it has that tokenizer itself.
 *
 * @param kind Whose architecture it has: GPT-2's, or that of SmolLM2, a Llama whose output head is its table of tokens.
 * @param options Folder, seed.
 * @returns The folder, for `loadModel()`.
 */
export async function makeByteLevelStandIn(
  kind: "gpt2" | "smollm2",
  { directory, seed }: Pick<StandInOptions, "directory" | "seed">,
): Promise<string> {
  const device = await pick({ device: "cpu" });
  const tokenizer = gpt2Tokenizer();
  const config = { ...SHAPE, layers: 2, vocabularySize: tokenizer.vocabSize };
  const special = { bos: tokenizer.eosId, eos: tokenizer.eosId };
  const network = kind === "gpt2"
    ? Gpt2.create(device, config, { seed })
    : Llama.create(device, { ...config, kvHeads: 1, tied: true, special }, { seed });
  await Deno.mkdir(directory, { recursive: true });
  enlarge(network);
  await saveNetwork(network, directory);
  for (const tensor of network.parameters.values()) tensor.dispose();
  await saveTokenizer(tokenizer, directory);
  return directory;
}

function enlarge({ linears, parameters }: Network): void {
  for (const { name, weight } of linears.values()) {
    parameters.set(`${name}.weight`, scale(weight, LARGER).keep());
    weight.dispose();
  }
}

/** Special tokens, bytes, characters, and then what byte pair encoding makes of the texts (Sennrich et al., 2016). */
function makeVocabulary(special: readonly string[], texts: readonly string[]) {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const [word] of text.replaceAll(" ", "▁").matchAll(/▁?[^▁\n]+/g)) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  const bytes = Array.from(
    { length: 256 },
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
  );
  const characters = [...new Set(["▁", "\n", ...[...counts.keys()].join("")])].sort();
  const merges: [string, string][] = [];
  const words = Array.from(counts, ([word, count]) => ({ parts: [...word], count }));
  while (merges.length < MERGES) {
    const pairs = new Map<string, number>();
    for (const { parts, count } of words) {
      for (let i = 1; i < parts.length; i++) {
        const pair = `${parts[i - 1]} ${parts[i]}`; // no part has a space
        pairs.set(pair, (pairs.get(pair) ?? 0) + count);
      }
    }
    let best = "";
    for (const [pair, count] of pairs) if (count > (pairs.get(best) ?? 1)) best = pair;
    if (best === "") break;
    const [left, right] = best.split(" ") as [string, string];
    merges.push([left, right]);
    for (const word of words) word.parts = merge(word.parts, left, right);
  }
  const merged = merges.map((pair) => pair.join(""));
  return { tokens: [...new Set([...special, ...bytes, ...characters, ...merged])], merges };
}

function merge(parts: readonly string[], left: string, right: string): string[] {
  const merged: string[] = [];
  for (let i = 0; i < parts.length; i++) {
    if (parts[i] === left && parts[i + 1] === right) merged.push(left + parts[++i]);
    else merged.push(parts[i]!);
  }
  return merged;
}
