// Exported models in a real Ollama: they read the same tokens, say the same greedily, and come back as they went.

import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { attachLora } from "../../lib/model/lora.ts";
import {
  addLora,
  exportGguf,
  exportLoraGguf,
  Gemma,
  generate,
  Gpt2,
  Llama,
  loadNetwork,
  mergeLora,
  type Network,
  saveLora,
  trainableParameters,
} from "../../lib/model/mod.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { Tensor } from "../../lib/tensor/mod.ts";
import {
  chatTemplateOf,
  gpt2Tokenizer,
  openTokenizer,
  type Tokenizer,
  tokenizerToGguf,
} from "../../lib/text/mod.ts";
import { closingToken, encodeChatPrompt } from "../../lib/text/chat.ts";
import { sft } from "../../lib/train/mod.ts";
import {
  createOllamaModel,
  openGguf,
  type ResolvedGguf,
  resolveModel,
} from "../../lib/weights/mod.ts";
import { tunebook, Workshop } from "../cli/tunebook.ts";
import { gemma3, ollama, OllamaServer, smollm2 } from "../ollama.ts";
import {
  assertSameInOllama,
  CLEAR,
  countClear,
  ENOUGH,
  GREEDY,
  makeDecided,
  nearly,
  NEW_TOKENS,
  small,
} from "./same_in_ollama.ts";
import { assertClose } from "../support.ts";

const PROMPT = "The quick brown fox jumps over the lazy dog 12 times;";

Deno.test({
  name: `exported models say in a real Ollama what they say here${ollama.needs}`,
  ignore: !ollama.found,
  async fn(t) {
    const device = new CpuDevice({ threads: 1 });
    await using server = await OllamaServer.start();
    const shape = { contextLength: 256, width: 64, layers: 2, heads: 4 };
    const [llama, gemma] = ["Metaspace always", "Gemma, by scores"].map(small);
    const gpt2 = gpt2Tokenizer();
    const cases: [name: string, tokenizer: Tokenizer, model: Network][] = [
      [
        "GPT-2",
        gpt2,
        Gpt2.create(device, { vocabularySize: gpt2.vocabSize, ...shape, qkvBias: false }, {
          seed: 1,
        }),
      ],
      [
        "Llama",
        llama,
        Llama.create(device, {
          vocabularySize: llama.vocabSize + 3, // rows that no token has
          ...shape,
          kvHeads: 2,
          feedForwardWidth: 96,
          theta: 500_000,
          scaling: {
            type: "llama3",
            factor: 8,
            lowFrequencyFactor: 1,
            highFrequencyFactor: 4,
            originalContext: 8192,
          },
        }, { seed: 2 }),
      ],
      [
        "Gemma 1",
        gemma,
        Gemma.create(device, {
          generation: 1,
          vocabularySize: gemma.vocabSize,
          ...shape,
          kvHeads: 1,
          headDim: 32,
          feedForwardWidth: 96,
        }, { seed: 3 }),
      ],
      [
        "Gemma 3",
        gemma,
        Gemma.create(device, {
          generation: 3,
          vocabularySize: gemma.vocabSize,
          ...shape,
          layers: 7, // the sixth sees all
          kvHeads: 2,
          headDim: 32,
          feedForwardWidth: 96,
          window: 512,
        }, { seed: 4 }),
      ],
    ];
    for (const [name, tokenizer, model] of cases) {
      await t.step(name, async () => {
        await makeDecided(model, tokenizer);
        for (const type of name === "Llama" ? ["F16", "Q8_0"] as const : ["F32"] as const) {
          await assertSameInOllama(server, model, tokenizer, type, PROMPT);
        }
      });
    }
    device.close();
  },
});

Deno.test({
  name: `an exported adapter says in a real Ollama what it says here${ollama.needs}`,
  ignore: !ollama.found,
  async fn() {
    const device = new CpuDevice({ threads: 1 });
    await using server = await OllamaServer.start();
    const tokenizer = small("Metaspace always");
    const config = {
      vocabularySize: tokenizer.vocabSize,
      contextLength: 256,
      width: 64,
      layers: 2,
      heads: 4,
      kvHeads: 2,
      feedForwardWidth: 96,
    };
    const model = Llama.create(device, config, { seed: 2 });
    await makeDecided(model, tokenizer);
    const { host } = server;
    const path = `${server.folder}/model.gguf`;
    const gguf = await exportGguf(model, path, {
      type: "F32",
      tokenizer: tokenizerToGguf(tokenizer),
    });
    await createOllamaModel("base", { gguf, host, parameters: GREEDY });
    const half = await exportGguf(model, `${server.folder}/half.gguf`, {
      type: "F16",
      tokenizer: tokenizerToGguf(tokenizer),
    });
    await createOllamaModel("packed", { gguf: half, host, quantize: "q4_K_M" });
    const packed = await resolveModel("ollama:packed", { ollamaStores: [server.models] });
    using file = await openGguf((packed as ResolvedGguf).weights);
    assertEquals(file.metadata.get("general.file_type"), 15); // llama.cpp's number of Q4_K_M

    const settings = { rank: 4, alpha: 4, dropout: 0, rsLora: false };
    for (const linear of model.linears.values()) {
      const matrix = (rows: number, columns: number) => {
        const values = Float32Array.from(
          { length: rows * columns },
          (_, i) => Math.sin(i * i + rows) / 16,
        );
        return Tensor.from(device, values, [rows, columns]).keep();
      };
      attachLora(model, linear, settings, matrix(4, linear.inWidth), matrix(linear.outWidth, 4));
    }
    const adapter = await exportLoraGguf(model, `${server.folder}/adapter.gguf`);
    await createOllamaModel("adapted", { from: "base", adapter, host, parameters: GREEDY });

    const ids = [...tokenizer.beginIds, ...tokenizer.encode(PROMPT)];
    const [{ tokens }] = await generate(model, [ids], { maxNewTokens: NEW_TOKENS });
    const { clear } = await countClear(model, ids, tokens, CLEAR.F32);
    assert(clear >= ENOUGH.F32, `only ${clear} tokens are clear`);
    const expected = tokenizer.decode(tokens.slice(0, clear));
    const { response } = await server.generate("adapted", PROMPT, NEW_TOKENS);
    assertEquals(response.slice(0, expected.length), expected);
    const { response: before } = await server.generate("base", PROMPT, NEW_TOKENS);
    assertNotEquals(before.slice(0, expected.length), expected, "the adapter counts");

    // what comes back from Ollama's own files is base and adapter in one
    const options = { device, ollamaStores: [server.models] };
    const { network: back } = await loadNetwork("ollama:adapted", options);
    assertEquals(mergeLora(model), model.linears.size);
    for (const [parameter, tensor] of model.parameters) {
      const values = await back.parameters.get(parameter)!.data();
      assertEquals(values, await tensor.data(), parameter);
    }
    device.close();
  },
});

Deno.test({
  name:
    `tunebook export makes of SmolLM2 a model that chats in a real Ollama as it does here${ollama.needs}${smollm2.needs}`,
  ignore: !ollama.found || !smollm2.found,
  async fn() {
    await using server = await OllamaServer.start();
    const environment = { OLLAMA_HOST: server.host, OLLAMA_MODELS: server.models };
    const run = await tunebook(["export", smollm2.path, "--ollama", "small"], environment);
    assertEquals(run.code, 0, run.stderr);
    const device = new CpuDevice();
    const { network: model, source } = await loadNetwork("ollama:small", {
      device,
      ollamaStores: [server.models],
    });
    const tokenizer = await openTokenizer(source);
    const template = chatTemplateOf(tokenizer);
    const question = "Name three fruits.";
    const messages = [{ role: "user", content: question }];
    const ids = encodeChatPrompt(messages, tokenizer, template);
    const answer = await server.generate("small", question, NEW_TOKENS, { raw: false });
    assertEquals(answer.context!.slice(0, ids.length), ids, "Ollama writes our prompt");
    const [{ tokens }] = await generate(model, [ids], {
      maxNewTokens: NEW_TOKENS,
      eosId: closingToken(tokenizer, template),
    });
    const { clear, margin } = await countClear(model, ids, tokens, CLEAR.F16);
    if (clear < tokens.length) console.warn(nearly("F16", margin, clear));
    assert(clear >= Math.min(ENOUGH.F16, tokens.length), `only ${clear} tokens are clear`);
    const expected = tokenizer.decode(tokens.slice(0, clear));
    assertEquals(answer.response.slice(0, expected.length), expected);

    // what comes next, and with a system message
    for (
      const conversation of [
        [...messages, { role: "assistant", content: "Kiwi" }, {
          role: "user",
          content: "One more?",
        }],
        [{ role: "system", content: "Be brief." }, ...messages],
      ]
    ) {
      const asked = await server.chat("small", conversation, 1);
      const expected = encodeChatPrompt(conversation, tokenizer, template).length;
      assertEquals(asked.prompt_eval_count, expected, JSON.stringify(conversation));
    }

    // an adapter goes beside the model that is there, and comes back with it
    addLora(model, { rank: 2, targets: "q_proj" });
    for (const [name, tensor] of trainableParameters(model)) {
      if (name.includes("lora_B")) tensor.assign(new Float32Array(tensor.size).fill(0.01));
    }
    const adapter = `${server.folder}/adapter`;
    await saveLora(model, adapter, { base: "ollama:small" });
    const beside = await tunebook(["export", adapter, "--ollama", "adapted"], environment);
    assertEquals(beside.code, 0, beside.stderr);
    mergeLora(model);
    const { network: adapted, source: files } = await loadNetwork("ollama:adapted", {
      device,
      ollamaStores: [server.models],
    });
    assert("weights" in source && files.weights === source.weights, "the base is there once");
    for (const layer of [0, model.layers - 1]) {
      const name = `layers.${layer}.self_attn.q_proj.weight`;
      const expected = await model.parameters.get(name)!.data();
      assertClose(await adapted.parameters.get(name)!.data(), expected, { relative: 1e-6 }, name);
    }
    device.close();
  },
});

Deno.test({
  name: `tunebook export leaves a model of Ollama's what it is beside its weights${ollama.needs}`,
  ignore: !ollama.found,
  async fn() {
    await using server = await OllamaServer.start();
    await using workshop = await Workshop.open();
    const { host, models } = server;
    const environment = { OLLAMA_HOST: host, OLLAMA_MODELS: models };
    const run = async (...args: string[]) => {
      const { code, stderr } = await tunebook(["export", ...args], environment);
      assertEquals(code, 0, stderr);
    };
    const layersOf = async (name: string) => {
      const model = await resolveModel(`ollama:${name}`, { ollamaStores: [models] });
      return (model as ResolvedGguf).ollama!;
    };
    await run(workshop.file("model"), "--ollama", "plain");
    const settings = {
      template: "{{ .System }}|{{ .Prompt }}|",
      system: "Be brief.",
      parameters: { temperature: 0.5, stop: ["|"] },
    };
    await createOllamaModel("custom", { from: "plain", host, ...settings });
    await run("ollama:custom", "--ollama", "again");
    const custom = await layersOf("custom");
    assertEquals(custom.template, settings.template);
    assertEquals(await layersOf("again"), custom);
    // a format that is asked for goes before it
    await run("ollama:custom", "--ollama", "other", "--format", "alpaca");
    assertStringIncludes((await layersOf("other")).template!, "### Response:");
  },
});

for (
  const { name, file, prompt, taught } of [
    { name: "Gemma 3 270M", file: gemma3, prompt: "The capital of France is", taught: false },
    {
      name: "a SmolLM2 that was fine-tuned",
      file: smollm2,
      prompt: "The plural of fox is",
      taught: true,
    },
  ]
) {
  Deno.test({
    name: `${name} says as F16 in a real Ollama what it says here${ollama.needs}${file.needs}`,
    ignore: !ollama.found || !file.found,
    async fn() {
      const device = new CpuDevice();
      await using server = await OllamaServer.start();
      const { network: model, source } = await loadNetwork(file.path, { device });
      const tokenizer = await openTokenizer(source);
      if (taught) await teach(model, tokenizer);
      await assertSameInOllama(server, model, tokenizer, "F16", prompt);
      device.close();
    },
  });
}

/** A few steps on all weights, large enough to be heard. */
async function teach(model: Network, tokenizer: Tokenizer): Promise<void> {
  const examples = ["fox is foxes", "ox is oxen", "wolf is wolves"].map((text) => ({
    promptIds: tokenizer.encode("The plural of"),
    responseIds: [...tokenizer.encode(` ${text}.`), tokenizer.eosId],
    instructionLength: 1,
  }));
  using training = sft(model, {
    examples,
    batchSize: 3,
    epochs: 3,
    learningRate: 1e-4,
    evalEvery: 0,
  });
  const losses = await Array.fromAsync(training, ({ loss }) => loss);
  assert(losses.at(-1)! < losses[0], `${losses}`);
}
