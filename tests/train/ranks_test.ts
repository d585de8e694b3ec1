// Batches shared among ranks: the steps are one process's.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { forest } from "../../lib/dataset/mod.ts";
import { shareBatch } from "../../lib/dataset/share.ts";
import { addLora, type Gpt2Config, type Network } from "../../lib/model/mod.ts";
import type { Device } from "../../lib/tensor/mod.ts";
import { type Communicator, sft, type SftOptions, StoppedByRank } from "../../lib/train/mod.ts";
import { lossWeight } from "../../lib/train/step.ts";
import { onEveryDevice } from "../devices.ts";
import { assertClose } from "../support.ts";
import { asRanks } from "./local_ranks.ts";
import { onOneThread, release, smallExamples, smallModel, take, timeless } from "./small.ts";

const examples = smallExamples(11).map((example, i) => ({ ...example, weight: 0.5 + i % 3 }));
/** Two batches of five and one of a single example, of which most ranks get nothing. */
const options: SftOptions = {
  examples,
  validation: smallExamples(5, 9),
  batchSize: 5,
  epochs: 1,
  learningRate: 1e-3,
  epsilon: 1e-3, // gradients that are rounding noise must not become steps
  evalEvery: 3,
  evalIters: 2,
};

interface Case {
  label: string;
  config?: Partial<Gpt2Config>;
  lora?: boolean;
  more?: Partial<SftOptions>;
}

const cases: Case[] = [
  { label: "a forest" },
  { label: "accumulated batches", more: { batchSize: 2, accumulate: 2 } },
  { label: "padded sequences", more: { layout: "padded" } },
  { label: "dropout in every layer", config: { dropout: 0.3, attentionDropout: 0.2 } },
  {
    label: "dropout in padded sequences, computed again",
    config: { dropout: 0.3 },
    more: { layout: "padded", recompute: true },
  },
  { label: "adapters with dropout", lora: true },
];

function modelOf(device: Device, { config, lora }: Case): Network {
  const model = smallModel(device, config);
  if (lora) addLora(model, { rank: 2, dropout: 0.25, targets: ["c_attn", "c_proj"] });
  return model;
}

for (const each of cases) {
  onOneThread(`2, 3 and 4 ranks take one process's steps: ${each.label}`, async (device) => {
    const run = async (communicator?: Communicator) => {
      const model = modelOf(device, each);
      using training = sft(model, { ...options, ...each.more, communicator });
      const steps = timeless(await take(training));
      const learnt = [...model.parameters.values(), ...adaptersOf(model)];
      const weights = await Promise.all(learnt.map((tensor) => tensor.data()));
      release(model);
      return { steps, weights };
    };
    const alone = await run();
    const evaluations = (steps: typeof alone.steps) =>
      steps.flatMap(({ evaluation }) =>
        evaluation ? [evaluation.trainLoss, evaluation.validationLoss!] : []
      );
    for (const size of [2, 3, 4]) {
      const ranks = await asRanks(size, run);
      for (const rank of ranks.slice(1)) {
        assertEquals(rank, ranks[0], "all ranks have the same bits");
      }
      const [{ steps, weights }] = ranks;
      for (const name of ["loss", "gradientNorm"] as const) {
        const [actual, expected] = [steps, alone.steps].map((each) => each.map((one) => one[name]));
        for (const [i, value] of actual.entries()) {
          assertClose([value], [expected[i]], { relative: 1e-6 }, `${name} of ${size} ranks`);
        }
      }
      assertEquals(
        steps.map(({ tokensCounted }) => tokensCounted),
        alone.steps.map(({ tokensCounted }) => tokensCounted),
      );
      assertClose(evaluations(steps), evaluations(alone.steps), { relative: 1e-6 });
      for (const [i, expected] of alone.weights.entries()) {
        assertClose(weights[i], expected, { relative: 1e-5, absolute: 1e-7 }, `weights ${i}`);
      }
    }
  });
}

onEveryDevice("two ranks drop what one process drops, on every device", async (device) => {
  const run = async (communicator?: Communicator) => {
    const model = smallModel(device, { dropout: 0.3 });
    using training = sft(model, { ...options, evalEvery: 0, maxSteps: 1, communicator });
    const [{ loss, gradientNorm }] = await take(training);
    release(model);
    return [loss, gradientNorm];
  };
  const alone = await run();
  for (const rank of await asRanks(2, run)) {
    for (const [i, value] of rank.entries()) assertClose([value], [alone[i]], { relative: 1e-6 });
  }
});

function adaptersOf(model: Network) {
  return [...model.linears.values()].flatMap((
    { adapter },
  ) => [...adapter?.parameters.values() ?? []]);
}

Deno.test("parts of a batch count what it counts, and the largest is as small as can be", () => {
  const many = smallExamples(12);
  for (const layout of ["forest", "packed", "padded"] as const) {
    const whole = forest(many, { layout });
    for (const count of [1, 2, 3, 4, 12, 15]) {
      const parts = shareBatch(many, count, { layout });
      assertEquals(parts.length, count);
      const batches = parts.flatMap(({ batch }) => batch ?? []);
      assertClose([batches.reduce((sum, one) => sum + lossWeight(one), 0)], [lossWeight(whole)]);
      const most = Math.max(...batches.map(({ tokensComputed }) => tokensComputed));
      // No more than a fair share and the longest sequence.
      const longest = Math.max(...many.map((one) => forest([one]).tokensComputed));
      const common = layout === "forest" ? 3 * count : 0; // beginnings that parts repeat
      assert(most <= (whole.tokensComputed + common) / count + longest, `${layout} ${count}`);
    }
  }
});

Deno.test("parts of a forest cut it where sequences share least", () => {
  const example = (start: number[], end: number) => ({
    promptIds: [...start, end],
    responseIds: [50, 60],
    instructionLength: 1,
  });
  const [left, right] = [[1, 2, 3, 4, 5], [1, 7, 8, 9, 6]];
  const mixed = [example(left, 20), example(right, 21), example(left, 22), example(right, 23)];
  const parts = shareBatch(mixed, 2, { layout: "forest" });
  // 5 shared tokens, and 2 behind them of each sequence; all together would share the first one too.
  assertEquals(parts.map(({ batch }) => batch?.tokensComputed), [9, 9]);
});

onOneThread("any rank that is asked to stop ends all after the same step", async (device) => {
  const stopped = await asRanks(3, async (communicator) => {
    const model = smallModel(device);
    const controller = new AbortController();
    using training = sft(model, { ...options, communicator, signal: controller.signal });
    const error = await assertRejects(async () => {
      for await (const { step } of training) {
        if (step === 2 && communicator.rank === 1) controller.abort(new Error("enough"));
      }
    });
    release(model);
    return [training.step, error instanceof StoppedByRank ? error.rank : (error as Error).message];
  });
  assertEquals(stopped, [[2, 1], [2, "enough"], [2, 1]]);
});

onOneThread(
  "ranks with other data or settings end all, and the message names them",
  async (device) => {
    const results = await asRanks(2, async (communicator) => {
      const model = smallModel(device);
      const learningRate = communicator.rank === 1 ? 2e-3 : 1e-3;
      const own = communicator.rank === 1 ? examples.slice(0, 10) : examples;
      using training = sft(model, { ...options, examples: own, learningRate, communicator });
      const { message } = await assertRejects(() => take(training), RangeError);
      release(model);
      return message;
    });
    assertEquals(results[0], results[1]);
    assert(
      /rank 1 on "here": .*learningRate is 0.002 instead of 0.001.*examples is/.test(results[0]),
    );
  },
);

onOneThread(
  "a training of several ranks continues from rank 0's checkpoint to the same bits",
  async (device) => {
    const folder = await Deno.makeTempDir();
    const run = (steps: number, resume: boolean, directory: string) =>
      asRanks(2, async (communicator) => {
        const model = smallModel(device);
        using training = sft(model, {
          ...options,
          restoreBest: true,
          evalEvery: 1,
          communicator,
          checkpoint: { directory: `${folder}/${directory}`, every: 1 },
          resume,
        });
        const taken = timeless(await take(training, steps));
        const weights = await Promise.all([...model.parameters.values()].map((one) => one.data()));
        release(model);
        return { taken, weights };
      });
    const whole = await run(Infinity, false, "whole");
    const first = await run(2, false, "parts");
    const rest = await run(Infinity, true, "parts");
    for (const rank of [0, 1]) {
      assertEquals([...first[rank].taken, ...rest[rank].taken], whole[rank].taken);
      assertEquals(rest[rank].weights, whole[rank].weights);
    }
    const asked: string[] = [];
    const model = smallModel(device);
    using alone = sft(model, {
      ...options,
      restoreBest: true,
      evalEvery: 1,
      checkpoint: { directory: `${folder}/parts` },
      resume: true,
      confirmOtherBits: (differences) => asked.push(...differences) < 0,
    });
    await assertRejects(() => take(alone), RangeError, "to the same bits");
    assertEquals(asked, ["ranks was 2, is not set"]);
    release(model);
    await Deno.remove(folder, { recursive: true });
  },
);
