// What decides a step beside the batch resumes too: accumulation, the schedule's place, clipping, dropout.

import { assertEquals, assertRejects } from "@std/assert";
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

onOneThread(
  "sft() resumes accumulation, a schedule and clipping to the same bits",
  async (device) => {
    using temporary = new TemporaryDirectory();
    const options: SftOptions = {
      examples: smallExamples(10),
      checkpoint: { directory: temporary.path, every: 2 },
      learningRate: 1e-3,
      evalEvery: 2,
      evalIters: 1,
      batchSize: 2,
      dropLast: true,
      accumulate: 2,
      epochs: 3,
      schedule: "cosine",
      warmup: 2,
      minLearningRate: 1e-5,
      maxGradientNorm: 0.3,
    };
    const undisturbed = smallModel(device, { dropout: 0.1 });
    using expected = sft(undisturbed, { ...options, checkpoint: undefined });
    const steps = timeless(await take(expected));
    assertEquals(steps.length, 6);
    const first = smallModel(device, { dropout: 0.1 });
    using dies = sft(first, options);
    await take(dies, 3);
    const second = smallModel(device, { dropout: 0.1 }, 9);
    using training = sft(second, { ...options, resume: true });
    assertEquals(timeless(await take(training)), steps.slice(2));
    assertEquals(await weightsOf(second), await weightsOf(undisturbed));
    // A cosine of another length would have had other rates in the steps that are taken already.
    const third = smallModel(device, { dropout: 0.1 });
    using longer = sft(third, { ...options, resume: true, epochs: 4 });
    await assertRejects(() => longer.start(), RangeError, "totalSteps was 6, is 8");
    release(undisturbed, first, second, third);
  },
);

onOneThread(
  "sft() resumes a schedule that is a function, if its rates are the same",
  async (device) => {
    using temporary = new TemporaryDirectory();
    const options: SftOptions = {
      examples: smallExamples(10),
      checkpoint: { directory: temporary.path, every: 2 },
      batchSize: 2,
      evalEvery: 0,
      schedule: (step, total) => 1 - step / total / 2,
    };
    const undisturbed = smallModel(device);
    using expected = sft(undisturbed, { ...options, checkpoint: undefined });
    const steps = timeless(await take(expected));
    assertEquals(steps.map(({ learningRate }) => learningRate), [
      ...[0.9, 0.8, 0.7, 0.6, 0.5].map((factor) => 5e-5 * factor),
    ]);
    const first = smallModel(device);
    using dies = sft(first, options);
    await take(dies, 3);
    const second = smallModel(device, {}, 9);
    // Another function with the same rates is the same schedule.
    using training = sft(second, {
      ...options,
      resume: true,
      schedule: (step, total) => 1 - step / total / 2,
    });
    assertEquals(timeless(await take(training)), steps.slice(2));
    assertEquals(await weightsOf(second), await weightsOf(undisturbed));
    await Deno.remove(temporary.path, { recursive: true });
    using again = sft(smallModel(device), options);
    await take(again, 3);
    using other = sft(smallModel(device), { ...options, resume: true, schedule: () => 1 });
    await assertRejects(() => other.start(), RangeError, "made with other options (rates was");
    release(undisturbed, first, second);
  },
);
