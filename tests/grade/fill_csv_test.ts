// Scores filled into files of course systems, of which no other byte changes.

import { assertEquals, assertThrows } from "@std/assert";
import { parse, stringify } from "@std/csv";
import fc from "fast-check";
import { fillScores, readFields } from "../../lib/grade/fill_csv.ts";

const score = (id: string, score: number, more = {}) => ({ student: { id, ...more }, score });

/** A gradebook as Canvas exports it. */
const CANVAS = [
  '\uFEFFStudent,ID,SIS User ID,SIS Login ID,Section,"week1 (7)",week10 (8),Final Score',
  ",,,,,,Manual Posting,(read only)",
  "    Points Possible,,,,,12,5,(read only)",
  '"Lovelace, Ada",101,,ada,"Section ""A""",,,=1+1',
  "Bob ,102,,bob,S , 3.0 ,,",
  '"Eve\nwith a break",103,,eve,S,1,"",',
  '"Student, Test",1,,,S,,,',
  "",
].join("\r\n");

/** Grades of one assignment as Moodle exports them. */
const MOODLE = [
  '"Identifier";"Full name";"Email address";"Status";"Grade";"Maximum Grade"',
  '"Participant 5";"Ada Lovelace";"Ada@example.org";"-";"";"10.00"',
  '"Participant 6";"Bob";"bob@example.org";"-";"4,00";"10.00"',
].join("\n");

Deno.test("a file of Canvas is filled, by login, and the rest stays byte for byte", () => {
  const scores = [score("ada", 2.5), score("bob", 0.1 + 0.2), score("zoe", 1)];
  const { text, columns, count, missing, maxPoints } = fillScores(CANVAS, "week1", scores);
  assertEquals(
    text,
    CANVAS.replace('"Section ""A""",,,', '"Section ""A""",2.5,,').replace("S , 3.0 ,", "S ,0.3,"),
  );
  assertEquals(columns, { student: "SIS Login ID", score: "week1 (7)" });
  assertEquals([count, missing, maxPoints], [2, ["zoe"], 12]);
});

Deno.test("a file of Moodle is filled, by e-mail address, also with semicolons", () => {
  const scores = [score("a1", 7, { email: "ada@example.org" })];
  const { text, columns, maxPoints } = fillScores(MOODLE, "week1", scores);
  assertEquals(text, MOODLE.replace('"-";"";', '"-";7;'));
  assertEquals([columns, maxPoints], [{ student: "Email address", score: "Grade" }, 10]);
});

Deno.test("numbers of the course system are known, and what names two students names neither", () => {
  const scores = [score("a1", 7, { lmsUserId: "101" }), score("b1", 8, { lmsUserId: "102" })];
  assertEquals(fillScores(CANVAS, "week1", scores).columns.student, "ID");
  const twins = [score("a", 1, { email: "x@y.z" }), score("b", 2, { email: "x@y.z" })];
  const text = "Email,week1\nx@y.z,\nb,\n";
  const { text: filled, missing } = fillScores(text, "week1", twins);
  assertEquals([filled, missing], ["Email,week1\nx@y.z,\nb,2\n", ["a"]]);
});

Deno.test("what cannot be filled without guessing is refused", () => {
  const refused = (text: string, why: string, columns = {}) =>
    assertThrows(() => fillScores(text, "week1", [score("ada", 1)], columns), SyntaxError, why);
  refused("ID,Score\nada,\n", 'no column is called "week1": name one of "ID", "Score"');
  refused("ID,week1 (1),week1 (2)\nada,,\n", "several columns are called");
  refused("ID,week1\nbob,\n", "no column has the id, number or e-mail address");
  refused("ID,week1\nada,\nada,\n", '"ada" occurs twice');
  refused("ID,week1\nada\n", 'the row of "ada" has 1 fields: expected 2');
  refused("ID,week1\nada,\n", 'there is no column "Points"', { score: "Points" });
  refused("week1,week1\nada,\n", 'the column "week1" occurs twice', { score: "week1" });
  refused("week1\nada\n", "scores cannot replace the students' names");
  refused('ID,week1\n"ada,\n', "a quote is not closed in row 2, field 1");
  refused('ID,week1\n"a"da,\n', "text follows a quote in row 2, field 1");
  refused('ID,week1\na"da,\n', "a quote stands within row 2, field 1");
  refused("", "no column has");
});

const value = fc.string({ unit: "binary" }).filter((text) => !/^\uFEFF|\r(?!\n)/.test(text));
const table = fc.array(fc.tuple(value, value, value), { minLength: 1 })
  // A line with nothing but an empty field is an empty line to every reader.
  .filter((rows) => rows.every((row) => row.some((field) => field !== "")));

Deno.test("fields are read as they were written, and each stands at its place", () => {
  fc.assert(fc.property(table, fc.constantFrom(",", ";", "\t"), (rows, separator) => {
    const text = stringify(rows, { headers: false, separator });
    const read = readFields(text, separator);
    assertEquals(read.map((row) => row.map(({ value }) => value)), rows);
    // The standard library's reader makes every line break within a field "\n".
    const breaks = rows.map((row) => row.map((value) => value.replaceAll("\r\n", "\n")));
    assertEquals(parse(text, { separator }), breaks);
    for (const { value, start, end } of read.flat()) {
      const own = text.slice(start, end);
      assertEquals(own.startsWith('"') ? own.slice(1, -1).replaceAll('""', '"') : own, value);
    }
  }));
});

Deno.test("no text makes the reader hang, and filling no scores changes no byte", () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'a",;\r\n\t ') }), (tail) => {
    const text = `ID,week1\nada,\n${tail}`;
    try {
      const { text: filled } = fillScores(text, "week1", [score("ada", 1)]);
      assertEquals(filled, text.replace("ada,", "ada,1"));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }));
});
