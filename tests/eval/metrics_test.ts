// The table of metrics, held to sacrebleu, rouge_score, NLTK, torchmetrics and scipy on the same 200 pairs of texts.

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { heaviestAssignment } from "../../lib/eval/metrics/assignment.ts";
import { findMetric, METRICS } from "../../lib/eval/metrics/mod.ts";
import { isNumberedList } from "../../lib/eval/metrics/numbered_list.ts";
import { alignSteps, parseSteps } from "../../lib/eval/metrics/steps.ts";
import { treebankWords } from "../../lib/eval/metrics/treebank_words.ts";
import { WordNet } from "../../lib/eval/metrics/wordnet.ts";
import { scoreMetrics } from "../../lib/eval/score_metrics.ts";
import { recorded } from "../../lib/provenance.ts";
import golden from "../golden/metrics.json" with { type: "json" };

interface Expected {
  readonly corpus: number;
  readonly each: readonly number[];
  readonly signature?: string;
}

const entries = golden.pairs.map(([output, model_response]) => ({ output, model_response }));
const wordnet = WordNet.open();
const noWordNet = wordnet === undefined ? " (skipped: needs WordNet, from wordnet-base)" : "";

for (const [name, expected] of Object.entries<Expected>(golden.metrics)) {
  const skipped = name === "meteor:synonyms" ? noWordNet : "";
  Deno.test({
    name: `${name} gives the reference program's scores of 200 pairs${skipped}`,
    ignore: skipped !== "",
    fn() {
      const { corpus, each, signature } = scoreMetrics(entries, [name], { samples: 1 })[name];
      assertEquals([each.length, expected.each.length], [200, 200]);
      for (const [i, score] of each.entries()) {
        assertAlmostEquals(score, expected.each[i], 1e-6, JSON.stringify(golden.pairs[i]));
      }
      assertAlmostEquals(corpus, expected.corpus, 1e-6);
      if (expected.signature !== undefined) assertEquals(signature, expected.signature);
    },
  });
}

Deno.test("treebankWords() splits as NLTK's tokenizer", () => {
  for (const [i, tokens] of golden.tokens.entries()) {
    assertEquals(treebankWords(golden.pairs[i][1]), tokens);
  }
});

Deno.test("meteor says in its signature whether it had synonyms", () => {
  const { signature } = findMetric("meteor").measure;
  assert(signature.includes(`|synonyms:${wordnet === undefined ? "no" : "wordnet"}|`), signature);
  assert(findMetric("meteor:stems").measure.signature.includes("|synonyms:no|"));
  if (wordnet === undefined) {
    assertThrows(() => findMetric("meteor:synonyms"), Deno.errors.NotFound, "wordnet-base");
  }
});

Deno.test("heaviestAssignment() finds pairs that are worth as much as scipy's", () => {
  for (const { weights, worth } of golden.assignments) {
    const pairs = heaviestAssignment(weights);
    assertEquals(pairs.length, Math.min(weights.length, weights[0].length));
    assertEquals(new Set(pairs.map(([row]) => row)).size, pairs.length);
    assertEquals(new Set(pairs.map(([, column]) => column)).size, pairs.length);
    assertAlmostEquals(pairs.reduce((sum, [i, j]) => sum + weights[i][j], 0), worth, 1e-9);
  }
  assertEquals(heaviestAssignment([]), []);
  assertEquals(heaviestAssignment([[], []]), []);
});

const LIST = "1. Open the app.\n2. Tap Settings.\n3. Change your password.";

Deno.test("parseSteps() reads numbers, bullets and sentences", () => {
  const steps = ["Open the app.", "Tap Settings.", "Change your password."];
  assertEquals(parseSteps(LIST), steps);
  assertEquals(parseSteps(`Do this:\n\n${LIST}`), steps);
  assertEquals(parseSteps("- Open the app.\n* Tap Settings.\n• Change your password."), steps);
  assertEquals(parseSteps("Step 1: Open the app.\n(2) Tap Settings.\n3) Change your password."), [
    ...steps,
  ]);
  assertEquals(parseSteps("Open the app. Tap Settings. Change your password."), steps);
  assertEquals(parseSteps("1. Open\nthe app.\n2. Tap Settings."), ["Open the app.", steps[1]]);
  assertEquals(parseSteps("1.5 litres of water"), ["1.5 litres of water"]);
  assertEquals(parseSteps(" \n…"), []);
});

Deno.test("alignSteps() pairs each step once, by the greatest likeness in all", () => {
  const reference = "1. Open the door.\n2. Open the door slowly.";
  // The greedy choice for the first would leave the second without its equal.
  assertEquals(alignSteps(reference, "1. Open the door slowly.\n2. Open the door.").pairs, [
    [0, 1],
    [1, 0],
  ]);
  assertEquals(alignSteps(reference, "1. Open the door.").pairs, [[0, 0]]);
  assertEquals(alignSteps(reference, "1. Eat some bread.").pairs, []);
});

const one = (name: string, output: string, model_response: string) =>
  scoreMetrics([{ output, model_response }], [name], { samples: 1 })[name].corpus;

Deno.test("stepAccuracy is precision and recall of the reference answer's steps", () => {
  const response = "1. Tap Settings.\n2. Open the app.\n3. Wait a day.\n4. Say nothing.";
  assertEquals(one("stepAccuracy:precision", LIST, response), 2 / 4);
  assertEquals(one("stepAccuracy:recall", LIST, response), 2 / 3);
  assertAlmostEquals(one("stepAccuracy", LIST, response), 4 / 7, 1e-12);
  assertEquals(one("stepAccuracy", LIST, LIST), 1);
  assertEquals(one("stepAccuracy", LIST, ""), 0);
  assertEquals(one("stepAccuracy", "", ""), 1);
});

Deno.test("completeness wants all steps, in order, unrepeated and finished, not many", () => {
  assertEquals(one("completeness", LIST, LIST), 1);
  const many = Array.from({ length: 9 }, (_, i) => `${i + 1}. Wait for day ${i}.`).join("\n");
  assertEquals(one("completeness", LIST, many), 0);
  const turned = "1. Change your password.\n2. Tap Settings.\n3. Open the app.";
  assertAlmostEquals(one("completeness", LIST, turned), 1 / 3, 1e-12);
  assertEquals(one("completeness", LIST, `${LIST}\n4. Tap Settings.`), 3 / 4);
  assertAlmostEquals(one("completeness", LIST, LIST.slice(0, -1)), 2 / 3, 1e-12);
});

Deno.test("numberedList takes lists numbered from 1 on, and nothing else", () => {
  for (const text of [LIST, `Do this:\n${LIST}`, "1) a\n\n2) b"]) {
    assert(isNumberedList(text), text);
  }
  for (
    const text of ["", "1. one step", "1. a\n3. b", "2. a\n3. b", "- a\n- b", `${LIST}\nGood luck!`]
  ) assert(!isNumberedList(text), text);
  assertEquals(one("numberedList", "", LIST), 1);
});

Deno.test("perplexity is made from the references' losses, and asks for them where they are missing", () => {
  const entry = { output: "a", model_response: "b" };
  const scored = [
    { ...entry, reference_loss: Math.log(2), reference_tokens: 3 },
    { ...entry, reference_loss: Math.log(4), reference_tokens: 1 },
  ];
  const { corpus, each } = scoreMetrics(scored, ["perplexity"]).perplexity;
  assertAlmostEquals(corpus, 2 ** (5 / 4), 1e-12);
  assertAlmostEquals(each[1], 4, 1e-12);
  assertThrows(
    () => scoreMetrics([scored[0], entry], ["perplexity"]),
    TypeError,
    "perplexity of entry 2: expected",
  );
});

Deno.test("scoreMetrics() gives an interval of the corpus score, and records what it did", () => {
  const { bleu, rouge1 } = scoreMetrics(entries, ["bleu", "rouge1"], { seed: 5 });
  for (const { corpus, interval: [low, high] } of [bleu, rouge1]) {
    assert(low < corpus && corpus < high, `${low} ${corpus} ${high}`);
  }
  // A mean's interval is about 1.96 standard errors to each side.
  const deviation = Math.sqrt(
    rouge1.each.reduce((sum, score) => sum + (score - rouge1.corpus) ** 2, 0) / 200,
  );
  const [low, high] = rouge1.interval;
  assertAlmostEquals(high - low, 2 * 1.96 * deviation / Math.sqrt(200), 0.01);
  const { metric, signature, examples } = recorded().at(-2)!;
  assertEquals([metric, signature, examples], ["bleu", bleu.signature, 200]);
});

Deno.test("metrics stay within their scale, whatever the texts are", () => {
  const bounded = METRICS.filter(({ top, name }) => top !== undefined && name !== "meteor");
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.lorem({ maxCount: 12 }));
  fc.assert(
    fc.property(text, text, (output, model_response) => {
      const names = bounded.map(({ name }) => name);
      const scores = scoreMetrics([{ output, model_response }], names, { samples: 1 });
      for (const { name, top } of bounded) {
        for (const score of [scores[name].corpus, scores[name].each[0]]) {
          assert(score >= 0 && score <= top! + 1e-9, `${name}: ${score}`);
        }
      }
    }),
    { numRuns: 25 },
  );
});

Deno.test("findMetric() names what was meant, and the variants there are", () => {
  assertThrows(() => findMetric("rougel"), RangeError, 'did you mean "rougeL"?');
  assertThrows(() => findMetric("kappa"), RangeError, 'the metric "kappa": there are ');
  assertThrows(
    () => findMetric("bleu:zh"),
    RangeError,
    'expected "bleu" or "bleu:13a", "bleu:intl", "bleu:char"',
  );
  assertThrows(() => scoreMetrics([], ["bleu"]), RangeError, "Cannot score no responses");
  assertEquals(new Set(METRICS.map(({ name }) => name)).size, METRICS.length);
});
