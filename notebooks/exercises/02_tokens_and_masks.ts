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
  inputs: [["Hello, world", 3], ["naïve", 3], ["a", 1]],
  solution: (text: string, tokens: number) => [...text].length / tokens,
  mistakes: {
    "This is tokens per character: the other way round": (text: string, tokens: number) =>
      tokens / [...text].length,
  },
  hint: "Divide the number of characters by the number of tokens.",
});

export const shift = exercise({
  title: "2.2 Inputs and targets",
  inputs: [[[11, 12, 13, END]], [[7, END]]],
  solution: (ids: number[]): Labels => ({ inputs: ids.slice(0, -1), targets: ids.slice(1) }),
  mistakes: {
    "The targets are not shifted: the model is asked for what it just read": (ids: number[]) => ({
      inputs: ids.slice(0, -1),
      targets: ids.slice(0, -1),
    }),
    "The shift goes the wrong way: the model is asked for the token before": (ids: number[]) => ({
      inputs: ids.slice(1),
      targets: ids.slice(0, -1),
    }),
  },
  hint: "The input at i is to predict ids[i + 1]; the last token predicts nothing.",
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
  hint:
    "A prompt of n tokens has n − 1 targets inside itself: its last token already predicts the response.",
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
    "The padding counts: the model is taught to say end of text again and again": (
      targets: number[][],
      padId: number,
    ) => {
      const longest = Math.max(...targets.map((row) => row.length));
      return targets.map((row) => [...row, ...new Array<number>(longest - row.length).fill(padId)]);
    },
  },
  hint:
    "Tell padding from a closing token by its place, not by its id: only what you add is padding.",
});

export const sharedBeginning = exercise({
  title: "2.6 Tokens that a forest computes",
  inputs: [
    [[[1, 2, 3], [1, 2, 4]]],
    [[[1, 2, 3], [1, 2, 3], [1, 5]]],
    [[[1], [2, 3]]],
    [[[1, 2, 9, 9], [1, 2, 9, 8], [1, 3, 9, 9]]],
  ],
  solution: (sequences: number[][]) =>
    new Set(sequences.flatMap((ids) => ids.map((_, i) => ids.slice(0, i + 1).join()))).size,
  mistakes: {
    "Equal tokens count once wherever they stand; only those with the same tokens before them are shared":
      (sequences: number[][]) => new Set(sequences.flat()).size,
    "This is what a batch without sharing computes": (sequences: number[][]) =>
      sequences.flat().length,
    "Only what all sequences share is taken off; branches share too": (sequences: number[][]) => {
      let shared = 0;
      while (
        sequences.every((ids) => ids[shared] === sequences[0][shared] && shared < ids.length)
      ) {
        shared++;
      }
      return sequences.flat().length - (sequences.length - 1) * shared;
    },
  },
  hint: "Count different beginnings: put every prefix of every sequence into a Set.",
});

/** What can be wrong with labels, as {@linkcode diagnose} wants it named. */
export type Bug = "none" | "not shifted" | "shifted twice" | "closing masked" | "prompt counted";

export const diagnose = exercise({
  title: "2.5 Which bug is it?",
  inputs: [[]],
  solution: (): Bug[] => ["closing masked", "not shifted", "prompt counted"],
  mistakes: {
    "In the second the targets are the inputs themselves: look for a target under its own token":
      (): Bug[] => ["closing masked", "shifted twice", "prompt counted"],
    "In the first nothing asks for the end of text after the response: look at its last targets":
      (): Bug[] => ["none", "not shifted", "prompt counted"],
    "In the third targets stand under the prompt too: look for its dashes": (): Bug[] => [
      "closing masked",
      "not shifted",
      "none",
    ],
  },
  hint:
    "Look at the last target of a response, then at a target under its input, then at where counting begins.",
});
