// The exercises of chapter 10. The solutions here are independent of the library, which they check.

import { exercise } from "tunebook/course";

/** Log-probabilities of both answers of a pair, under the model and under the reference, in nats. */
export interface PairLogProbs {
  chosen: number;
  rejected: number;
  chosenReference: number;
  rejectedReference: number;
}

const pair = (
  chosen: number,
  rejected: number,
  chosenReference: number,
  rejectedReference: number,
): PairLogProbs => ({ chosen, rejected, chosenReference, rejectedReference });

const marginOf = ({ chosen, rejected, chosenReference, rejectedReference }: PairLogProbs) =>
  chosen - chosenReference - (rejected - rejectedReference);
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const sigmoid = (x: number) => Math.exp(-softplus(-x));

const PAIRS: [PairLogProbs, number][] = [
  [pair(-4, -9, -5, -7), 0.1],
  [pair(-4, -2, -3, -6), 0.5],
  [pair(-10, -3, -10, -3), 0.1],
];

export const pairLoss = exercise({
  title: "10.1 The loss of a pair",
  inputs: [...PAIRS, [pair(-10, -10, -10, -9000), 0.1]],
  solution: (logProbs: PairLogProbs, beta: number) => softplus(-beta * marginOf(logProbs)),
  mistakes: {
    "The reference is missing: this asks which answer is more likely, not which one became more likely":
      ({ chosen, rejected }: PairLogProbs, beta: number) => softplus(-beta * (chosen - rejected)),
    "The answers are exchanged: this teaches the model to prefer the rejected one": (
      logProbs: PairLogProbs,
      beta: number,
    ) => softplus(beta * marginOf(logProbs)),
    "β is missing": (logProbs: PairLogProbs) => softplus(-marginOf(logProbs)),
    "This is the sigmoid itself; the loss is its negative logarithm": (
      logProbs: PairLogProbs,
      beta: number,
    ) => sigmoid(beta * marginOf(logProbs)),
    "The sign is wrong: a loss is never below 0": (logProbs: PairLogProbs, beta: number) =>
      -softplus(-beta * marginOf(logProbs)),
    "The last pair is too large for exp(): its loss is finite, but this is Infinity": (
      logProbs: PairLogProbs,
      beta: number,
    ) => Math.log(1 + Math.exp(-beta * marginOf(logProbs))),
  },
  hint:
    "By how much did the chosen answer become more likely, and by how much the rejected one? `Math.log1p` and the larger of 0 and a number keep exp() small.",
});

export const push = exercise({
  title: "10.2 How hard a pair pushes",
  inputs: PAIRS,
  solution: (logProbs: PairLogProbs, beta: number) => {
    const weight = beta * sigmoid(-beta * marginOf(logProbs));
    return { chosen: -weight, rejected: weight };
  },
  mistakes: {
    "The signs are wrong: where the loss falls as a log-probability rises, the gradient is negative":
      (logProbs: PairLogProbs, beta: number) => {
        const weight = beta * sigmoid(-beta * marginOf(logProbs));
        return { chosen: weight, rejected: -weight };
      },
    "This pushes most where the model is right already; the sigmoid's argument needs the other sign":
      (logProbs: PairLogProbs, beta: number) => {
        const weight = beta * sigmoid(beta * marginOf(logProbs));
        return { chosen: -weight, rejected: weight };
      },
    "The factor β in front is missing: it comes from the inner derivative": (
      logProbs: PairLogProbs,
      beta: number,
    ) => {
      const weight = sigmoid(-beta * marginOf(logProbs));
      return { chosen: -weight, rejected: weight };
    },
  },
  hint:
    "Which sign has a derivative if the loss falls as the number rises? What is the derivative of the logarithm of the sigmoid?",
});

/** The steps of a training, as numbers that the loop reports. */
export interface Course {
  /** The chosen answers' mean log-probability at each step. */
  chosen: number[];
  /** The same of the rejected answers. */
  rejected: number[];
}

export const collapse = exercise({
  title: "10.3 The first step of a collapse",
  inputs: [
    [{ chosen: [-3, -2, -2, -4, -6], rejected: [-5, -7, -9, -14, -20] }],
    [{ chosen: [-3, -4, -2], rejected: [-5, -5, -8] }],
    [{ chosen: [-3, -2, -2], rejected: [-5, -6, -7] }],
    [{ chosen: [-3, -1, -2, -5], rejected: [-5, -6, -8, -12] }],
    [{ chosen: [-3, -3, -4], rejected: [-5, -9, -12] }],
    [{ chosen: [-3, -4], rejected: [-5, -6] }],
  ],
  solution: ({ chosen, rejected }: Course) =>
    chosen.findIndex((one, i) => one < chosen[0] && one - rejected[i] > chosen[0] - rejected[0]),
  mistakes: {
    "This compares with the step before; a bad batch does that, too. Compare with the first step": (
      { chosen, rejected }: Course,
    ) =>
      chosen.findIndex((one, i) =>
        i > 0 && one < chosen[i - 1] && one - rejected[i] > chosen[i - 1] - rejected[i - 1]
      ),
    "The margin is not compared: the second training has not become better by its own measure": (
      { chosen }: Course,
    ) => chosen.findIndex((one) => one < chosen[0]),
    "As likely as at the first step is not less likely": ({ chosen, rejected }: Course) =>
      chosen.findIndex((one, i) => one <= chosen[0] && one - rejected[i] > chosen[0] - rejected[0]),
    "A margin that equals the first is not larger": ({ chosen, rejected }: Course) =>
      chosen.findIndex((one, i) => one < chosen[0] && one - rejected[i] >= chosen[0] - rejected[0]),
    "This looks at the rejected answer; it is meant to become less likely": (
      { chosen, rejected }: Course,
    ) =>
      rejected.findIndex((one, i) =>
        one < rejected[0] && chosen[i] - one > chosen[0] - rejected[0]
      ),
  },
  hint:
    "Both conditions compare a step with the first one. What does `findIndex` return if no step meets them?",
});

/** Two answers, as texts. */
export interface TextPair {
  chosen: string;
  rejected: string;
}

const words = (text: string) => text.split(" ").length;
const shareOf = (pairs: TextPair[], credit: (chosen: number, rejected: number) => number) =>
  pairs.reduce((sum, { chosen, rejected }) => sum + credit(words(chosen), words(rejected)), 0) /
  pairs.length;

export const longerWins = exercise({
  title: "10.4 What length alone gets right",
  inputs: [
    [[
      { chosen: "It is Rome.", rejected: "The capital of Italy is Rome." },
      { chosen: "I do not know.", rejected: "It is blue." },
      { chosen: "Yes, of course.", rejected: "Certainly not, no." },
      { chosen: "It is really very far away.", rejected: "It is incomprehensible, unfortunately." },
    ]],
    [[{ chosen: "It is ten. I hope that helps.", rejected: "It is ten." }]],
  ],
  solution: (pairs: TextPair[]) =>
    shareOf(pairs, (chosen, rejected) => chosen === rejected ? 0.5 : Number(chosen > rejected)),
  mistakes: {
    "Equal lengths count as wrong; tossing a coin would get half of them right": (
      pairs: TextPair[],
    ) => shareOf(pairs, (chosen, rejected) => Number(chosen > rejected)),
    "Equal lengths count as right": (pairs: TextPair[]) =>
      shareOf(pairs, (chosen, rejected) => Number(chosen >= rejected)),
    "This is how often the shorter answer wins": (pairs: TextPair[]) =>
      shareOf(pairs, (chosen, rejected) => chosen === rejected ? 0.5 : Number(chosen < rejected)),
    "This counts characters, not words": (pairs: TextPair[]) =>
      pairs.reduce(
        (sum, { chosen, rejected }) =>
          sum +
          (chosen.length === rejected.length ? 0.5 : Number(chosen.length > rejected.length)),
        0,
      ) / pairs.length,
  },
  hint: "Which answer would the rule choose in each pair? What should a tie be worth?",
});
