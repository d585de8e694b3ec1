// The page of statistics: what it counts, hostile names, and axe-core.

import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { assignmentScores } from "../../lib/grade/scores.ts";
import { describeScores, renderStatistics } from "../../lib/grade/statistics_page.ts";
import { escapeHtml } from "../../lib/runtime/report/html.ts";
import { chromiumProgram, launchBrowser } from "../browser.ts";
import { axeViolations } from "../axe.ts";
import { sampleCourse, TEN } from "./sample_course.ts";

const NONE = { draw: () => "<svg></svg>" };

async function sampleStatistics(title?: string) {
  await using sample = await sampleCourse({ verdict: (i) => ({ seconds: i / 10 }) });
  const { book } = sample;
  book.putStudents([...TEN, { id: "absent" }]);
  for (const [i, { id }] of TEN.entries()) {
    if (i === 9) continue; // one waits
    const mark = { marker: "Kim", session: "s", edit: 1, rubric: [], comment: "" };
    book.appendMark({ ...mark, answer: `week3/main/why/${id}`, points: i % 5 }, 0);
  }
  const scores = assignmentScores(book, book.assignments()[0]!);
  return describeScores(scores, title === undefined ? undefined : () => title);
}

Deno.test("who handed in is counted, and what waits is in no question's numbers", async () => {
  const one = await sampleStatistics();
  assertEquals([one.students, one.submitted, one.waiting, one.max], [11, 10, 10, 12]);
  const [test, why, plan] = one.questions;
  assertEquals([test!.points.mean, test!.seconds?.maximum, test!.waiting], [2, 0.9, 0]);
  assertEquals([why!.points.count, why!.waiting, why!.seconds], [9, 1, undefined]);
  // The test and the marks go together, and nothing else gives points.
  assertAlmostEquals(why!.discrimination, 1, 1e-12);
  assertEquals([plan!.points.count, plan!.waiting, plan!.discrimination], [0, 10, NaN]);
  const html = renderStatistics([one], NONE.draw, "Course");
  assertStringIncludes(html, "10 of 11 students handed in");
  assert(!html.includes("student1"));
  assertStringIncludes(renderStatistics([describeScores([])], NONE.draw, "Course"), "0 of 0");
});

Deno.test({
  name:
    `the page of statistics is clean under axe-core, with hostile names${chromiumProgram.needs}`,
  ignore: !chromiumProgram.found,
  async fn() {
    const one = await sampleStatistics('<img src=x onerror="window.ran=1">');
    const draw = ({ alt }: { alt: string }) =>
      `<svg role="img" viewBox="0 0 640 200" style="min-width:420px"><title>${
        escapeHtml(alt)
      }</title></svg>`;
    const html = renderStatistics(
      [one, { ...one, assignment: "week4" }],
      draw,
      "<script>window.ran=1</script>",
    );
    const browser = await launchBrowser();
    try {
      for (const colorScheme of ["light", "dark"] as const) {
        const page = await browser.newPage({
          ...{ bypassCSP: true, colorScheme, viewport: { width: 390, height: 800 } },
        });
        await page.setContent(html);
        assertEquals(await page.evaluate("window.ran"), undefined);
        const wide = await page.evaluate("document.documentElement.scrollWidth") as number;
        assert(wide <= 390, `the page is ${wide} wide`);
        assertEquals(await axeViolations(page), []);
      }
    } finally {
      await browser.close();
    }
  },
});
