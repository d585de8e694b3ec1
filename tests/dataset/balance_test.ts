// Rare topics get the weights that scikit-learn gives them, or as many entries as the others.

import { assertAlmostEquals, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { balancedWeights, oversample, weighByTopic } from "../../lib/dataset/mod.ts";
import golden from "../golden/splits.json" with { type: "json" };

const entriesOf = (topics: readonly string[]) =>
  topics.map((topic, i) => ({ instruction: `Say ${i}.`, input: "", output: String(i), topic }));

Deno.test('balancedWeights() has the weights of scikit-learn\'s compute_class_weight("balanced")', () => {
  for (const [i, { labels }] of golden.splits.entries()) {
    const weights = balancedWeights(labels);
    const expected: Record<string, number | undefined> = golden.balancedWeights[i]!;
    assertEquals(Object.keys(weights).sort(), Object.keys(expected).sort());
    for (const [label, weight] of Object.entries(weights)) {
      assertAlmostEquals(weight, expected[label]!, 1e-12);
    }
    const mean = labels.reduce((sum, label) => sum + weights[label]!, 0) / labels.length;
    assertAlmostEquals(mean, 1, 1e-12);
  }
});

Deno.test("weighByTopic() multiplies weights, and refuses topics without one", () => {
  const [one, two] = entriesOf(["orders", "returns"]);
  const weighed = weighByTopic([{ ...one, weight: 3 }, two], { orders: 2, returns: 0.5 });
  assertEquals(weighed.map(({ weight }) => weight), [6, 0.5]);
  assertThrows(
    () => weighByTopic([one, two], { orders: 1 }),
    RangeError,
    '"returns": there is no weight',
  );
  assertThrows(() => weighByTopic([one], { orders: 0 }), RangeError, 'the topic "orders" by 0');
  const { topic: _, ...without } = two;
  assertThrows(
    () => weighByTopic([one, without]),
    RangeError,
    "entry 2 of 2 by its topic: it has none",
  );
});

Deno.test("oversample() gives each topic as many entries, and repeats a topic's entries equally often but for one", () => {
  const topics = [..."aaaaaaaaaaabbbc"];
  const entries = entriesOf(topics);
  const { entries: written, repeated } = oversample(entries);
  assertEquals(written.slice(0, entries.length), entries);
  for (const name of ["a", "b", "c"]) {
    assertEquals(written.filter(({ topic }) => topic === name).length, 11);
  }
  const times = (index: number) => repeated.filter((one) => one === index).length;
  assertEquals([11, 12, 13].map(times).sort(), [2, 3, 3]);
  assertEquals(times(14), 10);
  assertEquals(oversample(entries).repeated, repeated);
  const seeds = [1, 2, 3, 4, 5].map((seed) => oversample(entries, { seed }).repeated.join());
  assertNotEquals(new Set(seeds).size, 1);
});

Deno.test("oversample() goes up to a share of the largest topic, and takes nothing from any", () => {
  const entries = entriesOf([..."aaaaaaaaaabbbbbbc"]);
  const { repeated } = oversample(entries, { share: 0.5 });
  assertEquals(repeated, [16, 16, 16, 16]);
  assertThrows(() => oversample(entries, { share: 0 }), RangeError, "a share of 0");
});
