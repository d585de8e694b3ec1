import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { addLora } from "../../lib/model/lora.ts";
import { exportGguf } from "../../lib/model/gguf_export.ts";
import { configToGguf } from "../../lib/model/gguf_metadata.ts";
import {
  Gemma,
  type GemmaConfig,
  Gpt2,
  Llama,
  type LlamaConfig,
  loadNetwork,
  type Network,
  saveNetwork,
} from "../../lib/model/mod.ts";
import { openStoredModel } from "../../lib/model/stored_weights.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { type Device, Tensor } from "../../lib/tensor/mod.ts";
import { openGguf, resolveModel } from "../../lib/weights/mod.ts";
import { assertClose } from "../support.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";

const SHAPE = { vocabularySize: 40, contextLength: 64, width: 32, layers: 2, heads: 4 };
const LLAMA: LlamaConfig = { ...SHAPE, kvHeads: 2, feedForwardWidth: 48, theta: 123_456 };
const GEMMA: GemmaConfig = {
  ...SHAPE,
  generation: 3,
  layers: 6,
  kvHeads: 1,
  headDim: 16,
  feedForwardWidth: 64,
  window: 16,
  localTheta: 20_000,
};
const LLAMA3 = {
  type: "llama3",
  factor: 8,
  lowFrequencyFactor: 1,
  highFrequencyFactor: 4,
  originalContext: 8192,
} as const;

/** Models of every kind, with weights that all differ. */
function models(device: Device): [name: string, model: Network][] {
  return [
    ["GPT-2", Gpt2.create(device, { ...SHAPE, feedForwardWidth: 80 }, { seed: 1 })],
    [
      "an untied GPT-2",
      Gpt2.create(device, { ...SHAPE, feedForwardWidth: 96, tied: false }, { seed: 2 }),
    ],
    ["Llama", Llama.create(device, { ...LLAMA, scaling: LLAMA3 }, { seed: 3 })],
    [
      "a tied Llama with biases",
      Llama.create(device, { ...LLAMA, tied: true, attentionBias: true, mlpBias: true }, {
        seed: 4,
      }),
    ],
    [
      "Llama, scaled",
      Llama.create(device, { ...LLAMA, headDim: 16, scaling: { type: "linear", factor: 2 } }, {
        seed: 5,
      }),
    ],
    ["Mistral", Llama.create(device, { ...LLAMA, modelType: "mistral", window: 16 }, { seed: 6 })],
    ["Gemma 1", Gemma.create(device, { ...GEMMA, generation: 1 }, { seed: 7 })],
    ["Gemma 3", Gemma.create(device, GEMMA, { seed: 8 })],
  ].map(([name, model]) => [name as string, differ(model as Network)]);
}

/** Norms and biases are all alike when a model is new. */
function differ(model: Network): Network {
  for (const [name, tensor] of model.parameters) {
    if (tensor.shape.length > 1) continue;
    const values = Float32Array.from({ length: tensor.shape[0] }, (_, i) => Math.sin(i + 1) / 4);
    model.parameters.set(name, Tensor.from(model.device, values, tensor.shape).keep());
  }
  return model;
}

Deno.test("exportGguf() writes what loadNetwork() reads, for every architecture", async (t) => {
  const device = new CpuDevice({ threads: 1, blas: false });
  using temporary = new TemporaryDirectory();
  const path = temporary.file("model.gguf");
  for (const [name, model] of models(device)) {
    await t.step(name, async () => {
      await exportGguf(model, path, { type: "F32", name });
      const { network: read } = await loadNetwork(path, { device });
      assertEquals([...read.parameters.keys()], [...model.parameters.keys()]);
      for (const [parameter, tensor] of model.parameters) {
        const [actual, expected] = [
          await read.parameters.get(parameter)!.data(),
          await tensor.data(),
        ];
        // Gemma's norms lose what adding 1 rounds away
        const exact = !model.architecture.startsWith("gemma") || !parameter.endsWith("norm.weight");
        if (exact) assertEquals(actual, expected, parameter);
        else assertClose(actual, expected, { absolute: 2 ** -23 }, parameter);
      }
      const { bos_token_id: _, eos_token_id: __, ...expected } = model.toConfig();
      const { bos_token_id: ___, eos_token_id: ____, ...config } = read.toConfig();
      assertEquals(config, expected);
    });
  }
  device.close();
});

Deno.test("exportGguf() writes the same file from a model and from its files", async () => {
  const device = new CpuDevice({ threads: 1, blas: false });
  using temporary = new TemporaryDirectory();
  const written: string[] = [];
  for (const [name, model] of models(device)) {
    const directory = temporary.file(name);
    await saveNetwork(model, directory);
    using stored = await openStoredModel(await resolveModel(directory));
    const options = { type: "F16", name } as const;
    const { sha256 } = await exportGguf(model, temporary.file("a.gguf"), options);
    const again = await exportGguf(stored, temporary.file("b.gguf"), options);
    assertEquals(again.sha256, sha256, name);
    written.push(sha256);
  }
  assertEquals(new Set(written).size, written.length);
  device.close();
});

Deno.test("exportGguf() stores vectors as F32, rows that fill no block as F16, and lists a token for each row", async () => {
  const device = new CpuDevice({ threads: 1, blas: false });
  using temporary = new TemporaryDirectory();
  const path = temporary.file("model.gguf");
  const model = Gpt2.create(device, { ...SHAPE, width: 48, feedForwardWidth: 64, qkvBias: false });
  const tokenizer = {
    "tokenizer.ggml.tokens": ["a", "b"],
    "tokenizer.ggml.token_type": Int32Array.of(1, 3),
    "tokenizer.ggml.scores": Float32Array.of(0, -1),
  };
  await exportGguf(model, path, { type: "Q8_0", tokenizer });
  using file = await openGguf(path);
  const types = (name: string) => file.info(name).type;
  assertEquals(
    ["token_embd.weight", "position_embd.weight", "blk.0.attn_norm.weight"].map(types),
    ["F16", "F32", "F32"],
  );
  assertEquals(["blk.1.ffn_up.weight", "blk.1.ffn_down.weight"].map(types), ["F16", "Q8_0"]);
  assertEquals(await file.read("blk.1.attn_qkv.bias"), new Float32Array(3 * 48));
  const tokens = file.metadata.get("tokenizer.ggml.tokens") as string[];
  assertEquals([tokens.length, tokens[1], tokens[2]], [40, "b", "[PAD2]"]);
  const kinds = file.metadata.get("tokenizer.ggml.token_type") as Int32Array;
  assertEquals([kinds.length, kinds[1], kinds[39]], [40, 3, 5]);
  assertEquals((file.metadata.get("tokenizer.ggml.scores") as Float32Array).length, 40);

  // Tokens beyond the model's rows are left out.
  const tooMany = {
    "tokenizer.ggml.tokens": Array.from({ length: 41 }, (_, i) => `${i}`),
    "tokenizer.ggml.token_type": new Int32Array(41).fill(1),
  };
  await exportGguf(model, path, { tokenizer: tooMany });
  using cut = await openGguf(path);
  assertEquals((cut.metadata.get("tokenizer.ggml.tokens") as string[]).at(-1), "39");
  assertEquals((cut.metadata.get("tokenizer.ggml.token_type") as Int32Array).length, 40);
  addLora(model, { rank: 2 });
  await assertRejects(() => exportGguf(model, path), TypeError, "has an adapter, merge it first");
  device.close();
});

Deno.test("configToGguf() refuses what readers of GGUF would take for something else", () => {
  const device = new CpuDevice({ threads: 1, blas: false });
  const gemma = Gemma.create(device, GEMMA).toConfig();
  device.close();
  assert("gemma3.attention.sliding_window" in configToGguf("gemma3", gemma));
  assertThrows(
    () => configToGguf("gemma3", { ...gemma, layer_types: Array(6).fill("full_attention") }),
    TypeError,
    "whose every sixth layer is not the one that sees all",
  );
  assertThrows(
    () => configToGguf("gemma3", { ...gemma, query_pre_attn_scalar: 7 }),
    TypeError,
    '"query_pre_attn_scalar" is 7, expected its "head_dim", 16',
  );
  assertThrows(() => configToGguf("bert", {}), TypeError, 'architecture "bert" as GGUF');
});
