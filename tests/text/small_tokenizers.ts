/** Small tokenizers of every kind that real models have, trained here on a few lines. */
import { writeTokenizerJson } from "../../lib/text/tokenizer_json.ts";
import type { Component, TokenizerDefinition } from "../../lib/text/definition.ts";
import { GGUF_SPLITS } from "../../lib/text/gguf_splits.ts";
import { BYTE_ALPHABET, spellBytes } from "../../lib/text/token_bytes.ts";

const CORPUS = [
  "Below is an instruction that describes a task. Write a response that completes the request.",
  "don't I'll we've they're I'd it's I'm DON'T I'LL  in   between\n\n\nif (x) {\n    y += 12;\n}\t\t",
  "The quick brown fox jumps over the lazy dog 1234567890 times; année, Straße, naïve, Привет, 中文 中文.",
  "👩‍👩‍👧‍👦 😀😀😀 1,000,000 3.14159 hello hello world world HelloWorld helloWorld theThe",
];

/** Merges the commonest pair of neighbours again and again, the first met of equals. */
function train(pieces: string[][], count: number): [string, string][] {
  const merges: [string, string][] = [];
  for (let round = 0; round < count; round++) {
    const counts = new Map<string, number>();
    for (const parts of pieces) {
      for (let i = 0; i + 1 < parts.length; i++) {
        const pair = `${parts[i]}\ud800${parts[i + 1]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
    }
    let best: string | undefined;
    for (const [pair, n] of counts) if (n > (counts.get(best!) ?? 1)) best = pair;
    if (best === undefined) break;
    const [left, right] = best.split("\ud800") as [string, string];
    merges.push([left, right]);
    pieces = pieces.map((parts) => {
      const merged: string[] = [];
      for (let i = 0; i < parts.length; i++) {
        if (parts[i] === left && parts[i + 1] === right) merged.push(left + parts[++i]);
        else merged.push(parts[i]!);
      }
      return merged;
    });
  }
  return merges;
}

const ADDED = [
  { content: "<|end|>", special: true },
  { content: "<|im_start|>", special: true },
  { content: "<|im_end|>", special: true },
  { content: "<|en", special: false },
  { content: "<mask>", special: true, lstrip: true, rstrip: true },
  { content: "word", special: false, single_word: true },
];

function finish(
  name: string,
  alphabet: readonly string[],
  merges: [string, string][],
  rest: Pick<TokenizerDefinition, "normalizer" | "preTokenizer" | "decoder">,
  options: { byteFallback?: boolean; ignoreMerges?: boolean; scored?: boolean } = {},
): TokenizerDefinition {
  const tokens = [...new Set([...alphabet, ...merges.map((pair) => pair.join(""))])];
  const { byteFallback = false, ignoreMerges = false, scored = false } = options;
  const scores = tokens.map((token) => {
    const rank = merges.findIndex((pair) => pair.join("") === token);
    return rank < 0 ? -1000 : -rank;
  });
  const addedTokens = ADDED.map((token, i) => ({
    ...token,
    id: tokens.length + i,
    normalized: false,
  }));
  return {
    name,
    tokens,
    addedTokens,
    ...rest,
    model: {
      type: "BPE",
      merges: scored ? { kind: "scored", scores } : { kind: "listed", pairs: merges },
      byteFallback,
      ignoreMerges,
      fuseUnknown: byteFallback,
      ...(byteFallback && { unknownToken: "<unk>" }),
    },
    beginIds: [addedTokens[1]!.id],
    bosId: addedTokens[1]!.id,
    eosId: addedTokens[0]!.id,
  };
}

/** Byte pair encodings over bytes, one for each way to cut that GGUF files name. */
export function byteLevelTokenizers(): TokenizerDefinition[] {
  const words = CORPUS.flatMap((line) => line.match(/ ?[^ ]+| +/g)!);
  const merges = train(words.map((word) => [...spellBytes(word)]), 300);
  return ["gpt-2", "smollm", "llama-bpe", "qwen2", "tekken", "gpt-4o"].map((pre) => {
    const { components, ignoreMerges } = GGUF_SPLITS.get(pre)!;
    return finish(pre, BYTE_ALPHABET, merges, {
      normalizer: pre === "qwen2" ? { type: "NFC" } : null,
      preTokenizer: { type: "Sequence", pretokenizers: components },
      decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    }, { ignoreMerges });
  });
}

/** Byte pair encodings over characters with bytes to fall back on, as SentencePiece makes them. */
export function sentencePieceTokenizers(): TokenizerDefinition[] {
  const alphabet = [
    "<unk>",
    ...Array.from(
      { length: 256 },
      (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
    ),
    ...new Set([...CORPUS.join("").replaceAll(" ", "▁").replaceAll("中", "")]),
  ];
  const merges = train(
    CORPUS.flatMap((line) => line.replaceAll(/[ 中]/g, "▁").match(/▁*[^▁]+/g)!)
      .map((word) => [...word]),
    300,
  );
  const space: Component = { type: "Replace", pattern: { String: " " }, content: "▁" };
  const decoders: Component[] = [
    { type: "Replace", pattern: { String: "▁" }, content: " " },
    { type: "ByteFallback" },
    { type: "Fuse" },
  ];
  const strip: Component = { type: "Strip", content: " ", start: 1, stop: 0 };
  const metaspace = (scheme: string): Component => ({
    type: "Metaspace",
    replacement: "▁",
    prepend_scheme: scheme,
    split: false,
  });
  const kinds: [string, Component | null, Component | null, boolean][] = [
    ["Metaspace first", null, metaspace("first"), false],
    ["Metaspace always", null, metaspace("always"), true],
    ["Metaspace never, by scores", null, metaspace("never"), true],
    [
      "Prepend",
      { type: "Sequence", normalizers: [{ type: "Prepend", prepend: "▁" }, space] },
      null,
      false,
    ],
    [
      "Gemma, by scores",
      space,
      { type: "Split", pattern: { String: " " }, behavior: "MergedWithPrevious", invert: false },
      true,
    ],
  ];
  return kinds.map(([name, normalizer, preTokenizer, scored]) =>
    finish(name, alphabet, merges, {
      normalizer,
      preTokenizer,
      decoder: {
        type: "Sequence",
        decoders: name.startsWith("Gemma") || name.includes("never")
          ? decoders
          : [...decoders, strip],
      },
    }, { byteFallback: true, scored })
  );
}

/** The contents of the files that a tokenizer is written to. */
export function writtenFiles(definition: TokenizerDefinition) {
  const { json, config } = writeTokenizerJson(definition);
  return { json: JSON.parse([...json].join("")) as Record<string, unknown>, config };
}
