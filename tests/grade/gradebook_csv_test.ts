// Scores as CSV, written, read again, and filled into a course system's file.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { parse, stringify } from "@std/csv";
import fc from "fast-check";
import { fillScores, scoresToCsv } from "../../lib/grade/gradebook_csv.ts";

const SCORES = { rawScore: 3, latePenalty: 0.5, score: 2.5, maxScore: 4 };

Deno.test("scores have nbgrader's columns, are quoted and defused", () => {
  const csv = scoresToCsv([{
    ...{ assignment: "week1", due: new Date("2026-01-02T03:04:05Z"), student: "ada" },
    submitted: new Date("2026-01-02T03:04:05.678Z"),
    ...{ firstName: 'A, "B"', lastName: "=1+1", email: "a@b.c", ...SCORES },
  }]);
  assertEquals(parse(csv), [
    "assignment,duedate,timestamp,student_id,last_name,first_name,email,raw_score,late_submission_penalty,score,max_score"
      .split(","),
    [
      "week1",
      "2026-01-02 03:04:05",
      "2026-01-02 03:04:05.678000",
      "ada",
      "'=1+1",
      'A, "B"',
      "a@b.c",
      "3",
      "0.5",
      "2.5",
      "4",
    ],
  ]);
});

Deno.test("names survive the round trip, and none is a formula", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (lastName, email) => {
    const csv = scoresToCsv([{ assignment: "a", student: "s", lastName, email, ...SCORES }]);
    const row = parse(csv)[1];
    for (const [value, given] of [[row[4], lastName], [row[6], email]]) {
      assert(value === given || value === `'${given}`);
      assert(!/^\s*[=+@-]/.test(value));
    }
  }));
});

Deno.test("a course system's file is filled, the rest is untouched", () => {
  const text =
    '\uFEFFStudent,ID,"Week 1, (7)",Final\r\n  Points Possible,,4,\r\n"L, Ada",ada,,x\r\nBob,bob,1,\r\n';
  const columns = { student: "ID", score: "Week 1, (7)" };
  const { csv, missing } = fillScores(text, columns, new Map([["ada", 2.5], ["eve", 1]]));
  assertEquals(csv, text.replace("ada,,x", "ada,2.5,x"));
  assertEquals(missing, ["eve"]);
  assertThrows(() => fillScores(text, { ...columns, score: "W" }, new Map()), SyntaxError, '"W"');
  assertThrows(
    () => fillScores("ID,S\na,\na,\n", { student: "ID", score: "S" }, new Map([["a", 1]])),
    SyntaxError,
    '"a" occurs twice',
  );
});

Deno.test("filling no scores changes no value", () => {
  const value = fc.string({ minLength: 1 });
  fc.assert(fc.property(fc.array(fc.tuple(value, value, value), { minLength: 1 }), (lines) => {
    const text = stringify([["ID", "Score", "Other"], ...lines], { headers: false });
    const { csv } = fillScores(text, { student: "ID", score: "Score" }, new Map());
    assertEquals(parse(csv), parse(text));
  }));
});
