// A training that is stopped keeps its model, and can continue.

import { assertEquals, assertRejects } from "@std/assert";
import { generate, type Gpt2 } from "../../lib/model/mod.ts";
import type { Device } from "../../lib/tensor/mod.ts";
import { sft, type SftOptions } from "../../lib/train/mod.ts";
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
  validation: smallExamples(3, 8),
  batchSize: 3,
  dropLast: true,
  epochs: 2,
  evalEvery: 2,
  evalIters: 1,
  learningRate: 1e-3,
};

/** What a training that nobody disturbs comes to. */
async function undisturbed(device: Device, options = quick) {
  const model = smallModel(device);
  using training = sft(model, options);
  const steps = timeless(await take(training));
  const weights = await weightsOf(model);
  release(model);
  return { steps, weights };
}

async function assertGenerates(model: Gpt2) {
  const [{ tokens }] = await generate(model, [[1, 2, 3]], { maxNewTokens: 3 });
  assertEquals(tokens.length, 3);
}

onOneThread("sft() continues after break as if nothing had been", async (device) => {
  const expected = await undisturbed(device);
  const model = smallModel(device);
  using training = sft(model, quick);
  assertEquals((await take(training, 1)).length, 1);
  await assertGenerates(model);
  assertEquals((await take(training, 3)).map(({ step }) => step), [2, 3, 4]);
  assertEquals(training.step, 4);
  await take(training);
  assertEquals(await weightsOf(model), expected.weights);
  assertEquals(timeless(training.history), expected.steps);
  assertEquals(await take(training), []); // it is done
  release(model);
});

onOneThread("sft() continues after an error in the loop's body", async (device) => {
  const expected = await undisturbed(device);
  const model = smallModel(device);
  using training = sft(model, quick);
  await assertRejects(
    async () => {
      for await (const { step } of training) if (step === 2) throw new Error("mine");
    },
    Error,
    "mine",
  );
  await take(training);
  assertEquals(await weightsOf(model), expected.weights);
  release(model);
});

onOneThread("sft() stops between steps on a signal, and the model can continue", async (device) => {
  const expected = await undisturbed(device);
  const model = smallModel(device);
  const controller = new AbortController();
  using training = sft(model, { ...quick, signal: controller.signal });
  const seen: number[] = [];
  await assertRejects(
    async () => {
      for await (const { step } of training) {
        seen.push(step);
        if (step === 3) controller.abort(new Error("that is enough"));
      }
    },
    Error,
    "that is enough",
  );
  assertEquals(seen, [1, 2, 3]);
  assertEquals([training.step, training.history.length], [3, 3]);
  await assertGenerates(model);
  await assertRejects(() => take(training), Error, "that is enough"); // aborted is aborted
  release(model);

  const other = smallModel(device);
  const first = new AbortController();
  using again = sft(other, { ...quick, signal: first.signal });
  await assertRejects(async () => {
    for await (const _ of again) first.abort();
  });
  assertEquals(again.step, 1);
  assertEquals(timeless(again.history), expected.steps.slice(0, 1));
  release(other);
});

onOneThread("sft() takes the notebook's stop signal where none is given", async (device) => {
  const expected = await undisturbed(device);
  const model = smallModel(device);
  using training = sft(model, quick);
  const scope = globalThis as unknown as Record<symbol, AbortSignal | undefined>;
  const key = Symbol.for("tunebook.signal");
  const cell = new AbortController();
  try {
    scope[key] = cell.signal;
    await assertRejects(
      async () => {
        for await (const { step } of training) if (step === 2) cell.abort(new Error("stopped"));
      },
      Error,
      "stopped",
    );
    scope[key] = new AbortController().signal; // the next cell has its own
    await take(training);
  } finally {
    delete scope[key];
  }
  assertEquals(await weightsOf(model), expected.weights);
  release(model);
});

onOneThread("sft() keeps the step that it was stopped in, without evaluation", async (device) => {
  const model = smallModel(device);
  const controller = new AbortController();
  let asked = 0;
  // The signal is aborted while the second step is evaluated: it asks before each batch.
  const signal = new Proxy(controller.signal, {
    get(target, key) {
      if (key === "throwIfAborted") {
        if (++asked === 3) controller.abort(new Error("now"));
        return () => target.throwIfAborted();
      }
      return Reflect.get(target, key, target);
    },
  });
  using training = sft(model, { ...quick, signal });
  const steps: number[] = [];
  await assertRejects(
    async () => {
      for await (const { step } of training) steps.push(step);
    },
    Error,
    "now",
  );
  assertEquals(steps, [1, 2]);
  assertEquals(training.history.map(({ evaluation }) => evaluation), [undefined, undefined]);
  release(model);
});

onOneThread("sft() refuses two loops at once", async (device) => {
  const expected = await undisturbed(device);
  const model = smallModel(device);
  using training = sft(model, quick);
  for await (const { step } of training) {
    if (step !== 2) continue;
    await assertRejects(
      () => take(training),
      TypeError,
      "Cannot train twice at once: a loop is still running",
    );
  }
  assertEquals(await weightsOf(model), expected.weights);
  release(model);
});
