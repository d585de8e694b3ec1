// The marking page's store in a course folder: what is asked, what is there to mark, and what was handed in.

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { GRADE_LIMITS } from "../../lib/grade/autograde.ts";
import { writeResult } from "../../lib/grade/batch/result.ts";
import { assignmentFolder } from "../../lib/grade/course.ts";
import { GradebookMarks } from "../../lib/grade/serve/gradebook_marks.ts";
import { assignmentScores } from "../../lib/grade/scores.ts";
import { questionTitle } from "../../lib/grade/questions.ts";
import { sampleCourse, sampleSource } from "./sample_course.ts";

const WHY = "week3/main/why";

Deno.test("questions have titles, prompts and rubrics from the instructor's notebook", async () => {
  await using sample = await sampleCourse();
  const marks = await GradebookMarks.open(sample.course, sample.book);
  const [why, plan, ...others] = await marks.questions();
  assertEquals(others, [], "tests are not marked by people");
  assertEquals([why!.id, why!.title, why!.maxPoints], [
    WHY,
    "week3: Why does the validation loss rise?",
    5,
  ]);
  assertStringIncludes(why!.prompt!, "falls for three epochs");
  assertEquals(why!.scheme, "The loss rises because the model overfits: stop early.");
  assertEquals(why!.rubric.map(({ points }) => points), [2, 2, 1, -1]);
  assertEquals(plan!.prompt, "## What would you try next?");
  assertEquals(
    questionTitle(sampleSource(), "double-test"),
    "double-test",
    "the notebook's own title names no question",
  );
  await assertRejects(
    () => GradebookMarks.open(sample.course, sample.book, { only: ["week9"] }),
    RangeError,
    '"week9": it is not in the gradebook',
  );
});

Deno.test("an answer that was left as released waits for nobody; one that is missing is looked at", async () => {
  await using sample = await sampleCourse();
  for (const [student, status] of [["student1", "failed"], ["student2", "missing"]] as const) {
    const attempt = sample.book.submissions("week3").find((one) => one.student === student)!;
    const verdicts = sample.book.verdicts(attempt);
    sample.book.putSubmission(
      attempt,
      verdicts.map((one) => one.gradeId === "why" ? { ...one, status } : one),
    );
  }
  const marks = await GradebookMarks.open(sample.course, sample.book);
  const students = (await marks.answers(WHY)).map(({ student }) => student);
  assertEquals([students.includes("student1"), students.includes("student2")], [false, true]);
  assertEquals(students.length, 9);
});

Deno.test("markers see what grading found, but nothing that names the student", async () => {
  await using sample = await sampleCourse();
  const folder = assignmentFolder(sample.course, "autograded", "week3", "student1");
  const findings = [
    { message: 'The notebook is called "ada.ipynb"' },
    { message: "Structure: The plan is too short", structure: true },
    { message: "The cell was moved", gradeId: "why" },
    { message: "The cell was moved as well", gradeId: "plan" },
  ];
  const inputs = {
    ...{ submission: "", release: "", runtime: "", limits: GRADE_LIMITS, sandbox: true },
  };
  const verdict = { gradeId: "double-test", points: 0, maxPoints: 4, status: "failed" as const };
  const verdicts = [{ ...verdict, message: "Error: no" }];
  const notebooks = [{ notebook: "main", verdicts, findings }];
  await writeResult(folder, { inputs, tests: {}, untested: "", notebooks, notes: [] }, {});
  const marks = await GradebookMarks.open(sample.course, sample.book);
  const [{ id }] = await marks.answers(WHY);
  assertEquals((await marks.content(id)).findings, [
    "Structure: The plan is too short",
    "The cell was moved",
  ]);
  const all = await GradebookMarks.open(sample.course, sample.book, { tests: true });
  const [test] = await all.answers("week3/main/double-test");
  assertEquals((await all.content(test!.id)).findings, [
    "Grading gave 0 of 4 points (failed): Error: no",
    "Structure: The plan is too short",
  ]);
});

Deno.test("after an appeal, a person may replace the verdict of a test", async () => {
  await using sample = await sampleCourse();
  const { course, book } = sample;
  const marks = await GradebookMarks.open(course, book, { tests: true });
  const [{ id }] = await marks.questions();
  assertEquals(id, "week3/main/double-test");
  const answer = `${id}/student1`;
  assert((await marks.answers(id)).some((one) => one.id === answer));
  await marks.append(
    { answer, marker: "Kim", session: "s", edit: 1, points: 3, rubric: [], comment: "" },
    0,
  );
  const [{ raw, questions }] = assignmentScores(book, book.assignments()[0]!);
  assertEquals([raw, questions[0]!.points, questions[0]!.verdict!.points], [3, 3, 0]);
  // Once marked, it is shown without being asked for.
  assertEquals((await (await GradebookMarks.open(course, book)).questions()).length, 3);
});

Deno.test("a mark counts, and waits to be confirmed, when the student has handed in again", async () => {
  await using sample = await sampleCourse();
  const { book, course } = sample;
  const marks = await GradebookMarks.open(course, book);
  const answer = `${WHY}/student3`;
  const mark = { answer, marker: "Kim", session: "s", edit: 1, points: 4, rubric: [], comment: "" };
  const state = async () => {
    const [newest] = await marks.marks(WHY);
    const score = assignmentScores(book, book.assignments()[0]!)
      .find(({ student }) => student.id === "student3")!;
    return [newest!.outdated ?? false, score.raw, score.waiting];
  };
  await marks.append(mark, 0);
  assertEquals(await state(), [false, 6, 1]);
  const attempt = book.submissions("week3").find(({ student }) => student === "student3")!;
  book.putSubmission({ ...attempt, attempt: 2, hash: "again" }, book.verdicts(attempt));
  assertEquals(await state(), [true, 6, 2]);
  await marks.append({ ...mark, session: "t" }, 1);
  assertEquals(await state(), [false, 6, 1]);
});

Deno.test("a group's answer is marked once", async () => {
  const students = ["ada", "bob", "eve"].map((id) => ({ id, ...id !== "eve" && { group: "g" } }));
  await using sample = await sampleCourse({ students, settings: { groups: true } });
  const marks = await GradebookMarks.open(sample.course, sample.book);
  assertEquals((await marks.answers(WHY)).length, 2);
});

Deno.test("a file in place of a notebook is offered for each question, tests included; the template is not", async () => {
  await using sample = await sampleCourse({ settings: { accepts: ["ipynb", "md", "pdf"] } });
  const { folder, book, course } = sample;
  const submitted = join(folder, "submitted", "student1", "week3");
  await Deno.mkdir(submitted, { recursive: true });
  await Deno.writeTextFile(join(folder, "source", "week3", "template.md"), "# Template");
  await Deno.writeTextFile(join(submitted, "template.md"), "# Template");
  await Deno.writeTextFile(join(submitted, "notes.txt"), "");
  await Deno.symlink("/etc/passwd", join(submitted, "a.md"));
  const marks = await GradebookMarks.open(course, book);
  const [{ id }] = await marks.answers(WHY);
  assertEquals((await marks.content(id)).file, undefined);
  await Deno.writeTextFile(join(submitted, "week4_assignment_ada.pdf"), "%PDF");
  await Deno.remove(join(folder, "autograded", "student1"), { recursive: true });
  await Deno.remove(join(submitted, "main.ipynb"));
  book.putSubmission({ student: "student1", assignment: "week3", attempt: 2, hash: "pdf" }, []);
  const { cell, file } = await marks.content(id);
  assertEquals([cell.source, file?.type], ["", "application/pdf"]);
  assertEquals(new TextDecoder().decode(await file!.read()), "%PDF");
  assertEquals(await marks.submission(id), undefined);
  const again = await GradebookMarks.open(course, book);
  const ids = (await again.questions()).map(({ id }) => id);
  assertEquals(ids, ["week3/main/double-test", WHY, "week3/main/plan"]);
  assertEquals((await again.answers(ids[0]!)).map(({ student }) => student), ["student1"]);
});
