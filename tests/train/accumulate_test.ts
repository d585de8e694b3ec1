// Steps over several batches, and examples with weights, against PyTorch and against the big batch.

import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { fromFileUrl } from "@std/path";
import type { EncodedExample } from "../../lib/dataset/mod.ts";
import { type Gpt2, loadNetwork, lossOf } from "../../lib/model/mod.ts";
import { backward, type Device, scope } from "../../lib/tensor/mod.ts";
import { MASKS } from "../../lib/text/mod.ts";
import { measureLoss, sft, type SftOptions, type Step } from "../../lib/train/mod.ts";
import { forest } from "../../lib/dataset/mod.ts";
import { accumulateGradients } from "../../lib/train/step.ts";
import { onEveryDevice } from "../devices.ts";
import { loadGolden } from "../golden/golden.ts";
import { assertClose } from "../support.ts";
import { onOneThread, release, smallExamples, smallModel, take, weightsOf } from "./small.ts";

const golden = loadGolden("training");
type Case = ReturnType<typeof golden.cases>[number];
const [forward] = loadGolden("gpt2_tiny").cases("forward");

async function loadTiny(device: Device): Promise<Gpt2> {
  const directory = fromFileUrl(new URL("../golden/gpt2_tiny", import.meta.url));
  return (await loadNetwork(directory, { device })).network as Gpt2;
}

/** The golden sequences. */
function tinyExamples(): EncodedExample[] {
  const { lengths, instructionLengths, promptLengths, end } = forward.attributes as
    & Record<"lengths" | "instructionLengths" | "promptLengths", number[]>
    & { end: number };
  const { data, shape: [, width] } = forward.tensors.tokens;
  return lengths.map((length, row) => {
    const tokens = [...data.subarray(row * width, row * width + length)];
    return {
      promptIds: tokens.slice(0, promptLengths[row]),
      responseIds: [...tokens.slice(promptLengths[row]), end],
      instructionLength: instructionLengths[row],
    };
  });
}

/** The golden sequences with the case's weights. */
function weightedExamples({ weights }: Case["attributes"]): EncodedExample[] {
  return tinyExamples().map((example, i) => ({ ...example, weight: weights[i] as number }));
}

/** The case's AdamW, and no evaluations. */
function optimizerOf({ beta1, beta2, eps: epsilon, weightDecay }: Case["attributes"]) {
  return { beta1, beta2, epsilon, weightDecay, evalEvery: 0 };
}

function assertSteps(steps: readonly Step[], { losses, gradNorms }: Case["tensors"]): void {
  assertClose(steps.map(({ loss }) => loss), losses.data, { relative: 1e-5 });
  const norms = steps.map(({ gradientNorm }) => gradientNorm);
  assertClose(norms, gradNorms.data, { relative: 1e-4 });
}

onEveryDevice(
  "sft() accumulates, clips and follows a cosine to PyTorch's weights",
  async (device) => {
    const [{ attributes, tensors }] = golden.cases("accumulate");
    const model = await loadTiny(device);
    using training = sft(model, {
      examples: tinyExamples(),
      order: "given",
      batchSize: 2,
      accumulate: 2,
      epochs: attributes.total,
      learningRate: attributes.lr,
      schedule: "cosine",
      warmup: attributes.warmup,
      maxGradientNorm: attributes.clip,
      ...optimizerOf(attributes),
    });
    const steps = await take(training);
    assertClose(steps.map(({ learningRate }) => learningRate), tensors.rates.data);
    assertSteps(steps, tensors);
    for (const [name, tensor] of model.parameters) {
      const expected = tensors[`weight/transformer.${name}`].data.slice();
      const actual = await tensor.data();
      if (name.endsWith("c_attn.bias")) {
        // The gradient of a key's bias is rounding noise, of which Adam makes steps; see tests/golden/README.md.
        const width = expected.length / 3;
        actual.copyWithin(width, 0, width);
        expected.copyWithin(width, 0, width);
      }
      assertClose(actual, expected, { relative: 1e-4 }, name);
    }
    release(model);
  },
);

for (const layout of ["forest", "packed"] as const) {
  onEveryDevice(
    `lossOf() averages weighted examples as PyTorch does, ${layout}`,
    async (device) => {
      const [{ attributes, tensors }] = golden.cases("weighted");
      const model = await loadTiny(device);
      const examples = weightedExamples(attributes);
      const batch = forest(examples, { layout });
      const { loss } = await accumulateGradients(model, model.parameters.values(), [batch]);
      assertClose([loss], tensors.output.data, { relative: 1e-5 });
      for (const [name, { data }] of Object.entries(tensors)) {
        if (!name.startsWith("grad/")) continue;
        const { grad } = model.parameters.get(name.slice("grad/transformer.".length))!;
        assertClose(await grad!.data(), data, { relative: 1e-4 }, name);
      }
      // Measured in any batches, it is the same mean.
      const measured = await measureLoss(model, examples, { batchSize: 3 });
      assertClose([measured.loss], tensors.output.data, { relative: 1e-5 });
      dropGradients(model);
      release(model);
    },
  );
}

onEveryDevice(
  "sft() takes PyTorch's steps of a weighted loss, over accumulated batches",
  async (device) => {
    const [{ attributes, tensors }] = golden.cases("weightedSteps");
    const model = await loadTiny(device);
    using training = sft(model, {
      examples: weightedExamples(attributes),
      order: "given",
      batchSize: 2,
      accumulate: 2,
      epochs: 3,
      learningRate: attributes.lr,
      ...optimizerOf(attributes),
    });
    const steps = await take(training);
    assertSteps(steps, tensors);
    for (const [name, { data }] of Object.entries(tensors)) {
      if (!name.startsWith("weight/")) continue;
      const tensor = model.parameters.get(name.slice("weight/transformer.".length))!;
      assertClose(await tensor.data(), data, { relative: 1e-4 }, name);
    }
    release(model);
  },
);

Deno.test("forest() counts a padded batch's examples by their weights too", () => {
  const examples = smallExamples(3).map((example, i) => ({ ...example, weight: i + 0.5 }));
  const sum = (layout: "padded" | "packed" | "forest") =>
    forest(examples, { layout }).edges.counts.reduce((total, count) => total + count, 0);
  const expected = examples.reduce((sum, one) => sum + one.weight * one.responseIds.length, 0);
  for (const layout of ["padded", "packed", "forest"] as const) {
    assertClose([sum(layout)], [expected], { relative: 1e-6 }, layout);
  }
});

const examples = smallExamples(14);
const quick: SftOptions = {
  examples,
  dropLast: true,
  evalEvery: 0,
  learningRate: 1e-3,
  maxGradientNorm: 0.5,
};

function dropGradients(model: Gpt2): void {
  for (const parameter of model.parameters.values()) {
    parameter.grad?.dispose();
    parameter.grad = undefined;
  }
}

onEveryDevice("accumulated gradients are the big batch's, under each mask", async (device) => {
  const model = smallModel(device);
  for (const mask of MASKS) {
    const parts = [[0, 1, 2], [3], [4, 5]].map((part) => part.map((i) => examples[i]));
    const big = forest(parts.flat(), { mask });
    const expected = await accumulateGradients(model, model.parameters.values(), [big]);
    const gradients = new Map<string, Float32Array>();
    for (const [name, { grad }] of model.parameters) gradients.set(name, await grad!.data());
    dropGradients(model);
    const batches = parts.map((part) => forest(part, { mask }));
    const actual = await accumulateGradients(model, model.parameters.values(), batches);
    assertClose([actual.loss], [expected.loss], { relative: 1e-5 }, mask);
    assertClose([actual.gradientNorm], [expected.gradientNorm], { relative: 1e-5 }, mask);
    for (const [name, { grad }] of model.parameters) {
      const tolerance = { relative: 1e-5, absolute: 1e-8 };
      assertClose(await grad!.data(), gradients.get(name)!, tolerance, `${mask} ${name}`);
    }
    dropGradients(model);
  }
  release(model);
});

onOneThread("sft() with accumulation takes the big batch's steps", async (device) => {
  for (const mask of MASKS) {
    const runs = [];
    for (const size of [{ batchSize: 6 }, { batchSize: 2, accumulate: 3 }]) {
      const model = smallModel(device);
      // Adam divides by the gradient's own size, so that rounding in one that is nearly zero becomes a step: not here.
      using training = sft(model, { ...quick, ...size, mask, epochs: 2, epsilon: 1e-3 });
      runs.push({ steps: await take(training), weights: await weightsOf(model) });
      release(model);
    }
    const [big, parts] = runs;
    assertEquals(parts.steps.length, 4); // 14 examples make two steps of six an epoch
    assertEquals(
      parts.steps.map(({ epoch, tokensCounted }) => [epoch, tokensCounted]),
      big.steps.map(({ epoch, tokensCounted }) => [epoch, tokensCounted]),
    );
    for (const key of ["loss", "gradientNorm"] as const) {
      const [actual, expected] = [parts, big].map(({ steps }) => steps.map((step) => step[key]));
      assertClose(actual, expected, { relative: 1e-5 }, `${mask} ${key}`);
    }
    assertClose(parts.weights, big.weights, { relative: 1e-5 }, mask);
  }
});

onOneThread("sft() makes steps of batches in a row of a given order", async (device) => {
  const model = smallModel(device);
  const uncounted = { promptIds: new Array(40).fill(1), responseIds: [60], instructionLength: 3 };
  const order = [[0, 1], [14], [2], [3], [4]]; // nothing counts in the second batch, but in its step
  using training = sft(model, {
    ...quick,
    examples: [...examples, uncounted],
    order,
    accumulate: 2,
  });
  const steps = await take(training);
  const counted = [[0, 1], [2, 3], [4]].map((indices) =>
    forest(indices.map((i) => examples[i])).tokensCounted
  );
  assertEquals(steps.map(({ tokensCounted }) => tokensCounted), counted);
  release(model);
});

onOneThread("sft() stops between the batches of a step and leaves no gradients", async (device) => {
  const model = smallModel(device);
  const before = await weightsOf(model);
  const controller = new AbortController();
  using training = sft(model, {
    ...quick,
    batchSize: 1,
    accumulate: 14,
    signal: controller.signal,
  });
  let batches = 0;
  const { hidden } = model;
  model.hidden = (input) => {
    if (++batches === 3) controller.abort(new Error("enough"));
    return hidden.call(model, input);
  };
  await assertRejects(() => take(training), Error, "enough");
  assertEquals(batches, 3);
  assertEquals([training.step, await weightsOf(model)], [0, before]);
  for (const { grad } of model.parameters.values()) assertEquals(grad, undefined);
  release(model);
});

onOneThread("batches of one step drop different elements", async (device) => {
  const model = smallModel(device, { dropout: 0.5 });
  const batch = forest(examples.slice(0, 2), { layout: "packed" });
  const loss = async (count: number) => {
    const batches = new Array(count).fill(batch);
    const learnt = await accumulateGradients(model, model.parameters.values(), batches, {
      dropoutSeed: [1, 2],
    });
    dropGradients(model);
    return learnt.loss;
  };
  assertEquals(await loss(2), await loss(2));
  assertNotEquals(await loss(1), await loss(2)); // the second batch's loss is not the first's
  using plain = scope(() => {
    const loss = lossOf(model, batch);
    backward(loss);
    return loss;
  });
  assert(Math.abs(await plain.item() - await loss(1)) > 1e-4);
  dropGradients(model);
  release(model);
});
