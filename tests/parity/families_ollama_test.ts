// Every family in a real Ollama: a model with random weights is exported, created and asked, and says what it says here. The
// table of docs/families.md has what was found.

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { createParameters } from "../../lib/model/parameters.ts";
import { planModel } from "../../lib/model/mod.ts";
import { FAMILIES } from "../../lib/model/families/mod.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { ollama, OllamaServer } from "../ollama.ts";
import { assertSameInOllama, makeDecided, small } from "./same_in_ollama.ts";

const PROMPT = "The quick brown fox jumps over the lazy dog 12 times;";

const SHAPE = {
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  max_position_embeddings: 256,
};
const GROUPED = { ...SHAPE, num_key_value_heads: 2 };

/** A model of each family, and what Ollama 0.6.5 says of one that it does not know. */
const MODELS: Readonly<
  Record<string, { config: Record<string, unknown>; unknown?: string; seed?: number }>
> = {
  "GPT-2": {
    config: { model_type: "gpt2", n_embd: 64, n_layer: 2, n_head: 4, n_positions: 256 },
    seed: 5,
  },
  "Llama": { config: { model_type: "llama", ...GROUPED } },
  "Mistral": { config: { model_type: "mistral", ...GROUPED } },
  "Gemma": {
    config: { model_type: "gemma", ...GROUPED, head_dim: 32, hidden_act: "gelu_pytorch_tanh" },
  },
  "Gemma 2": {
    // llama.cpp knows its sizes by their layers: the smallest has 26.
    config: {
      ...{ model_type: "gemma2", ...GROUPED, head_dim: 32, query_pre_attn_scalar: 32 },
      num_hidden_layers: 26,
    },
  },
  "Gemma 3": {
    config: {
      ...{ model_type: "gemma3_text", ...GROUPED, head_dim: 32, query_pre_attn_scalar: 32 },
      num_hidden_layers: 7, // the sixth sees all
    },
  },
  "Qwen 2": { config: { model_type: "qwen2", ...GROUPED } },
  "Qwen 3": {
    config: { model_type: "qwen3", ...GROUPED, head_dim: 32 },
    unknown: "unable to load model",
  },
  "Phi-3": { config: { model_type: "phi3", ...GROUPED, original_max_position_embeddings: 256 } },
  "SmolLM3": {
    config: { model_type: "smollm3", ...GROUPED },
    unknown: "unable to load model",
  },
  "OLMo 2": { config: { model_type: "olmo2", ...SHAPE } },
  "Granite": {
    config: {
      model_type: "granite",
      ...GROUPED,
      embedding_multiplier: 3,
      logits_scaling: 1.5,
      residual_multiplier: 0.6,
      attention_multiplier: 0.3,
    },
  },
  "GPT-NeoX": {
    config: {
      model_type: "gpt_neox",
      ...SHAPE,
      hidden_act: "gelu_new",
      tie_word_embeddings: false,
    },
  },
  "StarCoder2": { config: { model_type: "starcoder2", ...GROUPED } },
};

Deno.test({
  name: `every family says in a real Ollama what it says here${ollama.needs}`,
  ignore: !ollama.found,
  async fn(t) {
    const device = new CpuDevice({ threads: 1 });
    const found = new Map<string, string>();
    await using server = await OllamaServer.start();
    for (const [name, { config, unknown, seed = 8 }] of Object.entries(MODELS)) {
      const passed = await t.step(name, async () => {
        const isGemma = name.startsWith("Gemma");
        const tokenizer = small(isGemma ? "Gemma, by scores" : "Metaspace always");
        const whole = { tie_word_embeddings: true, ...config, vocab_size: tokenizer.vocabSize };
        const plan = planModel(whole, "config.json");
        assertEquals(plan.family.title, name);
        const parameters = createParameters(device, plan.shapes, { seed }, (parameter) => {
          // Layers add little, so that rounding does not grow from layer to layer.
          if (/post_\w+norm\.weight$/.test(parameter) && isGemma) return { constant: -0.8 };
          if (/(norm|ln_\w+)\.weight$/.test(parameter)) {
            return { constant: isGemma ? 0 : 1 }; // Gemma's add 1
          }
          return { deviation: parameter.endsWith("bias") ? 0.1 : 0.02 };
        });
        const model = plan.build(parameters);
        await makeDecided(model, tokenizer);
        const compare = () => assertSameInOllama(server, model, tokenizer, "F32", PROMPT);
        if (unknown === undefined) return await compare();
        const { message } = await assertRejects(compare, Error);
        assertStringIncludes(message, unknown);
      });
      found.set(name, !passed ? "no" : unknown === undefined ? "yes" : `–: ${unknown}`);
    }
    device.close();
    await t.step("every family is asked", () => {
      const titles = FAMILIES.map(({ title }) => title);
      assertEquals(Object.keys(MODELS).sort(), [...new Set(titles)].sort());
    });
    await t.step("docs/families.md has the table of what was found", async () => {
      const page = await Deno.readTextFile(new URL("../../docs/families.md", import.meta.url));
      const [, table] = page.split("## In Ollama");
      const rows = table.split("\n").filter((line) => line.startsWith("| "));
      const expected = Array.from(found, ([name, result]) => `| ${name} | ${result} |`);
      assertEquals(rows.slice(1), expected);
    });
  },
});
