// Scores as CSV, written and read again.

import { assert, assertEquals } from "@std/assert";
import { parse } from "@std/csv";
import fc from "fast-check";
import { scoresToCsv } from "../../lib/grade/gradebook_csv.ts";

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
