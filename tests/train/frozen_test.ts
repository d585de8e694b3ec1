// Trainings of which not all learns: LoRA and frozen layers through the same loop, and their checkpoints.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { addLora, freeze, type Gpt2, trainableParameters } from "../../lib/model/mod.ts";
import type { Device } from "../../lib/tensor/mod.ts";
import { sft, type SftOptions } from "../../lib/train/mod.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";
import {
  onOneThread,
  release,
  smallExamples,
  smallModel,
  take,
  timeless,
  weightsOf,
} from "./small.ts";

const quick: SftOptions = {
  examples: smallExamples(10),
  batchSize: 3,
  dropLast: true,
  epochs: 2,
  evalEvery: 0,
  learningRate: 1e-2,
};

const ways: Record<string, (model: Gpt2) => void> = {
  "LoRA": (model) => addLora(model, { rank: 2, dropout: 0.2 }),
  "a frozen block": (model) => freeze(model, ["first:1", "wte", "wpe"]),
};

function adapt(device: Device, way: string, seed?: number): Gpt2 {
  const model = smallModel(device, {}, seed);
  ways[way](model);
  return model;
}

async function learntBy(model: Gpt2): Promise<Float32Array[]> {
  return await Promise.all([...trainableParameters(model).values()].map((one) => one.data()));
}

for (const way of Object.keys(ways)) {
  onOneThread(
    `sft() with ${way} lowers the loss and changes nothing that is frozen`,
    async (device) => {
      const model = adapt(device, way);
      const learns = new Set(trainableParameters(model).values());
      const frozen = [...model.parameters].filter(([, tensor]) => !learns.has(tensor));
      assert(frozen.length > 0);
      const before = await Promise.all(frozen.map(([, tensor]) => tensor.data()));
      using training = sft(model, { ...quick, epochs: 6 });
      const steps = await take(training);
      assert(steps.at(-1)!.loss < steps[0].loss - 0.05, `${steps.map(({ loss }) => loss)}`);
      assertEquals(await Promise.all(frozen.map(([, tensor]) => tensor.data())), before);
      assert(frozen.every(([, { grad }]) => grad === undefined));
      release(model);
    },
  );

  onOneThread(`sft() with ${way} resumes to the same bits from what learnt`, async (device) => {
    using temporary = new TemporaryDirectory();
    const undisturbed = adapt(device, way);
    using expected = sft(undisturbed, quick);
    const steps = timeless(await take(expected));

    const options = { ...quick, checkpoint: { directory: temporary.path, every: 2 }, resume: true };
    const first = adapt(device, way);
    using dies = sft(first, options);
    await take(dies, 3);
    const files = Array.from(Deno.readDirSync(`${temporary.path}/step-000002`), ({ name }) => name);
    assertEquals(files.sort(), ["optimizer.safetensors", "trained.safetensors", "training.json"]);
    const second = adapt(device, way);
    using training = sft(second, options);
    assertEquals(timeless(await take(training)), steps.slice(2));
    assertEquals(await learntBy(second), await learntBy(undisturbed));
    assertEquals(await weightsOf(second), await weightsOf(undisturbed));

    const other = adapt(device, way, 99);
    using wrong = sft(other, options);
    await assertRejects(() => wrong.start(), RangeError, "base was ");
    const whole = smallModel(device);
    using full = sft(whole, options);
    await assertRejects(() => full.start(), RangeError, "learns was ");
    release(undisturbed, first, second, other, whole);
  });
}

onOneThread("sft() computes LoRA's blocks again to the same bits", async (device) => {
  const results = [];
  for (const recompute of [false, true]) {
    const model = adapt(device, "LoRA");
    using training = sft(model, { ...quick, recompute });
    results.push(timeless(await take(training, 3)), await learntBy(model));
    release(model);
  }
  assertEquals(results.slice(2), results.slice(0, 2));
});

onOneThread("sft() refuses a model of which nothing learns", (device) => {
  const model = smallModel(device);
  freeze(model);
  assertThrows(() => sft(model, quick), TypeError, "all of its weights are frozen");
  release(model);
  return Promise.resolve();
});
