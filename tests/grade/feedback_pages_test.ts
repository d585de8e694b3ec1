// Pages of a whole course: scores that agree with the gradebook, and hidden tests that stay hidden although a
// submission throws back what it was called with.

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { gradeSubmission } from "../../lib/grade/autograde.ts";
import { writeFeedbackPages } from "../../lib/grade/feedback_pages.ts";
import { releaseNotebook } from "../../lib/grade/release.ts";
import { sandboxFault } from "../../lib/runtime/sandbox/outer.ts";
import { formatNotebook, type Notebook } from "../../lib/runtime/notebook.ts";
import { answer, book, test, written } from "./book.ts";
import { sampleCourse, TEN } from "./sample_course.ts";

const WHY = "week3/main/why";

Deno.test("each student who handed in gets a page with their own score, marks and late days", async () => {
  const settings = { late: { penaltyPerDay: 0.5 }, due: "2026-03-01 10:30" };
  const students = [...TEN.slice(0, 5), { id: "absent" }];
  await using sample = await sampleCourse({ students: TEN.slice(0, 5), settings });
  sample.book.putStudents(students);
  const mark = { marker: "Kim", session: "s", edit: 1, rubric: ["item-1", "item-4"] };
  sample.book.appendMark(
    { ...mark, answer: `${WHY}/student5`, points: 1, comment: "Read chapter *3*" },
    0,
  );
  const { pages, unfinished, without } = await writeFeedbackPages(
    sample.course,
    sample.book,
    "week3",
  );
  assertEquals([pages.size, unfinished, without], [5, 5, ["absent"]]);
  const html = await Deno.readTextFile(pages.get("student5")!);
  // 4 for the test, 1 marked, half of it off for the day begun; "plan" waits.
  assertStringIncludes(html, "<strong>2.5</strong> <span>of 12 points</span>");
  assertStringIncludes(html, "5 before 2.5 taken off");
  assertStringIncludes(html, "1 answer waits");
  assertStringIncludes(html, "Read chapter <em>3</em>");
  assertStringIncludes(html, "Says something false about the data</span> <strong>−1");
  assertStringIncludes(html, "First5 Last5 (student5)");
  assertStringIncludes(html, "2026-03-01 10:30 UTC");
  assertStringIncludes(html, "Why does the validation loss rise?");
  assert(!html.includes("student4") && !html.includes("8675309") && !html.includes("Kim"));
  await assertRejects(
    () => writeFeedbackPages(sample.course, sample.book, "week3", { student: "nobody" }),
    RangeError,
    '"nobody"',
  );
  await assertRejects(
    () => writeFeedbackPages(sample.course, sample.book, "week4"),
    RangeError,
    "not in the gradebook",
  );
});

Deno.test("names are text on pages and never parts of paths", async () => {
  const students = ["<img src=x onerror=alert(1)>", "../../../etc/passwd", "a\u202eb", "' OR 1=1"]
    .map((lastName, i) => ({ id: `s${i}`, firstName: "X", lastName }));
  await using sample = await sampleCourse({ students });
  const { pages } = await writeFeedbackPages(sample.course, sample.book, "week3");
  for (const [id, path] of pages) {
    assertEquals(path, `${sample.folder}/feedback/${id}/week3/week3.html`);
    const html = await Deno.readTextFile(path);
    assert(!html.includes("<img src=x"), html);
    assertStringIncludes(html, `(${id})`);
  }
  assertEquals(pages.size, 4);
});

const fault = await sandboxFault();

/** An input that only hidden tests hold. */
const SECRET = "8675309";

const SOURCE = book(
  [
    "code",
    "// BEGIN SOLUTION\nfunction f(x: any): any { return x; }\n// END SOLUTION",
    answer("f"),
  ],
  ["code", 'if (await f(1) !== 1) throw new Error("early words");', test("early")],
  [
    "code",
    `if (await f(2) !== 2) throw new Error("f(2) must be 2");
// BEGIN HIDDEN TESTS
if (await f(${SECRET}) !== ${SECRET}) throw new Error("expected ${SECRET}");
// END HIDDEN TESTS`,
    test("hidden"),
  ],
  ["code", "// BEGIN SOLUTION\nfunction g(): any { return 1; }\n// END SOLUTION", answer("g")],
  [
    "code",
    'const got = await g();\nif (got !== 1) throw new Error("Got " + got);',
    test("thrown-back"),
  ],
  ["code", 'if (await g() !== 1) throw new Error("g() must be 1");', test("static")],
  ["markdown", "Because.", written("why")],
);

Deno.test({
  name: `feedback tells no hidden input, though a submission throws, prints and returns it${
    fault === undefined ? "" : ` (${fault})`
  }`,
  ignore: fault !== undefined,
  async fn() {
    await using sample = await sampleCourse({ students: TEN.slice(0, 1) });
    const { course, book: gradebook, folder } = sample;
    await Deno.writeTextFile(`${folder}/source/week3/main.ipynb`, formatNotebook(SOURCE));
    const release = releaseNotebook(SOURCE);
    const submit = (answers: Record<string, string>): Notebook => {
      const notebook = structuredClone(release.notebook);
      for (const cell of notebook.cells) {
        const { grade_id } = (cell.metadata.nbgrader ?? {}) as { grade_id?: string };
        if (grade_id !== undefined && grade_id in answers) cell.source = answers[grade_id]!;
      }
      return notebook;
    };
    const submissions = [
      {
        f: "const seen: unknown[] = [];\nfunction f(x: any): any { seen.push(x); console.log('saw', x); return x; }",
        g: "function g(): any { return 'seen ' + seen.join(); }",
      },
      {
        f: "let last: any;\nfunction f(x: any): any { last = x; if (x > 9) throw new Error('saw ' + x); return x; }",
        g: "function g(): any { throw new TypeError('I saw ' + last); }",
      },
      { f: "function f(x: any): any { return 2; }", g: "function g(): any { return 2; }" },
    ];
    const pages: string[] = [];
    for (const [i, answers] of submissions.entries()) {
      const { verdicts, notebook } = await gradeSubmission(
        release,
        submit({ ...answers, why: "Because of reasons." }),
      );
      const text = formatNotebook(notebook);
      await Deno.writeTextFile(`${folder}/autograded/student1/week3/main.ipynb`, text);
      if (i === 0) assertStringIncludes(text, SECRET, "the attack is one");
      gradebook.putAssignment({
        id: "week3",
        cells: verdicts.map(({ gradeId, maxPoints, status }) => ({
          ...{ notebook: "main", gradeId, maxPoints, manual: status === "manual" },
        })),
      });
      const own = verdicts.map((verdict) => ({ ...verdict, notebook: "main" }));
      if (i === 1) assertStringIncludes(JSON.stringify(own), SECRET, "the attack is one");
      gradebook.putSubmission(
        { student: "student1", assignment: "week3", attempt: i + 2, hash: `${i}` },
        own,
      );
      const { pages: written } = await writeFeedbackPages(course, gradebook, "week3");
      pages.push(await Deno.readTextFile(written.get("student1")!));
    }
    for (const page of pages) {
      assert(!page.includes(SECRET), page);
      assertStringIncludes(page, "Because of reasons.");
    }
    // Words that students can read in their own notebook are told.
    assertStringIncludes(pages[2]!, "early words");
    assertStringIncludes(pages[2]!, "g() must be 1");
  },
});
