// LoRA against PEFT: logits, loss, every gradient, weights after AdamW steps, files both ways; and what it promises.

import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import {
  addLora,
  attendWithin,
  freeze,
  loadLora,
  loadNetwork,
  logitsOf,
  lossOf,
  mergeLora,
  type Network,
  removeLora,
  saveLora,
  trainableParameters,
  unfreeze,
} from "../../lib/model/mod.ts";
import { backward, type Device, noGrad, scope } from "../../lib/tensor/mod.ts";
import { AdamW } from "../../lib/train/mod.ts";
import { forest, type ForestBatch } from "../../lib/dataset/mod.ts";
import { onEveryDevice } from "../devices.ts";
import { type GoldenCase, loadGolden, readGoldenTensors } from "../golden/golden.ts";
import { assertClose } from "../support.ts";
import { onOneThread, release, smallExamples, smallModel } from "../train/small.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";

const path = (name: string) => fromFileUrl(new URL(`../golden/${name}`, import.meta.url));

const families = [
  { base: "gpt2_tiny", golden: "lora_gpt2", prefix: "transformer.", layers: 8 },
  { base: "llama_family/llama", golden: "lora_llama", prefix: "model.", layers: 6 },
];

async function loadAdapted(device: Device, base: string, golden: string): Promise<Network> {
  const { network: model } = await loadNetwork(path(base), { device });
  await loadLora(model, path(golden));
  return model;
}

/** The padded batch of a golden case as plain sequences. */
function batchOf({ tensors: { tokens, targets } }: GoldenCase): ForestBatch {
  const [, length] = tokens.shape;
  const at = Int32Array.from(tokens.data, (_, row) => row);
  const counted = at.filter((row) => targets.data[row] !== -100);
  return {
    tokens: tokens.data as Int32Array,
    positions: at.map((row) => row % length),
    end: at.map((row) => row - row % length + length),
    edges: {
      rows: counted,
      targets: counted.map((row) => targets.data[row]),
      counts: new Float32Array(counted.length).fill(1),
    },
  };
}

function logits(model: Network, tokens: Int32Array): Promise<Float32Array> {
  const positions = tokens.map((_, i) => i);
  const end = new Int32Array(tokens.length).fill(tokens.length);
  const result = scope(() =>
    noGrad(() =>
      logitsOf(
        model,
        model.hidden({ tokens, positions, attend: attendWithin({ end, positions }) }),
      )
    )
  );
  return result.data().finally(() => result.dispose());
}

for (const { base, golden: name, prefix, layers } of families) {
  const golden = loadGolden(name);
  const [forward] = golden.cases("forward");
  const tokens = forward.tensors.tokens.data as Int32Array;

  onEveryDevice(
    `${name}: logits, loss and gradients are PEFT's, and only those`,
    async (device) => {
      const model = await loadAdapted(device, base, name);
      const expected = forward.tensors.logits.data as Float32Array;
      assertClose(await logits(model, tokens), expected, { relative: 1e-4 });

      const [{ tensors }] = golden.cases("loss");
      using loss = scope(() => {
        const loss = lossOf(model, batchOf(golden.cases("loss")[0]));
        backward(loss);
        return loss;
      });
      assertClose([await loss.item()], tensors.output.data, { relative: 1e-5 });
      const learnt = trainableParameters(model);
      assertEquals(
        learnt.size,
        Object.keys(tensors).filter((key) => key.startsWith("grad/")).length,
      );
      for (const [parameter, { grad }] of learnt) {
        const { data, shape } = tensors[`grad/base_model.model.${prefix}${parameter}`];
        assertEquals(grad!.shape, shape);
        assertClose(await grad!.data(), data, { relative: 1e-4 }, parameter);
        grad!.dispose();
      }
      // Nothing was computed for what is frozen.
      assert([...model.parameters.values()].every(({ grad }) => grad === undefined));
      removeLora(model);
    },
  );

  onEveryDevice(`${name}: losses and weights of three AdamW steps are PEFT's`, async (device) => {
    const model = await loadAdapted(device, base, name);
    const [{ attributes, tensors }] = golden.cases("adamw");
    const [first] = golden.cases("loss");
    const batch = batchOf(first);
    const { lr, eps, steps, ...settings } = attributes;
    using optimizer = new AdamW(trainableParameters(model), { ...settings, epsilon: eps });
    const losses: number[] = [];
    for (let step = 0; step < steps; step++) {
      using loss = scope(() => {
        const loss = lossOf(model, batch);
        backward(loss);
        return loss;
      });
      losses.push(await loss.item());
      optimizer.step(lr);
    }
    assertClose(losses, tensors.losses.data, { relative: 1e-4 });
    for (const [parameter, tensor] of trainableParameters(model)) {
      const { data } = tensors[`weight/base_model.model.${prefix}${parameter}`];
      const gradient = Array.from(
        first.tensors[`grad/base_model.model.${prefix}${parameter}`].data,
      );
      const largest = Math.max(...gradient.map(Math.abs));
      // A gradient that is nearly 0 is mostly rounding, of which AdamW makes up to a whole step, either way.
      const actual = (await tensor.data()).map((value, i) =>
        Math.abs(gradient[i]) < 1e-5 * largest && Math.abs(value - data[i]) <= 2 * steps * lr
          ? data[i]
          : value
      );
      assertClose(actual, data, { relative: 1e-4, absolute: 1e-4 }, parameter);
    }
    removeLora(model);
  });

  onEveryDevice(
    `${name}: mergeLora() changes no logit, removeLora() restores the base`,
    async (device) => {
      const model = await loadAdapted(device, base, name);
      const adapted = await logits(model, tokens);
      const weights = model.parameters.size;
      assertEquals(mergeLora(model), layers);
      assertClose(await logits(model, tokens), adapted, { relative: 5e-5 });
      assertEquals([model.parameters.size, mergeLora(model)], [weights, 0]);
      assertEquals(trainableParameters(model).size, weights);

      const { network: fresh } = await loadNetwork(path(base), { device });
      const before = await logits(fresh, tokens);
      await loadLora(fresh, path(name));
      assertNotEquals(await logits(fresh, tokens), before);
      assertEquals(removeLora(fresh), layers);
      assertEquals(await logits(fresh, tokens), before);
    },
  );

  Deno.test(`${name}: saveLora() writes PEFT's names, bits and settings`, async () => {
    using temporary = new TemporaryDirectory();
    const { CpuDevice } = await import("../../lib/tensor/cpu/device.ts");
    const device = new CpuDevice({ threads: 1 });
    const model = await loadAdapted(device, base, name);
    await saveLora(model, temporary.path, { base: "some/base", revision: "v1" });
    const file = "adapter_model.safetensors";
    assertEquals(
      readGoldenTensors(`${temporary.path}/${file}`),
      readGoldenTensors(`${path(name)}/${file}`),
    );
    const [ours, theirs] = [temporary.path, path(name)].map((directory) =>
      JSON.parse(Deno.readTextFileSync(`${directory}/adapter_config.json`))
    );
    assertEquals([ours.base_model_name_or_path, ours.revision], ["some/base", "v1"]);
    for (const key of ["r", "lora_alpha", "use_rslora", "fan_in_fan_out", "bias", "peft_type"]) {
      assertEquals(ours[key], theirs[key], key);
    }
    device.close();
  });
}

onOneThread("addLora() changes nothing at first and is decided by its seed", async (device) => {
  const tokens = Int32Array.from([1, 2, 3, 4]);
  const model = smallModel(device);
  const before = await logits(model, tokens);
  const valuesOf = async (seed: number, dropout = 0) => {
    const names = addLora(model, { rank: 3, targets: ["attn.c_attn", "c_fc"], seed, dropout });
    assertEquals(names, ["h.0.attn.c_attn", "h.0.mlp.c_fc", "h.1.attn.c_attn", "h.1.mlp.c_fc"]);
    assertEquals(await logits(model, tokens), before);
    const first = trainableParameters(model).get("h.0.attn.c_attn.lora_A.weight")!;
    assertEquals(first.shape, [3, 16]);
    return first.data();
  };
  const a = await valuesOf(1);
  // Uniform within ±1/√in, PEFT's Kaiming bound.
  assert(a.every((value) => Math.abs(value) <= 0.25) && a.some((value) => Math.abs(value) > 0.2));
  removeLora(model);
  assertEquals(await valuesOf(1), a);
  removeLora(model);
  assertNotEquals(await valuesOf(2), a);
  removeLora(model);
  await valuesOf(1, 0.5); // without a seed nothing is dropped
  assertEquals(model.hasDropout, true);
  release(model);
});

onOneThread("LoRA's dropout is decided by its seed, and differs between layers", async (device) => {
  const model = smallModel(device);
  addLora(model, { rank: 2, dropout: 0.5, targets: /c_fc$/ });
  for (const [name, tensor] of trainableParameters(model)) {
    if (name.includes("lora_B")) tensor.assign(new Float32Array(tensor.size).fill(0.5));
  }
  const batch = forest(smallExamples(2), { layout: "packed" });
  const lossAt = async (dropoutSeed?: number) => {
    using loss = scope(() => noGrad(() => lossOf(model, batch, { dropoutSeed })));
    return await loss.item();
  };
  const [without, first] = [await lossAt(), await lossAt(1)];
  assertEquals([await lossAt(), await lossAt(1)], [without, first]);
  assertEquals(new Set([without, first, await lossAt(2)]).size, 3);
  release(model);
});

onOneThread("rsLora divides by the rank's root", (device) => {
  const model = smallModel(device);
  const factorOf = (options: { rsLora?: boolean; alpha?: number }) => {
    addLora(model, { rank: 4, targets: "c_attn", ...options });
    const { adapter } = model.linears.get("h.0.attn.c_attn")!;
    const { factor } = adapter as unknown as { factor: number };
    removeLora(model);
    return factor;
  };
  assertEquals(factorOf({}), 2);
  assertEquals(factorOf({ alpha: 6 }), 1.5);
  assertEquals(factorOf({ alpha: 6, rsLora: true }), 3);
  release(model);
  return Promise.resolve();
});

onOneThread("addLora() and freeze() refuse what cannot be", (device) => {
  const model = smallModel(device);
  const refuses = (options: Parameters<typeof addLora>[1], message: string) =>
    assertThrows(() => addLora(model, options), RangeError, message);
  refuses({ rank: 0 }, "Cannot adapt with rank 0: expected a positive integer");
  refuses({ alpha: -1 }, "Cannot adapt with alpha -1");
  refuses({ dropout: 1 }, "Cannot adapt with dropout 1");
  refuses({ targets: ["q_proj"] }, 'layers named "q_proj": the model has c_attn, c_proj, c_fc');
  refuses({ targets: "c_att" }, 'layers named "c_att"');
  refuses({ targets: ["c_fc", "up_proj"] }, 'layers named "up_proj": the model has c_attn');
  refuses({ targets: "c_*" }, 'layers named "c_*" ("*" is not a wildcard');
  addLora(model, { targets: "c_fc" });
  assertThrows(() => addLora(model), TypeError, '"h.0.mlp.c_fc": it has an adapter already');
  assertThrows(() => freeze(model, "h.7"), RangeError, 'Cannot freeze weights named "h.7"');
  assertThrows(() => freeze(model, ["wte", "wpr"]), RangeError, 'weights named "wpr": the model');
  assertThrows(() => freeze(model, []), RangeError, "Cannot freeze weights named");
  assertThrows(() => freeze(model, "first:3"), RangeError, '"first:3": the model has 2');
  unfreeze(model);
  freeze(model, "first:1");
  assertEquals(
    [...model.parameters].filter(([, { requiresGrad }]) => !requiresGrad).map(([name]) => name),
    [...model.parameters.keys()].filter((name) => name.startsWith("h.0.")),
  );
  release(model);
  return Promise.resolve();
});

onOneThread("loadLora() refuses what does not fit, and changes nothing", async (device) => {
  using temporary = new TemporaryDirectory();
  const model = smallModel(device);
  const refuses = async (message: string, type: new (message: string) => Error = TypeError) => {
    await assertRejects(() => loadLora(model, temporary.path), type, message);
    assertEquals([...model.linears.values()].filter(({ adapter }) => adapter), []);
  };
  await refuses('it has no "adapter_config.json"', Deno.errors.NotFound);
  const source = path("lora_gpt2");
  Deno.copyFileSync(
    `${source}/adapter_model.safetensors`,
    `${temporary.path}/adapter_model.safetensors`,
  );
  const config = JSON.parse(Deno.readTextFileSync(`${source}/adapter_config.json`));
  const write = (changes: Record<string, unknown>) =>
    temporary.file("adapter_config.json", JSON.stringify({ ...config, ...changes }));
  write({});
  await refuses('its shapes for "h.0.attn.c_attn" are (4, 32) and (96, 4), expected (4, 16)');
  write({ peft_type: "IA3" });
  await refuses('its "peft_type" is "IA3", expected "LORA"');
  write({ use_dora: true });
  await refuses('its "use_dora" is true, and the file has no magnitudes for "h.0.attn.c_attn"');
  for (const init of ["pissa", "pissa_niter_16", "olora", "corda", "loftq", "lora_ga"]) {
    write({ init_lora_weights: init });
    await refuses(`"init_lora_weights" is "${init}", for which PEFT changes the base's weights`);
  }
  for (const init of [undefined, true, false, null, "gaussian", "eva", "orthogonal", "mica"]) {
    write({ init_lora_weights: init });
    await refuses("its shapes for"); // this is not what is wrong with it
  }
  write({ alpha_pattern: { c_fc: "3" } });
  await refuses('"alpha_pattern" has "3" for "c_fc", expected a positive number');
  write({ rank_pattern: { "(": 3 } });
  await refuses('"rank_pattern" has the pattern "(", which cannot be read');
  write({ modules_to_save: ["wte"] });
  await refuses('its "modules_to_save" names "wte", of which the file has no weights');
  write({ r: "four" });
  await refuses('"r" is "four", expected a positive integer');
  temporary.file("adapter_config.json", "{");
  await refuses("as JSON", SyntaxError);
  release(model);
});
