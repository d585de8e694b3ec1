/**
 * How long each page and export of a large course takes: 1,200 students and ten assignments by default, all graded, and
 * nine tenths of the written answers marked. Prints a table; `deno run -A tests/bench/gradebook.ts [students] [assignments]`.
 */

import { join } from "@std/path";
import { assignmentSettings } from "../../lib/grade/course.ts";
import { writeFeedbackPages } from "../../lib/grade/feedback_pages.ts";
import { answerId } from "../../lib/grade/gradebook.ts";
import { scoreRows, scoresToCsv } from "../../lib/grade/gradebook_csv.ts";
import { assignmentScores } from "../../lib/grade/scores.ts";
import { GradebookMarks } from "../../lib/grade/serve/gradebook_marks.ts";
import { serveMarking } from "../../lib/grade/serve/server.ts";
import { tunebook } from "../cli/tunebook.ts";
import { sampleCourse } from "../grade/sample_course.ts";

const [students = 1200, count = 10] = Deno.args.map(Number);
const assignments = Array.from({ length: count }, (_, i) => `week${i + 1}`);
const roster = Array.from({ length: students }, (_, i) => ({
  ...{ id: `s${String(i).padStart(4, "0")}`, firstName: `First ${i}`, lastName: `Last ${i}` },
  email: `s${i}@example.org`,
}));
await using sample = await sampleCourse({ students: roster, assignments });
const { course, book, folder } = sample;
for (const assignment of assignments) {
  for (const [i, { id: student }] of roster.entries()) {
    if (i % 10 === 0) continue;
    for (const gradeId of ["why", "plan"]) {
      const answer = answerId({ assignment, notebook: "main", gradeId, student });
      const mark = { marker: "Kim", session: "s", edit: 1, rubric: [], comment: "Fine." };
      book.appendMark({ ...mark, answer, points: i % 4 }, 0);
    }
  }
}

const rows: [what: string, milliseconds: number][] = [];
/** Measures the median of five. */
async function measure(what: string, work: () => unknown): Promise<void> {
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const begun = performance.now();
    await work();
    times.push(performance.now() - begun);
  }
  rows.push([what, times.sort((a, b) => a - b)[2]!]);
}

const kept = book.assignments();
const scores = (id: string) =>
  assignmentScores(book, kept.find((one) => one.id === id)!, assignmentSettings(course, id));
await measure("scores of one assignment", () => scores("week1"));
await measure(
  "CSV of all assignments",
  () => scoresToCsv(scoreRows(assignments.flatMap((id) => scores(id)))),
);
await measure(
  "feedback page of one student",
  () => writeFeedbackPages(course, book, "week1", { student: roster.at(-1)!.id }),
);

const marks = await GradebookMarks.open(course, book);
const server = await serveMarking(marks);
const entered = await fetch(server.url);
await entered.body?.cancel();
const cookie = entered.headers.get("set-cookie")!.split(";")[0]!;
const base = new URL(server.url).origin;
const get = async (path: string) => {
  const response = await fetch(base + path, { headers: { cookie } });
  if (!response.ok) throw new Error(await response.text());
  return await response.text();
};
const question = "question=week1/main/why";
const { answers } = JSON.parse(await get(`/api/queue?${question}`));
const answer = `answer=${answers[0].id}`;
await measure("marking page: start", () => get("/api/start"));
await measure("marking page: queue of a question", () => get(`/api/queue?${question}`));
await measure("marking page: marks of a question", () => get(`/api/marks?${question}`));
await measure("marking page: an answer", () => get(`/api/answer?${answer}`));
await measure("marking page: a report", () => get(`/report?${answer}`));
let edit = 1;
await measure("marking page: saving a mark", async () => {
  const response = await fetch(`${base}/api/mark`, {
    method: "POST",
    headers: { cookie, origin: base, "content-type": "application/json" },
    body: JSON.stringify({
      ...{ answer: answers[0].id, base: answers[0].mark?.version ?? 0, marker: "Kim" },
      ...{ session: "bench", edit: edit++, points: 1, rubric: [], comment: `${edit}` },
    }),
  });
  if (!response.ok) throw new Error(await response.text());
  await response.body?.cancel();
});
await server.close();

const command = (...args: string[]) => async () => {
  const { code, stderr } = await tunebook(["grade", ...args, "--course", folder]);
  if (code !== 0) throw new Error(stderr);
};
const csv = join(folder, "grades.csv");
await measure("tunebook grade gradebook export", command("gradebook", "export", "-o", csv));
await measure(
  "the same with --statistics",
  command("gradebook", "export", "-o", csv, "--statistics", join(folder, "scores.html")),
);
const canvas = join(folder, "canvas.csv");
await Deno.writeTextFile(
  canvas,
  ["Student,SIS Login ID,week1 (7)", ...roster.map(({ id }) => `"X, Y",${id},`)].join("\r\n"),
);
await measure(
  "tunebook grade gradebook export week1 --fill",
  command("gradebook", "export", "week1", "--fill", canvas),
);

console.log(`${students} students, ${count} assignments; the median of five, in milliseconds\n`);
for (const [what, milliseconds] of rows) {
  console.log(`${what.padEnd(46)} ${milliseconds.toFixed(0).padStart(6)}`);
}
