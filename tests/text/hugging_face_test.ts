import { assert, assertEquals, assertThrows } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { HuggingFaceTokenizer } from "../../lib/text/hugging_face.ts";
import { parseTokenizerJson } from "../../lib/text/tokenizer_json.ts";
import { Random } from "../../lib/random.ts";
import golden from "../golden/text.json" with { type: "json" };
import { findPython } from "../support.ts";
import { STREWN_TEXTS } from "./hostile_texts.ts";
import { byteLevelTokenizers, sentencePieceTokenizers, writtenFiles } from "./small_tokenizers.ts";

const python = findPython("tokenizers");
const peer = fromFileUrl(import.meta.resolve("./peer.py"));

/** Hostile texts: those of GPT-2's golden file, with these vocabularies' own tokens strewn in. */
const TEXTS = golden.encode.map(({ text }, i) =>
  i % 3 === 0 ? text : text.replaceAll("<|endoftext|>", ["<|im_end|>", "<|en", " <mask> "][i % 3]!)
).concat(STREWN_TEXTS).map((text) => text.toWellFormed());

for (const definition of [...byteLevelTokenizers(), ...sentencePieceTokenizers()]) {
  const title = `HuggingFaceTokenizer gives the crate's own tokens: ${definition.name}`;
  Deno.test({
    name: title + python.needs,
    ignore: !python.found,
    async fn() {
      const folder = await Deno.makeTempDir({ prefix: "tunebook-text-" });
      try {
        const random = new Random(7);
        const tokenizer = new HuggingFaceTokenizer(definition);
        const ids = Array.from(
          { length: 100 },
          () => Array.from({ length: 12 }, () => random.integer(tokenizer.vocabSize)),
        );
        const { json, config } = writtenFiles(definition);
        await Deno.writeTextFile(join(folder, "tokenizer.json"), JSON.stringify(json));
        await Deno.writeTextFile(join(folder, "texts.json"), JSON.stringify({ texts: TEXTS, ids }));
        const answer = JSON.parse(await python.run(peer, "tokens", folder));
        // what was written must also read back as the same tokenizer
        const again = new HuggingFaceTokenizer(
          parseTokenizerJson(JSON.parse(JSON.stringify(json)), { config }, {
            name: "again",
            path: folder,
          }),
        );
        assertEquals(again.beginIds, tokenizer.beginIds);
        for (const one of [tokenizer, again]) {
          for (const [i, text] of TEXTS.entries()) {
            const shown = JSON.stringify(text);
            assertEquals(one.encode(text), answer.ordinary[i], shown);
            assertEquals(
              one.encode(text, { allowedSpecial: "all" }),
              answer.special[i],
              `special tokens in ${shown}`,
            );
          }
          for (const [i, row] of ids.entries()) {
            assertEquals(one.decode(row), answer.decoded[i], JSON.stringify(row));
          }
        }
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

const [small] = byteLevelTokenizers();
const tokenizer = new HuggingFaceTokenizer(small!);

Deno.test("HuggingFaceTokenizer takes special tokens only where allowed", () => {
  const end = tokenizer.specialTokens.get("<|end|>")!;
  assertEquals(tokenizer.encode("a<|end|>", { allowedSpecial: ["<|end|>"] }).at(-1), end);
  assertEquals(
    tokenizer.encode("a<|end|>", { allowedSpecial: ["<|im_end|>"] }).includes(end),
    false,
  );
  assertEquals(tokenizer.encode("<|\ufdd0end|>", { allowedSpecial: "all", shield: "\ufdd0" }), [
    ...tokenizer.encode("<|end|>"),
  ]);
  const error = assertThrows(() => tokenizer.encode("", { allowedSpecial: ["<x>"] }), RangeError);
  assertEquals(
    error.message,
    'Cannot allow the special token "<x>": "gpt-2" has "<|end|>", "<|im_start|>", "<|im_end|>", "<mask>"',
  );
});

Deno.test("HuggingFaceTokenizer shows ids without a token, and refuses other values", () => {
  const { vocabSize } = tokenizer;
  const ids = [...tokenizer.encode("a"), vocabSize, ...tokenizer.encode("é"), vocabSize + 50];
  assertEquals(tokenizer.decode(ids), `a⟨${vocabSize}⟩é⟨${vocabSize + 50}⟩`);
  assertEquals(new TextDecoder().decode(tokenizer.bytes(vocabSize)), `⟨${vocabSize}⟩`);
  for (const id of [-1, 1.5, NaN]) {
    assertThrows(() => tokenizer.decode([id]), RangeError, `Cannot decode token ${id} of "gpt-2"`);
  }
});

Deno.test("HuggingFaceTokenizer encodes long runs in little time, or says why not", () => {
  const start = performance.now();
  assertEquals(tokenizer.decode(tokenizer.encode("a".repeat(100_000))).length, 100_000);
  assertEquals(tokenizer.decode(tokenizer.encode("<|".repeat(50_000))).length, 100_000);
  assert(performance.now() - start < 15_000);
  assertThrows(
    () => tokenizer.encode("😀".repeat(5_000_000)),
    RangeError,
    "Cannot encode a text of 10000000 characters: it has a run without a break that is too long",
  );
});

Deno.test("parseTokenizerJson() says what is wrong with a file", () => {
  const { json, config } = writtenFiles(small!);
  const read = (change: Record<string, unknown>) =>
    parseTokenizerJson({ ...json, ...change }, { config }, { name: "x", path: "x.json" });
  const model = json.model as Record<string, unknown>;
  const cases: [Record<string, unknown>, string][] = [
    [{ model: undefined }, '"model" is missing'],
    [{ model: { ...model, vocab: 7 } }, '"model.vocab" is missing'],
    [{ model: { ...model, vocab: { a: -1 } } }, 'token "a" has the id -1'],
    [
      { model: { ...model, vocab: { a: 1e9 } } },
      'token "a" has the id 1000000000, and there are 1',
    ],
    [{ model: { ...model, merges: ["a"] } }, '"model.merges" must be an array of pairs of tokens'],
    [{ model: { ...model, end_of_word_suffix: "</w>" } }, '"model.end_of_word_suffix" is "</w>"'],
    [{ added_tokens: [{}] }, '"added_tokens" must be an array of objects with "id" and "content"'],
    [{ added_tokens: [{ id: 1e9, content: "x" }] }, 'added token "x" has the id 1000000000'],
    [{ normalizer: "NFC" }, '"normalizer" has no "type"'],
  ];
  for (const [change, reason] of cases) {
    assertThrows(() => read(change), TypeError, `Cannot read the tokenizer "x.json": ${reason}`);
  }
  assertThrows(
    () => parseTokenizerJson(json, { config: {} }, { name: "x", path: "x.json" }),
    TypeError,
    '"tokenizer_config.json" names no "eos_token" of this vocabulary',
  );
});
