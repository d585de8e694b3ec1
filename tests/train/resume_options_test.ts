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
