import { assertEquals, assertStringIncludes } from "@std/assert";
import { DivergenceMonitor } from "../../lib/train/divergence.ts";
import { type TrainingOptions, withLoraDefaults } from "../../lib/cli/training_options.ts";
import { describeStep } from "../../lib/cli/training_report.ts";
import { sft } from "../../lib/train/mod.ts";
import { onOneThread, release, smallExamples, smallModel, take } from "./small.ts";

function warnings(losses: readonly number[]): [number, string][] {
  const monitor = new DivergenceMonitor();
  return losses.flatMap((loss, i): [number, string][] => {
    const warning = monitor.observe(i + 1, loss, 0.1);
    return warning === undefined ? [] : [[i + 1, warning]];
  });
}

Deno.test("a rising loss brings one warning, and noise none", () => {
  const falling = Array.from({ length: 30 }, (_, i) => 4 / (1 + i / 5) + (i % 2) * 0.4);
  assertEquals(warnings(falling), []);
  const [[step, warning], ...more] = warnings([...falling, ...Array(10).fill(5)]);
  assertEquals([step > 30 && step < 36, more], [true, []]);
  assertStringIncludes(warning, "the training diverges: the mean loss of 5 steps was 0.");
  assertStringIncludes(warning, "a lower learning rate than 0.1");
  // What diverges at once has no mean from before.
  const [[at, told], ...rest] = warnings([4.2, 30, 1e6, ...Array(20).fill(1e6)]);
  assertEquals([at, rest], [2, []]);
  assertStringIncludes(told, "the training diverges: the loss was 4.20 at step 1 and is 30.00 at");
  assertEquals(warnings([4, 3.9, 3.8, 3.7, 30, 30])[0][0], 5);
  assertEquals(warnings([0.4, 5, 1, 3.9, 2, ...Array(20).fill(2.5)]), []); // batches of one example
  // After it has recovered and fallen further, another one comes.
  const twice = [...falling, ...Array(9).fill(5), ...Array(9).fill(0.1), ...Array(9).fill(5)];
  assertEquals(warnings(twice).length, 2);
});

onOneThread(
  "sft() warns of a diverging loss, and of a warm-up that does not end",
  async (device) => {
    const model = smallModel(device);
    const options = { examples: smallExamples(8), batchSize: 8, evalEvery: 0 };
    using wild = sft(model, { ...options, epochs: 40, learningRate: 3, weightDecay: 0 });
    const steps = await take(wild);
    assertEquals(steps.filter(({ warning }) => warning !== undefined).length >= 1, true);
    using long = sft(model, { ...options, epochs: 4, warmup: 8, learningRate: 1e-3 });
    assertEquals(long.notices, [
      "the warm-up of 8 steps is as long as the training of 4, or longer: the learning rate ends at " +
      "0.000375 instead of 0.001",
    ]);
    using short = sft(model, { ...options, epochs: 4, warmup: 2 });
    assertEquals(short.notices, []);
    release(model);
  },
);

Deno.test("LoRA's defaults are taken where nothing else is asked for", () => {
  const options: TrainingOptions & { lr: number; batchSize: number } = {
    ...{ schedule: "constant", minLr: 0, accumulate: 2, dropLast: false, minImprovement: 0 },
    ...{ restoreBest: false, recompute: false, dropout: 0, warmup: 0, lr: 5e-5, batchSize: 4 },
    ...{ answerEvery: 0, answerCount: 3, answerTokens: 64, answerMetrics: [] },
  };
  const none = withLoraDefaults(options, () => false, 1000);
  assertEquals([none.lr, none.maxGradientNorm, none.warmup], [2e-4, 1, 10]);
  assertEquals(withLoraDefaults(options, () => false, 50).warmup, 0);
  const given = { ...options, lr: 1, warmup: 3, maxGradientNorm: 2 };
  assertEquals(withLoraDefaults(given, () => true, 1000), given);
});

Deno.test("a step is described with its loss, evaluations, rate, and the time left", () => {
  const step = {
    ...{ step: 3, totalSteps: 9, epoch: 1, loss: 2.34567, learningRate: 1.25e-4, gradientNorm: 1 },
    ...{ tokensComputed: 300, tokensCounted: 20, seconds: 1.5 },
  };
  assertEquals(describeStep(step, 200), "loss 2.346, lr 1.25e-4, 3 min left, 200 tokens/s");
  const evaluation = { trainLoss: 2, validationLoss: 2.5 };
  assertEquals(
    describeStep({ ...step, evaluation }),
    "loss 2.346, training part 2.000, validation 2.500, lr 1.25e-4",
  );
});
