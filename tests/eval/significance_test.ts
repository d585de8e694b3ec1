// Comparisons, held to sacrebleu's, scipy's and statsmodels' p-values.

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { compareResponses } from "../../lib/eval/compare.ts";
import { normalQuantile } from "../../lib/eval/normal.ts";
import { approximateRandomization, holm, mcnemar } from "../../lib/eval/significance.ts";
import type { StatisticsTable } from "../../lib/eval/resample.ts";
import { recorded } from "../../lib/provenance.ts";
import golden from "../golden/comparisons.json" with { type: "json" };

/** Five standard deviations of the difference of two estimates of a probability, by this many trials each. */
const tolerance = (p: number, trials: number) => 5 * Math.sqrt(2 * p * (1 - p) / trials) + 1e-3;

const systems = golden.systems.map(({ rows, p }) => ({
  a: rows.map(([output, model_response]) => ({ output, model_response })),
  b: rows.map(([output, , model_response]) => ({ output, model_response })),
  p,
}));

Deno.test("compareResponses() has sacrebleu's p-values, of randomisation and of the bootstrap", () => {
  const winners = systems.map(({ a, b, p }) => {
    const trials = { trials: 10_000, samples: 2000 };
    const comparisons = compareResponses(a, b, ["bleu", "chrf"], trials);
    for (const { metric, p: ours } of comparisons) {
      const name = metric as "bleu" | "chrf";
      for (const [test, times] of [["randomization", 10_000], ["bootstrap", 2000]] as const) {
        const theirs = p[test][name];
        assertAlmostEquals(ours[test], theirs, tolerance(theirs, times), `${name}, ${test}`);
      }
    }
    return comparisons.map(({ winner }) => winner);
  });
  assertEquals(winners[0], ["tied", "tied"]);
  assertEquals(winners.at(-1), ["b", "b"]);
});

const tableOf = (scores: readonly number[]): StatisticsTable => ({
  values: Float64Array.from(scores.flatMap((score) => [score, 1])),
  width: 2,
  rows: scores.length,
});

Deno.test("approximateRandomization() approaches the exact permutation test", () => {
  const measure = {
    signature: "",
    measure: () => [],
    score: (sum: ArrayLike<number>) => sum[0] / sum[1],
  };
  for (const { gains, p } of golden.exact) {
    const a = tableOf(gains.map(() => 0));
    const ours = approximateRandomization({ measure, a, b: tableOf(gains) }, 20_000, 7);
    assertAlmostEquals(ours, p, tolerance(p, 20_000));
  }
  // Where only three of eleven examples differ, a quarter of all exchanges gives the same difference.
  for (const gain of [0.1, 1 / 3]) {
    const gains = Array.from({ length: 11 }, (_, i) => i % 4 === 0 ? gain : 0);
    const a = tableOf(gains.map(() => 0.7));
    const b = tableOf(gains.map((more) => 0.7 + more));
    const ours = approximateRandomization({ measure, a, b }, 20_000, 7);
    assertAlmostEquals(ours, 0.25, tolerance(0.25, 20_000));
  }
});

Deno.test("mcnemar() is statsmodels' exact test", () => {
  for (const [a, b, p] of golden.mcnemar) assertAlmostEquals(mcnemar(a, b), p, 1e-9);
  assertThrows(() => mcnemar(1.5, 2), RangeError, "the count 1.5");
});

Deno.test("holm() adjusts as statsmodels", () => {
  for (const [given, adjusted] of golden.holm as [number[], number[]][]) {
    const ours = holm(given);
    assertEquals(ours.length, adjusted.length);
    ours.forEach((p, i) => assertAlmostEquals(p, adjusted[i], 1e-12));
  }
});

Deno.test("normalQuantile() is scipy's", () => {
  for (const [p, quantile] of golden.quantiles) {
    assertAlmostEquals(normalQuantile(p), quantile, 1e-9);
  }
});

const answers = (right: readonly boolean[]) =>
  right.map((yes) => ({ output: "yes", model_response: yes ? "yes" : "no" }));

Deno.test("compareResponses() names a winner only outside the noise, by McNemar for right and wrong", () => {
  const n = 40;
  const base = answers(Array.from({ length: n }, (_, i) => i % 2 === 0));
  const slightly = answers(Array.from({ length: n }, (_, i) => i % 2 === 0 || i === 1));
  const clearly = answers(Array.from({ length: n }, () => true));
  const [tied] = compareResponses(base, slightly, ["exactMatch"]);
  assertEquals([tied.winner, tied.p.mcnemar], ["tied", 1]);
  assertAlmostEquals(tied.difference, 1 / n, 1e-12);
  assert(tied.smallest > 1 / n, "the difference is smaller than what can be shown");
  const [won] = compareResponses(base, clearly, ["exactMatch"]);
  assertEquals([won.winner, won.p.mcnemar], ["b", 2 ** -19]);
  assertEquals(compareResponses(clearly, base, ["exactMatch"])[0].winner, "a");
  assert(won.smallest < won.difference);
  const same = compareResponses(base, base, ["exactMatch", "chrf"]);
  assertEquals(same.map(({ adjusted }) => adjusted), [1, 1]);
  assertEquals(recorded().at(-1)!.kind, "comparison");
});

Deno.test("compareResponses() counts how many metrics were tried", () => {
  const { a, b } = systems[2];
  const names = ["bleu", "chrf", "rouge1", "rouge2", "rougeL", "meteor:stems"];
  const alone = compareResponses(a, b, ["chrf"])[0];
  const among = compareResponses(a, b, names).find(({ metric }) => metric === "chrf")!;
  assertEquals(alone.adjusted, alone.p.randomization);
  assertEquals(among.p, alone.p);
  assert(among.adjusted >= alone.adjusted);
});

Deno.test("compareResponses() prefers the lower perplexity", () => {
  const surprised = (loss: number) =>
    Array.from({ length: 12 }, (_, i) => ({
      output: "a",
      model_response: "a",
      reference_loss: loss + i / 100,
      reference_tokens: 5,
    }));
  assertEquals(compareResponses(surprised(3), surprised(2), ["perplexity"])[0].winner, "b");
});

Deno.test("compareResponses() refuses answers to different questions", () => {
  const one = { output: "a", model_response: "a" };
  assertThrows(() => compareResponses([one], [], ["f1"]), RangeError, "1 with 0 responses");
  assertThrows(
    () => compareResponses([one], [{ ...one, output: "b" }], ["f1"]),
    RangeError,
    '"output" of entry 1 differs',
  );
});
