// Ranks of a notebook: rank 0 runs its cells, and the others take part in each training that they begin.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { addLora, type Network, quantize } from "../../lib/model/mod.ts";
import type { Device } from "../../lib/tensor/mod.ts";
import {
  followRanks,
  RankLeader,
  rankLeader,
  setRankLeader,
} from "../../lib/train/notebook_ranks.ts";
import { type Communicator, sft, type SftOptions, type Step } from "../../lib/train/mod.ts";
import { assertClose } from "../support.ts";
import { asRanks } from "./local_ranks.ts";
import { onOneThread, release, smallExamples, smallModel, take } from "./small.ts";

const options: SftOptions = {
  examples: smallExamples(11),
  validation: smallExamples(5, 9),
  batchSize: 3,
  learningRate: 1e-3,
  epsilon: 1e-3, // gradients that are rounding noise must not become steps
  evalEvery: 2,
  evalIters: 2,
};

/** Runs cells in rank 0 of three, and what the others do for them. */
async function asNotebook<T>(cells: () => Promise<T>): Promise<T> {
  const [result] = await asRanks(3, async (communicator) => {
    if (communicator.rank > 0) {
      await followRanks(communicator, (network, options) => follow(network, options));
      return undefined as T;
    }
    const leader = new RankLeader(communicator);
    setRankLeader(leader);
    try {
      return await cells();
    } finally {
      setRankLeader(undefined);
      assert(await leader.end(), "the other ranks are lost");
    }
  });
  return result;
}

async function follow(network: Network, options: SftOptions): Promise<void> {
  using training = sft(network, options);
  for await (const _ of training);
}

async function weightsOf(model: Network): Promise<Float32Array[]> {
  const adapters = [...model.linears.values()].flatMap(({ adapter }) => [
    ...adapter?.parameters.values() ?? [],
  ]);
  return await Promise.all([...model.parameters.values(), ...adapters].map((one) => one.data()));
}

/** What steps have measured, in one array. */
const measured = (steps: readonly Step[]) =>
  steps.flatMap(({ loss, gradientNorm, evaluation }) => [
    ...[loss, gradientNorm],
    ...evaluation ? [evaluation.trainLoss, evaluation.validationLoss!] : [],
  ]);

/** Checks that cells compute the same with other ranks as alone. */
async function assertSame(
  cells: () => Promise<{ steps: readonly Step[]; model: Network }>,
): Promise<void> {
  const compute = async () => {
    const { steps, model } = await cells();
    const weights = await weightsOf(model);
    release(model);
    return { values: measured(steps), weights };
  };
  const alone = await compute();
  let sums = 0;
  const shared = await asNotebook(async () => {
    const { communicator } = rankLeader()!;
    const { sum } = communicator;
    communicator.sum = (values) => (sums++, sum(values));
    return await compute();
  });
  assert(sums > 0, "the other ranks took part");
  assertClose(shared.values, alone.values, { relative: 1e-6 });
  for (const [i, expected] of alone.weights.entries()) {
    assertClose(shared.weights[i], expected, { relative: 1e-5, absolute: 1e-7 }, `weights ${i}`);
  }
}

onOneThread("a notebook's trainings take one process's steps", async (device) => {
  await assertSame(async () => {
    const model = smallModel(device, { dropout: 0.2 });
    const other = smallModel(device, {}, 2);
    using training = sft(model, { ...options, epochs: 2 });
    // A loop that is left and continued, with another training within it.
    const steps = await take(training, 3);
    for await (const step of training) {
      steps.push(step);
      if (step.step === 5) steps.push(...await take(sft(other, { ...options, maxSteps: 2 })));
    }
    release(other);
    return { steps, model };
  });
});

onOneThread("a notebook's adapters on packed weights are trained in all ranks", async (device) => {
  await assertSame(async () => {
    const model = smallModel(device, { width: 64 });
    await quantize(model, "nf4");
    addLora(model, { rank: 2, dropout: 0.25, targets: ["c_attn", "c_proj"] });
    using training = sft(model, options);
    return { steps: await take(training), model };
  });
});

onOneThread("a notebook's training resumes, and keeps its best weights", async (device) => {
  await assertSame(async () => {
    const directory = await Deno.makeTempDir();
    const run = async (resume: boolean, count?: number) => {
      const model = smallModel(device);
      using training = sft(model, {
        ...options,
        ...{ epochs: 2, learningRate: 0.02, restoreBest: true, earlyStopping: { patience: 2 } },
        ...{ checkpoint: { directory, every: 1 }, resume },
      });
      const steps = await take(training, count);
      return { steps, model };
    };
    const first = await run(false, 3);
    release(first.model);
    const { steps, model } = await run(true);
    await Deno.remove(directory, { recursive: true });
    return { steps: [...first.steps, ...steps], model };
  });
});

onOneThread("what ends a notebook's loop does not end the other ranks", async (device) => {
  await asNotebook(async () => {
    const model = smallModel(device);
    // The cell throws.
    await assertRejects(
      async () => {
        for await (const _ of sft(model, options)) throw new Error("no");
      },
      Error,
      "no",
    );
    // What it gives the training throws.
    const sample = () => Promise.reject(new Error("no sample"));
    await assertRejects(() => take(sft(model, { ...options, sample })), Error, "no sample");
    // It is stopped, before a step and in an evaluation.
    for (const reason of [new Error("enough"), "enough"]) {
      const controller = new AbortController();
      const training = sft(model, { ...options, signal: controller.signal });
      const found = await assertRejectsWith(async () => {
        for await (const { step } of training) if (step === 2) controller.abort(reason);
      });
      assertEquals(found, reason);
    }
    // The loss is not finite.
    const broken = smallModel(device);
    const weight = broken.parameters.get("wte.weight")!;
    weight.assign(new Float32Array(weight.size).fill(NaN));
    await assertRejects(() => take(sft(broken, options)), RangeError, "the next loss is NaN");
    // A loop is abandoned.
    const abandoned = sft(model, options)[Symbol.asyncIterator]();
    await abandoned.next();
    assertEquals((await take(sft(model, options))).length, 4);
    // And taken up again.
    assertEquals((await abandoned.next()).value?.step, 2);
    release(model, broken);
  });
});

async function assertRejectsWith(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error("It did not fail");
}

onOneThread("what other ranks cannot do is refused", async (device) => {
  await asNotebook(async () => {
    const model = smallModel(device);
    class Own extends smallModelClass(device) {}
    const own = Object.setPrototypeOf(smallModel(device), Own.prototype);
    await assertRejects(
      () => take(sft(own, options)),
      TypeError,
      "Cannot share a training with other ranks: the model is a Own; expected a Gpt2",
    );
    const mixed = smallModel(device, { dropout: 0.1, attentionDropout: 0.3 });
    await assertRejects(() => take(sft(mixed, options)), TypeError, "has the dropout 0.3");
    const [linear] = model.linears.values();
    linear.adapter = { ...adapterOfOne(device) };
    await assertRejects(() => take(sft(model, options)), TypeError, "expected one of addLora()");
    linear.adapter = undefined;
    // Two at once.
    const two = [sft(model, options), sft(mixed, options)].map((training) =>
      training[Symbol.asyncIterator]().next()
    );
    const [first, second] = await Promise.allSettled(two);
    assertEquals(first.status, "fulfilled");
    assert(second.status === "rejected");
    release(model, own, mixed);
  });
});

const smallModelClass = (device: Device) => {
  const model = smallModel(device);
  release(model);
  return model.constructor as new (...parameters: never[]) => Network;
};

function adapterOfOne(device: Device) {
  const model = smallModel(device);
  addLora(model, { rank: 1, targets: "c_fc" });
  const { adapter } = model.linears.get("h.0.mlp.c_fc")!;
  const { settings, parameters, hasDropout } = adapter!;
  release(model);
  return { settings, parameters, hasDropout, addTo: adapter!.addTo.bind(adapter) };
}

onOneThread("a step that fails in rank 0 alone says so afterwards", async (device) => {
  const leader = new RankLeader({} as Communicator);
  await assertRejects(
    () => leader.together(() => Promise.reject(new Error("full"))),
    Error,
    "full",
  );
  await assertRejects(() => leader.together(() => Promise.resolve()), Error, "alone (full)");
  assertEquals(await leader.end(), false);
  await Promise.resolve(device);
});
