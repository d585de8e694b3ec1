// Packed models: their numbers are those of the widened weights, and QLoRA learns beside them.

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  addLora,
  attendWithin,
  exportGguf,
  generate,
  Gpt2,
  loadNetwork,
  logitsOf,
  lossOf,
  mergeLora,
  type Network,
  quantize,
  saveNetwork,
  trainableParameters,
} from "../../lib/model/mod.ts";
import {
  backward,
  type Device,
  isPacked,
  noGrad,
  type PackedType,
  scope,
} from "../../lib/tensor/mod.ts";
import { sft } from "../../lib/train/mod.ts";
import { forest } from "../../lib/dataset/mod.ts";
import { onEveryDevice } from "../devices.ts";
import { assertClose } from "../support.ts";
import { onOneThread, release, smallExamples, take } from "../train/small.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";

const CONFIG = { vocabularySize: 64, contextLength: 32, width: 64, layers: 2, heads: 4 };
const tokens = Int32Array.from([1, 2, 3, 4, 60]);

const make = (device: Device) => Gpt2.create(device, CONFIG, { seed: 3 });

async function logits(model: Network): Promise<Float32Array> {
  const positions = tokens.map((_, i) => i);
  const attend = attendWithin({ positions, end: tokens.map(() => tokens.length) });
  using result = scope(() =>
    noGrad(() => logitsOf(model, model.hidden({ tokens, positions, attend })))
  );
  return await result.data();
}

/** The same numbers in float32. */
async function widened(model: Network, device: Device): Promise<Network> {
  using temporary = new TemporaryDirectory();
  await saveNetwork(model, temporary.path);
  return (await loadNetwork(temporary.path, { device })).network;
}

onEveryDevice(
  "quantize() packs linear layers; logits and gradients are those of the wide numbers",
  async (device) => {
    for (const type of ["nf4_double", "bf16", "f16"] as const) {
      const model = make(device);
      const before = await logits(model);
      assertEquals((await quantize(model, type)).length, 8);
      assertEquals(await quantize(model, type), []);
      const types = [...model.parameters.values()].map(({ dtype }) => dtype);
      assertEquals(types.filter((dtype) => dtype === type).length, 8);
      const wide = await widened(model, device);
      const after = await logits(model);
      assertClose(after, await logits(wide), { relative: 1e-5 });
      assertClose(after, before, { relative: 0.2 });
      const least = type === "nf4_double" ? 1e-4 : 1e-6;
      assert(after.some((value, i) => Math.abs(value - before[i]) > least), "nothing was rounded");

      // Gradients reach the adapters of the first block through packed weights of the second.
      const gradients = await Promise.all([model, wide].map(async (one) => {
        addLora(one, { rank: 2, targets: "h.0" });
        const learns = trainableParameters(one);
        for (const [name, tensor] of learns) {
          // Equal values would give gradients of nothing but rounding, since the norm after them subtracts the mean.
          if (name.includes("lora_B")) {
            tensor.assign(Float32Array.from({ length: tensor.size }, (_, i) => 0.05 * Math.cos(i)));
          }
        }
        using _loss = scope(() => {
          const loss = lossOf(one, forest(smallExamples(3)));
          backward(loss);
          return loss;
        });
        return new Map(
          await Promise.all(
            [...learns].map(async ([name, { grad }]) => [name, await grad!.data()] as const),
          ),
        );
      }));
      for (const [name, values] of gradients[0]) {
        assertClose(values, gradients[1].get(name)!, { relative: 1e-4 }, name);
      }
      const adapted = await logits(model);
      mergeLora(model);
      assertClose(await logits(model), adapted, { relative: 1e-5 });
      release(model, wide as Gpt2);
    }
  },
);

onOneThread("QLoRA learns, and its weights stay packed", async (device) => {
  const model = make(device);
  await quantize(model, "nf4_double");
  addLora(model, { rank: 4 });
  using training = sft(model, {
    examples: smallExamples(8),
    batchSize: 4,
    epochs: 8,
    learningRate: 1e-2,
    evalEvery: 0,
  });
  const steps = await take(training);
  assert(steps.at(-1)!.loss < steps[0].loss - 0.2, `${steps.map(({ loss }) => loss)}`);
  assert([...model.linears.values()].every(({ weight }) => weight.dtype === "nf4_double"));
  const [{ tokens }] = await generate(model, [[1, 2, 3]], { maxNewTokens: 4 });
  assertEquals(tokens.length, 4);
  release(model);
});

onOneThread("loadNetwork() packs while it loads, or keeps what is stored", async (device) => {
  using temporary = new TemporaryDirectory();
  const model = make(device);
  await saveNetwork(model, temporary.path, { dtype: "BF16" });
  const load = async (quantization?: "nf4" | "f16" | "stored") =>
    (await loadNetwork(temporary.path, { device, quantize: quantization })).network;
  const typesOf = (one: Network) =>
    new Set([...one.parameters.values()].map(({ dtype }) => dtype).filter(isPacked));
  const [wide, kept, packed] = [await load(), await load("stored"), await load("nf4")];
  const narrow = await load("f16");
  assertEquals([wide, kept, packed, narrow].map(typesOf), [
    new Set<PackedType>(),
    new Set<PackedType>(["bf16"]),
    new Set<PackedType>(["nf4"]),
    new Set<PackedType>(["f16"]),
  ]);
  assertClose(await logits(kept), await logits(wide), { relative: 1e-5 });
  await quantize(wide, "nf4");
  assertEquals(await logits(packed), await logits(wide));
  // GPT-2's layers are (in, out) here, and (out, in) in a GGUF file.
  const gguf = `${temporary.path}/model.gguf`;
  for (const type of ["Q8_0", "F16"] as const) {
    await exportGguf(model, gguf, { type, tokenizer: {} });
    await assertRejects(
      () => loadNetwork(gguf, { device, quantize: "stored" }),
      TypeError,
      `Cannot load "h.0.attn.c_attn.weight" as "${type.toLowerCase()}": its file stores it transposed`,
    );
  }
  // Tables are looked up packed, and the head is one of them.
  assertEquals([kept.head.dtype, packed.head.dtype], ["bf16", "f32"]);
  release(model, wide as Gpt2, kept as Gpt2, packed as Gpt2, narrow as Gpt2);
});

onOneThread("quantize() refuses what cannot be", async (device) => {
  const model = Gpt2.create(device, { ...CONFIG, width: 32 });
  await assertRejects(
    () => quantize(model),
    TypeError,
    'Cannot store "h.0.attn.c_attn.weight" as "nf4": its rows have 96 elements, expected a multiple of 64',
  );
  await assertRejects(
    () => quantize(model, "nf4", { targets: "q_proj" }),
    RangeError,
    'layers named "q_proj"',
  );
  const { weight } = model.linears.get("h.1.mlp.c_fc")!;
  const values = await weight.data();
  values[7] = 1e5;
  weight.assign(values);
  await assertRejects(
    () => quantize(model, "f16"),
    RangeError,
    'Cannot store "h.1.mlp.c_fc.weight" as "f16": element 7 is 100000, too large for it',
  );
  release(model);
});
