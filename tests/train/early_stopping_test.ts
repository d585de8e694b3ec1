import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { findCheckpoint } from "../../lib/train/checkpoint.ts";
import { measureLoss, sft, type SftOptions } from "../../lib/train/mod.ts";
import { BestTracker } from "../../lib/train/early_stopping.ts";
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

const validation = smallExamples(7, 9);
/** Steps so large that the validation loss soon rises. */
const overfitting: SftOptions = {
  examples: smallExamples(4),
  validation,
  batchSize: 2,
  epochs: 40,
  evalEvery: 3,
  evalIters: "all",
  learningRate: 3e-2,
};
const patient = { ...overfitting, earlyStopping: { patience: 2 }, restoreBest: true };

Deno.test("BestTracker counts evaluations without improvement", async () => {
  const tracker = new BestTracker({ patience: 2, minImprovement: 0.5 });
  assertEquals([tracker.best, tracker.exhausted], [undefined, false]);
  const states = [];
  for (const [i, loss] of [4, 3.6, 3.4, 3, 2.9, NaN].entries()) {
    await tracker.observe(i + 1, loss);
    states.push([tracker.best!.step, tracker.best!.evaluationsSince, tracker.exhausted]);
  }
  // 3.6 is less than half a nat below 4, 3.4 is more; so is 2.9 not, nor is a loss that is not a
  // number.
  const expected = [[1, 0, false], [1, 1, false], [3, 0, false], [3, 1, false], [3, 2, true]];
  assertEquals(states, [...expected, [3, 3, true]]);
  assertEquals(tracker.best, {
    step: 3,
    validationLoss: 3.4,
    evaluationsSince: 3,
    evaluatedAt: 6,
  });
});

onOneThread("sft() ends where the validation loss no longer falls", async (device) => {
  const model = smallModel(device);
  using training = sft(model, { ...patient, restoreBest: false });
  const steps = await take(training);
  const losses = steps.flatMap(({ step, evaluation }) =>
    evaluation ? [[step, evaluation.validationLoss!]] : []
  );
  const best = losses.reduce((a, b) => b[1] < a[1] ? b : a);
  assert(steps.length < training.totalSteps && training.done);
  assertEquals(steps.length, best[0] + 2 * 3); // two evaluations later
  assertEquals([training.best!.step, training.best!.validationLoss], best);
  // The weights are the last step's.
  const { loss } = await measureLoss(model, validation, { batchSize: 2 });
  assertEquals(loss, losses.at(-1)![1]);
  assertEquals(await take(training), []);
  release(model);
});

onOneThread(
  "sft() gives the best weights back, of steps that it took on the way",
  async (device) => {
    const [model, other] = [smallModel(device), smallModel(device)];
    using training = sft(model, patient);
    const steps = await take(training);
    const { step, validationLoss } = training.best!;
    assert(step < steps.length);
    assertEquals((await measureLoss(model, validation, { batchSize: 2 })).loss, validationLoss);
    using shorter = sft(other, overfitting);
    await take(shorter, step);
    assertEquals(await weightsOf(model), await weightsOf(other));

    // Without patience all steps are taken, and the best weights come back nonetheless.
    const third = smallModel(device);
    using whole = sft(third, { ...overfitting, restoreBest: true, maxSteps: step + 3 });
    assertEquals((await take(whole)).length, step + 3);
    assertEquals(await weightsOf(third), await weightsOf(model));
    release(model, other, third);
  },
);

onOneThread(
  "sft() with early stopping resumes to the same bits, also at its end",
  async (device) => {
    using temporary = new TemporaryDirectory();
    const undisturbed = smallModel(device);
    using expected = sft(undisturbed, patient);
    const steps = timeless(await take(expected));
    const final = await weightsOf(undisturbed);
    const options = {
      ...patient,
      checkpoint: { directory: temporary.path, every: 4 },
      resume: true,
    };
    const taken = [];
    // Killed again and again: after the best evaluation, between evaluations, and after the last step.
    for (const count of [5, 4, Infinity, Infinity]) {
      const model = smallModel(device, {}, taken.length === 0 ? 1 : 50);
      using training = sft(model, options);
      const some = timeless(await take(training, count));
      taken.length = some.length > 0 ? some[0].step - 1 : taken.length;
      taken.push(...some);
      if (count === Infinity) assertEquals(await weightsOf(model), final);
      release(model);
    }
    assertEquals(taken, steps);
    const { state } = (await findCheckpoint(temporary.path))!;
    assertEquals(state.best, expected.best);
    release(undisturbed);
  },
);

onOneThread("sft() makes up for an evaluation that a stop came before", async (device) => {
  using temporary = new TemporaryDirectory();
  const undisturbed = smallModel(device);
  using expected = sft(undisturbed, patient);
  await take(expected);

  const options = { ...patient, checkpoint: { directory: temporary.path, every: 1 } };
  const first = smallModel(device);
  const controller = new AbortController();
  using stopped = sft(first, { ...options, signal: controller.signal });
  const { hidden } = first;
  first.hidden = (input) => {
    // Step 3 is taken, and its evaluation has begun.
    if (stopped.step === 3) controller.abort(new Error("stop"));
    return hidden.call(first, input);
  };
  let error: unknown;
  const steps = await take(stopped).catch((reason) => error = reason);
  assertEquals([steps, error], [controller.signal.reason, controller.signal.reason]);
  assertEquals(stopped.history.map(({ evaluation }) => evaluation), new Array(3).fill(undefined));

  const second = smallModel(device, {}, 77);
  using training = sft(second, { ...options, resume: true });
  await take(training);
  assertEquals(training.best, expected.best);
  assertEquals(await weightsOf(second), await weightsOf(undisturbed));
  release(undisturbed, first, second);
});

onOneThread('sft() evaluates on all validation examples with "all"', async (device) => {
  const model = smallModel(device);
  const examples = smallExamples(12);
  const options = { examples, validation, batchSize: 2, maxSteps: 2, evalEvery: 1 };
  const first = async (evalIters: number | "all") => {
    using training = sft(model, { ...options, evalIters, learningRate: 0 });
    return (await take(training, 1))[0].evaluation!;
  };
  const all = await first("all");
  assertEquals(all.validationLoss, (await measureLoss(model, validation, { batchSize: 2 })).loss);
  // Seven of twelve of the others.
  const some = examples.slice(0, 7);
  assertEquals(all.trainLoss, (await measureLoss(model, some, { batchSize: 2 })).loss);
  assertNotEquals(all, await first(1));
  release(model);
});

onOneThread("sft() refuses to look for a best that nothing measures", async (device) => {
  const model = smallModel(device);
  const wrong: [Partial<SftOptions>, string][] = [
    [{ validation: [] }, 'Cannot train with "earlyStopping" without validation losses'],
    [{ evalEvery: 0 }, '"evalEvery" of 1 or more'],
    [
      { earlyStopping: undefined, restoreBest: true, evalEvery: 0 },
      'Cannot train with "restoreBest"',
    ],
    [{ earlyStopping: { patience: 0 } }, "patience of 0 evaluations: expected a positive integer"],
    [{ earlyStopping: { patience: 1, minImprovement: -1 } }, '"minImprovement" -1'],
    [{ evalIters: 0 }, '"evalIters" 0: expected a positive integer or "all"'],
    // Its prompt fills the context: nothing of it counts.
    [{
      validation: [{
        promptIds: new Array(40).fill(1),
        responseIds: [2, 60],
        instructionLength: 30,
      }],
    }, "without validation losses"],
  ];
  for (const [options, message] of wrong) {
    assertThrows(() => sft(model, { ...patient, ...options }), RangeError, message);
  }
  release(model);
});
