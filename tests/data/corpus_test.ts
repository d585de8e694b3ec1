// The pre-training text: seeded, varied, and free of the held-out pairs in every wording.

import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { everyWording, makePairs } from "../../data/instructions/make.ts";
import { corpus, CORPUS_SEED, documents, END_OF_TEXT, readEssays } from "../../data/nano/corpus.ts";
import { factKinds, relationSentences, relationTalk } from "../../data/nano/genres/facts.ts";
import { heldOutPairs, heldOutTexts, normalize } from "../../data/nano/held_out.ts";
import { fill } from "../../data/instructions/families/mod.ts";

/** As much as the embedded model is trained on: 10.4 million tokens. */
const text = corpus(CORPUS_SEED, 40_000_000);
const pairs = makePairs();
const heldOut = pairs.slice(935);

Deno.test("corpus() follows its seed and size", () => {
  assertEquals(corpus(3, 20_000), corpus(3, 20_000));
  assertNotEquals(corpus(3, 20_000), corpus(4, 20_000));
  assert(corpus(3, 20_000).length >= 20_000);
  assert(corpus(3, 40_000).startsWith(corpus(3, 20_000)));
  assertThrows(() => corpus(3, 0), RangeError, "0 characters");
});

Deno.test("No held-out pair occurs in the corpus or in training, in any wording", () => {
  assertEquals(heldOutPairs(pairs), heldOut);
  const seen = normalize(text);
  const train = new Set(
    pairs.slice(0, 935).flatMap(everyWording)
      .map(({ instruction, input, output }) => normalize(`${instruction}\n${input}\n${output}`)),
  );
  const found: string[] = [];
  for (const pair of heldOut) {
    for (const { instruction, input, output } of everyWording(pair)) {
      const task = normalize(input ? `${instruction}\n${input}` : instruction);
      const answer = normalize(output);
      // An answer as short as "s.length" says too little; with its task it still counts.
      const probes = answer.length < 12 ? [task] : [task, answer];
      found.push(...probes.filter((probe) => seen.includes(probe)));
      if (train.has(normalize(`${instruction}\n${input}\n${output}`))) found.push(task);
    }
  }
  assertEquals(found, []);
});

Deno.test("No synthetic answer of the set, held out or not, has a wording of the corpus", () => {
  // Sentences such as "Rosa painted the wall." are everyday English and may occur; the families
  // that ask for a fact have answers of a form of their own.
  const free = new Set(["sentence-to-past", "negation", "question", "passive", "more-than-one"]);
  const seen = normalize(text);
  const found = pairs.filter(({ item, family, output }) =>
    item && !free.has(family) && seen.includes(normalize(output))
  ).map(({ output }) => output);
  assertEquals(found, []);
});

Deno.test("heldOutTexts() finds a held-out answer in a text", () => {
  const pair = heldOut.find(({ item }) => item)!;
  const hay = normalize(`Once ${pair.output} And so on.`);
  assert(heldOutTexts([pair]).some((held) => hay.includes(held)));
});

Deno.test("The corpus never has the shape of an instruction", () => {
  assert(!/### |Instruction:|Response:|Below is an instruction/.test(text));
});

Deno.test("documents() are varied, short and clean", () => {
  const parts = text.split(END_OF_TEXT).slice(0, -1);
  assert(new Set(parts).size > parts.length * 0.8, "too many repeated documents");
  for (const part of parts) {
    assert(part.length > 10 && part.length < 900, `a document of ${part.length} characters`);
    assertEquals(part, part.trim());
    assert(!/undefined|\{\w+\}|[a-z] {2,}[a-z]/.test(part), part);
  }
});

Deno.test("Every essay is told, none is lost to the held-out pairs", () => {
  for (const essay of readEssays()) assert(text.includes(essay + END_OF_TEXT), essay);
});

Deno.test("Every fact has its fields, and every kind is told", () => {
  const told = new Set(text.split("\n"));
  for (const kind of factKinds) {
    const forms = [kind.line, ...kind.sentences, ...kind.talk.flat()];
    for (const fields of kind.facts) forms.forEach((form) => fill(form, fields));
    for (const relation of kind.relations ?? []) {
      const named = [...relationSentences, ...relationTalk.flat()];
      for (const fields of kind.facts) named.forEach((form) => fill(form, { ...fields, relation }));
    }
    const known = kind.facts.filter((fields) => told.has(`- ${fill(kind.line, fields)}`)).length;
    assert(known > 0, `no fact of "${kind.name}" is told as a line`);
  }
  assertEquals(documents(1).next().done, false);
});
