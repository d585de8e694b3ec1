// pairedBootstrap() and checkTrust(): comparisons that say how far they can be believed.

import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  checkTrust,
  judgeScorer,
  pairedBootstrap,
  rougeScorer,
  shuffledAnswers,
} from "../../lib/eval/mod.ts";
import { Random } from "../../lib/random.ts";

Deno.test("pairedBootstrap() has the normal interval's width where scores are many and independent", () => {
  const random = new Random(4);
  const a = Array.from({ length: 400 }, () => random.normal());
  const b = a.map((score) => score + 0.1 + random.normal());
  const { difference, low, high, better, pairs } = pairedBootstrap(a, b, { samples: 4000 });
  const gains = b.map((score, i) => score - a[i]);
  const mean = gains.reduce((sum, gain) => sum + gain, 0) / 400;
  const deviation = Math.sqrt(gains.reduce((sum, gain) => sum + (gain - mean) ** 2, 0) / 400);
  assertAlmostEquals(difference, mean, 1e-12);
  assertAlmostEquals(high - low, 2 * 1.96 * deviation / 20, 0.012);
  assert(better > 0.5 && better <= 1 && pairs === 400);
});

Deno.test("pairedBootstrap() knows no difference from a sure one, and the same seed gives the same", () => {
  assertEquals(pairedBootstrap([1, 2], [1, 2]).better, 0.5);
  const sure = pairedBootstrap([1, 2, 3], [2, 3, 4]);
  assertEquals([sure.low, sure.high, sure.better], [1, 1, 1]);
  const scores: [number[], number[]] = [[1, 5, 2, 8], [2, 4, 4, 9]];
  assertEquals(pairedBootstrap(...scores), pairedBootstrap(...scores));
});

Deno.test("pairedBootstrap() refuses scores that are not pairs, and wrong options", () => {
  assertThrows(() => pairedBootstrap([], []), RangeError, "0 with 0 scores");
  assertThrows(() => pairedBootstrap([1], [1, 2]), RangeError, "1 with 2 scores");
  assertThrows(() => pairedBootstrap([1], [1], { samples: 0 }), RangeError, "0 times");
  assertThrows(() => pairedBootstrap([1], [1], { confidence: 1 }), RangeError, "confidence 1");
});

const entries = ["Paris is the capital.", "Seven.", "A dog barks.", "Red, blue and green."].map(
  (output, i) => ({ instruction: `Question ${i}`, input: "", output }),
);

Deno.test("shuffledAnswers() gives no entry its own answer, and each answer once", () => {
  fc.assert(fc.property(fc.integer({ min: 2, max: 20 }), fc.nat(), (count, seed) => {
    const all = Array.from({ length: count }, (_, i) => ({
      instruction: "",
      input: "",
      output: `${i}`,
    }));
    const answers = shuffledAnswers(all, { seed });
    assertEquals(answers.filter((answer, i) => answer === `${i}`), []);
    assertEquals(new Set(answers).size, count);
  }));
});

Deno.test("checkTrust() trusts ROUGE-L where answers differ, and shows a judge that cannot tell", async () => {
  const rouge = await checkTrust(entries, rougeScorer());
  assertEquals([rouge.gold.mean, rouge.empty.mean, rouge.ranked], [100, 0, 1]);
  assert(rouge.gap! > 50);
  const blind = await checkTrust(
    entries,
    judgeScorer({
      name: "blind",
      settings: {},
      ask: (prompt) => {
        const reply = prompt.includes("Question 2") ? "good" : "80";
        return Promise.resolve({ reply, cut: false });
      },
    }),
  );
  assertEquals([blind.gap, blind.ranked], [0, 0.5]);
  assertEquals([blind.gold.scored, blind.gold.unscored], [3, 1]);
});

Deno.test("checkTrust() has no gap where a kind got no score, and wants two entries", async () => {
  const { gap, ranked } = await checkTrust(
    entries,
    (all) => Promise.resolve(all.map(() => undefined)),
  );
  assertEquals([gap, ranked], [null, null]);
  await assertRejects(
    () => checkTrust(entries.slice(1, 2), rougeScorer()),
    RangeError,
    "shuffle 1",
  );
});
