// Each component of tokenizers beside the crate's own, on hostile texts.

import { assertEquals, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { TokenJoiner } from "../../lib/text/decoders.ts";
import { type Component, componentsOf } from "../../lib/text/definition.ts";
import { HuggingFaceTokenizer } from "../../lib/text/hugging_face.ts";
import { buildNormalizer } from "../../lib/text/normalizers.ts";
import { buildPreTokenizer } from "../../lib/text/pre_tokenizers.ts";
import { parseTokenizerJson } from "../../lib/text/tokenizer_json.ts";
import { findPython } from "../support.ts";
import { HOSTILE_TEXTS } from "./hostile_texts.ts";

const python = findPython("tokenizers");

const of = (type: string) => (options: Record<string, unknown> = {}) => ({ type, ...options });
const [Strip, Replace, Prepend] = ["Strip", "Replace", "Prepend"].map(of);
const [Split, Metaspace, ByteLevel, Digits] = ["Split", "Metaspace", "ByteLevel", "Digits"].map(of);
const [Punctuation, FixedLength, Sequence] = ["Punctuation", "FixedLength", "Sequence"].map(of);

const NORMALIZERS: Component[] = [
  ...["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "ByteLevel"].map((type) => ({
    type,
  })),
  ...[[true, true], [true, false], [false, true]].map(([left, right]) =>
    Strip({ strip_left: left, strip_right: right })
  ),
  Prepend({ prepend: "▁" }),
  Replace({ pattern: { String: " " }, content: "▁" }),
  Replace({ pattern: { String: "$" }, content: "$&" }),
  Replace({ pattern: { Regex: " {2,}|\\s" }, content: " $1" }),
  Replace({ pattern: { Regex: "(?i:'s)|\\p{N}+" }, content: "" }),
  Sequence({
    normalizers: [{ type: "NFD" }, { type: "StripAccents" }, { type: "Lowercase" }],
  }),
];

const BEHAVIORS = ["Isolated", "Removed", "Contiguous", "MergedWithPrevious", "MergedWithNext"];
const PRE_TOKENIZERS: Component[] = [
  ...[true, false].flatMap((add_prefix_space) =>
    [true, false].map((use_regex) => ByteLevel({ add_prefix_space, use_regex, trim_offsets: true }))
  ),
  ...["first", "always", "never"].flatMap((prepend_scheme) =>
    [true, false].map((split) => Metaspace({ replacement: "▁", prepend_scheme, split }))
  ),
  Metaspace({ replacement: "_", prepend_scheme: "always", split: true }),
  ...BEHAVIORS.flatMap((behavior) =>
    [true, false].flatMap((invert) => [
      Split({ pattern: { String: "-" }, behavior, invert }),
      Split({ pattern: { Regex: "\\s+|\\d" }, behavior, invert }),
      Split({ pattern: { String: "$" }, behavior, invert }),
    ])
  ),
  Split({
    pattern: { Regex: "(?i:'s|'ll)|\\p{L}+|\\s+(?!\\S)|\\s+" },
    behavior: "Isolated",
    invert: false,
  }),
  Split({
    pattern: { Regex: "[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+" },
    behavior: "Isolated",
    invert: false,
  }),
  Split({ pattern: { Regex: "[[:punct:]]|[^\\w]" }, behavior: "Isolated", invert: false }),
  ...[true, false].map((individual_digits) => Digits({ individual_digits })),
  ...BEHAVIORS.map((behavior) => Punctuation({ behavior })),
  ...["Whitespace", "WhitespaceSplit", "BertPreTokenizer"].map((type) => ({ type })),
  { type: "CharDelimiterSplit", delimiter: "-" },
  FixedLength({ length: 3 }),
  Sequence({
    pretokenizers: [
      Digits({ individual_digits: true }),
      ByteLevel({ add_prefix_space: false, use_regex: true, trim_offsets: true }),
    ],
  }),
  Sequence({
    pretokenizers: [
      { type: "WhitespaceSplit" },
      Metaspace({ replacement: "▁", prepend_scheme: "first", split: true }),
    ],
  }),
];

const ByteFallback: Component = { type: "ByteFallback" };
const Fuse: Component = { type: "Fuse" };
const spaces = Replace({ pattern: { String: "▁" }, content: " " });
const DECODERS: Component[] = [
  ByteLevel({ add_prefix_space: true, trim_offsets: true, use_regex: true }),
  ByteFallback,
  Fuse,
  spaces,
  Replace({ pattern: { Regex: "\\s|▁" }, content: "$" }),
  Strip({ content: " ", start: 1, stop: 0 }),
  Strip({ content: "▁", start: 2, stop: 0 }),
  Strip({ content: " ", start: 0, stop: 1 }),
  ...["first", "always", "never"].map((prepend_scheme) =>
    Metaspace({ replacement: "▁", prepend_scheme, split: true })
  ),
  Sequence({ decoders: [spaces, ByteFallback, Fuse] }),
  Sequence({ decoders: [spaces, ByteFallback, Fuse, Strip({ content: " ", start: 1, stop: 0 })] }),
  Sequence({ decoders: [ByteFallback, Metaspace({ prepend_scheme: "always", replacement: "▁" })] }),
];
const TOKENS = [
  [],
  ["▁Hi", "▁▁", "there", "▁"],
  ["▁", "<0xE5>", "<0xAF>", "<0xBF>", "x", "<0xE5>", "<0x0A>"],
  ["Ġhello", "ÃŁ", "Ã", "Ċ", "<|im_end|>", "né"],
  ["  a", " b ", "c  "],
  ["<0xff>", "<0x0a>", "<0x0>"],
];

const BYTES = Array.from(
  { length: 256 },
  (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, "0")}>`,
);
const SCORED: [string, number][] = [
  ...["a", "b", "c", "d", "e", "h", "i", "l", "o", "r", "t", "u", "s", "w", "▁", "."].map((
    token,
    i,
  ): [string, number] => [token, -4 - i / 10]),
  ...["he", "hello", "wor", "ld", "word", "▁t", "▁th", "▁the", "the", "▁▁", "tion", "中中", "司"]
    .map((
      token,
      i,
    ): [string, number] => [token, -3.1 - i / 7]),
];
const Unigram = (extra: [string, number][], options: Record<string, unknown>) => ({
  type: "Unigram",
  vocab: [["<unk>", 0], ...SCORED, ...extra],
  ...options,
});
const cut = Metaspace({ replacement: "▁", prepend_scheme: "always", split: true });
const allBytes = BYTES.map((byte): [string, number] => [byte, -20]);
const WORDS = Object.fromEntries(["<unk>", "a", "word", ".", "Hi"].map((word, i) => [word, i]));
const MODELS: [Record<string, unknown>, Component | null][] = [
  [Unigram([], { unk_id: 0, byte_fallback: false }), cut],
  [Unigram(allBytes, { unk_id: 0, byte_fallback: true }), cut],
  [Unigram(allBytes, { unk_id: 0, byte_fallback: true }), null],
  [Unigram(allBytes.slice(0, 200), { unk_id: 0, byte_fallback: true }), cut],
  [Unigram([], { unk_id: null, byte_fallback: false }), cut],
  [{ type: "WordLevel", vocab: WORDS, unk_token: "<unk>" }, { type: "Whitespace" }],
  [{ type: "WordLevel", vocab: WORDS, unk_token: "gone" }, { type: "Whitespace" }],
  [
    { type: "BPE", vocab: WORDS, merges: [], unk_token: "<unk>", fuse_unk: true },
    { type: "WhitespaceSplit" },
  ],
  [{ type: "BPE", vocab: WORDS, merges: [], unk_token: "<unk>" }, { type: "WhitespaceSplit" }],
];

Deno.test({
  name: `components of tokenizers give what the crate's give${python.needs}`,
  ignore: !python.found,
  async fn(context) {
    const given = {
      normalizers: NORMALIZERS,
      preTokenizers: PRE_TOKENIZERS,
      decoders: DECODERS,
      models: MODELS,
      texts: HOSTILE_TEXTS,
      tokens: TOKENS,
    };
    const file = await Deno.makeTempFile({ suffix: ".json" });
    await Deno.writeTextFile(file, JSON.stringify(given));
    const script = fromFileUrl(import.meta.resolve("./components.py"));
    const theirs = JSON.parse(await python.run(script, file));
    await Deno.remove(file);
    /** Compares input by input, so that a difference says where it is. */
    const compare = async <T, V>(
      kind: keyof typeof theirs & string,
      components: readonly T[],
      inputs: readonly V[],
      build: (component: T) => (input: V) => unknown,
    ) => {
      for (const [i, component] of components.entries()) {
        await context.step(`${kind} ${i}: ${JSON.stringify(component).slice(0, 90)}`, () => {
          const run = build(component);
          for (const [k, input] of inputs.entries()) {
            let ours: unknown = null;
            try {
              ours = run(input);
            } catch (error) {
              if (!(error instanceof TypeError)) throw error;
            }
            assertEquals(ours, theirs[kind][i][k], JSON.stringify(input));
          }
        });
      }
    };
    await compare("normalizers", NORMALIZERS, HOSTILE_TEXTS, (component) => {
      return buildNormalizer(componentsOf(component, "normalizers"));
    });
    await compare("preTokenizers", PRE_TOKENIZERS, HOSTILE_TEXTS, (component) => {
      const cut = buildPreTokenizer(componentsOf(component, "pretokenizers"));
      return (text) => cut(text, true);
    });
    await compare("decoders", DECODERS, TOKENS, (component) => {
      const joiner = new TokenJoiner(component);
      return (tokens) => joiner.join(tokens);
    });
    await compare("models", MODELS, HOSTILE_TEXTS, ([model, pre_tokenizer]) => {
      const json = { model, pre_tokenizer };
      const options = { name: "small", path: "tokenizer.json", endIds: [0] };
      const tokenizer = new HuggingFaceTokenizer(parseTokenizerJson(json, { config: {} }, options));
      return (text) => tokenizer.encode(text);
    });
  },
});

Deno.test("components of other kinds are refused by name", () => {
  const build = (parts: Record<string, unknown>) => {
    const json = { model: { type: "BPE", vocab: {}, merges: [] }, ...parts };
    const options = { name: "x", path: "x.json", endIds: [0] };
    return new HuggingFaceTokenizer(parseTokenizerJson(json, { config: {} }, options));
  };
  const cases: [Record<string, unknown>, string][] = [
    [{ normalizer: { type: "BertNormalizer" } }, 'its normalizer is "BertNormalizer", expected'],
    [{ pre_tokenizer: { type: "UnicodeScripts" } }, 'its pre-tokenizer is "UnicodeScripts"'],
    [{ decoder: { type: "CTC" } }, 'its decoder is "CTC", expected one of "ByteLevel"'],
    [{ model: { type: "WordPiece", vocab: {} } }, '"model.type" is "WordPiece", expected "BPE"'],
    [
      { pre_tokenizer: { type: "Split", pattern: { String: "-" }, behavior: "Glued" } },
      'its "Split" has the behavior "Glued", expected "Isolated"',
    ],
    [
      { pre_tokenizer: { type: "Split", pattern: { Regex: "(" }, behavior: "Isolated" } },
      'its pattern "(" cannot be translated',
    ],
    [{ normalizer: { type: "Replace", pattern: 7 } }, "a pattern is 7, expected"],
    [
      { normalizer: { type: "Precompiled", precompiled_charsmap: "AAE=" } },
      'its "precompiled_charsmap" is cut short',
    ],
    [
      { model: { type: "BPE", vocab: {}, merges: [], dropout: 0.1 } },
      '"model.dropout" is 0.1, expected none',
    ],
  ];
  for (const [parts, reason] of cases) assertThrows(() => build(parts), TypeError, reason);
});
