// The exercises of chapter 2. The solutions here are independent of the library, which they check.

import { exercise } from "tunebook/course";
import { IGNORE_INDEX } from "tunebook/data";

/** Pairs of inputs and targets. */
export interface Labels {
  inputs: number[];
  targets: number[];
}

const END = 50256;

export const countTokens = exercise({
  title: "2.1 Characters per token",
  inputs: [["Hello, world", 3], ["naïve", 3], ["Well done 👍🎉", 8], ["a", 1]],
  solution: (text: string, tokens: number) => [...text].length / tokens,
  mistakes: {
    "These are tokens per character, the inverse of what is asked for": (
      text: string,
      tokens: number,
    ) => tokens / [...text].length,
    "`length` counts UTF-16 units, of which an emoji has two: count the elements of `[...text]`": (
      text: string,
      tokens: number,
    ) => text.length / tokens,
  },
  hint: "How many characters has the text “👍”, and how many does your code count?",
});

export const shift = exercise({
  title: "2.2 Inputs and targets",
  inputs: [[[11, 12, 13, END]], [[7, END]]],
  solution: (ids: number[]): Labels => ({ inputs: ids.slice(0, -1), targets: ids.slice(1) }),
  mistakes: {
    "The targets are not shifted: the model is asked for the token it has just read": (
      ids: number[],
    ) => ({
      inputs: ids.slice(0, -1),
      targets: ids.slice(0, -1),
    }),
    "The shift goes the wrong way: the model is asked for the token before": (ids: number[]) => ({
      inputs: ids.slice(1),
      targets: ids.slice(0, -1),
    }),
  },
  hint: "Which token should the first input predict? Which token has nothing left to predict?",
});

export const maskPrompt = exercise({
  title: "2.3 Mask the prompt",
  inputs: [[[12, 13, 14, 15, END], 3], [[21, END], 1], [[31, 32, END], 2]],
  solution: (targets: number[], promptLength: number) =>
    targets.map((id, i) => i < promptLength - 1 ? IGNORE_INDEX : id),
  mistakes: {
    "Off by one: the first token of the response is masked too": (
      targets: number[],
      promptLength: number,
    ) => targets.map((id, i) => i < promptLength ? IGNORE_INDEX : id),
    "The response is masked, and the prompt counts": (targets: number[], promptLength: number) =>
      targets.map((id, i) => i < promptLength - 1 ? id : IGNORE_INDEX),
  },
  hint: "With a prompt of one token, how many targets are inside the prompt?",
});

export const pad = exercise({
  title: "2.4 Pad a batch",
  inputs: [[[[1, 2, END], [3, END]], END], [[[4, END], [5, 6, 7, END], [END]], END]],
  solution: (targets: number[][], _padId: number) => {
    const longest = Math.max(...targets.map((row) => row.length));
    return targets.map((row) => [
      ...row,
      ...new Array<number>(longest - row.length).fill(IGNORE_INDEX),
    ]);
  },
  mistakes: {
    "All end-of-text tokens are masked: the model would never learn to stop": (
      targets: number[][],
      padId: number,
    ) => {
      const longest = Math.max(...targets.map((row) => row.length));
      return targets.map((row) =>
        Array.from(
          { length: longest },
          (_, i) => row[i] === undefined || row[i] === padId ? IGNORE_INDEX : row[i],
        )
      );
    },
    "The padding counts: the model learns to repeat the end-of-text token": (
      targets: number[][],
      padId: number,
    ) => {
      const longest = Math.max(...targets.map((row) => row.length));
      return targets.map((row) => [...row, ...new Array<number>(longest - row.length).fill(padId)]);
    },
  },
  hint: "How can you tell padding from a closing token that has the same number?",
});

export const sharedBeginning = exercise({
  title: "2.6 Tokens that a forest computes",
  inputs: [
    [[[1, 2, 3], [1, 2, 4]]],
    [[[1, 2, 3], [1, 2, 3], [1, 5]]],
    [[[1], [2, 3]]],
    [[[1, 2, 9, 9], [1, 2, 9, 8], [1, 3, 9, 9]]],
    [[[1, 2], [3], [1, 2, 4]]], // shared with one that is not next to it
    [[[1, 23], [12, 3]]], // the same digits
  ],
  solution: (sequences: number[][]) =>
    new Set(sequences.flatMap((ids) => ids.map((_, i) => ids.slice(0, i + 1).join()))).size,
  mistakes: {
    "This counts equal tokens once wherever they are; only tokens with the same tokens before them are shared":
      (sequences: number[][]) => new Set(sequences.flat()).size,
    "Each sequence is compared with the one before it only; it may share its beginning with any other":
      (sequences: number[][]) =>
        sequences.reduce((sum, ids, i) => {
          let shared = 0;
          while (i > 0 && shared < ids.length && ids[shared] === sequences[i - 1][shared]) shared++;
          return sum + ids.length - shared;
        }, 0),
    "Different beginnings become the same string: [1, 23] and [12, 3] need something between the numbers":
      (sequences: number[][]) =>
        new Set(sequences.flatMap((ids) => ids.map((_, i) => ids.slice(0, i + 1).join("")))).size,
    "This is what a batch without sharing computes": (sequences: number[][]) =>
      sequences.flat().length,
    "Only the beginning that all sequences share counts once; two branches may share more": (
      sequences: number[][],
    ) => {
      let shared = 0;
      while (
        sequences.every((ids) => ids[shared] === sequences[0][shared] && shared < ids.length)
      ) {
        shared++;
      }
      return sequences.flat().length - (sequences.length - 1) * shared;
    },
  },
  hint: "When are two tokens of two sequences the same token of the forest?",
});

/** What can be wrong with labels, as {@linkcode diagnose} wants it named. */
export type Bug = "none" | "not shifted" | "shifted twice" | "closing masked" | "prompt counted";

const BUGS: readonly Bug[] = ["closing masked", "not shifted", "prompt counted"];

/** Where to look in a batch: what its bug shows, and what the bug that was named would show. */
const WHERE_TO_LOOK: Readonly<Record<Bug, string>> = {
  "none": "something is wrong with it",
  "not shifted": "a target that is not shifted equals the input above it",
  "shifted twice": "a target that is shifted twice equals the second input to its right",
  "closing masked":
    "if the closing token is masked, the last token of a response has a dash below it",
  "prompt counted": "if the prompt counts, there are targets below the prompt",
};

export const diagnose = exercise({
  title: "2.5 Which bug is it?",
  inputs: [[]],
  solution: (): Bug[] => [...BUGS],
  diagnose: ([answer]) => {
    if (!Array.isArray(answer) || answer.length !== BUGS.length) return undefined;
    const at = answer.findIndex((bug, i) => bug !== BUGS[i]);
    const named = answer[at] as Bug;
    if (!Object.hasOwn(WHERE_TO_LOOK, named)) return undefined;
    const batch = ["first", "second", "third"][at];
    return `In the ${batch} batch, ${named === "none" ? "" : `it is not "${named}": `}` +
      `${WHERE_TO_LOOK[named]}${named === "none" ? "" : "; is that so here?"}`;
  },
  hint:
    "Look below the last token of a response, then at a target and the inputs around it, then at " +
    "where the targets begin.",
});
