// dpo() against TRL's DPOTrainer (golden files), and against itself: layouts, accumulation, stopping, resuming.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import type { EncodedPair } from "../../lib/dataset/mod.ts";
import { preferenceForest } from "../../lib/dataset/preferences.ts";
import { addLora, loadLora, loadNetwork, type Network } from "../../lib/model/mod.ts";
import { trainableParameters } from "../../lib/model/mod.ts";
import { backward, type Device, scope } from "../../lib/tensor/mod.ts";
import { dpo, type DpoOptions, type DpoStep, type PreferenceLoss } from "../../lib/train/mod.ts";
import { answerLogProbs, measurePairs, preferenceLoss } from "../../lib/train/preference_loss.ts";
import { onEveryDevice } from "../devices.ts";
import { type GoldenCase, loadGolden } from "../golden/golden.ts";
import { assertClose } from "../support.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";
import { onOneThread, release, smallExamples, smallModel, weightsOf } from "./small.ts";

const golden = loadGolden("dpo");
const MODELS = {
  gpt2_tiny: async (device: Device) => {
    const path = fromFileUrl(import.meta.resolve("../golden/gpt2_tiny"));
    return (await loadNetwork(path, { device })).network;
  },
  lora_llama: async (device: Device) => {
    const path = fromFileUrl(import.meta.resolve("../golden/llama_family/llama"));
    const { network } = await loadNetwork(path, { device });
    await loadLora(network, fromFileUrl(import.meta.resolve("../golden/lora_llama")));
    return network;
  },
};

/** The pairs that TRL was given. */
function pairsOf(name: string): EncodedPair[] {
  return golden.cases("pairs").filter((one) => one.name.startsWith(`${name}/`)).map(
    ({ tensors }) => {
      const promptIds = [...tensors.prompt_ids.data];
      const answer = (key: string) => ({
        promptIds,
        responseIds: [...tensors[key].data],
        instructionLength: promptIds.length,
      });
      return { chosen: answer("chosen_ids"), rejected: answer("rejected_ids") };
    },
  );
}

const caseOf = (op: string, name: string): GoldenCase =>
  golden.cases(op).find((one) => one.name.startsWith(name))!;

/** A number of each pair, the chosen answers' first, as one array of a pair's two after the other. */
function interleave({ tensors }: GoldenCase): Float32Array<ArrayBuffer> {
  const { chosen, rejected } = tensors;
  return Float32Array.from(
    chosen.data.length === 0 ? [] : [...chosen.data].flatMap((value, i) => [
      value,
      rejected.data[i],
    ]),
  );
}

/** TRL's names of what a step reports. */
const METRICS = {
  chosenReward: "rewards/chosen",
  rejectedReward: "rewards/rejected",
  accuracy: "rewards/accuracies",
  margin: "rewards/margins",
  chosenLogProb: "logps/chosen",
  rejectedLogProb: "logps/rejected",
} as const;

const nameIn = ({ prefix }: Network, name: string) => `${prefix}${name}`;

for (const [name, load] of Object.entries(MODELS)) {
  for (const layout of ["forest", "padded"] as const) {
    onEveryDevice(
      `losses, rewards and gradients of pairs are TRL's: ${name}, ${layout}`,
      async (device) => {
        const network = await load(device);
        const batch = preferenceForest(pairsOf(name), { layout });
        const reference = interleave(caseOf("reference", `${name}/reference`));
        for (
          const { attributes, tensors } of golden.cases("loss").filter((one) =>
            one.name.startsWith(name)
          )
        ) {
          const parameters = trainableParameters(network);
          const settings = {
            loss: attributes.loss as PreferenceLoss,
            beta: attributes.beta,
            labelSmoothing: attributes.labelSmoothing,
          };
          const { loss, logProbs } = scope(() => {
            const logProbs = answerLogProbs(network, batch).keep();
            const loss = preferenceLoss(logProbs, reference, batch, settings, batch.pairs);
            backward(loss);
            return { loss, logProbs };
          });
          assertClose([await loss.item()], tensors.loss.data, { relative: 1e-5 }, attributes.loss);
          const metrics = measurePairs(await logProbs.data(), reference, settings.beta);
          for (const [key, theirs] of Object.entries(METRICS)) {
            const value = metrics[key as keyof typeof METRICS];
            assertClose([value], tensors[theirs].data, { relative: 2e-5, absolute: 2e-5 }, theirs);
          }
          let compared = 0;
          for (const [parameter, { grad }] of parameters) {
            const expected = tensors[`grad/${nameIn(network, parameter)}`];
            if (!expected) continue;
            compared++;
            assertClose(
              await grad!.data(),
              expected.data,
              { relative: 1e-3, absolute: 2e-5 },
              parameter,
            );
          }
          assertEquals(compared, attributes.loss === "sigmoid" ? parameters.size : 2);
          for (const { grad } of parameters.values()) grad!.dispose();
          for (const tensor of parameters.values()) tensor.grad = undefined;
          loss.dispose();
          logProbs.dispose();
        }
        release(network);
      },
    );
  }

  onEveryDevice(`dpo() takes TRL's steps: ${name}`, async (device) => {
    const network = await load(device);
    const { attributes, tensors } = caseOf("train", name);
    using training = dpo(network, {
      pairs: pairsOf(name),
      epochs: attributes.steps,
      batchSize: 4,
      beta: attributes.beta,
      learningRate: attributes.lr,
      maxGradientNorm: attributes.maxGradientNorm,
      weightDecay: attributes.weightDecay,
      evalEvery: 0,
    });
    await training.finish();
    const compare = (values: number[], key: string) =>
      assertClose(values, tensors[key].data, { relative: 1e-3, absolute: 1e-3 }, key);
    compare(training.history.map(({ loss }) => loss), "loss");
    compare(training.history.map(({ gradientNorm }) => gradientNorm), "grad_norm");
    for (const [key, theirs] of Object.entries(METRICS)) {
      const values = training.history.map((step) => step[key as keyof typeof METRICS]);
      // At first the model is its reference: which answer is ahead is decided by rounding, and that by the BLAS's kernels.
      if (key === "accuracy") values[0] = tensors[theirs].data[0]!;
      compare(values, theirs);
    }
    for (const [parameter, tensor] of trainableParameters(network)) {
      const expected = tensors[`weight/${nameIn(network, parameter)}`].data;
      // Gradients of key biases are noise, of which AdamW makes whole steps; see tests/golden/README.md.
      const isNoise = /c_attn\.bias$/.test(parameter);
      const absolute = isNoise ? 2 * attributes.steps * attributes.lr : 5e-5;
      assertClose(await tensor.data(), expected, { relative: 1e-3, absolute }, parameter);
    }
    release(network);
  });
}

/** Pairs of answers to the prompts of small examples. */
function smallPairs(count: number): EncodedPair[] {
  const [chosen, rejected] = [smallExamples(count), smallExamples(count, 8)];
  return chosen.map((one, i) => ({
    chosen: one,
    rejected: { ...one, responseIds: rejected[i].responseIds },
  }));
}

const quick: DpoOptions = {
  pairs: smallPairs(10),
  validation: smallPairs(3),
  batchSize: 3,
  dropLast: true,
  epochs: 2,
  evalEvery: 2,
  evalIters: 1,
  learningRate: 1e-2,
};

const timeless = (steps: readonly DpoStep[]) => steps.map(({ seconds: _, ...rest }) => rest);

async function take(training: AsyncIterable<DpoStep>, count = Infinity): Promise<DpoStep[]> {
  const steps: DpoStep[] = [];
  for await (const step of training) if (steps.push(step) === count) break;
  return steps;
}

onOneThread(
  "dpo() learns to prefer what was chosen",
  async (device) => {
    const model = smallModel(device);
    using training = dpo(model, { ...quick, epochs: 6, evalIters: "all" });
    const steps = await take(training);
    assertEquals(steps[0].margin, 0);
    assertEquals(steps[0].loss.toFixed(5), Math.LN2.toFixed(5));
    const { evaluation } = steps.at(-1)!;
    assert(evaluation!.train.accuracy > 0.9 && evaluation!.train.margin > 0.1);
    assertEquals(evaluation!.validationLoss, evaluation!.validation!.loss);
    release(model);
  },
);

onOneThread(
  "dpo() resumes to the same bits, with the reference of its beginning",
  async (device) => {
    using temporary = new TemporaryDirectory();
    const kept = { ...quick, checkpoint: { directory: temporary.path, every: 2 } };
    const undisturbed = smallModel(device);
    using expected = dpo(undisturbed, quick);
    const steps = timeless(await take(expected));

    const first = smallModel(device);
    using dies = dpo(first, kept);
    await take(dies, 3); // the checkpoint is of step 2
    // Whatever the model holds before is overwritten, and is not the reference.
    const second = smallModel(device, {}, 99);
    using resumed = dpo(second, { ...kept, resume: true });
    assertEquals(timeless(await take(resumed)), steps.slice(2));
    assertEquals(await weightsOf(second), await weightsOf(undisturbed));
    const third = smallModel(device);
    using other = dpo(third, { ...kept, resume: true, beta: 0.2 });
    await assertRejects(() => other.start(), RangeError, "beta");
    release(undisturbed, first, second, third);
  },
);

onOneThread(
  "dpo() takes the same steps in every layout and of accumulated batches",
  async (device) => {
    const lossesOf = async (options: Partial<DpoOptions>) => {
      const model = smallModel(device);
      using training = dpo(model, { ...quick, ...options });
      const steps = await take(training);
      release(model);
      return steps;
    };
    const forest = await lossesOf({ batchSize: 4 });
    for (
      const options of [{ layout: "padded", batchSize: 4 }, { layout: "packed", batchSize: 4 }, {
        batchSize: 2,
        accumulate: 2,
      }] as const
    ) {
      const steps = await lossesOf(options);
      for (const key of ["loss", "gradientNorm", "margin", "chosenLogProb"] as const) {
        assertClose(steps.map((step) => step[key]), forest.map((step) => step[key]), {
          relative: 1e-4,
          absolute: 1e-5,
        }, key);
      }
    }
  },
);

onOneThread(
  "dpo() with adapters: the base is the reference of a new one, and by name of an old one",
  async (device) => {
    const model = smallModel(device);
    addLora(model, { rank: 2 });
    using first = dpo(model, { ...quick, epochs: 1 });
    await take(first);
    using again = dpo(model, { ...quick, epochs: 1 });
    using base = dpo(model, { ...quick, epochs: 1, reference: "base" });
    const [ofBase] = await take(base, 1);
    assert(ofBase.margin !== 0);
    const [ofStart] = await take(again, 1);
    assertEquals(ofStart.margin, 0); // the reference is the model where the loop begins
    release(model);
  },
);

onOneThread(
  "dpo() stops on a signal while it measures the reference, and continues after it",
  async (device) => {
    const model = smallModel(device);
    const stop = new AbortController();
    stop.abort(new Error("stopped"));
    using training = dpo(model, { ...quick, signal: stop.signal });
    await assertRejects(() => take(training), Error, "stopped");
    assertEquals(training.step, 0);
    using free = dpo(model, quick);
    assertEquals((await take(free, 1))[0].margin, 0);
    release(model);
  },
);

onOneThread("dpo() turns dropout off, and says so", async (device) => {
  const dropping = smallModel(device, { dropout: 0.5 });
  const model = smallModel(device);
  using training = dpo(dropping, quick);
  assertEquals(training.notices.filter((notice) => notice.includes("dropout is off")).length, 1);
  using expected = dpo(model, quick);
  assertEquals(timeless(await take(training)), timeless(await take(expected)));
  release(dropping, model);
});

onOneThread("dpo() refuses what it cannot learn from", async (device) => {
  const model = smallModel(device);
  const refuses = (options: object, message: string, kind: ErrorConstructor = RangeError) =>
    assertThrows(() => dpo(model, { ...quick, ...options } as DpoOptions), kind, message);
  refuses({ bata: 0.2 }, "beta", TypeError);
  refuses({ communicator: {} }, "communicator", TypeError);
  refuses({ beta: 0 }, '"beta" 0');
  refuses({ loss: "kto" }, '"sigmoid", "hinge", "ipo", "robust"');
  refuses({ labelSmoothing: 0.1 }, 'expected the loss "robust"');
  refuses({ labelSmoothing: 0.5, loss: "robust" }, "0.5");
  refuses({ reference: "other" }, '"start", "base"');
  refuses({ pairs: smallExamples(2) }, "encodePreferences()", TypeError);
  refuses({ pairs: [] }, "0 pairs");
  refuses({ maxLength: 3 }, "no token of an answer is within 3 tokens");
  const cut = dpo(model, { ...quick, maxLength: 10 });
  assert(
    cut.notices.some((notice) => /^\d+ of \d+ answers are cut/.test(notice)),
    cut.notices.join(),
  );
  cut[Symbol.dispose]();
  await Promise.resolve();
  release(model);
});
