// LoRA adapters in GGUF files: what is written is read, and an Ollama model that has them is loaded with them.

import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import {
  addLora,
  attendWithin,
  exportGguf,
  exportLoraGguf,
  Gemma,
  Gpt2,
  Llama,
  loadLoraGguf,
  loadNetwork,
  logitsOf,
  mergeLora,
  type Network,
  removeLora,
} from "../../lib/model/mod.ts";
import { isFullyTrainable } from "../../lib/model/trainable.ts";
import { type Device, noGrad, scope } from "../../lib/tensor/mod.ts";
import { type GgufMetadata, writeGguf } from "../../lib/weights/mod.ts";
import { assertClose } from "../support.ts";
import { onOneThread, release } from "../train/small.ts";
import { Store } from "../weights/ollama_store.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";

const SHAPE = { vocabularySize: 40, contextLength: 64, width: 32, layers: 2, heads: 4 };
const GATED = { ...SHAPE, kvHeads: 2, feedForwardWidth: 48 };

const KINDS: [name: string, create: (device: Device) => Network][] = [
  ["GPT-2", (device) => Gpt2.create(device, SHAPE, { seed: 1 })],
  ["Llama", (device) => Llama.create(device, GATED, { seed: 2 })],
  [
    "Gemma",
    (device) => Gemma.create(device, { ...GATED, generation: 1, headDim: 16 }, { seed: 3 }),
  ],
];

/** Adapts every layer, with B's that all differ; where `alpha` is 8, what is learnt counts twice. */
function adapt(model: Network, seed: number, alpha = 8): void {
  addLora(model, { rank: 4, alpha, seed });
  for (const { adapter } of model.linears.values()) {
    const b = adapter!.parameters.get("lora_B.weight")!;
    b.assign(Float32Array.from({ length: b.size }, (_, i) => Math.sin(i * i + seed) / 8));
  }
}

function logits(model: Network): Promise<Float32Array> {
  const tokens = Int32Array.from({ length: 12 }, (_, i) => 3 * i % SHAPE.vocabularySize);
  const positions = tokens.map((_, i) => i);
  const attend = attendWithin({ positions, end: new Int32Array(tokens.length).fill(12) });
  return scope(() => noGrad(() => logitsOf(model, model.hidden({ tokens, positions, attend }))))
    .data();
}

for (const [name, create] of KINDS) {
  onOneThread(
    `${name}: loadLoraGguf() reads the bits that exportLoraGguf() wrote`,
    async (device) => {
      using temporary = new TemporaryDirectory();
      const [model, base] = [create(device), create(device)];
      adapt(model, 5);
      const file = temporary.file("adapter.gguf");
      await exportLoraGguf(model, file);
      await loadLoraGguf(base, file);
      for (const { name, adapter } of model.linears.values()) {
        const read = base.linears.get(name)!.adapter!;
        assertEquals(read.settings, { rank: 4, alpha: 8, dropout: 0, rsLora: false });
        for (const [part, tensor] of adapter!.parameters) {
          assertEquals(await read.parameters.get(part)!.data(), await tensor.data(), name);
        }
      }
      assertEquals([...base.parameters.values()].some(({ requiresGrad }) => requiresGrad), false);
      assertEquals(await logits(base), await logits(model));
      for (const each of [model, base]) release(each);
    },
  );

  onOneThread(`${name}: an Ollama model's adapters are part of what is loaded`, async (device) => {
    using store = new Store();
    const model = create(device);
    const file = store.file("written.gguf");
    const layer = (kind: string) => store.layer(kind, Deno.readFileSync(file));
    await exportGguf(model, file, { type: "F32" });
    const weights = layer("model");
    const before = await logits(model);
    const adapters = [];
    for (const seed of [5, 6]) {
      adapt(model, seed);
      await exportLoraGguf(model, file);
      adapters.push(layer("adapter"));
      mergeLora(model);
      store.manifest(`registry.ollama.ai/library/tiny/${adapters.length}`, {
        layers: [weights, ...adapters],
      });
      const options = { device, ollamaStores: [store.path] };
      const { network: loaded } = await loadNetwork(`ollama:tiny:${adapters.length}`, options);
      const expected = await logits(model);
      assertClose(await logits(loaded), expected, { relative: 1e-5, absolute: 1e-5 }, "logits");
      assertNotEquals(expected, before);
      assertEquals(isFullyTrainable(loaded), true);
      release(loaded);
    }
    release(model);
  });
}

onOneThread(
  "exportLoraGguf() writes what counts by the rank's root as readers count",
  async (device) => {
    using temporary = new TemporaryDirectory();
    const model = KINDS[0][1](device);
    addLora(model, { rank: 4, alpha: 8, rsLora: true, targets: "c_fc" });
    const file = temporary.file("adapter.gguf");
    await exportLoraGguf(model, file);
    removeLora(model);
    await loadLoraGguf(model, file);
    const { settings } = model.linears.get("h.0.mlp.c_fc")!.adapter!;
    assertEquals(settings, { rank: 4, alpha: 16, dropout: 0, rsLora: false }); // 8 / √4 = 16 / 4
    release(model);
  },
);

onOneThread("loadLoraGguf() refuses what does not fit, and changes nothing", async (device) => {
  using temporary = new TemporaryDirectory();
  const model = KINDS[1][1](device);
  const file = temporary.file("adapter.gguf");
  const metadata: GgufMetadata = {
    "general.architecture": "llama",
    "general.type": "adapter",
    "adapter.type": "lora",
    "adapter.lora.alpha": { float32: 8 },
  };
  const a = { name: "blk.0.attn_q.weight.lora_a", shape: [4, 32] };
  const b = { name: "blk.0.attn_q.weight.lora_b", shape: [32, 4] };
  const write = (entries: { name: string; shape: number[] }[], changes: GgufMetadata = {}) =>
    writeGguf(
      file,
      entries.map((entry) => ({
        ...entry,
        data: new Float32Array(entry.shape[0] * entry.shape[1]),
      })),
      { metadata: { ...metadata, ...changes } },
    );
  const refuses = async (message: string) => {
    const cannot = `Cannot load the adapter "${file}": `;
    await assertRejects(() => loadLoraGguf(model, file), TypeError, cannot + message);
    assertEquals([...model.linears.values()].filter(({ adapter }) => adapter), []);
  };
  await write([a, b], { "general.type": "model" });
  await refuses('its "general.type" is "model", expected "adapter"');
  await write([a, b], { "adapter.type": "control_vector" });
  await refuses('its "adapter.type" is "control_vector", expected "lora"');
  await write([a, b], { "general.architecture": "gpt2" });
  await refuses('its "general.architecture" is "gpt2", expected "llama"');
  for (const alpha of [-1, NaN, Infinity]) {
    await write([a, b], { "adapter.lora.alpha": { float32: alpha } });
    await refuses(`its "adapter.lora.alpha" is ${alpha}, expected a number`);
  }
  await write([a, b, { name: "token_embd.weight.lora_a", shape: [4, 40] }]);
  await refuses('"token_embd.weight.lora_a" belongs to no linear layer of the model');
  await write([a, { ...b, name: "blk.0.attn_q.weight" }]);
  await refuses('"blk.0.attn_q.weight" belongs to no linear layer of the model');
  await write([a, { ...b, name: "blk.1.attn_q.weight.lora_b" }]);
  await refuses('its shapes for "layers.0.self_attn.q_proj" are (4, 32) and (), expected (4, 32)');
  await write([a, { ...b, shape: [32, 3] }]);
  await refuses('its shapes for "layers.0.self_attn.q_proj" are (4, 32) and (32, 3), expected');
  await write([]);
  await refuses("it holds no weights");

  // llama.cpp's reader: where alpha is 0, what was learnt counts once
  await write([a, b], { "adapter.lora.alpha": { float32: 0 } });
  await loadLoraGguf(model, file);
  const { adapter } = model.linears.get("layers.0.self_attn.q_proj")!;
  assertEquals(adapter!.settings, { rank: 4, alpha: 4, dropout: 0, rsLora: false });
  await assertRejects(
    () => loadLoraGguf(model, file),
    TypeError,
    '"layers.0.self_attn.q_proj" has an adapter already',
  );
  release(model);
});
