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
  [data.words, "Numbers are words", (text: string) => text.toLowerCase().match(/[a-z]+/g) ?? []],
  [data.similarity, "the same word", (a: string, b: string) => {
    const [left, right] = [a, b].map((text) => new Set(text.split(/\s/)));
    return left.intersection(right).size / left.union(right).size;
  }],
  [data.splitGroups, "rounded up", (groups: string[], share: number) => {
    const names = [...new Set(groups)];
    const train = names.slice(0, Math.round(names.length * share));
    return groups.map((name) => train.includes(name));
  }],
  [tokens.sharedBeginning, "the same string", (sequences: number[][]) => {
    const beginnings = new Set();
    for (const ids of sequences) {
      let beginning = "";
      for (const id of ids) beginnings.add(beginning += id);
    }
    return beginnings.size;
  }],
  [
    parts.firstDivergence,
    "equals the tolerance",
    (errors: number[], tolerance: number) =>
      errors.findIndex((error) => Number.isNaN(error) || error >= tolerance),
  ],
  [tuning.earlyStopping, "Only a new lowest", (losses: number[], patience: number) => {
    let [best, rises] = [0, 0];
    for (let i = 1; i < losses.length; i++) {
      rises = losses[i] < losses[i - 1] ? 0 : rises + 1;
      if (losses[i] < losses[best]) best = i;
      if (rises === patience) break;
    }
    return best;
  }],
  [judging.longestCommon, "skips many others", (a: string[], b: string[]) => {
    const left = [...b];
    return a.filter((word) => {
      const at = left.indexOf(word);
      if (at >= 0) left.splice(0, at + 1);
      return at >= 0;
    }).length;
  }],
  [judging.account, "accepts more than integers", (replies: string[]) => {
    const scores = replies.map(Number).filter((score) => score >= 0 && score <= 100);
    const mean = scores.reduce((a, b) => a + b) / scores.length;
    return { mean, scored: scores.length, lost: replies.length - scores.length };
  }],
  [
    judging.resample,
    "number of examples",
    (a: number[], b: number[], places: number[]) =>
      places.reduce((sum, i) => sum + b[i] - a[i], 0) / b.length,
  ],
  [lora.rankNeeded, "Exactly the share", (strengths: number[], share: number) => {
    const all = strengths.reduce((sum, s) => sum + s * s, 0);
    let [kept, rank] = [0, 0];
    while (kept <= share * all) kept += strengths[rank++] ** 2;
    return rank;
  }],
  [
    preferences.collapse,
    "not less likely",
    ({ chosen, rejected }: preferences.Course) =>
      chosen.findIndex((one, i) => one <= chosen[0] && one - rejected[i] > chosen[0] - rejected[0]),
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

const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);

/** Right answers, written as the solutions are not. */
const RIGHT: readonly [Exercise<any[], any>, unknown][] = [
  [data.words, (text: string) => [...text.toLowerCase().matchAll(/\w+/g)].map(([word]) => word)],
  [
    data.words,
    (text: string) =>
      text.toLowerCase().replace(/[^a-z\d]+/g, " ").trim().split(" ").filter(Boolean),
  ],
  [data.similarity, (a: string, b: string) => {
    const [left, right] = [a, b].map((text) => new Set(text.toLowerCase().match(/\w+/g)));
    const both = [...left].filter((word) => right.has(word)).length;
    return both / new Set([...left, ...right]).size;
  }],
  [data.splitGroups, (groups: string[], share: number) => {
    const names = groups.filter((name, i) => groups.indexOf(name) === i);
    return groups.map((name) => names.indexOf(name) < Math.ceil(share * names.length));
  }],
  [tokens.countTokens, (text: string, n: number) => Array.from(text).length / n],
  [tokens.maskPrompt, (targets: number[], promptLength: number) => [
    ...Array(promptLength - 1).fill(-100),
    ...targets.slice(promptLength - 1),
  ]],
  [tokens.pad, (targets: number[][]) => {
    const rows = targets.map((row) => [...row]);
    while (rows.some((row) => row.length < Math.max(...rows.map((one) => one.length)))) {
      const longest = Math.max(...rows.map((one) => one.length));
      for (const row of rows) if (row.length < longest) row.push(-100);
    }
    return rows;
  }],
  [tokens.sharedBeginning, (sequences: number[][]) => {
    const tree = new Map();
    let size = 0;
    for (const ids of sequences) {
      let at = tree;
      for (const id of ids) {
        if (!at.has(id)) size++, at.set(id, new Map());
        at = at.get(id);
      }
    }
    return size;
  }],
  [
    parts.attentionWeights,
    (products: number[], position: number, headDim: number) =>
      divide(products.map((p, i) => Math.exp(i > position ? -1e9 : p * headDim ** -0.5))),
  ],
  [parts.firstDivergence, (errors: number[], tolerance: number) => {
    for (const [i, error] of errors.entries()) {
      if (Number.isNaN(error) || error > tolerance) return i;
    }
    return -1;
  }],
  [tuning.clip, (gradients: number[], largest: number) => {
    const norm = Math.sqrt(sum(gradients.map((g) => g * g)));
    return gradients.map((g) => norm > largest ? g / (norm + 1e-6) * largest : g);
  }],
  [
    tuning.schedule,
    (step: number, total: number, warmup: number, highest: number) =>
      step <= warmup
        ? highest / warmup * step
        : highest * Math.cos(Math.PI / 2 * (step - warmup) / (total - warmup)) ** 2,
  ],
  [tuning.earlyStopping, (losses: number[], patience: number) => {
    let [best, at, waited] = [Infinity, 0, 0];
    for (const [i, loss] of losses.entries()) {
      waited++;
      if (loss < best) [best, at, waited] = [loss, i, 0];
      if (waited === patience) return at;
    }
    return at;
  }],
  [sampling.softmax, (logits: number[], t: number) => {
    const scaled = logits.map((z) => z / t);
    const log = Math.max(...scaled) +
      Math.log(sum(scaled.map((z) => Math.exp(z - Math.max(...scaled)))));
    return scaled.map((z) => Math.exp(z - log));
  }],
  [
    sampling.entropy,
    (probabilities: number[]) =>
      -sum(probabilities.filter((p) => p > 0).map((p) => p * Math.log(p) / Math.LN2)),
  ],
  [sampling.topK, (probabilities: number[], k: number) => {
    const kept = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a])
      .slice(0, k);
    return divide(probabilities.map((p, i) => kept.includes(i) ? p : 0));
  }],
  [sampling.topP, topP((sum, share, p) => sum + p >= share - 1e-9 ? "after" : undefined)],
  [sampling.draw, (probabilities: number[], needle: number) => {
    let i = 0;
    while (needle >= probabilities[i]) needle -= probabilities[i++];
    return i;
  }],
  [judging.longestCommon, function longest(a: string[], b: string[]): number {
    if (a.length === 0 || b.length === 0) return 0;
    if (a[0] === b[0]) return 1 + longest(a.slice(1), b.slice(1));
    return Math.max(longest(a.slice(1), b), longest(a, b.slice(1)));
  }],
  [judging.account, (replies: string[]) => {
    const scores = replies.filter((reply) => /^\s*(?:100|\d{1,2})\s*$/.test(reply)).map(Number);
    return {
      lost: replies.length - scores.length,
      mean: sum(scores) / scores.length,
      scored: scores.length,
    };
  }],
  [
    judging.resample,
    (a: number[], b: number[], places: number[]) =>
      (sum(places.map((i) => b[i])) - sum(places.map((i) => a[i]))) / places.length,
  ],
  [lora.rankNeeded, (strengths: number[], share: number) => {
    let [rank, left] = [0, share * sum(strengths.map((s) => s * s))];
    while (left > 1e-9) left -= strengths[rank++] ** 2;
    return rank;
  }],
  [lora.packed, (values: number[], levels: number[]) => {
    const scale = Math.max(Math.max(...values), -Math.min(...values));
    return values.map((value) =>
      scale *
      levels.toSorted((a, b) => Math.abs(a - value / scale) - Math.abs(b - value / scale))[0]
    );
  }],
  // Of two levels that are as near, either is right.
  [lora.packed, (values: number[], levels: number[]) => {
    const scale = Math.max(...values.map(Math.abs));
    return values.map((value) => {
      const distance = (level: number) => Math.abs(level - value / scale);
      return scale * levels.reduce((a, b) => distance(b) <= distance(a) ? b : a);
    });
  }],
  [preferences.collapse, ({ chosen, rejected }: preferences.Course) => {
    for (let i = 1; i < chosen.length; i++) {
      const grown = chosen[i] - chosen[0] > rejected[i] - rejected[0];
      if (chosen[i] < chosen[0] && grown) return i;
    }
    return -1;
  }],
  [
    preferences.longerWins,
    (pairs: preferences.TextPair[]) =>
      sum(pairs.map(({ chosen, rejected }) => {
        const longer = chosen.split(/\s+/).length - rejected.split(/\s+/).length;
        return (1 + Math.sign(longer)) / 2;
      })) / pairs.length,
  ],
];

Deno.test("right answers, written in another way, are right", async () => {
  for (const [exercise, answer] of RIGHT) {
    assertEquals(await judgeAnswer(exercise, answer as any), { status: "right" }, exercise.title);
  }
});

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
