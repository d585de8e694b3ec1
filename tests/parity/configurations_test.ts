// Unusual settings of every family's config.json: each is honoured as transformers does, or refused by its name.

import { assertEquals, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { attendWithin, loadNetwork, logitsOf, planModel } from "../../lib/model/mod.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { noGrad, scope } from "../../lib/tensor/mod.ts";
import { loadGolden } from "../golden/golden.ts";
import { assertClose, findPython } from "../support.ts";

/** Settings that transformers passes over too, which are named. */
const PASSED_OVER: Readonly<Record<string, string>> = {
  "llama: others' sliding_window": '"sliding_window"',
  "llama: others' layer_types": '"layer_types", "sliding_window"',
  "llama: others' no_rope_layers": '"no_rope_layers"',
  "llama: others' clip_qkv": '"clip_qkv"',
  "llama: others' use_qk_norm": '"use_qk_norm"',
  "llama: others' logit_scale": '"logit_scale"',
  "llama: others' multipliers": '"attention_multiplier", "embedding_multiplier"',
  "llama: others' soft caps": '"attn_logit_softcapping", "final_logit_softcapping"',
  "mistral: others' attention_bias": '"attention_bias"',
  "qwen2: others' attention_bias": '"attention_bias"',
  "phi3: others' attention_bias": '"attention_bias"',
  "olmo2: others' clip_qkv": '"clip_qkv"',
};

const python = findPython("torch", "transformers");

Deno.test({
  name: `unusual settings are honoured as transformers does${python.needs}`,
  ignore: !python.found,
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "tunebook-configurations-" });
    const device = new CpuDevice({ threads: 1 });
    try {
      await python.run(fromFileUrl(import.meta.resolve("./configurations.py")), folder);
      const cases = loadGolden("configurations", folder).cases("forward");
      const named: Record<string, string> = {};
      for (const [i, { name, tensors, attributes }] of cases.entries()) {
        const { network, source } = await loadNetwork(`${folder}/${i}`, { device });
        const tokens = Int32Array.from(attributes.tokens as number[]);
        const positions = tokens.map((_, position) => position);
        const end = tokens.map(() => tokens.length);
        using logits = scope(() =>
          noGrad(() => {
            const attend = attendWithin({ end, positions });
            return logitsOf(network, network.hidden({ tokens, positions, attend }));
          })
        );
        assertClose(await logits.data(), tensors.logits.data, { relative: 2e-5 }, name);
        const [, keys] = /json" has (.*), which models of/.exec(source.notice ?? "") ?? [];
        if (keys !== undefined) named[name] = keys;
        for (const parameter of network.parameters.values()) parameter.dispose();
      }
      assertEquals(named, PASSED_OVER);
    } finally {
      device.close();
      await Deno.remove(folder, { recursive: true });
    }
  },
});

const SHAPE = {
  vocab_size: 41,
  hidden_size: 16,
  intermediate_size: 20,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 64,
};
const GPT2 = { vocab_size: 41, n_embd: 16, n_layer: 2, n_head: 4, n_positions: 64 };

Deno.test("settings that a family cannot honour are refused by their names", () => {
  const local = { layer_types: ["sliding_attention", "full_attention"], sliding_window: null };
  const yarn = { rope_type: "yarn", factor: 4, original_max_position_embeddings: 16 };
  const refused: [type: string, settings: Record<string, unknown>, message: string][] = [
    ["llama", { hidden_act: "gelu" }, '"hidden_act" is "gelu"'],
    ["llama", { partial_rotary_factor: 0.5 }, '"partial_rotary_factor" is 0.5'],
    ["llama", { rope_scaling: { type: "mrope" } }, '"type" is "mrope"'],
    ["llama", { max_position_embeddings: null }, '"max_position_embeddings" is null'],
    ["mistral", { sliding_window: 0 }, '"sliding_window" is 0'],
    ["mistral", local, '"sliding_window" is null, expected the window of local layers'],
    ["gemma", { use_bidirectional_attention: true }, '"use_bidirectional_attention" is true'],
    ["gemma2", { hidden_activation: "gelu" }, '"hidden_activation" is "gelu"'],
    ["gemma2", local, '"sliding_window" is null, expected the window of local layers'],
    ["gemma3_text", local, '"sliding_window" is null, expected the window of local layers'],
    ["gemma3_text", { attn_logit_softcapping: 50 }, '"attn_logit_softcapping" is 50'],
    ["gemma3_text", { rope_scaling: yarn }, '"rope_type" is "yarn"'],
    ["smollm3", local, '"sliding_window" is null, expected the window of local layers'],
    ["phi3", { embd_pdrop: 0.1 }, '"embd_pdrop" is 0.1'],
    ["granite", { residual_multiplier: 0 }, '"residual_multiplier" is 0'],
    ["gpt_neox", { hidden_act: "relu" }, '"hidden_act" is "relu"'],
    ["starcoder2", { hidden_act: "gelu" }, '"hidden_act" is "gelu"'],
    ["gpt2", { ...GPT2, activation_function: "relu" }, '"activation_function" is "relu"'],
    ["gpt2", { ...GPT2, scale_attn_weights: false }, '"scale_attn_weights" is false'],
    ["gpt2", { ...GPT2, scale_attn_by_inverse_layer_idx: true }, "inverse_layer_idx"],
  ];
  for (const [model_type, settings, message] of refused) {
    const config = { model_type, ...SHAPE, ...settings };
    assertThrows(() => planModel(config, "config.json"), TypeError, message);
  }
});
