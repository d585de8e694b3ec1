/**
 * Checks the instruction set: `deno run -A data/instructions/check.ts [--words FILE]`.
 *
 * Format, length, duplicates and near-duplicates, balance, the exactness of the answers that can be
 * worked out, and leaks across the split. With `--words` (a list, one word a line) it also names the
 * words that the list lacks. Prints what it finds and ends with status 1 if anything is wrong.
 *
 * @module
 */

import { misspellings } from "../lexicon/spelling.ts";
import { inWords } from "../lexicon/numbers.ts";
import { families, type Pair } from "./families/mod.ts";
import { everyWording, type LabelledPair, makePairs } from "./make.ts";

/** Bounds on the lengths of the fields, in characters. */
export const LIMITS = { instruction: 130, input: 200, output: 240 } as const;

/** Core pairs whose words overlap more than this (Jaccard) are called near-duplicates. */
export const NEAR = 0.8;

/** Words in lower case, punctuation dropped. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu) ?? [];
}

function plain(text: string): string {
  return wordsOf(text).join(" ");
}

/** Faults of form: fields, blanks, lengths, characters, how a text begins and ends. */
export function checkFormat(pairs: readonly Pair[]): string[] {
  const faults: string[] = [];
  pairs.forEach((pair, i) => {
    const fail = (why: string) => faults.push(`Pair ${i} ("${pair.instruction}"): ${why}`);
    if (Object.keys(pair).join() !== "instruction,input,output") {
      return fail(`its fields are "${Object.keys(pair).join()}"`);
    }
    for (const name of ["instruction", "input", "output"] as const) {
      const text: unknown = pair[name];
      if (typeof text !== "string") return fail(`the ${name} is not a string`);
      if (text !== text.trim()) fail(`the ${name} begins or ends with a blank`);
      if (text.length > LIMITS[name]) fail(`the ${name} is longer than ${LIMITS[name]} characters`);
      if (/[^\x20-\x7E\nà-üß]/.test(text)) fail(`the ${name} has an unusual character`);
      if (/[a-z,.] {2,}[a-z]/i.test(text)) fail(`the ${name} has two blanks in a row`);
    }
    if (pair.instruction === "" || pair.output === "") fail("the instruction or output is empty");
    if (!/^\p{Lu}/u.test(pair.instruction)) fail("the instruction begins in lower case");
    if (!/[.?:)"]$/.test(pair.instruction) && !/[:] /.test(pair.instruction)) {
      fail("the instruction ends without punctuation");
    }
  });
  return faults;
}

/** Pairs that ask the same, and pairs that differ too little. */
export function checkDuplicates(pairs: readonly Pair[], isCore: (i: number) => boolean): string[] {
  const faults: string[] = [];
  const asked = new Map<string, number>();
  const answered = new Map<string, number>();
  pairs.forEach(({ instruction, input, output }, i) => {
    // The question and its blanks matter here, so only case and runs of white space are ignored.
    const question = `${instruction}\n${input}`.toLowerCase().replace(/\s+/g, " ");
    const earlier = asked.get(question);
    if (earlier !== undefined) faults.push(`Pairs ${earlier} and ${i} ask the same: "${question}"`);
    asked.set(question, i);
    if (!isCore(i) || output.length <= 40) return;
    const same = answered.get(plain(output));
    if (same !== undefined) faults.push(`Pairs ${same} and ${i} have one answer: "${output}"`);
    answered.set(plain(output), i);
  });
  const bags = pairs.map(({ instruction, input, output }, i) =>
    isCore(i) ? new Set(wordsOf(`${instruction} ${input} ${output}`)) : undefined
  );
  bags.forEach((bag, i) => {
    if (!bag) return;
    for (let j = 0; j < i; j++) {
      const other = bags[j];
      if (!other) continue;
      const shared = bag.intersection(other).size;
      const likeness = shared / (bag.size + other.size - shared);
      if (likeness > NEAR) {
        faults.push(
          `Pairs ${j} and ${i} are near-duplicates (${likeness.toFixed(2)}): ` +
            `"${pairs[j].instruction}" and "${pairs[i].instruction}"`,
        );
      }
    }
  });
  return faults;
}

/** How many pairs of each family stand in a part of the file. */
export function countFamilies(pairs: readonly { family: string }[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { family } of pairs) counts.set(family, (counts.get(family) ?? 0) + 1);
  return counts;
}

/** Families that a split holds out of proportion, by more than one pair. */
export function checkBalance(
  pairs: readonly { family: string }[],
  splits: readonly number[],
): string[] {
  const whole = countFamilies(pairs);
  const faults: string[] = [];
  let start = 0;
  for (const length of splits) {
    const part = countFamilies(pairs.slice(start, start + length));
    for (const [family, count] of whole) {
      const due = count * length / pairs.length;
      const got = part.get(family) ?? 0;
      if (Math.abs(got - due) >= 1 + 1e-9) {
        faults.push(
          `The pairs ${start} to ${start + length - 1} hold ${got} of "${family}", ` +
            `expected about ${due.toFixed(1)}`,
        );
      }
    }
    start += length;
  }
  return faults;
}

/** Held-out pairs that the training part asks too, in any wording. */
export function checkLeaks(pairs: readonly LabelledPair[], train: number): string[] {
  const texts = ({ instruction, input, output }: Pair) =>
    plain(`${instruction} ${input} ${output}`);
  const known = new Set(pairs.slice(0, train).flatMap(everyWording).map(texts));
  return pairs.slice(train).filter((pair) =>
    everyWording(pair).some((wording) => known.has(texts(wording)))
  ).map((pair) => `The held-out pair "${pair.instruction}" is asked in training too`);
}

/** What can be worked out from the text alone: a pattern of the answer and whether it is true. */
const sums: readonly [RegExp, (...parts: string[]) => boolean][] = [
  [/^The sum of (\d+) and (\d+) is (\d+)\.$/, (a, b, c) => Number(a) + Number(b) === Number(c)],
  [
    /^The difference of (\d+) and (\d+) is (\d+)\.$/,
    (a, b, c) => Number(a) - Number(b) === Number(c),
  ],
  [/^The product of (\d+) and (\d+) is (\d+)\.$/, (a, b, c) => Number(a) * Number(b) === Number(c)],
  [/^The number (\d+) is (even|odd)\.$/, (a, b) => (Number(a) % 2 === 0) === (b === "even")],
  [/^The number after (\d+) is (\d+)\.$/, (a, b) => Number(a) + 1 === Number(b)],
  [/^The number (\d+) is written (.+)\.$/, (a, b) => inWords(Number(a)) === b],
  [/^The word (\w+) has (\d+) letters\.$/, (a, b) => a.length === Number(b)],
  [/^The word (\w+) starts with (\w)\.$/, (a, b) => a.startsWith(b)],
  [
    /^Backwards, the word (\w+) is spelled (.+)\.$/,
    (a, b) => [...a].join("") === [...b.replaceAll("-", "")].reverse().join(""),
  ],
  [/^In alphabetical order: (.+)$/, (a) => isSorted(a.split(", "), (x, y) => x < y)],
  [
    /^From smallest to largest: (.+)$/,
    (a) => isSorted(a.split(", ").map(Number), (x, y) => x < y),
  ],
];

function isSorted<T>(items: T[], before: (a: T, b: T) => boolean): boolean {
  return items.every((item, i) => i === 0 || before(items[i - 1], item));
}

/** Whether an answer has one of the patterns that can be worked out, and holds. */
export function isWorkedOut(output: string): boolean {
  return sums.some(([pattern, holds]) => {
    const found = pattern.exec(output);
    return found !== null && holds(...found.slice(1));
  });
}

/** Answers that are wrong by arithmetic or by their letters. */
export function checkAnswers(pairs: readonly Pair[]): string[] {
  return pairs.flatMap(({ output }) =>
    sums.flatMap(([pattern, holds]) => {
      const found = pattern.exec(output);
      return found && !holds(...found.slice(1)) ? [`The answer "${output}" is wrong`] : [];
    })
  );
}

/** Misspellings of the lexicon that stand anywhere but in the pairs about spelling. */
export function checkSpelling(pairs: readonly LabelledPair[]): string[] {
  const wrong = new Set(misspellings.map(([bad]) => bad));
  return pairs.filter(({ family }) => family !== "spelling").flatMap((pair) =>
    wordsOf(`${pair.instruction} ${pair.input} ${pair.output}`)
      .filter((found) => wrong.has(found))
      .map((found) => `"${found}" in "${pair.instruction}" is misspelled`)
  );
}

/** Every fault of the set; none when it is sound. */
export function checkAll(pairs: readonly LabelledPair[], splits: readonly number[]): string[] {
  const synthetic = new Set(families.map(({ name }) => name));
  const bare = pairs.map(({ instruction, input, output }) => ({ instruction, input, output }));
  return [
    ...checkFormat(bare),
    ...checkDuplicates(bare, (i) => !synthetic.has(pairs[i].family)),
    ...checkBalance(pairs, splits),
    ...checkLeaks(pairs, splits[0]),
    ...checkAnswers(bare),
    ...checkSpelling(pairs),
  ];
}

/** The lengths of the three splits of a set: training 85 %, test 10 %, validation the rest. */
export function splitLengths(count: number): [number, number, number] {
  const train = Math.trunc(count * 0.85);
  const test = Math.trunc(count * 0.1);
  return [train, test, count - train - test];
}

if (import.meta.main) {
  const pairs = makePairs();
  const faults = checkAll(pairs, splitLengths(pairs.length));
  const at = Deno.args.indexOf("--words");
  if (at >= 0) {
    const known = new Set(
      Deno.readTextFileSync(Deno.args[at + 1]).split("\n").map((line) => line.toLowerCase()),
    );
    const unknown = new Set(
      pairs.flatMap(({ instruction, output }) => wordsOf(`${instruction} ${output}`))
        .filter((found) => !/\d/.test(found) && !known.has(found)),
    );
    console.log(`Words that the list lacks: ${[...unknown].toSorted().join(" ")}`);
  }
  for (const [family, count] of countFamilies(pairs)) console.log(`${family}: ${count}`);
  for (const fault of faults) console.error(fault);
  console.log(`${pairs.length} pairs, ${faults.length} faults`);
  if (faults.length) Deno.exit(1);
}
