// The exercises of chapter 1. The solutions here are independent of the library, which they check.

import { exercise } from "tunebook/course";

const wordsOf = (text: string) =>
  text.toLowerCase().split(/[^a-z0-9]+/).filter((word) => word !== "");

export const words = exercise({
  title: "1.1 Words of a text",
  inputs: [["What is the plural of FOX?"], ["a - b"], [""], ["one, two; one"], [
    "Count to 10.",
  ]],
  solution: (text: string) => wordsOf(text),
  mistakes: {
    "There are empty words where two separators meet, and at the end of a text": (text: string) =>
      text.toLowerCase().split(/[^a-z0-9]/),
    "Upper and lower case are still different words": (text: string) =>
      text.split(/[^A-Za-z0-9]+/).filter((word) => word !== ""),
    "Numbers are words too": (text: string) => text.toLowerCase().match(/[a-z]+/g) ?? [],
    "The words still have their punctuation": (text: string) =>
      text.toLowerCase().split(/\s+/).filter((word) => word !== ""),
  },
  hint: "What does your code do if a text has no word at all, or punctuation between spaces?",
});

export const similarity = exercise({
  title: "1.2 How alike are two texts?",
  inputs: [["a b c", "b c d"], ["the cat", "the cat the cat"], ["a", "b"], ["x y z", "x"], [
    "The cat.",
    "the CAT",
  ]],
  solution: (a: string, b: string) => {
    const [left, right] = [new Set(wordsOf(a)), new Set(wordsOf(b))];
    const shared = [...left].filter((word) => right.has(word)).length;
    return shared / (left.size + right.size - shared);
  },
  mistakes: {
    "Words that occur twice count twice: use sets": (a: string, b: string) => {
      const [left, right] = [wordsOf(a), wordsOf(b)];
      const shared = left.filter((word) => right.includes(word)).length;
      return shared / (left.length + right.length - shared);
    },
    "“The” and “the” are the same word, and words have no punctuation: see exercise 1.1": (
      a: string,
      b: string,
    ) => {
      const [left, right] = [new Set(a.split(" ")), new Set(b.split(" "))];
      return left.intersection(right).size / left.union(right).size;
    },
    "The denominator counts the shared words twice: subtract them once": (a: string, b: string) => {
      const [left, right] = [new Set(wordsOf(a)), new Set(wordsOf(b))];
      const shared = [...left].filter((word) => right.has(word)).length;
      return shared / (left.size + right.size);
    },
    "This divides by the words of the first text only, so the order of the texts matters": (
      a: string,
      b: string,
    ) => {
      const [left, right] = [new Set(wordsOf(a)), new Set(wordsOf(b))];
      return [...left].filter((word) => right.has(word)).length / left.size;
    },
  },
  hint: "Which words belong to both texts, and which to at least one of them?",
});

/** Indices of a training and a held-out entry that are alike. */
export type Leak = [train: number, heldOut: number];

const leaksOf = (train: string[], heldOut: string[], threshold: number): Leak[] =>
  heldOut.flatMap((b, j) =>
    train.flatMap((a, i): Leak[] => {
      const alike = similarity.solution(a, b);
      return (alike as number) >= threshold ? [[i, j]] : [];
    })
  );

const sets: [string[], string[], number][] = [
  [["Name a fruit", "Say hello", "PLEASE name a fruit!"], ["name a fruit.", "Count to ten"], 0.7],
  [["a b c d", "x y"], ["y x", "a b c"], 0.75],
  [["a"], ["b"], 0.5],
];

export const leaks = exercise({
  title: "1.3 Find what leaks",
  inputs: sets,
  solution: leaksOf,
  mistakes: {
    "Only the first match of each held-out entry is found": (
      train: string[],
      heldOut: string[],
      threshold: number,
    ) =>
      heldOut.flatMap((_, j) =>
        leaksOf(train, heldOut, threshold).filter((leak) => leak[1] === j).slice(0, 1)
      ),
    "Exact copies are found, reworded ones are not": (train: string[], heldOut: string[]) =>
      heldOut.flatMap((b, j) => train.flatMap((a, i): Leak[] => a === b ? [[i, j]] : [])),
    "The pairs are the wrong way round: the training entry comes first": (
      train: string[],
      heldOut: string[],
      threshold: number,
    ) => leaksOf(train, heldOut, threshold).map(([i, j]): Leak => [j, i]),
  },
  hint:
    "Is a similarity equal to the threshold a leak? In which order do your loops find the pairs?",
});

export const splitGroups = exercise({
  title: "1.4 A split that cannot leak",
  inputs: [[["a", "b", "a", "c", "b", "d"], 0.5], [["x", "x", "x"], 0.5], [
    ["p", "q", "r", "s"],
    0.25,
  ], [["z", "a", "m", "z"], 0.4]],
  solution: (groups: string[], share: number) => {
    const names = [...new Set(groups)];
    const train = new Set(names.slice(0, Math.ceil(names.length * share)));
    return groups.map((name) => train.has(name));
  },
  mistakes: {
    "This splits entries, not groups: some groups are on both sides": (
      groups: string[],
      share: number,
    ) => groups.map((_, i) => i < Math.ceil(groups.length * share)),
    "The groups are sorted by name; they go to training in the order of their first appearance": (
      groups: string[],
      share: number,
    ) => {
      const names = [...new Set(groups)].sort();
      const train = new Set(names.slice(0, Math.ceil(names.length * share)));
      return groups.map((name) => train.has(name));
    },
    "The number of groups is rounded to the nearest; it should be rounded up": (
      groups: string[],
      share: number,
    ) => {
      const names = [...new Set(groups)];
      const train = new Set(names.slice(0, Math.round(names.length * share)));
      return groups.map((name) => train.has(name));
    },
    "The number of groups is rounded down, so a single group is lost": (
      groups: string[],
      share: number,
    ) => {
      const names = [...new Set(groups)];
      const train = new Set(names.slice(0, Math.floor(names.length * share)));
      return groups.map((name) => train.has(name));
    },
  },
  hint: "How many different groups are there, and which of them are on the training side?",
});
