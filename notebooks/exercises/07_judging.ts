// The exercises of chapter 7. The solutions here are independent of the library, which they check.

import { exercise } from "tunebook/course";

const common = (a: string[], b: string[]): number => {
  // The table of the textbook: best[i][j] for the first i and j words.
  const best = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      best[i][j] = a[i - 1] === b[j - 1]
        ? best[i - 1][j - 1] + 1
        : Math.max(best[i - 1][j], best[i][j - 1]);
    }
  }
  return best[a.length][b.length];
};

const split = (text: string) => text.split(" ");

export const longestCommon = exercise({
  title: "7.1 The longest common subsequence",
  inputs: [
    [split("the cat sat on the mat"), split("the cat on a mat")],
    [split("a b c"), split("c b a")],
    [split("x"), split("y")],
    [split("a a b"), split("a b a b")],
    [split("x a b c"), split("a b c x")],
  ],
  solution: common,
  mistakes: {
    "These are words in common, whatever their order": (a: string[], b: string[]) => {
      const left = [...b];
      return a.filter((word) => {
        const at = left.indexOf(word);
        if (at >= 0) left.splice(at, 1);
        return at >= 0;
      }).length;
    },
    "This takes the next match of each word, even if that skips many others: leaving a word out can give more":
      (a: string[], b: string[]) => {
        let [at, length] = [0, 0];
        for (const word of a) {
          const next = b.indexOf(word, at);
          if (next >= 0) [at, length] = [next + 1, length + 1];
        }
        return length;
      },
    "This is the longest run without a gap; a subsequence may skip words": (
      a: string[],
      b: string[],
    ) => {
      let longest = 0;
      a.forEach((_, i) =>
        b.forEach((_, j) => {
          let length = 0;
          while (i + length < a.length && a[i + length] === b[j + length]) length++;
          longest = Math.max(longest, length);
        })
      );
      return longest;
    },
  },
  hint: "What do you know if the last words of both lists are equal, and what if they differ?",
});

const count = (replies: (number | null)[]) => {
  const scores = replies.filter((reply) => reply !== null);
  return {
    mean: scores.reduce((sum, score) => sum + score, 0) / scores.length,
    scored: scores.length,
    lost: replies.length - scores.length,
  };
};

export const account = exercise({
  title: "7.2 Account for every reply",
  inputs: [[["80", "I think 70.", "60"]], [["100", "101", " 0 "]], [["5"]], [
    ["", "7.5", "-3", "40", "90 points"],
  ]],
  solution: (replies: string[]) =>
    count(
      replies.map((reply) =>
        /^\s*\d+\s*$/.test(reply) && Number(reply) <= 100 ? Number(reply) : null
      ),
    ),
  mistakes: {
    "A reply without a score counts as 0": (replies: string[]) => {
      const scores = replies.map((reply) =>
        /^\s*\d+\s*$/.test(reply) && Number(reply) <= 100 ? Number(reply) : 0
      );
      return count(scores);
    },
    "This takes numbers out of sentences: a judge that says “not 70” would give 70": (
      replies: string[],
    ) =>
      count(replies.map((reply) => {
        const found = /\d+/.exec(reply);
        return found && Number(found[0]) <= 100 ? Number(found[0]) : null;
      })),
    "`Number` accepts more than integers: it makes 0 of an empty reply, and 7.5 of “7.5”": (
      replies: string[],
    ) =>
      count(replies.map((reply) => {
        const score = Number(reply);
        return score >= 0 && score <= 100 ? score : null;
      })),
    "`parseInt` reads the number at the beginning and ignores the rest of the reply": (
      replies: string[],
    ) =>
      count(replies.map((reply) => {
        const score = parseInt(reply);
        return score >= 0 && score <= 100 ? score : null;
      })),
    "Scores above 100 are accepted": (replies: string[]) =>
      count(replies.map((reply) => /^\s*\d+\s*$/.test(reply) ? Number(reply) : null)),
  },
  hint: "Which of “80”, “I think 70.”, “ 0 ” and “101” are scores?",
});

export const standardError = exercise({
  title: "7.3 How sure is a mean?",
  inputs: [[[10, 20, 30, 40]], [[50, 50, 50]], [[0, 100]]],
  solution: (scores: number[]) => {
    const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
    const squares = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0);
    return Math.sqrt(squares / (scores.length - 1) / scores.length);
  },
  mistakes: {
    "This is the spread of single scores; a mean of n varies √n times less": (scores: number[]) => {
      const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
      const squares = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0);
      return Math.sqrt(squares / (scores.length - 1));
    },
    "This divides by n, not by n − 1: the mean was estimated from the same scores": (
      scores: number[],
    ) => {
      const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
      const squares = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0);
      return Math.sqrt(squares / scores.length / scores.length);
    },
  },
  hint: "How far are single scores from their mean? How does a mean of n scores compare?",
});

export const resample = exercise({
  title: "7.4 One draw of the bootstrap",
  inputs: [[[1, 2, 3], [2, 2, 5], [0, 0, 2]], [[5, 1], [4, 4], [1, 1]], [[1, 2], [3, 7], [
    1,
    0,
    1,
  ]]],
  solution: (a: number[], b: number[], places: number[]) =>
    places.reduce((sum, i) => sum + b[i] - a[i], 0) / places.length,
  mistakes: {
    "The sign is wrong: the difference should be positive if b is better": (
      a: number[],
      b: number[],
      places: number[],
    ) => places.reduce((sum, i) => sum + a[i] - b[i], 0) / places.length,
    "This divides by the number of examples; the mean is over the places": (
      a: number[],
      b: number[],
      places: number[],
    ) => places.reduce((sum, i) => sum + b[i] - a[i], 0) / a.length,
    "The drawn places are not used": (a: number[], b: number[]) =>
      a.reduce((sum, _, i) => sum + b[i] - a[i], 0) / a.length,
  },
  hint: "If an example was drawn twice, how often should its difference count?",
});
