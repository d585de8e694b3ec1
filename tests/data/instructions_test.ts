// The instruction set: the committed files are what the script makes, and they pass every check.

import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import * as check from "../../data/instructions/check.ts";
import { parseCore, readCore } from "../../data/instructions/core.ts";
import { families, type Pair, word } from "../../data/instructions/families/mod.ts";
import {
  everyWording,
  interleave,
  type Labels,
  makeFiles,
  makePairs,
} from "../../data/instructions/make.ts";
import { opposites, synonyms } from "../../data/lexicon/adjectives.ts";
import { inWords } from "../../data/lexicon/numbers.ts";
import { article, plural } from "../../data/lexicon/nouns.ts";
import { Random } from "../../data/lexicon/random.ts";

const folder = new URL("../../data/instructions/", import.meta.url);
const pairs = makePairs();
const splits = check.splitLengths(pairs.length);
const bare: Pair[] = pairs.map(({ instruction, input, output }) => ({
  instruction,
  input,
  output,
}));

Deno.test("makeFiles() gives the committed bytes", () => {
  for (const { name, text } of makeFiles()) {
    assertEquals(
      Deno.readTextFileSync(new URL(name, folder)) === text,
      true,
      `"${name}" differs: run deno run -A data/instructions/make.ts`,
    );
  }
});

Deno.test("makeFiles() follows its seed", () => {
  assertEquals(makeFiles(5)[0].text, makeFiles(5)[0].text);
  assertNotEquals(makeFiles(5)[0].text, makeFiles(6)[0].text);
});

Deno.test("The set has 1,100 pairs, a core of at least 450 and about 200 KB", () => {
  assertEquals(pairs.length, 1100);
  const core = pairs.filter(({ item }) => !item);
  assert(core.length >= 450, `the core has ${core.length} pairs`);
  const bytes = Deno.statSync(new URL("instruction-data.json", folder)).size;
  assert(bytes > 160_000 && bytes < 240_000, `the file has ${bytes} bytes`);
  const withInput = pairs.filter(({ input }) => input).length / pairs.length;
  assert(withInput > 0.25 && withInput < 0.5, `${withInput} of the pairs have an input`);
});

Deno.test("checkAll() finds nothing wrong in the set", () => {
  assertEquals(check.checkAll(pairs, splits), []);
});

Deno.test("families.json labels every pair of instruction-data.json", () => {
  const labels: Labels = JSON.parse(Deno.readTextFileSync(new URL("families.json", folder)));
  assertEquals(labels.pairs.map(({ family }) => family), pairs.map(({ family }) => family));
  const counts = check.countFamilies(labels.pairs);
  assertEquals(
    labels.families.map(({ name, count }) => [name, count]).toSorted(),
    [...counts].toSorted(),
  );
});

Deno.test("README.md names every family with its count and what it is about", () => {
  const text = Deno.readTextFileSync(new URL("README.md", folder));
  const labels: Labels = JSON.parse(Deno.readTextFileSync(new URL("families.json", folder)));
  for (const { name, count, about } of labels.families) {
    assert(text.includes(`| ${name} | ${count} | ${about} |`), `the row of "${name}" differs`);
  }
});

Deno.test("Half of the yes-no answers are yes, and half of the even-odd answers are even", () => {
  for (const [family, pattern] of [["yes-no", /^Yes/], ["even-odd", /even/]] as const) {
    const answers = pairs.filter((pair) => pair.family === family).map(({ output }) => output);
    const share = answers.filter((answer) => pattern.test(answer)).length / answers.length;
    assertEquals(share, 0.5, family);
  }
});

Deno.test("checkFormat() names unusual fields, blanks and characters", () => {
  const good = { instruction: "Say hello.", input: "", output: "Hello!" };
  assertEquals(check.checkFormat([good]), []);
  for (
    const bad of [
      { ...good, output: "" },
      { ...good, output: "Hello! " },
      { ...good, output: "Hello\u200b!" },
      { ...good, output: "Hello  there" },
      { ...good, instruction: "say hello." },
      { ...good, input: "x".repeat(check.LIMITS.input + 1) },
      { ...good, extra: "" },
    ]
  ) assertEquals(check.checkFormat([bad]).length, 1, JSON.stringify(bad));
});

Deno.test("checkDuplicates() finds equal questions and near-duplicates", () => {
  const a = { instruction: "Name the longest river of the green land.", input: "", output: "It." };
  const b = { ...a, instruction: "Name the longest river of the green land!" };
  const c = { ...a, instruction: "Write a poem." };
  assertEquals(check.checkDuplicates([a, c], () => true), []);
  assertEquals(check.checkDuplicates([a, b], () => true).length, 1);
  assertEquals(check.checkDuplicates([a, { ...a, output: "Other." }], () => false).length, 1);
});

Deno.test("checkBalance() finds a family that one split lacks", () => {
  const sorted = ["a", "b"].flatMap((family) => Array(50).fill({ family }));
  assert(check.checkBalance(sorted, [85, 10, 5]).length > 0);
});

Deno.test("checkLeaks() finds a held-out task in another wording", () => {
  const family = families.find(({ name }) => name === "plural")!;
  const item = family.items(new Random(1))[0];
  const ask = (i: number) => ({
    ...word(family, item, family.wordings[i]),
    family: family.name,
    item,
  });
  assertEquals(check.checkLeaks([ask(0), ask(1)], 1).length, 1);
  assertEquals(check.checkLeaks([ask(0), pairs.find(({ item }) => !item)!], 1), []);
});

Deno.test("checkAnswers() finds a wrong sum and a wrong order", () => {
  const say = (output: string) =>
    check.checkAnswers([{ instruction: "", input: "", output }]).length;
  assertEquals(say("The sum of 2 and 2 is 4."), 0);
  assertEquals(say("The sum of 2 and 2 is 5."), 1);
  assertEquals(say("In alphabetical order: pear, apple"), 1);
  assertEquals(say("From smallest to largest: 9, 10"), 0);
  assertEquals(say("Backwards, the word cat is spelled t-a-c."), 0);
  assertEquals(say("Backwards, the word cat is spelled c-a-t."), 1);
});

Deno.test("checkAnswers() knows the answers of every family that it can work out", () => {
  const worked = [
    "addition",
    "subtraction",
    "multiplication",
    "even-odd",
    "next-number",
    "number-words",
    "letter-count",
    "first-letter",
    "reverse-word",
    "sort-words",
    "sort-numbers",
  ];
  for (const pair of pairs.filter(({ family }) => worked.includes(family))) {
    const wrong = pair.output.replace(/[\w-]+(\.?)$/, "0$1");
    assert(check.isWorkedOut(pair.output) && !check.isWorkedOut(wrong), pair.output);
  }
});

Deno.test("checkSpelling() finds a misspelling outside its family", () => {
  const pair = { instruction: "Say it.", input: "", output: "I beleive you.", family: "advice" };
  assertEquals(check.checkSpelling([pair]).length, 1);
  assertEquals(check.checkSpelling([{ ...pair, family: "spelling" }]), []);
});

Deno.test("parseCore() reads inputs and continued answers, and names a bad line", () => {
  const text =
    "# About\n\nQ: List two.\nA: 1. One\n  2. Two\n\nQ: Fix it.\nI: He go.\nA: He goes.\n";
  assertEquals(parseCore(text, "x"), [
    { instruction: "List two.", input: "", output: "1. One\n2. Two" },
    { instruction: "Fix it.", input: "He go.", output: "He goes." },
  ]);
  assertThrows(() => parseCore("Q: One\nQ: Two\n", "x"), SyntaxError, 'line 2 of "x"');
  assertThrows(() => parseCore("Q: One\nwhat\n", "x"), SyntaxError, "line 2");
  assertThrows(() => parseCore("Q: One\n", "x"), SyntaxError, "no answer");
  assert([...readCore().values()].every((list) => list.length > 0));
});

Deno.test("everyWording() words a task in each way with one answer", () => {
  const pair = pairs.find(({ family }) => family === "opposite")!;
  const all = everyWording(pair);
  assertEquals(all.length, families.find(({ name }) => name === "opposite")!.wordings.length);
  assertEquals(new Set(all.map(({ output }) => output)).size, 1);
  assert(all.some(({ instruction }) => instruction === pair.instruction));
});

Deno.test("interleave() keeps every list in proportion and loses nothing", () => {
  const mixed = interleave([Array(90).fill("a"), Array(10).fill("b")], new Random(3));
  assertEquals(mixed.length, 100);
  for (let start = 0; start < 100; start += 20) {
    const b = mixed.slice(start, start + 20).filter((item) => item === "b").length;
    assert(b >= 1 && b <= 3, `${b} of 20`);
  }
});

Deno.test("The lexicon gives each word one opposite and one synonym", () => {
  const words = opposites.flat();
  assertEquals(new Set(words).size, words.length);
  assertEquals(new Set(synonyms.map(([a]) => a)).size, synonyms.length);
});

Deno.test("plural(), article() and inWords() follow English", () => {
  assertEquals(["child", "box", "city", "day", "wolf", "sheep", "hero"].map(plural), [
    "children",
    "boxes",
    "cities",
    "days",
    "wolves",
    "sheep",
    "heroes",
  ]);
  assertEquals(["apple", "hour", "unicorn", "pear"].map(article), ["an", "an", "a", "a"]);
  assertEquals([0, 13, 40, 42, 305].map(inWords), [
    "zero",
    "thirteen",
    "forty",
    "forty-two",
    "three hundred five",
  ]);
  assertThrows(() => inWords(1000), RangeError, "0 to 999");
});

const reference = Deno.env.get("TUNEBOOK_TEST_DATA");
Deno.test({
  name: "The set repeats nothing of the book's " +
    "(needs TUNEBOOK_TEST_DATA: a folder with its instruction-data.json)",
  ignore: !reference,
  fn() {
    const theirs: Pair[] = JSON.parse(
      Deno.readTextFileSync(`${reference}/instruction-data.json`),
    );
    const plain = (...texts: string[]) => check.wordsOf(texts.join(" ")).join(" ");
    const asked = new Set(theirs.map((pair) => plain(pair.instruction, pair.input)));
    const answers = new Set(theirs.map(({ output }) => plain(output)));
    const same = bare.filter(({ instruction, input, output }) =>
      asked.has(plain(instruction, input)) || (output.length > 40 && answers.has(plain(output)))
    );
    assertEquals(same, []);
  },
});
