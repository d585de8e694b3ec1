import { assert, assertEquals, assertThrows } from "@std/assert";
import { orderBatches } from "../../lib/dataset/batches.ts";
import { encodeExamples } from "../../lib/dataset/encode.ts";
import { exploreEntries, summarize, totalBatches } from "../../lib/dataset/explore.ts";
import { loadEntries } from "../../lib/dataset/load.ts";
import { splitEntries } from "../../lib/dataset/split.ts";
import { gpt2Tokenizer } from "../../lib/text/gpt2.ts";
import { findOutliers } from "../../lib/dataset/outliers.ts";
import { countNGrams, countVocabulary } from "../../lib/dataset/vocabulary.ts";
import { explorationView } from "../../lib/show/exploration_view.ts";
import golden from "../golden/exploration.json" with { type: "json" };
import { ChatTemplate } from "../../lib/text/mod.ts";
import { findTestData } from "../support.ts";

const testData = findTestData();
const tokenizer = gpt2Tokenizer();

Deno.test("summarize() finds extremes, mean, median and percentile", () => {
  const { values, ...found } = summarize([4, 1, 3, 2]);
  assertEquals(found, { min: 1, mean: 2.5, median: 2.5, p95: 4, max: 4 });
  assertEquals(values, [4, 1, 3, 2]);
  assertEquals(summarize(Array.from({ length: 100 }, (_, i) => i + 1)).p95, 95);
  assertThrows(() => summarize([]), RangeError, "Cannot summarize no values");
});

Deno.test("exploreEntries() finds duplicates, conflicts, empty outputs and openings", () => {
  const entry = (instruction: string, input: string, output: string) => ({
    instruction,
    input,
    output,
  });
  const found = exploreEntries([
    entry("Name a colour.", "", "Red."),
    entry("Name a fruit.", "", "Apple."),
    entry("Name a colour.", "", "Red."),
    entry("Name a colour.", "", "Blue."),
    entry("Give the plural.", "mouse", " \n"),
  ], tokenizer);
  assertEquals(found.entries, 5);
  assertEquals(found.withInput, 1);
  assertEquals(found.emptyOutputs, [4]);
  assertEquals(found.duplicates, [[0, 2]]);
  assertEquals(found.conflicts, [[0, 2, 3]]);
  assertEquals(found.openings, [{ words: "Name a", count: 4 }, { words: "Give the", count: 1 }]);
  assertEquals(found.characters.input.values, [0, 0, 0, 0, 5]);
  assertEquals(found.tokens.response.values, [2, 2, 2, 2, 2]);
});

Deno.test("n-grams and vocabulary are scikit-learn's, outliers NumPy's", async () => {
  const entries = (await loadEntries("instructions")).slice(0, golden.entries);
  const texts = entries.map(({ instruction, input }) => `${instruction}\n${input}`);
  for (const [i, expected] of golden.ngrams.entries()) {
    assertEquals(countNGrams(texts, i + 1, expected.length), expected);
  }
  const { growth, ...counts } = countVocabulary(texts);
  assertEquals(counts, golden.vocabulary);
  assertEquals([growth.length, growth.at(-1)], [50, {
    words: counts.words,
    distinct: counts.distinct,
  }]);
  const { lengths, fences, indices } = golden.outliers;
  const found = findOutliers(lengths, "prompt tokens");
  assertEquals(found.map(({ index }) => index).sort((a, b) => a - b), indices);
  assertEquals([...found[0].fences], fences);
  assertEquals(found[0].value, 400, "the farthest first");
  assertEquals(
    findOutliers([7, 7, 7, 7, 7, 7, 7, 8, 9], "prompt tokens").map(({ value }) => value),
    [9],
  );
});

Deno.test("exploreEntries() and explorationView() show topics, near duplicates and conversations", () => {
  const fox = {
    instruction: "What is the plural of fox?",
    input: "",
    output: "Foxes.",
    topic: "plurals",
  };
  const entries = [
    fox,
    { ...fox, instruction: "What is the plural of <b>“Fox”</b>?", output: "foxes b b" },
    { text: "Once upon a time there was a fox who had no plural.", topic: "tales" },
    { ...fox, output: "Foxen." },
  ];
  const found = exploreEntries(entries, tokenizer, { threshold: 0.5 });
  assertEquals(found.topics, [{ topic: "plurals", count: 3 }, { topic: "tales", count: 1 }]);
  assertEquals(found.conflicts, [[0, 3]]);
  assertEquals(found.nearDuplicates[0], { first: 0, second: 1, similarity: 7 / 8 });
  assertEquals(found.ngrams.prompt[2][0], { words: "is the plural", count: 3, texts: 3 });
  const { html, text } = explorationView(found, entries);
  for (
    const heading of [
      "Lengths",
      "Topics and tasks",
      "N-grams",
      "Vocabulary",
      "Duplicates",
      "Outliers",
    ]
  ) {
    assert(html.includes(`<h2>${heading}</h2>`) && text.includes(heading), heading);
  }
  assert(!/<script|<b>“Fox/.test(html), "no script, and texts are escaped");
  assert(html.includes("&lt;b&gt;“Fox”"), "texts are shown");
  assertThrows(() => explorationView(found, []), RangeError, "statistics of 4 entries beside 0");

  const messages = [
    { role: "system", content: "Be brief." },
    { role: "user", content: "Hi there" },
    { role: "assistant", content: "Hello." },
  ];
  const format = new ChatTemplate(
    "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}" +
      "{% if add_generation_prompt %}assistant: {% endif %}",
  );
  const chat = exploreEntries([{ messages }], tokenizer, { format });
  const { instruction, input, output } = chat.characters;
  assertEquals([instruction.max, input.max, output.max], [8, 9, 6]);
});

Deno.test({
  name: "totalBatches() and exploreEntries() measure what the reference measured" + testData.needs,
  ignore: !testData.found,
  async fn() {
    const all = await loadEntries(`${testData.path}/instruction-data.json`);
    const entries = splitEntries(all, { order: "given" }).train;
    const { tokens, sharedPrefixTokens } = exploreEntries(entries, tokenizer);
    const { values: _, ...total } = tokens.total;
    assertEquals(total, { min: 40, mean: 56.42780748663102, median: 56, p95: 71, max: 91 });
    assertEquals(tokens.response.mean, 12.118716577540107);
    assertEquals(tokens.prompt.mean, 44.30909090909091);
    assertEquals(sharedPrefixTokens, 24);

    const examples = encodeExamples(entries, tokenizer);
    const given = orderBatches(935, { order: "given" });
    const counted = { none: 52760, instruction: 17876, prompt: 12266 } as const;
    for (const mask of ["none", "instruction", "prompt"] as const) {
      const totals = totalBatches(examples, given, { mask, maxLength: 1024 });
      assertEquals(totals.batches, 117);
      assertEquals(totals.tokensPadded, 65211);
      assertEquals(totals.tokensReal, 52760);
      assertEquals(totals.tokensCounted, counted[mask]);
      // DESIGN: about 280 a batch
      assertEquals(totals.tokensComputed, 32400);
    }
    const byLength = examples.map((example, i) => ({
      i,
      length: example.promptIds.length + example.responseIds.length,
    })).sort((a, b) => a.length - b.length).map(({ i }) => i);
    const bucketed = given.map((batch) => batch.map((i) => byLength[i]!));
    assertEquals(totalBatches(examples, bucketed).tokensPadded, 52925);
  },
});
