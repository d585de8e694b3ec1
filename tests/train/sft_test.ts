import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import type { EncodedExample } from "../../lib/dataset/mod.ts";
import { backward, globalNorm, scope, type Tensor } from "../../lib/tensor/mod.ts";
import { lossOf } from "../../lib/model/mod.ts";
import { liveTraining, lossCurve } from "../../lib/show/mod.ts";
import { measureLoss, sft, type SftOptions } from "../../lib/train/mod.ts";
import { forest } from "../../lib/dataset/mod.ts";
import { findCheckpoint } from "../../lib/train/checkpoint.ts";
import { onEveryDevice } from "../devices.ts";
import { assertClose } from "../support.ts";
import {
  onOneThread,
  release,
  smallExamples,
  smallModel,
  take,
  timeless,
  weightsOf,
} from "./small.ts";

const examples = smallExamples(10);
const quick: SftOptions = {
  examples,
  batchSize: 3,
  dropLast: true,
  evalEvery: 0,
  learningRate: 1e-3,
};
/** Its prompt fills the context: nothing of it counts. */
const uncounted: EncodedExample = {
  promptIds: new Array(40).fill(1),
  responseIds: [2, 60],
  instructionLength: 30,
};

onEveryDevice("sft() is decided by its seeds, to the bit", async (device) => {
  const runs = [];
  for (const seed of [123, 123, 124]) {
    const model = smallModel(device);
    using training = sft(model, {
      ...quick,
      epochs: 2,
      maxSteps: 4,
      seed,
      evalEvery: 2,
      evalIters: 1,
    });
    runs.push({ steps: timeless(await take(training)), weights: await weightsOf(model) });
    release(model);
  }
  assertEquals(runs[0], runs[1]);
  assertNotEquals(runs[0].weights, runs[2].weights);
  assertEquals(runs[0].steps.map(({ step, epoch }) => [step, epoch]), [
    [1, 1],
    [2, 1],
    [3, 1],
    [4, 2],
  ]);
  const [{ loss, learningRate, gradientNorm, totalSteps, tokensComputed, tokensCounted }] =
    runs[0].steps;
  assertClose([loss], [Math.log(61)], { absolute: 0.2 }); // an untrained model knows nothing
  assertEquals([learningRate, totalSteps], [1e-3, 4]);
  assert(gradientNorm > 0 && tokensComputed > tokensCounted && tokensCounted > 0);
});

onOneThread("sft() learns", async (device) => {
  const model = smallModel(device);
  using training = sft(model, { ...quick, epochs: 6, learningRate: 2e-2 });
  const before = await measureLoss(model, examples);
  await take(training);
  const after = await measureLoss(model, examples);
  assert(after.loss < 0.75 * before.loss, `${before.loss} → ${after.loss}`);
  release(model);
});

/** Which batches a training takes, by how many tokens they count; the examples' responses tell them apart. */
async function countedTokens(
  device: Parameters<typeof smallModel>[0],
  options: Partial<SftOptions>,
): Promise<number[]> {
  const model = smallModel(device);
  // Powers of two: a batch's sum tells which examples it has.
  const distinct = [1, 2, 4, 8].map((length) => ({
    promptIds: [1, 2],
    responseIds: new Array(length).fill(7),
    instructionLength: 1,
  }));
  using training = sft(model, { ...quick, examples: distinct, batchSize: 2, ...options });
  const steps = await take(training);
  release(model);
  return steps.map(({ tokensCounted }) => tokensCounted);
}

onOneThread("sft() shuffles each epoch again, or keeps a given order", async (device) => {
  const shuffled = await countedTokens(device, { epochs: 4 });
  const epochs = [0, 2, 4, 6].map((at) => shuffled.slice(at, at + 2));
  for (const [a, b] of epochs) assertEquals(a + b, 15); // each example once
  assert(new Set(epochs.map(String)).size > 1);
  assertEquals(await countedTokens(device, { order: "given", epochs: 2 }), [3, 12, 3, 12]);
  assertEquals(await countedTokens(device, { order: [[3], [0, 2, 2], [1]] }), [8, 9, 2]);
  assertEquals(await countedTokens(device, { order: "given", maxSteps: 1, epochs: 9 }), [3]);
  assertEquals(await countedTokens(device, { order: "given", batchSize: 3 }), [7]);
  // By default the incomplete batch is trained.
  const all = { order: "given", batchSize: 3, dropLast: undefined } as const;
  assertEquals(await countedTokens(device, all), [7, 8]);
  assertEquals(await countedTokens(device, { order: "given", batchSize: 9 }), [15]);
});

onOneThread("sft() evaluates every few steps and after the last", async (device) => {
  const model = smallModel(device);
  const validation = smallExamples(7, 9);
  using training = sft(model, {
    ...quick,
    epochs: 2,
    maxSteps: 5,
    validation,
    evalEvery: 2,
    evalIters: 2,
  });
  const evaluated: number[] = [];
  for await (const { step, evaluation } of training) {
    if (!evaluation) continue;
    evaluated.push(step);
    // six examples of each part: two batches of three
    const parts = [examples, validation].map((part) => part.slice(0, 6));
    const [train, held] = await Promise.all(parts.map((part) => measureLoss(model, part)));
    assertClose([evaluation.trainLoss], [train.loss]);
    assertClose([evaluation.validationLoss!], [held.loss]);
  }
  assertEquals(evaluated, [2, 4, 5]);
  release(model);
});

onOneThread("sft() puts a sample on each epoch's last step", async (device) => {
  const model = smallModel(device);
  let asked = 0;
  using training = sft(model, {
    ...quick,
    epochs: 2,
    sample: (asking) => {
      assert(asking === model);
      return `sample ${++asked}`;
    },
  });
  const samples = (await take(training)).map(({ sample }) => sample);
  assertEquals(samples, [undefined, undefined, "sample 1", undefined, undefined, "sample 2"]);
  release(model);
});

onOneThread("sft() shortens gradients that are too long", async (device) => {
  const [free, clipped] = [smallModel(device), smallModel(device)];
  // Adam's first step does not see the gradient's length, but the decay of the moments from the first to the second does
  const options = { ...quick, order: [[0, 1, 2], [3]], learningRate: 1e-2 };
  using unbounded = sft(free, options);
  using bounded = sft(clipped, { ...options, maxGradientNorm: 0.05 });
  const norms = (await take(bounded)).map(({ gradientNorm }) => gradientNorm);
  await take(unbounded);
  assert(norms.every((norm) => norm > 0.05)); // it is told as it was before
  assertNotEquals(await weightsOf(clipped), await weightsOf(free));

  // plain descent shows the length itself: with betas of 0 and a large epsilon a step is nearly lr · g / epsilon
  const model = smallModel(device);
  const before = await weightsOf(model);
  const descent = { beta1: 0, beta2: 0, epsilon: 1e4, weightDecay: 0, learningRate: 1e4 };
  using training = sft(model, { ...quick, ...descent, maxSteps: 1, maxGradientNorm: 0.05 });
  await take(training);
  const after = await weightsOf(model);
  const length = Math.hypot(...after.map((value, i) => value - before[i]));
  assertClose([length], [0.05], { relative: 1e-2 });
  release(free, clipped, model);
});

onOneThread("sft() packs sequences where there is dropout, which is seeded", async (device) => {
  const weights: Float32Array[] = [];
  for (const seed of [1, 1, 2]) {
    const model = smallModel(device, { dropout: 0.2 });
    using training = sft(model, { ...quick, seed, order: "given", maxSteps: 2 });
    const [{ tokensComputed }] = await take(training);
    const first = examples.slice(0, 3);
    assertEquals(tokensComputed, forest(first, { layout: "packed" }).tokensComputed);
    weights.push(await weightsOf(model));
    release(model);
  }
  assertEquals(weights[0], weights[1]);
  assertNotEquals(weights[0], weights[2]);
});

onOneThread("sft() drops something else in each step", async (device) => {
  const model = smallModel(device, { dropout: 0.5 });
  using training = sft(model, { ...quick, learningRate: 0, order: [[0], [0], [0]] });
  const losses = (await take(training)).map(({ loss }) => loss);
  assertEquals(new Set(losses).size, 3);
  release(model);
});

onOneThread("sft() stops at a loss that is not a number, before any weight", async (device) => {
  const model = smallModel(device);
  const broken = await weightsOf(model);
  const bias = model.parameters.get("ln_f.bias")!;
  bias.assign(new Float32Array(16).fill(NaN));
  using training = sft(model, quick);
  const before = await weightsOf(model);
  await assertRejects(
    () => take(training),
    RangeError,
    "Cannot continue after step 0: the next loss is NaN and the gradient norm NaN; the model keeps " +
      "its weights (a lower learning rate than 0.001 may help)",
  );
  assertEquals(await weightsOf(model), before);
  assertEquals(training.step, 0);
  for (const parameter of model.parameters.values()) assertEquals(parameter.grad, undefined);

  bias.assign(new Float32Array(16)); // fixed, it continues
  assertEquals(await weightsOf(model), broken);
  assertEquals((await take(training)).length, 3);
  release(model);
});

onOneThread("sft() says which examples are cut and leaves out which are empty", async (device) => {
  const model = smallModel(device);
  const cut = { ...uncounted, promptIds: [1, 2, 3], responseIds: new Array(40).fill(5) };
  using training = sft(model, {
    ...quick,
    examples: [cut, uncounted, ...examples],
    validation: [uncounted],
    order: "given",
    maxSteps: 1,
    evalEvery: 1,
  });
  assertEquals(training.notices, [
    "2 of 12 examples are cut to 32 tokens; 1 of 12 have no token that counts under the mask " +
    '"prompt" (the first is example 2)',
    "Validation: 1 of 1 examples are cut to 32 tokens; 1 of 1 have no token that counts under the " +
    'mask "prompt" (the first is example 1)',
    "2 of 11 examples are left out of each epoch, because they fill no batch of 3",
  ]);
  const [{ tokensCounted, evaluation }] = await take(training);
  const first = [cut, examples[0], examples[1]];
  assertEquals(tokensCounted, forest(first, { maxLength: 32 }).tokensCounted);
  assertEquals(Object.keys(evaluation!), ["trainLoss"]);
  release(model);
});

onOneThread("sft() names a batch of a given order in which nothing counts", async (device) => {
  const model = smallModel(device);
  assertThrows(
    () => sft(model, { examples: [...examples, uncounted], order: [[0, 1], [10, 10], [2, 10]] }),
    RangeError,
    'Cannot learn from batch 2 of the order (examples 10, 10): under the mask "prompt" and with ' +
      "at most 32 tokens per sequence, no token of it counts",
  );
  assertThrows(
    () => sft(model, { examples: [uncounted] }),
    RangeError,
    'Cannot learn from 1 examples: under the mask "prompt" and with at most 32 tokens per sequence',
  );
  release(model);
});

onOneThread("sft() refuses options that make no sense", async (device) => {
  const model = smallModel(device);
  const wrong: [Partial<SftOptions>, string][] = [
    [{ epochs: 0 }, 'Cannot train with "epochs" 0: expected a positive integer'],
    [{ batchSize: 2.5 }, '"batchSize" 2.5: expected a positive integer'],
    [{ learningRate: NaN }, '"learningRate" NaN: expected a number of 0 or more'],
    [{ beta1: 1 }, '"beta1" 1: expected a number from 0 up to, but not including, 1'],
    [{ maxGradientNorm: 0 }, '"maxGradientNorm" 0: expected a number above 0'],
    [{ seed: -1 }, '"seed" -1: expected an integer of 0 or more'],
    [{ evalEvery: -1 }, '"evalEvery" -1: expected an integer of 0 or more'],
    [{ order: [[99]] }, "has 99, and examples are 0 to 9"],
    [{ checkpoint: { directory: "x", every: 0 } }, "every 0 steps: expected a positive integer"],
  ];
  for (const [options, message] of wrong) {
    assertThrows(() => sft(model, { ...quick, ...options }), RangeError, message);
  }
  release(model);
});

onOneThread("sft() takes steps of AdamW on the mean over counted tokens", async (device) => {
  const model = smallModel(device);
  const batch = forest(examples.slice(0, 3), {});
  using lossTensor = scope(() => {
    const loss = lossOf(model, batch);
    backward(loss);
    return loss;
  });
  const gradients = [...model.parameters.values()].map(({ grad }) => grad as Tensor);
  const [loss, norm] = [await lossTensor.item(), await globalNorm(gradients)];
  using training = sft(model, { ...quick, order: "given", maxSteps: 1 });
  const [step] = await take(training); // gradients that somebody left behind are not added to
  assertEquals([step.loss, step.gradientNorm], [loss, norm]);
  release(model);
});

onOneThread("sft() keeps examples apart where there is dropout", (device) => {
  const model = smallModel(device, { dropout: 0.1 });
  const examples = [{ promptIds: [1, 2], responseIds: [3, 60], instructionLength: 1 }];
  assertThrows(
    () => sft(model, { examples, layout: "forest" }),
    TypeError,
    'Cannot train a model with dropout in the layout "forest"',
  );
  sft(model, { examples, batchSize: 1 })[Symbol.dispose]();
  release(model);
  return Promise.resolve();
});

onOneThread("sft() refuses options that it does not have, and names the one meant", (device) => {
  const model = smallModel(device);
  const messageOf = (options: Record<string, unknown>) =>
    assertThrows(() => sft(model, { ...quick, ...options } as SftOptions), TypeError).message;
  assertStringIncludes(messageOf({ lr: 1e-3 }), '"lr": did you mean "learningRate"?');
  assertStringIncludes(messageOf({ numEpochs: 5 }), 'did you mean "epochs"?');
  assertStringIncludes(
    messageOf({ checkpoint: { directory: "x", save_steps: 5 } }),
    'Cannot write checkpoints with the option "save_steps"',
  );
  assertStringIncludes(
    messageOf({ earlyStopping: { patience: 1, threshold: 0 } }),
    'Cannot stop early with the option "threshold"',
  );
  release(model);
  return Promise.resolve();
});

onOneThread("steps of sft() are what liveTraining() and lossCurve() take", async (device) => {
  const model = smallModel(device);
  using training = sft(model, { ...quick, validation: examples, evalEvery: 2, maxSteps: 2 });
  const lines: string[] = [];
  const live = liveTraining({ channel: null, print: (line) => lines.push(line) });
  for await (const _ of live.watch(training)); // shows each step
  const { validationLoss } = training.history[1].evaluation!;
  assertStringIncludes(lines.at(-1)!, `validation loss ${validationLoss!.toFixed(4)}`);
  assertStringIncludes(lossCurve(training.history).text, "; validation ");
  release(model);
});

onOneThread("sft() shows, uses and checkpoints the same defaults", async (device) => {
  const model = smallModel(device);
  const directory = await Deno.makeTempDir();
  try {
    const options = { examples, maxLength: undefined, seed: undefined, checkpoint: { directory } };
    using training = sft(model, options);
    const { batchSize, seed, maxLength, mask, layout, learningRate } = training.settings;
    assertEquals(
      [batchSize, seed, maxLength, mask, layout, learningRate],
      [8, 123, model.contextLength, "prompt", "forest", 5e-5],
    );
    const [step] = await take(training);
    assertEquals(step.learningRate, learningRate);
    const { state } = (await findCheckpoint(directory))!;
    const written = { batchSize, seed, maxLength, mask, layout, learningRate };
    for (const [name, value] of Object.entries(written)) {
      assertEquals(state.options[name], value, name);
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
    release(model);
  }
});
