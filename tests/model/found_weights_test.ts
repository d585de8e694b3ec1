// How weights are found in files whose names, indexes or configurations are not as transformers writes them.

import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { Llama, loadNetwork, type Network, planModel, saveNetwork } from "../../lib/model/mod.ts";
import { FAMILIES } from "../../lib/model/families/mod.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { openSafetensors, writeSafetensors } from "../../lib/weights/mod.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";

const SHAPE = {
  vocabularySize: 12,
  contextLength: 16,
  width: 8,
  layers: 1,
  heads: 2,
  kvHeads: 1,
  feedForwardWidth: 12,
  tied: true,
};

type Stored = Map<string, { shape: readonly number[]; values: Float32Array }>;

/** A tied model, and its tensors by their names in a file. */
async function small(device: CpuDevice, folder: string): Promise<[Network, Stored]> {
  const model = Llama.create(device, SHAPE, { seed: 3 });
  await saveNetwork(model, folder);
  using file = await openSafetensors(folder);
  const tensors: Stored = new Map();
  for (const [name, { shape }] of file.tensors) {
    tensors.set(name, { shape, values: await file.read(name) });
  }
  return [model, tensors];
}

async function write(path: string, tensors: Stored): Promise<void> {
  const entries = Array.from(tensors, ([name, { shape, values }]) => ({
    name,
    shape,
    data: () => Promise.resolve(values),
  }));
  await writeSafetensors(path, entries);
}

async function assertSameWeights(ours: Network, expected: Network): Promise<void> {
  assertEquals([...ours.parameters.keys()], [...expected.parameters.keys()]);
  for (const [name, tensor] of expected.parameters) {
    assertEquals(await ours.parameters.get(name)!.data(), await tensor.data(), name);
  }
}

const renamed = (tensors: Stored, name: (name: string) => string): Stored =>
  new Map(Array.from(tensors, ([key, tensor]) => [name(key), tensor]));

Deno.test("loadNetwork() finds weights under the names of wrapping modules, and a tied head alone", async (t) => {
  using temporary = new TemporaryDirectory();
  const device = new CpuDevice({ threads: 1, blas: false });
  const folder = temporary.path;
  const [model, tensors] = await small(device, folder);
  const table = "model.embed_tokens.weight";
  const names: Record<string, (name: string) => string> = {
    "torch.compile": (name) => `_orig_mod.${name}`,
    "data parallelism": (name) => `module.${name}`,
    "compiled within data parallelism": (name) => `module._orig_mod.${name}`,
    "PEFT": (name) => `base_model.model.${name}`,
    "a model as another's": (name) => `model.${name}`,
    "without a prefix": (name) => name.replace(/^model\./, ""),
    "a tied head alone": (name) => name === table ? "lm_head.weight" : name,
  };
  for (const [what, name] of Object.entries(names)) {
    await t.step(what, async () => {
      await write(join(folder, "model.safetensors"), renamed(tensors, name));
      const { network, source } = await loadNetwork(folder, { device });
      await assertSameWeights(network, model);
      assertEquals(source.notice, undefined);
    });
  }
  await t.step("an adapter among the weights is refused", async () => {
    const adapted = renamed(tensors, (name) => name.replace("q_proj", "q_proj.base_layer"));
    await write(join(folder, "model.safetensors"), adapted);
    await assertRejects(() => loadNetwork(folder, { device }), TypeError, "adapter beside it");
  });
  await t.step("what is not the model's is named", async () => {
    const more = new Map([...tensors, ["model.layers.0.self_attn.q_proj.bias", {
      shape: [8],
      values: new Float32Array(8),
    }], ["model.layers.0.self_attn.rotary_emb.inv_freq", {
      shape: [2],
      values: new Float32Array(2),
    }]]);
    await write(join(folder, "model.safetensors"), more);
    const { network, source } = await loadNetwork(folder, { device });
    await assertSameWeights(network, model);
    assertStringIncludes(
      source.notice!,
      'also holds "model.layers.0.self_attn.q_proj.bias", which the model does not have',
    );
  });
  device.close();
});

Deno.test("loadNetwork() reads tensors from the files that hold them, whatever the index says", async (t) => {
  using temporary = new TemporaryDirectory();
  const device = new CpuDevice({ threads: 1, blas: false });
  const folder = temporary.path;
  const [model, tensors] = await small(device, folder);
  await Deno.remove(join(folder, "model.safetensors"));
  const names = [...tensors.keys()];
  const half = names.length >> 1;
  const [a, b] = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
  const [first, last] = [names[0], names.at(-1)!];
  const split = (): [Stored, Stored, Record<string, string>] => {
    const entries = [...tensors];
    return [
      new Map(entries.slice(0, half)),
      new Map(entries.slice(half)),
      Object.fromEntries(names.map((name, i) => [name, i < half ? a : b])),
    ];
  };
  const cases: Record<string, (one: Stored, two: Stored, map: Record<string, string>) => void> = {
    "as it is": () => {},
    "in the other file": (_one, _two, map) => map[last] = a,
    "not in the index": (_one, _two, map) => delete map[last],
    "in both files": (_one, two) => two.set(first, tensors.get(first)!),
    "in no file": (_one, _two, map) => map["lm_head.weight"] = a,
  };
  const writeAll = async (change: (typeof cases)[string]) => {
    const [one, two, map] = split();
    change(one, two, map);
    await write(join(folder, a), one);
    await write(join(folder, b), two);
    const index = JSON.stringify({ metadata: {}, weight_map: map });
    await Deno.writeTextFile(join(folder, "model.safetensors.index.json"), index);
  };
  for (const [what, change] of Object.entries(cases)) {
    await t.step(what, async () => {
      await writeAll(change);
      await assertSameWeights((await loadNetwork(folder, { device })).network, model);
    });
  }
  await t.step("with other values in both files: refused", async () => {
    const { shape, values } = tensors.get(first)!;
    await writeAll((_one, two) => two.set(first, { shape, values: values.map((x) => x + 1) }));
    await assertRejects(
      () => loadNetwork(folder, { device }),
      SyntaxError,
      `is in "${a}" and, with other values, in "${b}"`,
    );
  });
  device.close();
});

Deno.test("a part of a head that is turned is refused by families that turn whole heads", () => {
  const partial = ["phi3", "gpt_neox"];
  const config = {
    ...{ vocab_size: 8, hidden_size: 8, intermediate_size: 8, num_hidden_layers: 1 },
    ...{ num_attention_heads: 2, num_key_value_heads: 1, head_dim: 4 },
    ...{ max_position_embeddings: 8, sliding_window: 4, original_max_position_embeddings: 8 },
  };
  const beside = { partial_rotary_factor: 0.5 };
  const within = {
    rope_parameters: { rope_type: "default", rope_theta: 100, partial_rotary_factor: 0.5 },
  };
  for (const type of FAMILIES.flatMap(({ modelTypes }) => modelTypes)) {
    if (["gpt2", "gemma3"].includes(type)) continue;
    for (const part of [beside, within]) {
      const plan = () => planModel({ model_type: type, ...config, ...part }, "config.json");
      if (partial.includes(type)) plan();
      else if (type !== "gemma3_text" || part === beside) {
        assertThrows(plan, TypeError, '"partial_rotary_factor" is 0.5, expected 1', type);
      }
    }
  }
});
