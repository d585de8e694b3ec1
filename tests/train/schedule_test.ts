import { assertEquals, assertThrows } from "@std/assert";
import { learningRateAt, type Schedule } from "../../lib/train/mod.ts";
import { loadGolden } from "../golden/golden.ts";
import { assertClose } from "../support.ts";

Deno.test("learningRateAt() gives the rates of transformers' schedules", () => {
  for (const { name, attributes, tensors } of loadGolden("training").cases("schedule")) {
    const { total, warmup, rate, floor } = attributes as Record<string, number>;
    const options = {
      learningRate: rate,
      schedule: attributes.schedule as Schedule,
      warmup,
      minLearningRate: floor,
    };
    const rates = Array.from({ length: total }, (_, i) => learningRateAt(i + 1, total, options));
    assertClose(rates, tensors.rates.data, { relative: 1e-6 }, name);
  }
});

Deno.test("learningRateAt() takes a warm-up below 1 as a fraction of all steps, rounded up", () => {
  const rates = (warmup: number, total: number) =>
    Array.from(
      { length: total },
      (_, i) => learningRateAt(i + 1, total, { learningRate: 1, warmup }),
    );
  assertEquals(rates(0.5, 4), [0, 0.5, 1, 1]);
  assertEquals(rates(0.3, 5), rates(2, 5));
  assertEquals(rates(0, 3), [1, 1, 1]);
});

Deno.test("learningRateAt() takes a function, which gives the rates of transformers' linear schedule", () => {
  const cases = loadGolden("training").cases("schedule")
    .filter(({ attributes }) => attributes.schedule === "linear");
  for (const { name, attributes, tensors } of cases) {
    const { total, warmup, rate, floor } = attributes as Record<string, number>;
    const schedule = (step: number, totalSteps: number) =>
      (floor + (rate - floor) * (1 - (step - 1 - warmup) / (totalSteps - warmup))) / rate;
    const options = { learningRate: rate, schedule, warmup };
    const rates = Array.from({ length: total }, (_, i) => learningRateAt(i + 1, total, options));
    assertClose(rates, tensors.rates.data, { relative: 1e-6 }, name);
  }
  for (const wrong of [NaN, -1, Infinity]) {
    assertThrows(
      () => learningRateAt(3, 9, { schedule: () => wrong }),
      RangeError,
      `Cannot schedule the learning rate of step 3: the function returned ${wrong}`,
    );
  }
});
