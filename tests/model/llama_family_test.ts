// Tiny Llamas, Mistrals and Gemmas against Hugging Face's: logits, loss, every gradient, weights after AdamW steps, greedy
// text, and the same loss of padded, packed and forest batches.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import {
  attendWithin,
  Gemma,
  generate,
  Llama,
  loadNetwork,
  logitsOf,
  type Network,
  planModel,
  saveNetwork,
} from "../../lib/model/mod.ts";
import type { ForestBatch } from "../../lib/dataset/mod.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { type Device, noGrad, scope } from "../../lib/tensor/mod.ts";
import { AdamW } from "../../lib/train/mod.ts";
import { openSafetensors, writeSafetensors } from "../../lib/weights/mod.ts";
import { onEveryDevice } from "../devices.ts";
import { type GoldenTensor, loadGolden } from "../golden/golden.ts";
import { assertClose } from "../support.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";
import { lossWithGradients } from "./backward.ts";
import { forestOf, sequencesOf } from "./golden_batch.ts";

const golden = loadGolden("llama_family");
const names = ["llama", "mistral", "gemma", "gemma3"];
const [{ tensors: batch, attributes: { lengths } }] = golden.cases("batch");
const [rowCount, length] = batch.tokens.shape;
const vocabularySize = 41;

const directoryOf = (name: string) =>
  fromFileUrl(new URL(`../golden/llama_family/${name}`, import.meta.url));

async function loadTiny(device: Device, name: string): Promise<Network> {
  return (await loadNetwork(directoryOf(name), { device })).network;
}

const sequences = (isPacked: boolean) => sequencesOf(batch, lengths, isPacked);
const forest = () => forestOf(batch);

/** A golden tensor of a parameter, by the name that it has in Hugging Face's files. */
function expectedOf(
  tensors: Readonly<Record<string, GoldenTensor>>,
  kind: "grad" | "weight",
  { prefix }: Network,
  parameter: string,
): Float32Array {
  const name = parameter.startsWith("lm_head.") ? parameter : `${prefix}${parameter}`;
  return tensors[`${kind}/${name}`].data as Float32Array;
}

for (const name of names) {
  onEveryDevice(`${name} gives Hugging Face's logits`, async (device) => {
    const model = await loadTiny(device, name);
    const { tokens, positions, end } = sequences(false);
    using logits = scope(() =>
      noGrad(() =>
        logitsOf(
          model,
          model.hidden({ tokens, positions, attend: attendWithin({ end, positions }) }),
        )
      )
    );
    const actual = await logits.data();
    const expected = golden.cases(`${name}/forward`)[0].tensors.logits.data as Float32Array;
    for (let row = 0; row < rowCount; row++) {
      const first = row * length * vocabularySize;
      const last = first + lengths[row] * vocabularySize;
      assertClose(actual.subarray(first, last), expected.subarray(first, last), { relative: 1e-5 });
    }
  });

  onEveryDevice(
    `${name}: loss, gradients and weights after AdamW steps are PyTorch's, in any batch`,
    async (device) => {
      const [{ tensors, attributes }] = golden.cases(`${name}/train`);
      const { lr, beta1, beta2, eps, weightDecay } = attributes;
      const [first] = tensors.losses.data;
      const batches: [ForestBatch, boolean][] = [
        [sequences(false), false],
        [sequences(true), false],
        [forest(), true],
        [forest(), false],
      ];
      const model = await loadTiny(device, name);
      for (const [batch, recompute] of batches) {
        for (const parameter of model.parameters.values()) {
          parameter.grad?.dispose();
          parameter.grad = undefined;
        }
        using loss = lossWithGradients(model, batch, { recompute });
        assertClose([await loss.item()], [first], { relative: 1e-5 });
        for (const [parameter, { grad }] of model.parameters) {
          const expected = expectedOf(tensors, "grad", model, parameter);
          assertClose(await grad!.data(), expected, { relative: 1e-4 }, parameter);
        }
      }

      using optimizer = new AdamW(model.parameters, { beta1, beta2, epsilon: eps, weightDecay });
      optimizer.step(lr); // with the last batch's gradients
      for (const expected of tensors.losses.data.subarray(1)) {
        using loss = lossWithGradients(model, forest());
        assertClose([await loss.item()], [expected], { relative: 1e-5 });
        optimizer.step(lr);
      }
      for (const [parameter, tensor] of model.parameters) {
        const expected = expectedOf(tensors, "weight", model, parameter);
        assertClose(await tensor.data(), expected, { relative: 1e-4 }, parameter);
      }
    },
  );

  onEveryDevice(
    `${name} generates Hugging Face's greedy tokens, with its cache`,
    async (device) => {
      const model = await loadTiny(device, name);
      const cases = golden.cases(`${name}/generate`);
      const prompts = cases.map(({ tensors }) => [...tensors.prompt.data]);
      const expected = cases.map(({ tensors }) => [...tensors.output.data]);
      const together = await generate(model, prompts, { maxNewTokens: 16 });
      assertEquals(together.map(({ tokens }) => tokens), expected);
      const [alone] = await generate(model, [prompts[0]], { maxNewTokens: 16 });
      assertEquals(alone.tokens, expected[0]);
    },
  );
}

onEveryDevice(
  "saveNetwork() keeps every architecture's bits, names and configuration",
  async (device) => {
    for (const name of names) {
      const model = await loadTiny(device, name);
      using temporary = new TemporaryDirectory();
      const folder = temporary.path;
      await saveNetwork(model, folder);
      const again = (await loadNetwork(folder, { device })).network;
      for (const [parameter, tensor] of model.parameters) {
        assertEquals(
          await again.parameters.get(parameter)!.data(),
          await tensor.data(),
          parameter,
        );
      }
      assertEquals(again.toConfig(), model.toConfig());
      using mine = await openSafetensors(folder);
      using theirs = await openSafetensors(directoryOf(name));
      assertEquals([...mine.tensors.keys()].sort(), [...theirs.tensors.keys()].sort());
    }
  },
);

onEveryDevice("Llama.create() and Gemma.create() are decided by their seeds", async (device) => {
  const shape = {
    vocabularySize: 20,
    contextLength: 16,
    width: 8,
    layers: 1,
    heads: 2,
    headDim: 4,
    feedForwardWidth: 12,
  };
  const makers = [
    (seed: number) => Llama.create(device, shape, { seed }),
    (seed: number) => Gemma.create(device, { ...shape, generation: 1 }, { seed }),
    (seed: number) => Gemma.create(device, { ...shape, generation: 3, window: 4 }, { seed }),
  ];
  for (const make of makers) {
    const [a, b, c] = [make(1), make(1), make(2)];
    assertEquals(await a.head.data(), await b.head.data());
    assertEquals((await a.head.data()).join() === (await c.head.data()).join(), false);
    const [{ tokens, finish }] = await generate(a, [[1, 2, 3]], { maxNewTokens: 50 });
    assertEquals([tokens.length, finish], [14, "context"]);
  }
  assertThrows(
    () => Llama.create(device, { ...shape, kvHeads: 3 }),
    RangeError,
    "Cannot share 3 heads of keys among 2 heads of queries",
  );
  assertThrows(
    () => Llama.create(device, { ...shape, headDim: 3 }),
    RangeError,
    "Cannot rotate heads of 3 elements",
  );
  assertThrows(() => new Llama(shape, new Map()), TypeError, 'without the weight "embed_tokens');
});

/** A configuration that is complete. */
const llama = {
  model_type: "llama",
  vocab_size: 32,
  hidden_size: 8,
  intermediate_size: 16,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  max_position_embeddings: 64,
};

Deno.test("planModel() says what of a configuration it cannot load", () => {
  const gemma3 = { ...llama, model_type: "gemma3_text" };
  const refused: [Record<string, unknown>, string][] = [
    [{ model_type: "bert" }, '"model_type" is "bert", expected "gpt2", "llama", "mistral"'],
    [{ ...llama, hidden_act: "relu" }, '"hidden_act" is "relu", expected "silu"'],
    [{ ...llama, vocab_size: -1 }, '"vocab_size" is -1, expected a positive integer'],
    [{ ...llama, rope_scaling: { rope_type: "mrope", factor: 2 } }, '"rope_type" is "mrope"'],
    [{ ...llama, rope_scaling: { rope_type: "yarn" } }, '"factor" is nothing'],
    [{ ...llama, partial_rotary_factor: 0.5 }, '"partial_rotary_factor" is 0.5, expected 1'],
    [
      { ...llama, rope_parameters: { full_attention: { rope_theta: 1 } } },
      "the same parameters for all layers",
    ],
    [{ ...llama, rope_scaling: { type: "linear" } }, '"factor" is nothing'],
    [{ ...gemma3, layer_types: ["other"] }, '"layer_types" is ["other"]'],
    [{ model_type: "gemma3", text_config: 1 }, '"text_config" is 1, expected an object'],
  ];
  for (const [json, message] of refused) {
    assertThrows(() => planModel(json, "config.json"), TypeError, message);
  }
  assertThrows(() => planModel(llama, "config.json", 0.1), RangeError, "only GPT-2 has dropout");
});

Deno.test("planModel() reads positions in transformers' order of precedence", () => {
  const linear = { rope_type: "linear", factor: 2 };
  const read: [Record<string, unknown>, number, Record<string, unknown> | null][] = [
    [{}, 10_000, null],
    [{ rope_theta: 5 }, 5, null],
    [{ rope_theta: 5, rope_parameters: { rope_type: "default" } }, 5, null],
    [{ rope_theta: 5, rope_parameters: { rope_theta: 7 } }, 7, null],
    [{ rope_theta: 5, rope_parameters: linear }, 5, linear],
    [{ rope_scaling: linear, rope_parameters: { rope_theta: 7 } }, 10_000, linear],
    [{ rope_scaling: {}, rope_parameters: { rope_theta: 7 } }, 7, null],
    [{ rope_scaling: { type: "linear", factor: 2 } }, 10_000, linear],
    [{ rope_scaling: { type: "linear", rope_type: "default", factor: 2 } }, 10_000, null],
    [{ rope_scaling: { factor: 2 } }, 10_000, null],
    [{ rope_scaling: { ...linear, rope_theta: 9 }, rope_theta: 5 }, 9, linear],
    [
      { rope_scaling: { rope_type: "yarn", factor: 2 } },
      10_000,
      { rope_type: "yarn", factor: 2, original_max_position_embeddings: 64 },
    ],
    [
      {
        original_max_position_embeddings: 16,
        rope_scaling: { rope_type: "yarn", factor: 2, original_max_position_embeddings: 8 },
      },
      10_000,
      { rope_type: "yarn", factor: 2, original_max_position_embeddings: 16 },
    ],
  ];
  for (const [json, theta, scaling] of read) {
    const { rope_theta, rope_scaling } = planModel({ ...llama, ...json }, "config.json")
      .completeConfig();
    assertEquals([rope_theta, rope_scaling], [theta, scaling], JSON.stringify(json));
  }
  const grown = planModel(
    { ...llama, rope_scaling: { type: "dynamic", factor: 2.5 } },
    "config.json",
  );
  assertEquals([grown.contextLength, grown.completeConfig().max_position_embeddings], [160, 64]);
});

Deno.test("a head that differs from the embedding is used where the configuration ties them", async () => {
  const device = new CpuDevice({ threads: 1 });
  const shape = { vocabularySize: 6, contextLength: 8, width: 4, layers: 1, heads: 2 };
  const own = Llama.create(device, { ...shape, feedForwardWidth: 8, tied: false });
  using temporary = new TemporaryDirectory();
  const folder = temporary.path;
  await saveNetwork(own, folder);
  const path = `${folder}/config.json`;
  const config = JSON.parse(await Deno.readTextFile(path));
  await Deno.writeTextFile(path, JSON.stringify({ ...config, tie_word_embeddings: true }));
  const { network: read } = await loadNetwork(folder, { device });
  assertEquals(await read.head.data(), await own.head.data());
  assertEquals(read.toConfig().tie_word_embeddings, false);
  // Two equal matrices are one.
  own.parameters.get("lm_head.weight")!.assign(
    await own.parameters.get("embed_tokens.weight")!.data(),
  );
  await saveNetwork(own, folder);
  await Deno.writeTextFile(path, JSON.stringify({ ...config, tie_word_embeddings: true }));
  const { network: tied } = await loadNetwork(folder, { device });
  assertEquals(tied.parameters.has("lm_head.weight"), false);
  device.close();
});

Deno.test("planModel() reads what published files leave out", () => {
  const seen = {
    model_type: "gemma3",
    text_config: {
      model_type: "gemma3_text",
      hidden_size: 2560,
      intermediate_size: 10240,
      num_hidden_layers: 34,
      rope_scaling: { factor: 8, rope_type: "linear" },
      sliding_window: 1024,
    },
  };
  const { heads, kvHeads, vocabularySize, shapes } = planModel(seen, "config.json");
  assertEquals([heads, kvHeads, vocabularySize], [8, 4, 262_208]);
  assertEquals(shapes.get("layers.33.self_attn.q_norm.weight"), [256]);
  const mistral = {
    model_type: "mistral",
    vocab_size: 32_000,
    hidden_size: 4096,
    intermediate_size: 14_336,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    max_position_embeddings: 32_768,
  };
  assertEquals(planModel(mistral, "config.json").kvHeads, 8);
});

Deno.test("loadNetwork() reads split files, and the text part of a model that sees", async () => {
  const device = new CpuDevice({ threads: 1 });
  const folder = await Deno.makeTempDir();
  try {
    using whole = await openSafetensors(directoryOf("gemma3"));
    const config = JSON.parse(await Deno.readTextFile(`${directoryOf("gemma3")}/config.json`));
    const weightMap: Record<string, string> = {};
    const stored = [...whole.tensors.values()].map(({ name, shape }, i) => {
      const shard = `model-0000${i % 2 + 1}-of-00002.safetensors`;
      weightMap[`language_model.${name}`] = shard;
      const entry = {
        name: `language_model.${name}`,
        shape: [...shape],
        data: () => whole.read(name),
      };
      return { shard, entry };
    });
    for (const shard of new Set(Object.values(weightMap))) {
      const entries = stored.filter((one) => one.shard === shard).map(({ entry }) => entry);
      await writeSafetensors(`${folder}/${shard}`, entries);
    }
    const write = (name: string, json: unknown) =>
      Deno.writeTextFile(`${folder}/${name}`, JSON.stringify(json));
    await write("model.safetensors.index.json", { weight_map: weightMap });
    await write("config.json", { model_type: "gemma3", text_config: config });
    const { network: model } = await loadNetwork(folder, { device });
    const expected = await loadTiny(device, "gemma3");
    assertEquals(model.toConfig(), expected.toConfig());
    for (const [name, tensor] of expected.parameters) {
      assertEquals(await model.parameters.get(name)!.data(), await tensor.data(), name);
    }
  } finally {
    device.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("loadNetwork() refuses a model whose tensors are others than its configuration says", async () => {
  using temporary = new TemporaryDirectory();
  const folder = temporary.path;
  await Deno.copyFile(`${directoryOf("llama")}/model.safetensors`, `${folder}/model.safetensors`);
  const config = JSON.parse(await Deno.readTextFile(`${directoryOf("llama")}/config.json`));
  const device = {} as Device; // nothing gets that far
  const write = (change: Record<string, unknown>) =>
    Deno.writeTextFile(`${folder}/config.json`, JSON.stringify({ ...config, ...change }));
  await write({ vocab_size: 42 });
  await assertRejects(
    () => loadNetwork(folder, { device }),
    TypeError,
    'Cannot load "model.embed_tokens.weight"',
  );
  await Deno.writeTextFile(`${folder}/config.json`, "[]");
  await assertRejects(
    () => loadNetwork(folder, { device }),
    SyntaxError,
    "it is not a JSON object",
  );
});
