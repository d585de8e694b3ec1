// Models in GGUF files: what is written is read again, in llama.cpp's forms, and what cannot be read is told.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { fromGgufForm, pairedRows, toGgufForm } from "../../lib/model/gguf_forms.ts";
import { ggufPlace } from "../../lib/model/gguf_names.ts";
import {
  exportGguf,
  Gemma,
  Llama,
  loadNetwork,
  type Network,
  planModel,
} from "../../lib/model/mod.ts";
import { openStoredModel } from "../../lib/model/stored_weights.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import {
  type GgufEntry,
  type GgufMetadata,
  openGguf,
  resolveModel,
  writeGguf,
} from "../../lib/weights/mod.ts";
import { assertClose } from "../support.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";

const device = new CpuDevice({ threads: 1 });

async function loadGolden(name: string): Promise<Network> {
  const directory = fromFileUrl(new URL(`../golden/${name}`, import.meta.url));
  return (await loadNetwork(directory, { device })).network;
}

const shape = {
  vocabularySize: 21,
  contextLength: 40,
  width: 8,
  layers: 7,
  heads: 4,
  kvHeads: 2,
  headDim: 6,
  feedForwardWidth: 10,
};

/** Of each architecture one; with Llama 3's frequencies, biases and a head. */
async function makeModels(): Promise<Record<string, Network>> {
  return {
    gpt2: await loadGolden("gpt2_tiny"),
    llama: Llama.create(device, {
      ...shape,
      theta: 500_000,
      scaling: {
        type: "llama3",
        factor: 32,
        lowFrequencyFactor: 1,
        highFrequencyFactor: 4,
        originalContext: 8192,
      },
      attentionBias: true,
      mlpBias: true,
    }),
    mistral: await loadGolden("llama_family/mistral"),
    gemma: await loadGolden("llama_family/gemma"),
    gemma3: Gemma.create(device, {
      ...shape,
      generation: 3,
      window: 5,
      localTheta: 1234,
      scaling: { type: "linear", factor: 8 },
    }),
  };
}

/** Tokens with a meaning stand with the tokenizer, which these have none of; GPT-2's default is another. */
function describe(model: Network): Record<string, unknown> {
  const known = Object.entries(model.toConfig()).filter(([key]) =>
    !/token_id$|^n_inner$/.test(key)
  );
  return Object.fromEntries(known);
}

Deno.test("a model comes back from a GGUF file as it went", async () => {
  using folder = new TemporaryDirectory();
  for (const [name, model] of Object.entries(await makeModels())) {
    const path = folder.file(`${name}.gguf`);
    await exportGguf(model, path, { type: "F32" });
    const { network: again, source } = await loadNetwork(path, { device });
    assertEquals([source.kind, source.name], ["gguf", name]);
    assertEquals([...again.parameters.keys()], [...model.parameters.keys()]);
    for (const [parameter, tensor] of model.parameters) {
      const actual = await again.parameters.get(parameter)!.data();
      // 1 is added to Gemma's norms and taken away.
      const absolute = name.startsWith("gemma") && parameter.endsWith("norm.weight") ? 2e-7 : 0;
      const tolerance = { relative: 0, absolute };
      assertClose(actual, await tensor.data(), tolerance, `${name} ${parameter}`);
    }
    assertEquals(describe(again), describe(model));
  }
});

Deno.test("query and key rows are interleaved in Llama's files only", () => {
  // torch.arange(8).reshape(2, 2, 2).swapaxes(1, 2).flatten(), which is what is written
  const rows = Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7);
  const paired = { kind: "paired", heads: 2 } as const;
  assertEquals([...toGgufForm(rows, [8, 1], paired)], [0, 2, 1, 3, 4, 6, 5, 7]);
  assertEquals([...pairedRows(8, 2)], [0, 2, 1, 3, 4, 6, 5, 7]);
  const wide = Float32Array.from({ length: 12 * 3 }, (_, i) => i);
  assertEquals(fromGgufForm(toGgufForm(wide, [12, 3], paired), [12, 3], paired), wide);
  const formOf = (architecture: string, name: string) =>
    ggufPlace(`layers.3.self_attn.${name}.weight`, { architecture, heads: 4, kvHeads: 2 }).form;
  assertEquals(formOf("llama", "q_proj"), { kind: "paired", heads: 4 });
  assertEquals(formOf("llama", "k_proj"), { kind: "paired", heads: 2 });
  assertEquals(formOf("llama", "v_proj"), { kind: "same" });
  assertEquals(formOf("gemma3", "q_proj"), { kind: "same" });
  assertEquals(formOf("gemma3", "q_norm"), { kind: "plusOne" });
  assertThrows(
    () => ggufPlace("layers.0.mixer.weight", { architecture: "llama", heads: 4, kvHeads: 2 }),
    TypeError,
    'Cannot place "layers.0.mixer.weight"',
  );
});

Deno.test("stored bytes come in the order of the parameter's rows", async () => {
  using folder = new TemporaryDirectory();
  const path = folder.file("llama.gguf");
  const { llama } = await makeModels();
  await exportGguf(llama, path, { type: "F32" });
  using stored = await openStoredModel(await resolveModel(path));
  const plan = planModel(stored.config, stored.path);
  for (const part of ["q_proj", "v_proj"]) {
    const parameter = `layers.1.self_attn.${part}.weight`;
    const weight = stored.find(plan, parameter);
    assertEquals([weight.type, weight.transposed], ["F32", false]);
    const bytes = await weight.bytes();
    assertEquals(new Float32Array(bytes.buffer), await llama.parameters.get(parameter)!.data());
  }
});

Deno.test("loadNetwork() says what of a GGUF file it cannot load", async () => {
  using folder = new TemporaryDirectory();
  const whole = folder.file("whole.gguf");
  const { llama } = await makeModels();
  await exportGguf(llama, whole, { type: "F32" });
  using file = await openGguf(whole);
  const entries = await Promise.all(
    [...file.tensors.values()].map(async ({ name, shape }): Promise<GgufEntry> => ({
      name,
      shape: [...shape],
      data: await file.read(name),
    })),
  );
  const u32 = (value: number) => ({ uint32: value });
  const metadata: GgufMetadata = {
    "general.architecture": "llama",
    "llama.context_length": u32(40),
    "llama.embedding_length": u32(8),
    "llama.block_count": u32(7),
    "llama.feed_forward_length": u32(10),
    "llama.attention.head_count": u32(4),
    "llama.attention.head_count_kv": u32(2),
    "llama.attention.key_length": u32(6),
    "llama.attention.layer_norm_rms_epsilon": { float32: 1e-6 },
    "llama.rope.freq_base": { float32: 500_000 },
  };
  const attempt = async (changes: Record<string, GgufMetadata[string] | undefined>) => {
    const changed = Object.entries({ ...metadata, ...changes })
      .filter((entry): entry is [string, GgufMetadata[string]] => entry[1] !== undefined);
    const path = folder.file("changed.gguf");
    await writeGguf(path, entries, { metadata: Object.fromEntries(changed) });
    return await loadNetwork(path, { device });
  };
  assertEquals((await attempt({})).network.architecture, "llama");
  // As in llama.cpp: a factor without a type scales linearly, and so does the key of 2023.
  const scalingOf = async (changes: Record<string, GgufMetadata[string]>) =>
    (await attempt(changes)).network.toConfig().rope_scaling;
  const four = { float32: 4 };
  const [divisors] = entries.splice(
    entries.findIndex(({ name }) => name === "rope_freqs.weight"),
    1,
  );
  const linear = { rope_type: "linear", factor: 4 };
  assertEquals(await scalingOf({ "llama.rope.scaling.factor": four }), linear);
  assertEquals(await scalingOf({ "llama.rope.scale_linear": four }), linear);
  assertEquals(
    await scalingOf({ "llama.rope.scaling.type": "none", "llama.rope.scaling.factor": four }),
    null,
  );
  const yarn = { "llama.rope.scaling.type": "yarn", "llama.rope.scaling.factor": four };
  assertEquals(
    await scalingOf({ ...yarn, "llama.rope.scaling.original_context_length": u32(10) }),
    { rope_type: "yarn", factor: 4, original_max_position_embeddings: 10 },
  );
  entries.push(divisors);
  const ends = async (changes: Record<string, GgufMetadata[string]>) =>
    (await attempt(changes)).network.toConfig().eos_token_id;
  const [eos, several] = ["tokenizer.ggml.eos_token_id", "tokenizer.ggml.eos_token_ids"];
  const [eot, eom] = ["tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"];
  assertEquals(await ends({ [eos]: u32(1), [eot]: u32(1) }), 1);
  assertEquals(await ends({ [eot]: u32(2) }), 2);
  assertEquals(
    await ends({ [eos]: u32(1), [several]: Int32Array.of(1, 3), [eot]: u32(2), [eom]: u32(0) }),
    [1, 3, 2, 0],
  );
  const refused: [Record<string, GgufMetadata[string] | undefined>, string][] = [
    [{ "general.architecture": "mamba" }, 'its architecture is "mamba", known are "gpt2"'],
    [{ "general.architecture": undefined }, "its architecture is undefined"],
    [{ "llama.block_count": undefined }, 'it lacks "llama.block_count"'],
    [{ "llama.block_count": "seven" }, 'its "llama.block_count" is "seven", expected a number'],
    [
      { "llama.attention.head_count_kv": Int32Array.of(2, 1, 2, 2, 2, 2, 2) },
      '"llama.attention.head_count_kv" is a list of different numbers',
    ],
    [{ "llama.expert_count": u32(8) }, "it is a mixture of experts"],
    [{ "llama.attention.causal": false }, "its tokens see those that follow"],
    [{ "llama.rope.dimension_count": u32(4) }, "it turns 4 of 6 elements of a head"],
    [{ "llama.rope.freq_base": { float32: 10_000 } }, "are not those of a published Llama 3"],
    [{ "llama.embedding_length": u32(9) }, 'Cannot load "token_embd.weight"'],
  ];
  for (const [changes, message] of refused) {
    await assertRejects(() => attempt(changes), TypeError, message);
  }
  await assertRejects(
    () => attempt({ "llama.block_count": u32(8) }),
    RangeError,
    'Cannot find tensor "blk.7.attn_norm.weight"',
  );
});
