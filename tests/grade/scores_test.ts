// Scores: verdicts, marks, lateness, extensions and groups, as one number.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { answerId, Gradebook, type GradebookVerdict } from "../../lib/grade/gradebook.ts";
import { assignmentScores, latePenalty, pointsOf, scoreOf } from "../../lib/grade/scores.ts";

const DUE = new Date("2026-01-10T00:00:00Z");
const DAY = 86_400_000;
const CELLS = [
  { notebook: "main", gradeId: "test", maxPoints: 6, manual: false },
  { notebook: "main", gradeId: "why", maxPoints: 4, manual: true },
];
const STUDENTS = [
  { id: "ada", group: "g1" },
  { id: "bob", group: "g1" },
  { id: "eve" },
  { id: "kim" },
];
const verdicts = (points: number): GradebookVerdict[] => [
  {
    ...{ notebook: "main", gradeId: "test", points, maxPoints: 6, seconds: 1 },
    status: points === 6 ? "passed" : "partial",
  },
  { notebook: "main", gradeId: "why", points: 0, maxPoints: 4, status: "manual", seconds: 0 },
];

function course(work: (book: Gradebook) => void) {
  using book = Gradebook.open(":memory:");
  const assignment = { id: "week1", due: DUE, cells: CELLS };
  book.putAssignment(assignment);
  // An assignment whose id begins alike must not lend its marks.
  book.putAssignment({ ...assignment, id: "week10" });
  book.putStudents(STUDENTS);
  work(book);
}

function handIn(book: Gradebook, student: string, points: number, days = 0, attempt = 1) {
  const submitted = new Date(DUE.getTime() + days * DAY);
  book.putSubmission(
    { student, assignment: "week1", attempt, submitted, hash: `${student} ${attempt}` },
    verdicts(points),
  );
}

function mark(book: Gradebook, student: string, points: number | null, assignment = "week1") {
  const answer = answerId({ assignment, notebook: "main", gradeId: "why", student });
  const base = book.mark(answer)?.version ?? 0;
  book.appendMark(
    { answer, marker: "kim", session: "s", edit: base + 1, points, rubric: [], comment: "" },
    base,
  );
}

function scores(book: Gradebook, rules: Parameters<typeof assignmentScores>[2] = {}) {
  const assignment = book.assignments().find(({ id }) => id === "week1")!;
  return Object.fromEntries(
    assignmentScores(book, assignment, rules).map((
      { student, raw, latePenalty, total, waiting, lateDays },
    ) => [student.id, [raw, latePenalty, total, waiting, lateDays]]),
  );
}

Deno.test("a mark stands in place of the verdict, the newest attempt and the newest mark count", () =>
  course((book) => {
    handIn(book, "ada", 2);
    handIn(book, "ada", 6, 0, 2);
    handIn(book, "bob", 3);
    mark(book, "ada", 1);
    mark(book, "ada", 3.5);
    mark(book, "bob", null); // a comment without points
    mark(book, "bob", 4, "week10");
    assertEquals(scores(book), {
      ada: [9.5, 0, 9.5, 0, 0],
      bob: [3, 0, 3, 1, 0],
      eve: [0, 0, 0, 0, 0],
      kim: [0, 0, 0, 0, 0],
    });
  }));

Deno.test("lateness counts days begun after the extension, and after the last day nothing counts", () =>
  course((book) => {
    const late = { penaltyPerDay: 0.1, maxDays: 3 };
    handIn(book, "ada", 6, 1.5);
    handIn(book, "bob", 6, 1.5);
    handIn(book, "eve", 6, 4);
    handIn(book, "kim", 6, 3);
    const extensions = new Map([
      ["bob", new Date(DUE.getTime() + DAY)],
      ["g1", new Date(DUE.getTime() + DAY / 2)],
    ]);
    assertEquals(scores(book, { late, extensions }), {
      ada: [6, 0.6, 5.4, 1, 1],
      bob: [6, 0.6, 5.4, 1, 1],
      eve: [6, 6, 0, 1, 4],
      kim: [6, 1.8, 4.2, 1, 3],
    });
    assertEquals(scores(book, { late, due: new Date(DUE.getTime() + 9 * DAY) }).eve[1], 0);
  }));

Deno.test("a group's newest work is every member's, with its marks; a student without a group has only their own", () =>
  course((book) => {
    handIn(book, "ada", 2, -2);
    handIn(book, "bob", 5, -1);
    handIn(book, "eve", 4);
    mark(book, "ada", 4);
    mark(book, "bob", 1);
    assertEquals(scores(book, { groups: true }), {
      ada: [6, 0, 6, 0, 0],
      bob: [6, 0, 6, 0, 0],
      eve: [4, 0, 4, 1, 0],
      kim: [0, 0, 0, 0, 0],
    });
    assertEquals(scores(book).ada, [6, 0, 6, 0, 0]);
    assertEquals(scores(book).bob, [6, 0, 6, 0, 0]);
    mark(book, "ada", 0);
    assertEquals(scores(book).ada, [2, 0, 2, 0, 0]);
    assertEquals(scores(book, { groups: true }).ada, [6, 0, 6, 0, 0]);
  }));

Deno.test("what was handed in as a file alone waits for a person", () =>
  course((book) => {
    book.putSubmission({ student: "ada", assignment: "week1", attempt: 1, hash: "pdf" }, []);
    assertEquals(scores(book).ada, [0, 0, 0, 1, 0]);
  }));

Deno.test("no score is below 0 or above its maximum, whatever marks and policies say", () => {
  const question = fc.record({
    maxPoints: fc.double({ min: 0, max: 100, noNaN: true }),
    mark: fc.option(fc.record({ points: fc.double({ min: -10, max: 200, noNaN: true }) }), {
      nil: undefined,
    }),
    verdict: fc.option(
      fc.record({
        points: fc.double({ min: 0, max: 200, noNaN: true }),
        status: fc.constantFrom("passed" as const, "manual" as const),
      }),
      { nil: undefined },
    ),
  });
  fc.assert(fc.property(
    fc.array(question),
    fc.double({ min: 0, max: 1e9, noNaN: true }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    (questions, seconds, penaltyPerDay) => {
      const { raw, latePenalty: late, total, max } = scoreOf(
        questions,
        (raw) => latePenalty(seconds, raw, { penaltyPerDay }),
      );
      const noise = 1e-8;
      assertEquals(total >= 0 && total <= raw + noise && raw <= max + noise && late <= raw, true);
    },
  ));
  assertEquals(pointsOf({ maxPoints: 3, mark: { points: 5 } }), 3);
  assertEquals(scoreOf([0.1, 0.2].map((points) => ({ maxPoints: 1, mark: { points } }))).raw, 0.3);
});
