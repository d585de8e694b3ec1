// ONNX files in onnxruntime: the same logits with and without past keys and values, and as a padded batch; names, shapes
// and opset as optimum has them. onnx's own checker reads them.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { addLora, Gpt2, loadNetwork, type Network, planModel } from "../../lib/model/mod.ts";
import { exportOnnx, onnxGraphOf } from "../../lib/model/onnx/export.ts";
import { createParameters } from "../../lib/model/parameters.ts";
import { logitsOfAll } from "../../lib/pipeline/proof.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import type { Device } from "../../lib/tensor/mod.ts";
import { readOnnxWeights } from "../../lib/weights/onnx/read.ts";
import { writeOnnx } from "../../lib/weights/onnx/write.ts";
import { assertClose, findPython } from "../support.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";

const python = findPython("onnx", "onnxruntime");
const SCRIPT = fromFileUrl(new URL("onnx_export.py", import.meta.url));

/** Of different lengths, so that a batch is padded; longer than windows of tiny models. */
const TEXTS = [
  [3, 17, 40, 5, 9, 22, 8, 1, 30, 12, 7, 19],
  [2, 11, 39, 4, 4, 28, 16],
];
const SPLIT = 4;

const golden = (name: string) => fromFileUrl(new URL(`../golden/${name}`, import.meta.url));

/** What all tiny models below have. */
const SHAPE = {
  vocab_size: 41,
  max_position_embeddings: 64,
  hidden_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  intermediate_size: 40,
};

/** Families whose blocks differ from Llama's; each as its configuration says. */
const FAMILIES: Record<string, Record<string, unknown>> = {
  gemma2: {
    ...SHAPE,
    ...{ head_dim: 8, query_pre_attn_scalar: 8, sliding_window: 5 },
    ...{ attn_logit_softcapping: 1.5, final_logit_softcapping: 2.5 },
  },
  gpt2: {
    ...{ vocab_size: 53, n_positions: 32, n_embd: 32, n_layer: 2, n_head: 4 },
    activation_function: "gelu",
  },
  gpt_neox: { ...SHAPE, num_key_value_heads: 4, rotary_pct: 0.5, use_parallel_residual: true },
  granite: {
    ...SHAPE,
    attention_multiplier: 0.3,
    embedding_multiplier: 2,
    residual_multiplier: 0.5,
    logits_scaling: 3,
  },
  olmo2: SHAPE,
  phi3: { ...SHAPE, pad_token_id: 0 },
  qwen2: SHAPE,
  qwen3: { ...SHAPE, head_dim: 8 },
  smollm3: { ...SHAPE, num_hidden_layers: 4 },
  starcoder2: { ...SHAPE, sliding_window: 5, hidden_act: "gelu_pytorch_tanh" },
};

function createTiny(device: Device, type: string): Network {
  const plan = planModel({ model_type: type, ...FAMILIES[type] }, "a tiny model");
  // No norm is 1 and no bias 0, so that none can be left out or mistaken for another.
  const parameters = createParameters(device, plan.shapes, { seed: 5 }, () => ({ deviation: 0.3 }));
  return plan.build(parameters);
}

Deno.test({
  name: `ONNX files give the model's logits in onnxruntime, with and without past${python.needs}`,
  ignore: !python.found,
  async fn() {
    using temporary = new TemporaryDirectory();
    const device = new CpuDevice({ threads: 1, blas: false });
    const networks: Record<string, Network> = {};
    for (
      const name of [
        "gpt2_tiny",
        ...["llama", "mistral", "gemma", "gemma3"].map((n) => `llama_family/${n}`),
      ]
    ) {
      networks[name] = (await loadNetwork(golden(name), { device })).network;
    }
    for (const type of Object.keys(FAMILIES)) networks[type] = createTiny(device, type);
    const paths: string[] = [];
    for (const [i, network] of Object.values(networks).entries()) {
      const path = join(temporary.path, `${i}.onnx`);
      const { bytes } = await exportOnnx(network, path);
      assertEquals(bytes, (await Deno.stat(path)).size);
      paths.push(path);
    }
    // As large models are written: in two files.
    const outside = join(temporary.path, "outside.onnx");
    const whole = await writeOnnx(outside, onnxGraphOf(networks["gpt2_tiny"]), { longest: 1000 });
    const { size } = await Deno.stat(`${outside}_data`);
    assertEquals(whole.bytes, size + (await Deno.stat(outside)).size);
    const narrow = join(temporary.path, "narrow.onnx");
    await exportOnnx(networks["gpt2_tiny"], narrow, { type: "F16" });
    const files = [...paths, outside, narrow];
    const results = JSON.parse(
      await python.run(SCRIPT, JSON.stringify(TEXTS), `${SPLIT}`, ...files),
    );
    const names = [...Object.keys(networks), "gpt2_tiny", "gpt2_tiny"];
    for (const [i, result] of results.entries()) {
      const network = networks[names[i]];
      const absolute = files[i] === narrow ? 1e-2 : 1e-4;
      for (const [t, text] of TEXTS.entries()) {
        const expected = await logitsOfAll(network, [text]);
        const past = expected.subarray(SPLIT * network.vocabularySize);
        assertClose(result.whole[t], expected, { absolute }, names[i]);
        assertClose(result.parts[t], past, { absolute }, `${names[i]} with past`);
        assertClose(result.together[t], expected, { absolute }, `${names[i]}, padded`);
      }
      assertEquals(result.opset, [["", 14]]);
      assertEquals(result.external > 0, files[i] === outside);
    }
    assertEquals(results[names.indexOf("llama_family/llama")].inputs, {
      input_ids: ["INT64", "batch_size", "sequence_length"],
      attention_mask: ["INT64", "batch_size", "past_sequence_length + sequence_length"],
      position_ids: ["INT64", "batch_size", "sequence_length"],
      ...cache("past_key_values", "past_sequence_length"),
    });
    assertEquals(results[names.indexOf("llama_family/llama")].outputs, {
      logits: ["FLOAT", "batch_size", "sequence_length", 41],
      ...cache("present", "past_sequence_length + sequence_length"),
    });
    function cache(prefix: string, length: string) {
      const { layers, kvHeads, keyWidth } = networks["llama_family/llama"];
      return Object.fromEntries(
        Array.from({ length: layers }, (_, layer) =>
          ["key", "value"].map((part) => [
            `${prefix}.${layer}.${part}`,
            ["FLOAT", "batch_size", kvHeads, length, keyWidth / kvHeads],
          ])).flat(),
      );
    }
    device.close();
  },
});

Deno.test("what a graph cannot hold is refused, and a broken file is not read", async () => {
  using temporary = new TemporaryDirectory();
  const device = new CpuDevice({ threads: 1, blas: false });
  const llama = { ...SHAPE, model_type: "llama" };
  const build = (config: Record<string, unknown>) => {
    const plan = planModel(config, "a tiny model");
    return plan.build(createParameters(device, plan.shapes, {}, () => ({ constant: 1 })));
  };
  const dynamic = build({ ...llama, rope_scaling: { rope_type: "dynamic", factor: 2 } });
  assertThrows(() => onnxGraphOf(dynamic), TypeError, 'scaled by "dynamic"');
  const adapted = build(llama);
  addLora(adapted, { rank: 1 });
  assertThrows(() => onnxGraphOf(adapted), TypeError, "has adapters: merge them first");
  const plain = Gpt2.create(device, {
    vocabularySize: 9,
    contextLength: 8,
    width: 4,
    layers: 1,
    heads: 2,
  });
  const type = "BF16" as "F16";
  assertThrows(() => onnxGraphOf(plain, type), TypeError, 'expected "F32" or "F16"');

  const path = join(temporary.path, "model.onnx");
  await exportOnnx(plain, path);
  const read = () => Array.fromAsync(readOnnxWeights(path));
  const weights = new Map((await read()).map(({ name, ...rest }) => [name, rest]));
  const { shape, data } = weights.get("transformer.wte.weight")!;
  assertEquals(shape, [9, 4]);
  assertEquals(data, await plain.parameters.get("wte.weight")!.data());
  const bytes = await Deno.readFile(path);
  for (const broken of [bytes.subarray(0, 500), bytes.subarray(0, 0), bytes.map((b) => b ^ 0x55)]) {
    await Deno.writeFile(path, broken);
    await assertRejects(read, SyntaxError, "as ONNX");
  }
  device.close();
});
