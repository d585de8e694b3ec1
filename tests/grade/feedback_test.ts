// Feedback: what a student reads, what stays hidden, and hostile answers that stay text.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Feedback, type FeedbackQuestion, renderFeedback } from "../../lib/grade/feedback.ts";
import { chromiumProgram, launchBrowser, open } from "../browser.ts";
import { axeViolations } from "../axe.ts";
import { hostileNotebooks } from "../runtime/report/hostile.ts";
import { code, markdown } from "../runtime/report/sample.ts";

export const sampleFeedback: Feedback = {
  assignment: "Week 3: fine-tune and evaluate",
  student: "Ada Lovelace",
  submitted: new Date("2026-03-02T14:58:00Z"),
  due: new Date("2026-02-28T23:00:00Z"),
  lateDays: 2,
  latePenalty: 1.5,
  comment:
    "A careful piece of work. For next time: **report the spread** over seeds, not one number.",
  questions: [
    {
      title: "Collate a batch",
      verdict: { gradeId: "collate", seconds: 0, points: 4, maxPoints: 4, status: "passed" },
      answer: code("export function collate(rows: number[][]): number[][] {\n  return rows;\n}"),
    },
    {
      title: "The attention mask",
      verdict: {
        gradeId: "mask",
        seconds: 0,
        points: 2,
        maxPoints: 4,
        status: "partial",
        message: "Padding is masked, but a position may still look ahead.",
      },
    },
    {
      title: "Reach a loss of 2.1",
      verdict: {
        gradeId: "score",
        seconds: 0,
        points: 0,
        maxPoints: 5,
        status: "timeout",
        shared: true,
      },
    },
    {
      title: "Why does the validation loss rise?",
      verdict: { gradeId: "why", seconds: 0, points: 0, maxPoints: 5, status: "manual" },
      mark: {
        points: 4,
        rubric: [
          { label: "Names overfitting", points: 2 },
          { label: "Points to the gap between the curves", points: 3 },
          { label: "No remedy", points: -1 },
        ],
        comments: ["Right. What would *early stopping* change here?"],
      },
      answer: markdown("The model **memorises**: $L_{train}$ falls while $L_{val}$ rises."),
    },
    { verdict: { gradeId: "essay", seconds: 0, points: 0, maxPoints: 2, status: "manual" } },
  ],
};

Deno.test("scores, late days, words and comments stand on the page", () => {
  const html = renderFeedback(sampleFeedback);
  assertStringIncludes(html, "<strong>8.5</strong> <span>of 20 points</span>");
  assertStringIncludes(html, "10 before 1.5 taken off for handing in late");
  assertStringIncludes(html, "2 days late");
  assertStringIncludes(html, "1 answer waits to be marked");
  assertStringIncludes(html, "Padding is masked, but a position may still look ahead.");
  assertStringIncludes(html, "Your code took longer than the time limit.");
  assertStringIncludes(html, "its result is weaker");
  assertStringIncludes(html, "<em>early stopping</em>");
  assertStringIncludes(html, "<strong>−1</strong>");
  assert(!/<script|<link rel="style|(?:href|src)="https?:/.test(html));
});

Deno.test("a message that may reveal hidden tests is not shown", () => {
  const secret = "Expected f(37) to be 1369, got undefined";
  const page = (hidden: boolean) =>
    renderFeedback({
      assignment: "a",
      student: "s",
      questions: [{
        verdict: {
          gradeId: "q",
          points: 0,
          maxPoints: 1,
          status: "failed",
          message: secret,
          hidden,
          seconds: 0,
        },
      }],
    });
  assert(!page(true).includes("37"));
  assertStringIncludes(page(true), "A test failed.");
  assertStringIncludes(page(false), "f(37)");
});

Deno.test("outputs of an answer are not shown: a hidden call may have printed them", () => {
  const answer = code("f(1)", [{ output_type: "stream", name: "stdout", text: "called with 37" }]);
  const html = renderFeedback({
    assignment: "a",
    student: "s",
    questions: [{
      verdict: { gradeId: "q", seconds: 0, points: 1, maxPoints: 1, status: "passed" },
      answer,
    }],
  });
  assert(!html.includes("called with 37"));
  assertStringIncludes(html, "Your answer");
});

/** Everything that a report is attacked with, as answers, comments, names and messages. */
export function hostileFeedback(): Feedback {
  const cells = Object.values(hostileNotebooks).flatMap(({ cells }) => cells);
  const sources = cells.map(({ source }) => source);
  const raw =
    `"><script>window.ran=1</script><img src=x onerror="window.ran=1"><svg onload="window.ran=1">`;
  return {
    assignment: raw,
    student: raw,
    comment: sources.join("\n\n"),
    questions: [
      ...cells.map((answer, i): FeedbackQuestion => ({
        title: raw,
        verdict: {
          gradeId: `q${i}`,
          seconds: 0,
          points: 0,
          maxPoints: 1,
          status: "failed",
          message: raw,
        },
        mark: { points: 1, rubric: [{ label: raw, points: 1 }], comments: [answer.source, raw] },
        answer,
      })),
      {
        verdict: {
          gradeId: "huge",
          seconds: 0,
          points: 0,
          maxPoints: 1,
          status: "manual",
          message: "x".repeat(5_000_000),
        },
        answer: markdown("[a](javascript:window.ran=1) ".repeat(200_000)),
      },
    ],
  };
}

Deno.test({
  name: `feedback is clean under axe-core, and hostile answers run nothing${chromiumProgram.needs}`,
  ignore: !chromiumProgram.found,
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "tunebook-feedback-" });
    const browser = await launchBrowser();
    try {
      for (
        const [name, feedback] of Object.entries({
          sample: sampleFeedback,
          hostile: hostileFeedback(),
        })
      ) {
        const path = `${folder}/${name}.html`;
        await Deno.writeTextFile(path, renderFeedback(feedback));
        const { page, trouble } = await open(await browser.newContext(), path);
        for (const summary of await page.locator("summary").all()) {
          await summary.evaluate((element) => element.closest("details")!.open = true);
        }
        assertEquals(await page.evaluate("window.ran"), undefined, name);
        assertEquals(trouble, { console: [], requests: [], ran: [] }, name);
        await page.close();
      }
      for (const colorScheme of ["light", "dark"] as const) {
        const page = await browser.newPage({ bypassCSP: true, colorScheme });
        await page.setContent(renderFeedback(sampleFeedback));
        await page.evaluate(
          "document.querySelectorAll('details').forEach((one) => one.open = true)",
        );
        assertEquals(await axeViolations(page), [], colorScheme);
        await page.close();
      }
    } finally {
      await browser.close();
      await Deno.remove(folder, { recursive: true });
    }
  },
});
