import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { stem } from "../../lib/eval/porter_stemmer.ts";
import { rougeL } from "../../lib/eval/rouge.ts";
import golden from "../golden/rouge.json" with { type: "json" };

Deno.test("stem() gives NLTK's stems", () => {
  assert(golden.stems.length > 5000);
  const wrong = golden.stems.filter(([word, expected]) => stem(word!) !== expected)
    .map(([word, expected]) => `${word}: ${stem(word!)}, not ${expected}`);
  assertEquals(wrong, []);
});

Deno.test("rougeL() gives rouge_score's precision, recall and F-measure", () => {
  assert(golden.scores.length > 300);
  for (const [reference, response, precision, recall, fmeasure] of golden.scores) {
    const name = JSON.stringify([reference, response]);
    const score = rougeL(reference as string, response as string);
    assertAlmostEquals(score.precision, precision as number, 1e-12, name);
    assertAlmostEquals(score.recall, recall as number, 1e-12, name);
    assertAlmostEquals(score.fmeasure, fmeasure as number, 1e-12, name);
  }
});
