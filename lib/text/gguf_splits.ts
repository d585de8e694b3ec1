/**
 * How vocabularies split a text before merging, by the name in `tokenizer.ggml.pre`; the patterns
 * are those of the models' own `tokenizer.json` files (Oniguruma).
 */
import type { Component } from "./definition.ts";

const LLAMA3 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*" +
  "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const QWEN2 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*" +
  "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const TEKKEN =
  "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+" +
  "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*" +
  "|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const GPT4O =
  "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+" +
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)?" +
  "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*" +
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)?" +
  "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

const BYTE_LEVEL = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true };

const GPT2: Component[] = [{ ...BYTE_LEVEL, use_regex: true }];
/** Each digit separately, then as GPT-2. */
const DIGITS: Component[] = [{ type: "Digits", individual_digits: true }, ...GPT2];

function splitting(pattern: string): Component[] {
  return [
    { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false },
    { ...BYTE_LEVEL, use_regex: false },
  ];
}

/** What a name of `tokenizer.ggml.pre` means. */
export interface GgufSplit {
  /** The pre-tokenizers, one after the other. */
  components: readonly Component[];
  /** Whether pieces that are tokens are used directly. */
  ignoreMerges?: boolean;
  /** Whether texts begin with the beginning token if the file does not say. */
  addBos?: boolean;
}

const LLAMA3_SPLIT: GgufSplit = {
  components: splitting(LLAMA3),
  ignoreMerges: true,
  addBos: true,
};
const QWEN2_SPLIT: GgufSplit = { components: splitting(QWEN2) };
const GPT4O_SPLIT: GgufSplit = { components: splitting(GPT4O) };

/** Ways to split, by the names of `tokenizer.ggml.pre` for byte pair encodings. */
export const GGUF_SPLITS: ReadonlyMap<string, GgufSplit> = new Map<string, GgufSplit>([
  ...["default", "gpt-2", "gpt2", "phi-2", "olmo", "mpt", "jais", "exaone"]
    .map((name) => [name, { components: GPT2 }] as const),
  ...["smollm", "starcoder", "refact", "command-r", "codeshell"]
    .map((name) => [name, { components: DIGITS }] as const),
  ...["llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral"]
    .map((name) => [name, LLAMA3_SPLIT] as const),
  ...["dbrx", "smaug-bpe"].map((name) => [name, { components: splitting(LLAMA3) }] as const),
  ...["qwen2", "deepseek-r1-qwen", "megrez"].map((name) => [name, QWEN2_SPLIT] as const),
  ["tekken", { components: splitting(TEKKEN), ignoreMerges: true, addBos: true }],
  ...["gpt-4o", "llama4"].map((name) => [name, GPT4O_SPLIT] as const),
]);
