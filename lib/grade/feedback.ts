/**
 * What a student gets back: one self-contained page with the score by question, what failed in words, comments and
 * late days. Nothing of hidden tests stands in it, neither their inputs nor what their calls printed or threw.
 *
 * @module
 */

import type { Cell } from "../runtime/notebook.ts";
import { highlight } from "../runtime/report/code.ts";
import { escapeHtml } from "../runtime/report/html.ts";
import { renderMarkdown } from "../runtime/report/markdown.ts";
import type { CellVerdict } from "./autograde.ts";
import { renderStaticPage } from "./page.ts";
import { isWaiting, pointsOf, type ScoredQuestion, scoreOf } from "./scores.ts";

/** One question of the assignment. */
export interface FeedbackQuestion {
  /** Its name for people; the `grade_id` by default. */
  readonly title?: string;
  /** How it fared. A message that may reveal hidden tests is not shown. */
  readonly verdict: CellVerdict;
  /** What a person marked; undefined as long as nobody has. */
  readonly mark?: FeedbackMark;
  /** The student's own answer, as it was handed in; its outputs are not shown. */
  readonly answer?: Cell;
}

/** What a person marked. */
export interface FeedbackMark {
  /** The points, which stand in place of the verdict's; null as long as there are none. */
  readonly points: number | null;
  /** Whether the student has handed in again since. */
  readonly outdated?: boolean;
  /** What the rubric says, item by item. */
  readonly rubric?: readonly { readonly label: string; readonly points: number }[];
  /** Comments, in Markdown. */
  readonly comments?: readonly string[];
}

/** What a page of feedback says. */
export interface Feedback {
  /** The assignment's name. */
  readonly assignment: string;
  /** The student's name or id. */
  readonly student: string;
  /** The questions, in the notebook's order. */
  readonly questions: readonly FeedbackQuestion[];
  /** When it was handed in. */
  readonly submitted?: Date;
  /** When it was due, extension included. */
  readonly due?: Date;
  /** Days past the due date; 0 by default. */
  readonly lateDays?: number;
  /** Points taken off for them; 0 by default. */
  readonly latePenalty?: number;
  /** The IANA time zone of what the page says of times. Default: UTC. */
  readonly timeZone?: string;
  /** A comment on the whole, in Markdown. */
  readonly comment?: string;
}

/** Longer messages and answers are cut: nobody reads them on this page. */
const MAX_MESSAGE = 2_000;
const MAX_ANSWER = 100_000;

/** The words for a test that says nothing, or nothing that a student may read. */
const WORDS: Readonly<Record<CellVerdict["status"], string>> = {
  passed: "All tests passed.",
  partial: "Part of what the tests ask for is there.",
  failed: "A test failed.",
  timeout: "Your code took longer than the time limit.",
  crashed: "The process that ran your code ended before the test was done.",
  limit: "Your code used more memory, output or files than the limits allow.",
  missing: "Your notebook does not contain this cell.",
  changed: "This cell should stay as it was released, and was changed.",
  manual: "A person marks this answer.",
};

const LABELS: Readonly<Record<CellVerdict["status"], string>> = {
  passed: "Passed",
  partial: "Partly right",
  failed: "Not passed",
  timeout: "Out of time",
  crashed: "Ended early",
  limit: "Over a limit",
  missing: "Missing",
  changed: "Changed",
  manual: "Marked by hand",
};

/**
 * Writes a student's page.
 *
 * @param feedback What it says. Answers and comments may come from anyone: they are sanitised.
 * @returns The text of one HTML file, which runs no script and fetches nothing.
 */
export function renderFeedback(feedback: Feedback): string {
  const { assignment, student, questions, comment } = feedback;
  const { raw, latePenalty, total, max, waiting } = scoreOf(
    questions.map(scored),
    feedback.latePenalty,
  );
  const lines = [
    latePenalty > 0
      ? `${points(raw)} before ${points(latePenalty)} taken off for handing in late`
      : "",
    waiting > 0
      ? `${waiting} ${
        waiting === 1 ? "answer waits" : "answers wait"
      } to be marked, so this is not final`
      : "",
  ].filter((line) => line !== "");
  const score = `<div class="gr-total"><p><strong>${points(total)}</strong> <span>of ${
    points(max)
  } points</span></p>${bar(total, max)}${
    lines.map((line) => `<p class="gr-small">${line}</p>`).join("")
  }</div>`;
  const rows = questions.map((question, i) =>
    `<tr><th scope="row"><a href="#question-${i + 1}">${escapeHtml(titleOf(question))}</a></th>` +
    `<td>${escapeHtml(labelOf(question))}</td><td class="nb-number">${
      isUnmarked(question) ? "–" : points(pointsOf(scored(question)))
    } of ${points(question.verdict.maxPoints)}</td></tr>`
  );
  const table =
    `<div class="table-scroll" role="group" tabindex="0" aria-label="Score by question"><table class="gr-scores"><thead><tr>` +
    `<th scope="col">Question</th><th scope="col">Result</th><th scope="col" class="nb-number">Points</th>` +
    `</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
  const whole = comment === undefined || comment.trim() === ""
    ? ""
    : `<h2>On the whole</h2>${renderComment(comment, "whole")}`;
  return renderStaticPage({
    title: assignment,
    about: aboutSubmission(feedback, escapeHtml(student)),
    body: `<div class="gr-feedback">${score}${table}${whole}${
      questions.map((question, i) => renderQuestion(question, i + 1)).join("")
    }</div>`,
  });
}

function aboutSubmission(
  { submitted, due, lateDays = 0, timeZone = "UTC" }: Feedback,
  student: string,
): string {
  return [
    student,
    submitted === undefined ? "" : `handed in ${moment(submitted, timeZone)}`,
    due === undefined ? "" : `due ${moment(due, timeZone)}`,
    lateDays > 0
      ? `<strong>${points(lateDays)} ${lateDays === 1 ? "day" : "days"} late</strong>`
      : "",
  ].filter((part) => part !== "").join(" · ");
}

function renderQuestion(question: FeedbackQuestion, number: number): string {
  const { verdict, mark } = question;
  const rubric = mark?.rubric ?? [];
  const items = rubric.length === 0
    ? ""
    : `<ul class="gr-rubric">${
      rubric.map((item) =>
        `<li><span>${escapeHtml(item.label)}</span> <strong>${signed(item.points)}</strong></li>`
      ).join("")
    }</ul>`;
  const comments = (mark?.comments ?? []).filter((text) => text.trim() !== "")
    .map((text, i) => renderComment(text, `${number}-${i + 1}`)).join("");
  const weaker = verdict.shared
    ? `<p class="gr-small">This test ran in the same process as your code, so its result is weaker than the others’.</p>`
    : "";
  const device = verdict.device === undefined
    ? ""
    : `<p class="gr-small">${
      verdict.device === "cpu"
        ? "Code for a GPU ran on the CPU, with equal results: the grader has no GPU."
        : `Code for a GPU ran on: ${escapeHtml(verdict.device)}.`
    }</p>`;
  const got = `${isUnmarked(question) ? "–" : points(pointsOf(scored(question)))} of ${
    points(verdict.maxPoints)
  }`;
  return `<section class="gr-question" id="question-${number}" aria-labelledby="title-${number}">` +
    `<h2 id="title-${number}">${escapeHtml(titleOf(question))}</h2>` +
    `<p class="gr-result gr-${toneOf(question)}"><strong>${
      escapeHtml(labelOf(question))
    }</strong> <span>${got}</span></p>` +
    `<p class="gr-words">${escapeHtml(wordsOf(question))}</p>${weaker}${device}${items}${comments}${
      renderAnswer(question, number)
    }</section>\n`;
}

/** What a student may read of how the question fared. */
function wordsOf({ verdict, mark }: FeedbackQuestion): string {
  if (verdict.status === "manual" && (mark?.points ?? null) !== null) {
    return "A person marked this answer.";
  }
  const message = verdict.hidden ? "" : cut(verdict.message?.trim() ?? "", MAX_MESSAGE);
  return message === "" ? WORDS[verdict.status] : message;
}

function labelOf(question: FeedbackQuestion): string {
  if (question.mark?.outdated && question.verdict.status === "manual") {
    return "To be marked again";
  }
  if (isWaiting(scored(question))) return "Not marked yet";
  return (question.mark?.points ?? null) === null
    ? LABELS[question.verdict.status]
    : "Marked by hand";
}

function toneOf(question: FeedbackQuestion): "full" | "part" | "none" {
  const got = pointsOf(scored(question));
  if (got >= question.verdict.maxPoints) return "full";
  return got > 0 || isWaiting(scored(question)) ? "part" : "none";
}

function isUnmarked(question: FeedbackQuestion): boolean {
  return isWaiting(scored(question)) && (question.mark?.points ?? null) === null;
}

function scored({ verdict, mark }: FeedbackQuestion): ScoredQuestion {
  return { maxPoints: verdict.maxPoints, verdict, mark };
}

function titleOf({ title, verdict }: FeedbackQuestion): string {
  return title?.trim() || verdict.gradeId;
}

function renderComment(source: string, id: string): string {
  const { html } = renderMarkdown(source, { prefix: `k${id}-` });
  return `<blockquote class="gr-comment nb-prose nb-confined" tabindex="0" aria-label="Comment">${html}</blockquote>`;
}

function renderAnswer({ answer }: FeedbackQuestion, number: number): string {
  if (answer === undefined || answer.source.trim() === "") return "";
  const source = cut(answer.source, MAX_ANSWER);
  const html = answer.cell_type === "code"
    ? `<pre class="gr-source" tabindex="0"><code class="hljs">${
      highlight(source, "typescript")
    }</code></pre>`
    : `<div class="nb-prose nb-confined gr-answer" role="group" tabindex="0" aria-label="Your answer">${
      renderMarkdown(source, { prefix: `a${number}-` }).html
    }</div>`;
  return `<details class="gr-own"><summary>Your answer</summary>${html}</details>`;
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most).replace(/[\ud800-\udbff]$/, "")} …`;
}

/** A bar that the text beside it already says. */
function bar(value: number, max: number): string {
  const share = max > 0 ? Math.min(1, Math.max(0, value / max)) : 0;
  return `<div class="gr-bar" aria-hidden="true"><span style="width:${
    (share * 100).toFixed(1)
  }%"></span></div>`;
}

/** Points with at most two decimals. */
function points(value: number): string {
  return String(Math.round(value * 100) / 100).replace("-", "−");
}

function signed(value: number): string {
  return value > 0 ? `+${points(value)}` : points(value);
}

function moment(date: Date, timeZone: string): string {
  if (Number.isNaN(date.getTime())) return "at an unknown time";
  const local = Temporal.Instant.fromEpochMilliseconds(date.getTime()).toZonedDateTimeISO(timeZone);
  return `${local.toPlainDateTime().toString({ smallestUnit: "minute" }).replace("T", " ")} ${
    escapeHtml(timeZone)
  }`;
}
