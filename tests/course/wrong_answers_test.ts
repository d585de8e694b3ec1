// Answers as learners write them, and what the checks of the course's exercises say about each.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { check, type Exercise } from "../../lib/course/mod.ts";
import { judgeAnswer } from "../../lib/course/exercise.ts";
import * as data from "../../notebooks/exercises/01_data.ts";
import * as tokens from "../../notebooks/exercises/02_tokens_and_masks.ts";
import * as tensors from "../../notebooks/exercises/03_tensors_and_gradients.ts";
import * as parts from "../../notebooks/exercises/04_gpt2_from_parts.ts";
import * as tuning from "../../notebooks/exercises/05_fine_tuning.ts";
import * as sampling from "../../notebooks/exercises/06_sampling.ts";
import * as judging from "../../notebooks/exercises/07_judging.ts";
import * as lora from "../../notebooks/exercises/08_lora_and_qlora.ts";
import * as real from "../../notebooks/exercises/09_a_real_model.ts";
import * as preferences from "../../notebooks/exercises/10_preferences.ts";

const { multiply, transpose } = tensors;

const ROOMS = [data, tokens, tensors, parts, tuning, sampling, judging, lora, real, preferences];

const divide = (weights: number[]) => {
  const total = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / total);
};

/** Top-p as learners write it; `last` says whether the walk ends, before or after a token is kept. */
const topP = (
  last: (sum: number, share: number, p: number) => "before" | "after" | undefined,
  finish = divide,
) =>
(probabilities: number[], share: number) => {
  const kept = probabilities.map(() => 0);
  let sum = 0;
  for (const i of [...kept.keys()].sort((a, b) => probabilities[b] - probabilities[a])) {
    const end = last(sum, share, probabilities[i]);
    if (end === "before") break;
    kept[i] = probabilities[i];
    sum += probabilities[i];
    if (end === "after") break;
  }
  return finish(kept);
};

/** For each wrong answer, words of the mistake that the check names. */
const WRONG: readonly [Exercise<any[], any>, string, unknown][] = [
  [tokens.countTokens, "an emoji has two", (text: string, n: number) => text.length / n],
  [tensors.matmulGradients, "wrong order", (a: number[][], b: number[][], g: number[][]) => ({
    a: multiply(transpose(b), g),
    b: multiply(g, transpose(a)),
  })],
  [tensors.matmulGradients, "a's gradient", (a: number[][], b: number[][], g: number[][]) => ({
    a: multiply(transpose(b), g),
    b: multiply(transpose(a), g),
  })],
  [tensors.matmulGradients, "transposed", (a: number[][], b: number[][], g: number[][]) => ({
    a: multiply(g, b),
    b: multiply(a, g),
  })],
  [sampling.softmax, "do not add up", (logits: number[], t: number) => {
    const largest = Math.max(...logits);
    return logits.map((z) => Math.exp((z - largest) / t));
  }],
  [sampling.softmax, "no effect", (logits: number[], t: number) => {
    const largest = Math.max(...logits);
    return divide(logits.map((z) => Math.exp(z - largest) / t));
  }],
  [
    sampling.softmax,
    "too large for exp()",
    (logits: number[], t: number) => divide(logits.map((z) => Math.exp(z / t))),
  ],
  [
    sampling.topP,
    "Exactly p is enough",
    topP((sum, share, p) => sum + p > share ? "after" : undefined),
  ],
  [sampling.topP, "0 / 0 is NaN", topP((sum, share, p) => sum + p > share ? "before" : undefined)],
  [sampling.topP, "0 / 0 is NaN", topP((sum, share, p) => sum + p >= share ? "before" : undefined)],
  [
    sampling.topP,
    "does not add up to 1",
    topP((sum, share, p) => sum + p >= share ? "after" : undefined, (kept) => kept),
  ],
  [tokens.diagnose, "In the first batch", ["none", "not shifted", "prompt counted"]],
  [tokens.diagnose, "In the second batch", ["closing masked", "shifted twice", "none"]],
  [tokens.diagnose, "In the third batch", ["closing masked", "not shifted", "closing masked"]],
  [
    preferences.pairLoss,
    "too large for exp()",
    (p: preferences.PairLogProbs, beta: number) =>
      -Math.log(
        1 /
          (1 + Math.exp(-beta * (p.chosen - p.chosenReference - p.rejected + p.rejectedReference))),
      ),
  ],
  [
    preferences.pairLoss,
    "reference is missing",
    ({ chosen, rejected }: preferences.PairLogProbs, beta: number) =>
      Math.log1p(Math.exp(-beta * (chosen - rejected))),
  ],
  [
    preferences.collapse,
    "margin is not compared",
    ({ chosen }: preferences.Course) => chosen.findIndex((one) => one < chosen[0]),
  ],
  [
    preferences.longerWins,
    "counts characters",
    (pairs: preferences.TextPair[]) =>
      pairs.filter(({ chosen, rejected }) => chosen.length > rejected.length).length / pairs.length,
  ],
  // A forgotten return is not a stub.
  [judging.standardError, "needs `return`", (scores: number[]) => {
    scores.reduce((a, b) => a + b);
  }],
  [data.words, "needs `return`", (text: string) => {
    text.toLowerCase().match(/[a-z0-9]+/g);
    return undefined;
  }],
];

Deno.test("wrong answers: the checks name the mistake", async () => {
  for (const [exercise, words, answer] of WRONG) {
    const verdict = await judgeAnswer(exercise, answer as any);
    const { mistake = "", message } = verdict.status === "wrong"
      ? verdict
      : { message: "not wrong" };
    assertStringIncludes(mistake, words, `${exercise.title}: ${message}`);
  }
});

Deno.test("wrong answers: what throws says why, in words of its own", async () => {
  const swapped = (a: number[][], b: number[][], g: number[][]) => ({
    a: multiply(b, g),
    b: multiply(g, a),
  });
  const { text } = await check(tensors.matmulGradients, swapped);
  assertMatch(text, /throws RangeError: Cannot multiply \(2, 1\) by|at \.a/);
  assertMatch(
    (await check(tensors.centralDifference, (f, x, h) => f(x + h) - f(x))).text,
    /for \(\(x\) *=> *x \* x \* x, 2, 0\.01\) got /,
  );
});

Deno.test("wrong answers: neither verdict nor hint gives the answer away", async () => {
  const { text } = await check(tokens.diagnose, ["none", "none", "none"]);
  assert(!text.includes("closing masked"), text);
  for (const room of ROOMS) {
    for (const one of Object.values(room)) {
      if (typeof one === "object") {
        assert(!/[=√Σ]|\w [-+/·×] \w/.test(one.hint), `${one.title}: ${one.hint}`);
      }
    }
  }
});

Deno.test("wrong answers: an exercise's own solution is not taken for an answer", async () => {
  for (
    const answer of [
      sampling.draw.solution,
      (p: number[], needle: number) => sampling.draw.solution(p, needle) as number,
    ]
  ) {
    assertEquals((await judgeAnswer(sampling.draw, answer)).status, "solution");
    assertMatch((await check(sampling.draw, answer)).text, /^Not yours: 6\.5[^]*own solution/);
  }
});

/** Changes all numbers in a value. */
const mapNumbers = (change: (x: number) => number) => {
  const go = (value: unknown): unknown =>
    typeof value === "number"
      ? change(value)
      : Array.isArray(value)
      ? value.map(go)
      : typeof value === "object" && value !== null
      ? Object.fromEntries(Object.entries(value).map(([name, part]) => [name, go(part)]))
      : value;
  return go;
};

Deno.test("wrong answers: what happens in every exercise is named in every exercise that has numbers", async () => {
  const common: [words: RegExp, change: (x: number) => number][] = [
    [/not a number|NaN/, () => NaN],
    [/sign|below 0/, (x) => -x],
    [/a factor is missing/, (x) => x / 7],
  ];
  let checked = 0;
  for (const room of ROOMS) {
    for (const one of Object.values(room) as Exercise<any[], any>[]) {
      if (typeof one !== "object" || one.inputs[0]?.length === 0) continue;
      const right = await Promise.all(one.inputs.map((input) => one.solution(...input)));
      for (const [words, change] of common) {
        const changed = mapNumbers(change);
        if (JSON.stringify(changed(right)) === JSON.stringify(right)) continue;
        let call = 0; // inputs come in their order
        const answer = () => changed(right[call++]);
        const verdict = await judgeAnswer(one, answer);
        assertMatch((verdict.status === "wrong" && verdict.mistake) || "", words, one.title);
        checked++;
      }
      let calls = 0;
      const once = () => calls++ === 0 ? right[0] : undefined;
      const verdict = await judgeAnswer(one, once);
      assertStringIncludes((verdict.status === "wrong" && verdict.mistake) || "", "`return`");
    }
  }
  assert(checked > 50, `${checked} answers`);
});

Deno.test("wrong answers: a number off by one is named, and one that happens to be is not", async () => {
  const reads = (change: number) => (n: number, tile: number) => 2 * n / tile + change;
  for (const [change, words] of [[1, "1 too large"], [-1, "1 too small"]] as const) {
    const verdict = await judgeAnswer(tensors.slowReads, reads(change));
    assertStringIncludes((verdict.status === "wrong" && verdict.mistake) || "", words);
  }
  const once = (n: number, tile: number) => 2 * n / tile + (tile === 1 ? 1 : 0);
  const verdict = await judgeAnswer(tensors.slowReads, once);
  assertEquals(verdict.status === "wrong" && verdict.mistake, undefined);
});
