// chooseToken() draws from the distribution that temperature, top-k and top-p leave.

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { chooseToken, type SamplingOptions } from "../../lib/model/mod.ts";
import { Random } from "../../lib/random.ts";

/** What each token's probability is, by the definitions, with everything sorted. */
function probabilities(logits: Float32Array, options: SamplingOptions): number[] {
  const { temperature = 1, topK = logits.length, topP = 1 } = options;
  const order = [...logits.keys()].sort((a, b) => logits[b] - logits[a] || a - b).slice(0, topK);
  const weights = order.map((id) => Math.exp((logits[id] - logits[order[0]]) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight);
  let kept = 0;
  for (let sum = 0; kept < order.length && sum < topP * total; kept++) sum += weights[kept];
  const mass = weights.slice(0, kept).reduce((sum, weight) => sum + weight);
  const result = new Array<number>(logits.length).fill(0);
  order.slice(0, kept).forEach((id, i) => result[id] = weights[i] / mass);
  return result;
}

Deno.test("chooseToken() draws each token as often as its probability says", () => {
  const logits = Float32Array.of(1, 3, 2, -1, 3, 0.5, -20);
  for (
    const options of [{ temperature: 1 }, { temperature: 0.7, topK: 3 }, {
      temperature: 2,
      topP: 0.8,
    }]
  ) {
    const random = new Random(3);
    const counts = new Array<number>(logits.length).fill(0);
    for (let i = 0; i < 20_000; i++) counts[chooseToken(logits, options, random)]++;
    probabilities(logits, options).forEach((probability, id) => {
      assertAlmostEquals(counts[id] / 20_000, probability, 0.015, `token ${id}`);
    });
  }
});

Deno.test("chooseToken() never draws what top-k and top-p leave out, ties and large vocabularies included", () => {
  fc.assert(fc.property(
    fc.array(fc.integer({ min: -6, max: 6 }), { minLength: 1, maxLength: 60 }),
    fc.integer({ min: 1, max: 70 }),
    fc.double({ min: 0.01, max: 1, noNaN: true }),
    fc.integer({ min: 0, max: 1000 }),
    (values, topK, topP, seed) => {
      const logits = Float32Array.from(values);
      const options = { temperature: 1.3, topK, topP };
      const token = chooseToken(logits, options, new Random(seed));
      assert(probabilities(logits, options)[token] > 0);
    },
  ));
});

Deno.test("chooseToken() takes the most likely at temperature 0, and refuses what is not a number", () => {
  assertEquals(chooseToken(Float32Array.of(1, 4, 4), {}, new Random(1)), 1);
  assertEquals(
    chooseToken(Float32Array.of(1, 4, 4), { temperature: 1, topK: 1 }, new Random(1)),
    1,
  );
  assertThrows(
    () => chooseToken(Float32Array.of(1, NaN), { temperature: 1 }, new Random(1)),
    RangeError,
    "the logit of token 1 is not a number",
  );
});
