/**
 * Families about numbers and units.
 *
 * @module
 */

import { inWords, units } from "../../lexicon/numbers.ts";
import { distinct, type Family, type Item } from "./family.ts";

/** The largest number of the additions and comparisons. */
const LIMIT = 10;

function every(low: number, high: number, item: (n: number) => Item): Item[] {
  return Array.from({ length: high - low + 1 }, (_, i) => item(low + i));
}

/** The families about numbers. */
export const numberFamilies: readonly Family[] = [
  {
    name: "addition",
    about: `The sum of two numbers up to ${LIMIT}`,
    count: 16,
    wordings: [
      { instruction: "Add the numbers {a} and {b}." },
      { instruction: "Find the sum of these numbers.", input: "Numbers: {a}, {b}" },
    ],
    answer: "The sum of {a} and {b} is {c}.",
    items: (random) =>
      distinct(40, () => {
        const [a, b] = [random.between(1, LIMIT), random.between(1, LIMIT)];
        return {
          key: [a, b].sort((x, y) => x - y).join("+"),
          fields: { a: `${a}`, b: `${b}`, c: `${a + b}` },
        };
      }),
  },
  {
    name: "subtraction",
    about: `What is left when a number up to ${LIMIT} is taken away`,
    count: 10,
    wordings: [
      { instruction: "Calculate {a} minus {b}." },
      { instruction: "Find the difference of these numbers.", input: "Numbers: {a}, {b}" },
    ],
    answer: "The difference of {a} and {b} is {c}.",
    items: (random) =>
      distinct(60, () => {
        const b = random.between(1, LIMIT);
        const a = b + random.between(1, LIMIT);
        return { key: `${a}-${b}`, fields: { a: `${a}`, b: `${b}`, c: `${a - b}` } };
      }),
  },
  {
    name: "multiplication",
    about: "The product of two numbers from 2 to 9",
    count: 14,
    wordings: [
      { instruction: "Multiply {a} by {b}." },
      { instruction: "Find the product of these numbers.", input: "Numbers: {a}, {b}" },
    ],
    answer: "The product of {a} and {b} is {c}.",
    items: (random) =>
      distinct(30, () => {
        const [a, b] = [random.between(2, 9), random.between(2, 9)];
        return {
          key: [a, b].sort((x, y) => x - y).join("*"),
          fields: { a: `${a}`, b: `${b}`, c: `${a * b}` },
        };
      }),
  },
  {
    name: "even-odd",
    about: "Whether a number up to 60 is even or odd",
    count: 14,
    wordings: [
      { instruction: "Is {a} even or odd?" },
      { instruction: "Decide whether this number is even or odd.", input: "Number: {a}" },
    ],
    answer: "The number {a} is {b}.",
    balance: ({ fields }) => fields.b,
    items: () =>
      every(2, 60, (n) => ({ key: `${n}`, fields: { a: `${n}`, b: n % 2 ? "odd" : "even" } })),
  },
  {
    name: "larger",
    about: "The larger of two numbers up to 60",
    count: 12,
    wordings: [
      { instruction: "Which number is larger, {a} or {b}?" },
      { instruction: "Name the larger of these two numbers.", input: "Numbers: {a}, {b}" },
    ],
    answer: "The larger number is {c}.",
    items: (random) =>
      distinct(60, () => {
        const [a, b] = random.sample(Array.from({ length: 60 }, (_, i) => i + 1), 2);
        return {
          key: [a, b].sort((x, y) => x - y).join(" "),
          fields: { a: `${a}`, b: `${b}`, c: `${Math.max(a, b)}` },
        };
      }),
  },
  {
    name: "sort-numbers",
    about: "Three numbers up to 60 from smallest to largest",
    count: 10,
    wordings: [
      { instruction: "Sort these numbers from smallest to largest.", input: "Numbers: {a}" },
      { instruction: "Put these numbers in increasing order: {a}" },
    ],
    answer: "From smallest to largest: {b}",
    items: (random) =>
      distinct(40, () => {
        const three = random.sample(Array.from({ length: 60 }, (_, i) => i + 1), 3);
        const sorted = three.toSorted((x, y) => x - y);
        return {
          key: sorted.join(" "),
          fields: { a: three.join(", "), b: sorted.join(", ") },
        };
      }),
  },
  {
    name: "next-number",
    about: "The number that comes after a number up to 60",
    count: 12,
    wordings: [
      { instruction: "Which number comes right after {a}?" },
      { instruction: "Name the number that follows.", input: "Number: {a}" },
    ],
    answer: "The number after {a} is {b}.",
    items: () => every(3, 60, (n) => ({ key: `${n}`, fields: { a: `${n}`, b: `${n + 1}` } })),
  },
  {
    name: "number-words",
    about: "A number up to 60 written in words",
    count: 14,
    wordings: [
      { instruction: "Write the number {a} in words." },
      { instruction: "Spell out this number.", input: "Number: {a}" },
    ],
    answer: "The number {a} is written {b}.",
    items: () => every(11, 60, (n) => ({ key: `${n}`, fields: { a: `${n}`, b: inWords(n) } })),
  },
  {
    name: "units",
    about: "A small whole amount in the next smaller unit",
    count: 20,
    wordings: [
      { instruction: "Express {n} {from} in {to}." },
      { instruction: "Change this amount into {to}.", input: "Amount: {n} {from}" },
      { instruction: "How many {to} are in {n} {from}?" },
    ],
    answer: "An amount of {n} {from} equals {m} {to}.",
    balance: ({ fields }) => fields.from,
    items: () =>
      units.flatMap(({ from, to, factor }) =>
        every(2, 9, (n) => ({
          key: `${n} ${from}`,
          fields: { n: `${n}`, m: `${n * factor}`, from, to },
        }))
      ),
  },
];
