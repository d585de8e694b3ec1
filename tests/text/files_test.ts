// Tokenizers' files as transformers and sentencepiece read them.

import { assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { openTokenizer } from "../../lib/text/mod.ts";
import type { ResolvedDirectory } from "../../lib/weights/mod.ts";
import { findPython } from "../support.ts";
import { HOSTILE_TEXTS } from "./hostile_texts.ts";
import { byteLevelTokenizers, writtenFiles } from "./small_tokenizers.ts";

const python = findPython("transformers", "sentencepiece");
const script = fromFileUrl(import.meta.resolve("./files.py"));

type Json = Record<string, unknown>;

const [small] = byteLevelTokenizers();
const { json } = writtenFiles({ ...small!, addedTokens: [], beginIds: [] });
const N = small!.tokens.length;
const plain = (content: string, rest: Json = {}) => ({
  ...{ content, single_word: false, lstrip: false, rstrip: false, normalized: false },
  ...{ special: true, ...rest },
});
const END = { id: N, ...plain("<|im_end|>") };
const begins = (...names: string[]) => ({
  type: "TemplateProcessing",
  single: [
    ...names.map((id) => ({ SpecialToken: { id, type_id: 0 } })),
    { Sequence: { id: "A", type_id: 0 } },
  ],
  pair: [{ Sequence: { id: "A", type_id: 0 } }, { Sequence: { id: "B", type_id: 1 } }],
  special_tokens: Object.fromEntries(
    names.map((id) => [id, { id, ids: [id === "a" ? 65 : N], tokens: [id] }]),
  ),
});
const bytes = { type: "ByteLevel", add_prefix_space: true, trim_offsets: false, use_regex: true };
const whole: Json = { ...json, added_tokens: [END], post_processor: null };
const named: Json = { tokenizer_class: "PreTrainedTokenizerFast", eos_token: "<|im_end|>" };

/** Folders by what is special about them: their files beside `config.json`. */
const FOLDERS: Record<string, Record<string, Json>> = {
  "as it is": { "tokenizer.json": whole, "tokenizer_config.json": named },
  "only in the configuration": {
    "tokenizer.json": { ...whole, added_tokens: [] },
    "tokenizer_config.json": {
      ...named,
      added_tokens_decoder: { [N]: plain("<|im_start|>"), [N + 1]: plain("<|im_end|>") },
    },
  },
  "other properties": {
    "tokenizer.json": whole,
    "tokenizer_config.json": {
      ...named,
      added_tokens_decoder: { [N]: plain("<|im_end|>", { lstrip: true, special: false }) },
    },
  },
  "other ids": {
    "tokenizer.json": whole,
    "tokenizer_config.json": {
      ...named,
      added_tokens_decoder: {
        [N + 5]: plain("<mask>"),
        [N + 2]: plain("word", { special: false, normalized: true }),
      },
    },
  },
  "ids that the crate gives": {
    "tokenizer.json": {
      ...whole,
      added_tokens: [{ id: N + 9, ...plain("<mask>") }, { ...END, id: N + 20 }, {
        ...plain("a", { special: false }),
        id: N + 30,
      }],
    },
    "tokenizer_config.json": named,
  },
  "other roles": {
    "tokenizer.json": whole,
    "tokenizer_config.json": {
      ...named,
      pad_token: "a",
      bos_token: { __type: "AddedToken", ...plain("<mask>", { rstrip: true }) },
      image_token: "<|img|>",
      additional_special_tokens: ["<|end|>", "Hi"],
    },
  },
  "roles as an object": {
    "tokenizer.json": whole,
    "tokenizer_config.json": { ...named, extra_special_tokens: { tool_token: "<mask>" } },
  },
  "an older map": {
    "tokenizer.json": whole,
    "tokenizer_config.json": { ...named, bos_token: "<mask>" },
    "special_tokens_map.json": {
      bos_token: "<|end|>",
      eos_token: plain("<|en", { lstrip: true }),
      additional_special_tokens: ["word"],
    },
  },
  "a map that does not count": {
    "tokenizer.json": whole,
    "tokenizer_config.json": { ...named, bos_token: "<mask>", added_tokens_decoder: {} },
    "special_tokens_map.json": { bos_token: "<|end|>" },
  },
  "older added tokens": {
    "tokenizer.json": whole,
    "tokenizer_config.json": named,
    "added_tokens.json": { "<mask>": N + 3, "<|im_end|>": N, word: N + 1 },
  },
  ...Object.fromEntries(
    [true, false].flatMap((add_bos_token) =>
      [
        null,
        begins("<|im_end|>"),
        begins("a", "<|im_end|>"),
        bytes,
        { type: "Sequence", processors: [bytes, begins("<|im_end|>")] },
        { type: "RobertaProcessing", sep: ["a", 65], cls: ["<|im_end|>", N] },
      ].map((post_processor, i) => [
        `begin ${add_bos_token} ${i}`,
        {
          "tokenizer.json": { ...whole, post_processor },
          "tokenizer_config.json": { ...named, bos_token: "<|im_end|>", add_bos_token },
        },
      ])
    ),
  ),
};

const NAMES = ["config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]
  .concat("added_tokens.json", "vocab.json", "merges.txt", "tokenizer.model");

function source(directory: string): ResolvedDirectory {
  const files = Array.from(Deno.readDirSync(directory), ({ name }) => name)
    .filter((name) => NAMES.includes(name));
  const config = join(directory, "config.json");
  return {
    ...{ kind: "directory", spec: directory, source: "directory", name: "small", directory },
    ...{ config, weights: join(directory, "model.safetensors"), files },
  };
}

interface Theirs {
  count: number;
  added: [number, string, ...boolean[]][];
  roles: Record<string, string>;
  begins: number[];
  ids: number[][];
}

Deno.test({
  name: `openTokenizer() reads all of a tokenizer's files as transformers does${python.needs}`,
  ignore: !python.found,
  async fn(context) {
    const folder = await Deno.makeTempDir({ prefix: "tunebook-text-" });
    const texts = HOSTILE_TEXTS.filter((_, i) => i % 3 === 0).concat(
      "a <|im_end|> b<mask> word<|im_start|>Hi<|end|><|en <|img|>",
    );
    try {
      await Deno.writeTextFile(join(folder, "texts.json"), JSON.stringify(texts));
      for (const [name, files] of Object.entries(FOLDERS)) {
        const directory = join(folder, name);
        await Deno.mkdir(directory);
        const all = { "config.json": { model_type: "llama" }, ...files };
        for (const [file, content] of Object.entries(all)) {
          await Deno.writeTextFile(join(directory, file), JSON.stringify(content));
        }
      }
      const merges = (json.model as { merges: string[][] }).merges.map((pair) => pair.join(" "));
      const vocab = Object.fromEntries(
        [...small!.tokens, "<|endoftext|>"].map((token, id) => [token!, id]),
      );
      for (
        const [name, type, config] of [
          ["gpt2 of its own", "gpt2", {}],
          ["gpt2 with spaces and a beginning", "gpt2", {
            ...{ add_bos_token: true, add_prefix_space: true, bos_token: "<mask>" },
          }],
          ["qwen2", "qwen2", { tokenizer_class: "Qwen2Tokenizer" }],
        ] as const
      ) {
        const directory = join(folder, name);
        await Deno.mkdir(directory);
        const write = (file: string, text: string) =>
          Deno.writeTextFile(join(directory, file), text);
        await write("config.json", JSON.stringify({ model_type: type }));
        await write("tokenizer_config.json", JSON.stringify(config));
        await write("vocab.json", JSON.stringify(vocab));
        await write("merges.txt", `#version: 0.2\n${merges.join("\n")}\n`);
      }
      const theirs: Record<string, Theirs> = JSON.parse(await python.run(script, "auto", folder));
      assertEquals(Object.keys(theirs).length, Object.keys(FOLDERS).length + 3);
      for (const [name, expected] of Object.entries(theirs)) {
        await context.step(name, async () => {
          const tokenizer = await openTokenizer(source(join(folder, name)));
          const { addedTokens, roles } = tokenizer.definition!;
          assertEquals(tokenizer.vocabSize, expected.count);
          assertEquals(
            addedTokens.map((one) => [
              ...[one.id, one.content, one.special],
              ...[one.lstrip ?? false, one.rstrip ?? false, one.normalized ?? false],
            ]),
            expected.added,
          );
          assertEquals(roles, expected.roles);
          // RobertaProcessing ends with a token, which no prompt may have.
          assertEquals(tokenizer.beginIds, name.endsWith("5") ? [N] : expected.begins);
          for (const [i, text] of texts.entries()) {
            const ids = tokenizer.encode(text, { allowedSpecial: "all" });
            assertEquals(ids, expected.ids[i], JSON.stringify(text));
          }
        });
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

interface SentencePieces extends Pick<Theirs, "count" | "ids"> {
  special: number[];
}

Deno.test({
  name: `openTokenizer() reads tokenizer.model alone as sentencepiece does${python.needs}`,
  ignore: !python.found,
  async fn(context) {
    const folder = await Deno.makeTempDir({ prefix: "tunebook-text-" });
    // SentencePiece ends a text at its first zero, adds scores as float32 (in long runs other sums are equal), and puts a
    // space before a text that begins with one, as transformers does not.
    const texts = HOSTILE_TEXTS.filter((text) => !/\0|^[ ▁]/u.test(text))
      .concat("one  two   three ", "say <|tool|> it", "寿司 🍣", "ﬁne ＡＢ ½");
    try {
      await Deno.writeTextFile(join(folder, "texts.json"), JSON.stringify(texts));
      const theirs = JSON.parse(await python.run(script, "sentencepiece", folder));
      for (const [name, expected] of Object.entries<SentencePieces>(theirs)) {
        await context.step(name, async () => {
          const directory = join(folder, name);
          await Deno.writeTextFile(join(directory, "config.json"), `{"model_type":"${name}"}`);
          const tokenizer = await openTokenizer(source(directory));
          assertEquals(tokenizer.vocabSize, expected.count);
          const { bosId, eosId, unknownId, padId } = tokenizer.definition!;
          assertEquals([bosId, eosId, unknownId, padId ?? -1], expected.special);
          for (const [i, text] of texts.entries()) {
            assertEquals(
              tokenizer.encode(text).join(),
              expected.ids[i]!.join(),
              JSON.stringify(text),
            );
          }
        });
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("openTokenizer() refuses files that it cannot reproduce", async () => {
  const directory = await Deno.makeTempDir({ prefix: "tunebook-text-" });
  const write = (name: string, content: string | Uint8Array) =>
    Deno.writeFile(
      join(directory, name),
      typeof content === "string" ? new TextEncoder().encode(content) : content,
    );
  const open = () => openTokenizer(source(directory));
  try {
    await write("config.json", '{"model_type":"gpt2","vocab_size":600}');
    await assertRejects(
      open,
      Deno.errors.NotFound,
      'holds no "tokenizer.json", and GPT-2\'s own has 50257 tokens where the model has 600',
    );
    await write("config.json", '{"model_type":"xlnet"}');
    await write("tokenizer.model", "not a model");
    await assertRejects(open, SyntaxError, "as a SentencePiece model");
    await write("tokenizer.model", Uint8Array.of(0x12, 2, 24, 3));
    await assertRejects(open, SyntaxError, "it has no pieces");
    await write("tokenizer.model", Uint8Array.of(0x0a, 3, 0x0a, 1, 97, 0x12, 2, 24, 3));
    await assertRejects(open, TypeError, "its kind is 3, expected 1 (Unigram) or 2 (BPE)");
    await write("vocab.json", "{}");
    await write("merges.txt", "");
    await assertRejects(open, TypeError, 'how "xlnet" splits a text is not known');
    await write("tokenizer.json", JSON.stringify(whole));
    const templates = [{ name: "tool_use", template: "a" }, { name: "rag", template: "b" }];
    await write("tokenizer_config.json", JSON.stringify({ ...named, chat_template: templates }));
    await assertRejects(open, TypeError, 'Cannot read the chat templates "tool_use", "rag"');
    await write("chat_template.jinja", "c");
    const { files, ...rest } = source(directory);
    const beside = { ...rest, files: [...files, "chat_template.jinja"] };
    assertEquals((await openTokenizer(beside)).definition?.chatTemplate, "c");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("openTokenizer() takes a processor's template, and refuses those that are all for something else", async () => {
  const directory = await Deno.makeTempDir({ prefix: "tunebook-text-" });
  const write = (name: string, content: Json) =>
    Deno.writeTextFile(join(directory, name), JSON.stringify(content));
  const open = async (...others: string[]) => {
    const { files, ...rest } = source(directory);
    return await openTokenizer({ ...rest, files: [...files, ...others] });
  };
  try {
    await write("config.json", { model_type: "llama" });
    await write("tokenizer.json", whole);
    await write("tokenizer_config.json", { ...named, chat_template: null });
    await write("chat_template.json", { chat_template: "a" });
    assertEquals((await open("chat_template.json")).definition?.chatTemplate, "a");
    await write("tokenizer_config.json", { ...named, chat_template: "b" });
    assertEquals((await open("chat_template.json")).definition?.chatTemplate, "b");
    await write("tokenizer_config.json", named);
    await Deno.mkdir(join(directory, "additional_chat_templates"));
    assertEquals((await open("additional_chat_templates")).definition?.chatTemplate, undefined);
    for (const name of ["tool_use", "rag"]) {
      await Deno.writeTextFile(join(directory, "additional_chat_templates", `${name}.jinja`), "c");
    }
    await assertRejects(
      () => open("additional_chat_templates"),
      TypeError,
      'Cannot read the chat templates "rag", "tool_use": expected a text, or one with the name "default"',
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
