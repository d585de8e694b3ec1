// Sheets for people: blind, filled in, and joined back.

import { stringify } from "@std/csv";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  blindSheet,
  joinBlindSheet,
  joinRatings,
  parseSheet,
  RATING_COLUMNS,
  ratingSheet,
  writeSheet,
} from "../../lib/eval/people.ts";

const answered = (name: string) =>
  Array.from({ length: 40 }, (_, i) => ({
    instruction: `Question ${i}`,
    input: "",
    output: "Yes.",
    model_response: `=${name}, "answer"\n${i}`,
  }));
const systems = { base: answered("base"), tuned: answered("tuned"), human: answered("human") };

Deno.test("blindSheet() hides whose answers are whose, and joinBlindSheet() finds it again", () => {
  const rows = parseSheet(writeSheet(blindSheet(systems, 5)));
  assertEquals(Object.keys(rows[0]), ["number", "question", "A", "B", "C", "better"]);
  assertEquals(rows[0].question, "Question 0"); // without the frame of an Alpaca prompt
  const first = rows.map((row) => /base|tuned|human/.exec(row.A)![0]);
  for (const name of Object.keys(systems)) assert(first.filter((one) => one === name).length > 5);
  // Someone who always knows the tuned model's, in another order of rows, with a tie and an empty row
  const filled = rows.map((row, i) => ({
    ...row,
    better: i === 0
      ? "tie"
      : i === 1
      ? ""
      : "ABC".split("").find((one) => row[one].includes("tuned"))!,
  })).reverse();
  const { wins, ties, empty, choices } = joinBlindSheet(filled, Object.keys(systems), 5);
  assertEquals([wins, ties, empty], [{ base: 0, tuned: 38, human: 0 }, 1, 1]);
  assertEquals(choices.slice(0, 3), ["tie", null, "tuned"]);
  assert(
    joinBlindSheet(filled, Object.keys(systems), 6).wins.tuned < 38,
    "another seed, other orders",
  );
});

Deno.test("joinBlindSheet() tests two systems, and names a field that it cannot read", () => {
  const two = { base: systems.base, tuned: systems.tuned };
  const rows = blindSheet(two, 1).map((row) => ({
    ...row,
    better: row.A.includes("tuned") ? "a" : "b",
  }));
  const { p, wins } = joinBlindSheet(rows, Object.keys(two), 1);
  assertEquals([wins.tuned, p], [40, 2 ** -39]);
  assertThrows(
    () => joinBlindSheet([{ number: "3", better: "C" }], ["base", "tuned"], 1),
    SyntaxError,
    'row 3: expected A, B or tie, found "C"',
  );
  assertThrows(() => blindSheet({ base: systems.base }, 1), RangeError, "1 systems");
});

Deno.test("ratingSheet() is rated from 1 to 5, and joinRatings() reads it", () => {
  const rows = parseSheet(writeSheet(ratingSheet(systems.base.slice(0, 2))));
  assertEquals(Object.keys(rows[0]).slice(3), [...RATING_COLUMNS]);
  const filled = rows.map((row, i) => ({ ...row, fluency: ["5", ""][i] })).reverse();
  assertEquals(joinRatings(filled).fluency, [5, null]);
  const semicolons = stringify(filled, { columns: Object.keys(rows[0]), separator: ";" });
  assertEquals(parseSheet(semicolons), filled);
  assertThrows(() => joinRatings([{ number: "1", fluency: "6" }]), SyntaxError, 'found "6"');
});
