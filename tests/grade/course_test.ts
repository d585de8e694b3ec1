// The course folder, its settings and its roster.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { GRADE_LIMITS } from "../../lib/grade/autograde.ts";
import {
  assignmentFolder,
  initCourse,
  openCourse,
  parseCourseSettings,
} from "../../lib/grade/course.ts";
import { parseRoster } from "../../lib/grade/roster.ts";

Deno.test("a course is made, filled and opened; what is there stays", async () => {
  const root = await Deno.makeTempDir();
  try {
    assertEquals((await initCourse(root)).roster, []);
    await Deno.writeTextFile(`${root}/roster.csv`, "id,first_name,group\nada,Ada,g1\nbob,,\n");
    await Deno.writeTextFile(
      `${root}/course.yaml`,
      `timeZone: Europe/Berlin
late: { penaltyPerDay: 0.1, maxDays: 5 }
limits: { memory: 100 }
assignments:
  week1: { due: "2026-07-01 23:59", accepts: [ipynb, pdf], extensions: { g1: "2026-12-01 12:00" } }
`,
    );
    const course = await initCourse(root);
    assertEquals(course.roster, [{ id: "ada", firstName: "Ada", group: "g1" }, { id: "bob" }]);
    assertEquals(course.settings.assignments.get("week1"), {
      due: new Date("2026-07-01T21:59:00Z"),
      groups: false,
      accepts: ["ipynb", "pdf"],
      late: { penaltyPerDay: 0.1, maxDays: 5 },
      limits: { ...GRADE_LIMITS, memory: 100 },
      extensions: new Map([["g1", new Date("2026-12-01T11:00:00Z")]]),
    });
    assertEquals(assignmentFolder(course, "source", "week1"), `${root}/source/week1`);
    assertEquals(
      assignmentFolder(course, "submitted", "week1", "ada"),
      `${root}/submitted/ada/week1`,
    );
    assertThrows(() => assignmentFolder(course, "submitted", "week1", ".."), RangeError);
    assertThrows(() => assignmentFolder(course, "submitted", "week1"), RangeError);
    await Deno.writeTextFile(`${root}/roster.csv`, "id\nbob\n");
    await assertRejects(() => openCourse(root), SyntaxError, '"g1", who is not on the roster');
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("settings that are unknown or wrong are named", () => {
  for (
    const [text, message] of [
      ["tmezone: UTC", "tmezone"],
      ["timeZone: Mars/Base", '"Mars/Base" is not a time zone'],
      ["assignments: { w: { du: 1 } }", "du"],
      ["assignments: { w: { due: tomorrow } }", "assignments.w.due: expected a time"],
      ['assignments: { w: { due: "2026-02-31 10:00" } }', "does not exist in the zone"],
      ["assignments: { ../w: {} }", "assignments.../w"],
      ["limits: { cpu: 1 }", "cpu"],
      ["a: [", "Cannot read the course file"],
    ]
  ) assertThrows(() => parseCourseSettings(text), SyntaxError, message);
});

Deno.test("rosters with unsafe ids, formulas, line breaks and duplicates are refused", () => {
  for (
    const [text, message] of [
      ["name\nx\n", 'the column "name" is unknown'],
      ["email\nx\n", 'the column "id" is missing'],
      ["id\n../x\n", "cannot name a folder"],
      ["id,email\n,x\n", "cannot name a folder"],
      ["id\nada\nAda\n", 'the id "Ada" again (row 2)'],
      ["id,first_name\nada,=1+1\n", "formula"],
      ['id,first_name\nada,"A\nB"\n', "line break"],
      ["id,email\nada\n", "Cannot read the roster"],
    ]
  ) assertThrows(() => parseRoster(text), SyntaxError, message);
  assertEquals(
    parseRoster("\uFEFFid,first_name,last_name,email,lms_user_id\nada,Ada,L,a@b.c,7\n"),
    [{ id: "ada", firstName: "Ada", lastName: "L", email: "a@b.c", lmsUserId: "7" }],
  );
});
