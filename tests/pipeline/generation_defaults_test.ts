// A model's own settings of its answers: those of generation_config.json, beside transformers' generate().

import { assert, assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { exportGguf, generate, loadNetwork } from "../../lib/model/mod.ts";
import {
  generationDefaults,
  notesOnGeneration,
  readGenerationDefaults,
  withGenerationDefaults,
} from "../../lib/pipeline/generation_defaults.ts";
import { loadModel } from "../../lib/pipeline/mod.ts";
import { ggufDefaults, ollamaDefaults } from "../../lib/pipeline/llama_cpp_defaults.ts";
import { serveModel } from "../../lib/serve/mod.ts";
import { pick } from "../../lib/tensor/mod.ts";
import { tokenizerToGguf } from "../../lib/text/mod.ts";
import { type GgufValue, openGguf, resolveModel } from "../../lib/weights/mod.ts";
import type { ResolvedDirectory } from "../../lib/weights/resolved.ts";
import { findPython } from "../support.ts";

const python = findPython("torch", "transformers");
const ggufPython = findPython("gguf");

interface Case {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly prompt: readonly number[];
  /** Whether config.json has the fields, and there is no generation_config.json. */
  readonly inConfig?: boolean;
}

/** Fields that decide which token is the most likely one, and what does not change it. */
const FIELDS: readonly Readonly<Record<string, unknown>>[] = [
  {},
  { repetition_penalty: 1.05 },
  { repetition_penalty: 1.5 },
  { repetition_penalty: 0.5 },
  { repetition_penalty: null, do_sample: true, temperature: 0.6, top_k: 20, top_p: 0.95 },
  { no_repeat_ngram_size: 1 },
  { no_repeat_ngram_size: 2 },
  { no_repeat_ngram_size: 3, repetition_penalty: 1.3 },
  { no_repeat_ngram_size: 90 },
  { suppress_tokens: [5, 6, 7, 20, 31] },
  { suppress_tokens: Array.from({ length: 30 }, (_, i) => i) },
  { begin_suppress_tokens: Array.from({ length: 30 }, (_, i) => i + 10) },
  { begin_suppress_tokens: [], suppress_tokens: [] },
  { bad_words_ids: Array.from({ length: 20 }, (_, i) => [2 * i]) },
  { bad_words_ids: [[1], [3, 4], [9, 9, 9]], no_repeat_ngram_size: 4 },
  { bad_words_ids: Array.from({ length: 40 }, (_, i) => [i, i]) },
  { eos_token_id: [1, 5, 12, 20, 31, 38] },
  { eos_token_id: [1, 5, 12, 20, 31, 38], min_new_tokens: 12 },
  { eos_token_id: Array.from({ length: 30 }, (_, i) => i), min_length: 11 },
  { eos_token_id: Array.from({ length: 30 }, (_, i) => i), min_length: 25, min_new_tokens: 5 },
  { eos_token_id: [5, 12], bad_words_ids: [[5], [12], [7]], min_new_tokens: 3 },
];

const PROMPTS = [[2, 9, 17, 33], [8, 8, 8, 8, 30]];

const CASES: readonly Case[] = [
  ...FIELDS.flatMap((fields) => PROMPTS.map((prompt) => ({ fields, prompt }))),
  ...PROMPTS.flatMap((prompt) =>
    [{ repetition_penalty: 1.4 }, { no_repeat_ngram_size: 2, bad_words_ids: [[4], [6, 7]] }]
      .map((fields) => ({ fields, prompt, inConfig: true }))
  ),
];

Deno.test({
  name: `the most likely text is transformers' by each generation_config.json${python.needs}`,
  ignore: !python.found,
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "tunebook-generation-" });
    const device = await pick({ device: "cpu" });
    try {
      await Deno.writeTextFile(join(folder, "cases.json"), JSON.stringify(CASES));
      const script = fromFileUrl(import.meta.resolve("./generation_config.py"));
      const expected: number[][] = JSON.parse(await python.run(script, folder));
      const { network } = await loadNetwork(folder, { device });
      const file = join(folder, "generation_config.json");
      const config = join(folder, "config.json");
      const plain = JSON.parse(await Deno.readTextFile(config));
      for (const [i, { fields, prompt, inConfig = false }] of CASES.entries()) {
        await Deno.remove(file).catch(() => {});
        await Deno.writeTextFile(
          config,
          JSON.stringify(inConfig ? { ...plain, ...fields } : plain),
        );
        if (!inConfig) await Deno.writeTextFile(file, JSON.stringify(fields));
        const defaults = await readGenerationDefaults(await resolveDirectory(folder));
        assertEquals(defaults.unsupported, []);
        // transformers takes the end tokens from the same file, and from config.json only where there is none
        const eosId = inConfig
          ? [plain.eos_token_id]
          : [fields.eos_token_id ?? []].flat() as number[];
        const [{ tokens, finish }] = await generate(
          network,
          [prompt],
          { ...withGenerationDefaults({}, defaults, eosId), maxNewTokens: 24, eosId },
        );
        const theirs = expected[i].slice(0, tokens.length);
        assertEquals(tokens, theirs, JSON.stringify(CASES[i]));
        const ended = finish === "eos" ? 1 : 0;
        assertEquals(tokens.length + ended, expected[i].length, JSON.stringify(CASES[i]));
      }
      // the fields matter: transformers itself says different things
      assert(new Set(expected.map((tokens) => tokens.join())).size > CASES.length / 3);
    } finally {
      device.close();
      await Deno.remove(folder, { recursive: true });
    }
  },
});

async function resolveDirectory(folder: string): Promise<ResolvedDirectory> {
  const source = await resolveModel(folder);
  if (source.kind !== "directory") throw new Error("it is a directory");
  return source;
}

/** The embedded model in a folder with a generation_config.json. */
async function withSettings(json: string): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "tunebook-generation-" });
  const nano = await resolveDirectory("nano");
  for (const name of ["config.json", "model.safetensors"]) {
    await Deno.copyFile(join(nano.directory, name), join(folder, name));
  }
  await Deno.writeTextFile(join(folder, "generation_config.json"), json);
  return folder;
}

Deno.test("a model's answers follow its generation_config.json where the caller does not say, and once it is saved", async () => {
  const folder = await withSettings(
    JSON.stringify({ repetition_penalty: 1.4, suppress_tokens: [13], do_sample: true, top_k: 3 }),
  );
  const question = "Name the opposite of hot.";
  try {
    using plain = await loadModel("nano", { device: "cpu" });
    using model = await loadModel(folder, { device: "cpu" });
    const without = await plain.answer(question, { maxNewTokens: 16 });
    const expected = await plain.answer(question, {
      maxNewTokens: 16,
      repetitionPenalty: 1.4,
      processLogits: (logits) => void (logits[13] = -Infinity),
    });
    assert(without !== expected);
    assertEquals(await model.answer(question, { maxNewTokens: 16 }), expected);
    // of several rules all apply, the caller's after the model's
    const both = { maxNewTokens: 16, repetitionPenalty: undefined };
    const seen = new Set<number>();
    await model.answer(question, { ...both, processLogits: (logits) => void seen.add(logits[13]) });
    assertEquals([...seen], [-Infinity]);
    const free = { maxNewTokens: 16, repetitionPenalty: 1, processLogits: () => {} };
    assert(await model.answer(question, free) !== expected);
    // what is drawn is drawn from three
    const drawn = { maxNewTokens: 16, temperature: 1.2 };
    const three = { ...drawn, topK: 3, repetitionPenalty: 1.4 };
    const processLogits = (logits: Float32Array) => void (logits[13] = -Infinity);
    assertEquals(
      await model.answer(question, drawn),
      await plain.answer(question, { ...three, processLogits }),
    );
    await model.save(join(folder, "saved"));
    using saved = await loadModel(join(folder, "saved"), { device: "cpu" });
    assertEquals(await saved.answer(question, { maxNewTokens: 16 }), expected);
    // and behind HTTP, where a request may say otherwise
    const server = serveModel(model);
    const answer = async (options: Record<string, number>) => {
      const body = JSON.stringify({
        model: server.name,
        messages: [{ role: "user", content: question }],
        stream: false,
        options: { num_predict: 16, ...options },
      });
      const response = await fetch(`${server.url}/api/chat`, { method: "POST", body });
      return (await response.json()).message.content.trim();
    };
    assertEquals(await answer({}), expected);
    const asked = { maxNewTokens: 16, processLogits, temperature: 0.9, seed: 4 };
    const all = await plain.answer(question, asked);
    assertEquals(await answer({ repeat_penalty: 1, top_k: 0, temperature: 0.9, seed: 4 }), all);
    assert(await answer({ repeat_penalty: 1, temperature: 0.9, seed: 4 }) !== all);
    await server.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a generation_config.json that is not JSON is refused by its name", async () => {
  const folder = await withSettings("{");
  try {
    await assertRejects(
      () => loadModel(folder, { device: "cpu" }),
      SyntaxError,
      "generation_config.json",
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("what a generation_config.json says is honoured, or said", () => {
  const notes = (json: Record<string, unknown>, options = {}) =>
    notesOnGeneration(generationDefaults(json), options);
  // what instruction models have in practice
  const qwen = {
    do_sample: true,
    repetition_penalty: 1.1,
    temperature: 0.7,
    top_p: 0.8,
    top_k: 20,
  };
  assertEquals(notes({ ...qwen, bos_token_id: 1, eos_token_id: [2, 3], pad_token_id: 1 }), [
    "the model's own settings apply, as in transformers: repetition penalty 1.1",
    "the model's own settings draw answers at temperature 0.7, top-k 20, top-p 0.8: --temperature 0.7 does so; " +
    "without it the most likely tokens are taken",
  ]);
  assertEquals(notes(qwen, { temperature: 0.7, repetitionPenalty: 1 }), [
    "the model's own settings apply to what is not given: top-k 20, top-p 0.8",
  ]);
  assertEquals(notes({ max_new_tokens: 2048 }), [
    "the model's own settings have answers of at most 2048 tokens; they have at most 256 here: see --max-new-tokens",
  ]);
  // neither what is as if it were not there, nor what only the tokenizer or the machine has to do with
  const neutral = {
    num_beams: 1,
    typical_p: 1,
    top_k: 0,
    top_p: 1,
    repetition_penalty: 1,
    min_p: 0,
  };
  assertEquals(notes({ ...neutral, do_sample: false, use_cache: true, temperature: 0.7 }), []);
  const unsupported: Record<string, unknown> = {
    num_beams: 4,
    typical_p: 0.9,
    forced_eos_token_id: 7,
    forced_bos_token_id: 7,
    exponential_decay_length_penalty: [5, 1.1],
    sequence_bias: [[[5], 2]],
    penalty_alpha: 0.6,
    guidance_scale: 1.5,
    stop_strings: ["x"],
    epsilon_cutoff: 0.1,
    eta_cutoff: 0.1,
    top_h: 0.5,
    encoder_repetition_penalty: 2,
    watermarking_config: {},
    dola_layers: "high",
    token_healing: true,
    max_time: 5,
    a_later_field: true,
    top_k: -1,
    top_p: 1.7,
    min_p: "x",
    repetition_penalty: 0,
    suppress_tokens: [1.5],
    bad_words_ids: [[]],
  };
  for (const [key, value] of Object.entries(unsupported)) {
    assertEquals(generationDefaults({ [key]: value }), {
      program: "transformers",
      sampling: {},
      rules: {},
      unsupported: [`"${key}" ${JSON.stringify(value)}`],
    });
    assert(notes({ [key]: value })[0].includes(`"${key}"`));
  }
});

Deno.test("what an Ollama model's parameters and system message say is honoured, or said", () => {
  const special = new Map([["<|im_start|>", 1], ["<|im_end|>", 2]]);
  const notes = (parameters: Record<string, unknown>, options = {}, system?: string) =>
    notesOnGeneration(ollamaDefaults({ parameters, system }, special), options);
  // as of a model from its library, and as tunebook exports one
  assertEquals(notes({ stop: ["<|im_start|>", "<|im_end|>"] }), []);
  assertEquals(notes({ temperature: 0, repeat_penalty: 1, stop: "<|im_end|>", num_ctx: 2048 }), []);
  assertEquals(notes({ temperature: 0.7, top_k: 20, top_p: 0.8, min_p: 0 }), [
    "the model's own settings draw answers at temperature 0.7, top-k 20, top-p 0.8: --temperature 0.7 does so; " +
    "without it the most likely tokens are taken",
  ]);
  assertEquals(notes({ temperature: 0.7, top_k: 20, top_p: 1 }, { temperature: 1 }), [
    "the model's own settings apply to what is not given: top-k 20",
  ]);
  assertEquals(notes({ num_predict: 64 }), [
    "the model's own settings have answers of at most 64 tokens; they have at most 256 here: see --max-new-tokens",
  ]);
  assertEquals(notes({ num_predict: -1, repeat_last_n: 64, mirostat: 0, mirostat_tau: 5 }), []);
  const parameters = {
    stop: ["<|im_end|>", "User:"],
    repeat_penalty: 1.1,
    repeat_last_n: 64,
    seed: 7,
  };
  assertEquals(notes(parameters, {}, "Be brief."), [
    'the model\'s own settings have the system message "Be brief.", "stop" ["User:"], "repeat_penalty" 1.1, ' +
    '"repeat_last_n" 64, "seed" 7, which Ollama may honour; answers here do not',
  ]);
});

Deno.test({
  name: `every key of gguf-py about how tokens are drawn is honoured, or said${ggufPython.needs}`,
  ignore: !ggufPython.found,
  async fn() {
    const path = await Deno.makeTempFile({ suffix: ".gguf" });
    try {
      await ggufPython.run(fromFileUrl(import.meta.resolve("./gguf_sampling.py")), path);
      using file = await openGguf(path);
      assertEquals(notesOnGeneration(ggufDefaults(file.metadata), {}), [
        "the model's own settings draw answers at temperature 0.7, top-k 20, top-p 0.8, min-p 0.05: --temperature 0.7 " +
        "does so; without it the most likely tokens are taken",
        'the model\'s own settings have "general.sampling.sequence" "penalties;top_k;temperature", ' +
        '"general.sampling.xtc_probability" 0.5, "general.sampling.xtc_threshold" 0.1, ' +
        '"general.sampling.penalty_last_n" 64, "general.sampling.penalty_repeat" 1.1, "general.sampling.mirostat" 2, ' +
        '"general.sampling.mirostat_tau" 5, "general.sampling.mirostat_eta" 0.1, "tokenizer.ggml.add_eos_token" true, ' +
        "which llama.cpp may honour; answers here do not",
      ]);
    } finally {
      await Deno.remove(path);
    }
  },
});

Deno.test("what a GGUF file says of answers is silent where it changes nothing, and said where it cannot be read", () => {
  const notes = (metadata: Record<string, GgufValue>) =>
    notesOnGeneration(ggufDefaults(new Map(Object.entries(metadata))), { temperature: 1 });
  assertEquals(
    notes({
      "general.sampling.top_k": 0,
      "general.sampling.top_p": 1,
      "general.sampling.min_p": 0,
      "general.sampling.xtc_probability": 0,
      "general.sampling.xtc_threshold": 0.1,
      "general.sampling.penalty_last_n": 64,
      "general.sampling.penalty_repeat": 1,
      "general.sampling.mirostat": 0,
      "general.sampling.mirostat_tau": 5,
      "tokenizer.ggml.add_eos_token": false,
    }),
    [],
  );
  assertEquals(notes({ "general.sampling.top_k": "20", "general.sampling.later": true }), [
    'the model\'s own settings have "general.sampling.top_k" "20", "general.sampling.later" true, ' +
    "which llama.cpp may honour; answers here do not",
  ]);
});

Deno.test("a model's answers follow its GGUF file, and still do once it is saved and exported again", async () => {
  const folder = await Deno.makeTempDir({ prefix: "tunebook-generation-" });
  const question = "Name the opposite of hot.";
  try {
    using plain = await loadModel("nano", { device: "cpu" });
    const path = join(folder, "model.gguf");
    const said = {
      "general.sampling.temp": { float32: 0.7 },
      "general.sampling.top_k": { uint32: 3 },
      "tokenizer.ggml.suppress_tokens": Int32Array.of(13),
    };
    const { network, tokenizer } = plain;
    await exportGguf(network, path, {
      type: "F32",
      tokenizer: { ...tokenizerToGguf(tokenizer), ...said },
    });
    const drawn = { maxNewTokens: 16, temperature: 1.2 };
    const processLogits = (logits: Float32Array) => void (logits[13] = -Infinity);
    const expected = await plain.answer(question, { ...drawn, topK: 3, processLogits });
    assert(await plain.answer(question, drawn) !== expected);
    using model = await loadModel(path, { device: "cpu" });
    assertEquals(await model.answer(question, drawn), expected);
    const own = {
      sampling: { topK: 3 },
      rules: { suppressed: [13] },
      temperature: 0.7,
      unsupported: [],
    };
    assertEquals(model.generation, { program: "llama.cpp", ...own });
    await model.save(join(folder, "saved"));
    using saved = await loadModel(join(folder, "saved"), { device: "cpu" });
    assertEquals(await saved.answer(question, drawn), expected);
    assertEquals(saved.generation, { program: "transformers", ...own });
    await saved.export(join(folder, "again.gguf"), { type: "Q8_0" });
    using again = await openGguf(join(folder, "again.gguf"));
    assertEquals(ggufDefaults(again.metadata), model.generation);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
