// The imaginary shop's pairs: made of its topics, consistent, in form, and apart from the test prompts.

import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { type Pair, readTopics, toJsonl, toPairs } from "../../data/shop/make.ts";
import testPrompts from "../../data/shop/test-prompts.json" with { type: "json" };
import { groupsOf, loadEntries, wordSimilarity } from "../../lib/dataset/mod.ts";
import { splitEntries } from "../../lib/dataset/split.ts";
import { isNumberedList } from "../../lib/eval/metrics/numbered_list.ts";

const file = fromFileUrl(new URL("../../data/shop/shop.jsonl", import.meta.url));
const topics = await readTopics();
const pairs: Pair[] = toPairs(topics);

Deno.test("shop: the committed pairs are those of the topics", async () => {
  assertEquals(await Deno.readTextFile(file), toJsonl(pairs));
});

Deno.test("shop: 160 pairs over 20 topics, 5 to 10 prompts each, no prompt twice", () => {
  assertEquals([pairs.length, topics.length], [160, 20]);
  for (const { topic, prompts } of topics) {
    assert(prompts.length >= 5 && prompts.length <= 10, topic);
  }
  assertEquals(new Set(pairs.map(({ prompt }) => prompt.toLowerCase())).size, pairs.length);
  assertEquals(new Set(pairs.map(({ completion }) => completion)).size, topics.length);
});

Deno.test("shop: every completion is a numbered list of 4 or 5 steps that end with a full stop", () => {
  for (const { topic, completion } of topics) {
    const steps = completion.trim().split("\n");
    assert(isNumberedList(completion) && steps.length >= 4 && steps.length <= 5, topic);
    for (const step of steps) assertMatch(step, /^\d\. [A-Z].*\.$/, topic);
  }
});

Deno.test("shop: every number in a completion is in the table of facts", async () => {
  const readme = await Deno.readTextFile(new URL("../../data/shop/README.md", import.meta.url));
  const facts = readme.slice(readme.indexOf("| What |"), readme.indexOf("## How it was made"));
  const known = new Set(facts.match(/£?\d[\d.:]*\d|£?\d/g));
  for (const { topic, completion } of topics) {
    const text = completion.replaceAll(/^\d\. /gm, "");
    for (const [number] of text.matchAll(/£?\d[\d.:]*\d|£?\d/g)) {
      assert(known.has(number), `${topic}: ${number}`);
    }
  }
});

Deno.test("shop: grouped by completion, 144 pairs train and 16 of other topics validate", async () => {
  const entries = await loadEntries(file);
  const { train, validation } = splitEntries(entries, {
    fractions: [0.9, 0, 0.1],
    groups: groupsOf(entries, ["completion"]),
  });
  assertEquals([train.length, validation.length], [144, 16]);
  const heldOut = new Set(validation.map(({ topic }) => topic));
  assertEquals(train.filter(({ topic }) => heldOut.has(topic)), []);
  // The recipe says that two of the ten test prompts are about topics that are held out.
  assertEquals(testPrompts.filter(({ topic }) => heldOut.has(topic ?? undefined)).length, 2);
});

Deno.test("shop: test prompts are new, and their facts are in their topic's completion", () => {
  assertEquals(testPrompts.length, 10);
  assertEquals(testPrompts.filter(({ topic }) => topic === null).length, 3);
  for (const { prompt, topic, facts } of testPrompts) {
    if (topic === null) continue;
    const nearest = Math.max(...pairs.map((pair) => wordSimilarity(pair.prompt, prompt)));
    assertLess(nearest, 0.5, prompt);
    const completion = topics.find((one) => one.topic === topic)?.completion ?? "";
    for (const fact of facts) assert(completion.includes(fact), `${topic}: ${fact}`);
  }
});
