// Answers before and after fine-tuning, side by side with the reference answer.

import { assertArray } from "../kind_of.ts";
import { sharedWords } from "./shared_words.ts";
import { cellOpening, formatValue, headingCell, markdownCell, tableHtml } from "./table.ts";
import { escapeHtml, formatNumber } from "./theme.ts";
import { View } from "./view.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

/** One prompt with its answers. */
export interface Comparison {
  /** The prompt. */
  prompt: string;
  /** The reference answer. */
  reference: string;
  /** The model's answer before fine-tuning. */
  before: string;
  /** The model's answer after it. */
  after: string;
  /** Scores to show under the answers. */
  scores?: { before?: number; after?: number };
}

/** How a comparison is shown. */
export interface CompareOptions {
  /** Text above the table. */
  caption?: string;
  /** The most rows to show, 20 by default. */
  maxRows?: number;
  /** The most characters of a cell to show, 1000 by default. */
  maxCell?: number;
  /** Headings of the four columns. */
  labels?: { prompt?: string; reference?: string; before?: string; after?: string };
}

/** The names of {@linkcode CompareOptions}. */
export const COMPARE_OPTIONS: OptionNames<CompareOptions> = {
  caption: true,
  maxRows: true,
  maxCell: true,
  labels: true,
};

/**
 * Shows answers before and after. Words that an answer shares with the reference answer, in order,
 * are marked: the words that ROUGE-L counts.
 *
 * @param rows Prompts with reference and answers.
 * @param options Caption, and how much is shown.
 * @returns The table as HTML, Markdown and text.
 *
 * @example
 * ```ts
 * import { compareTable } from "tunebook/show";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const view = compareTable([
 *   { prompt: "Capital of France?", reference: "Paris.", before: "What?", after: "Paris, France" },
 * ]);
 * assertStringIncludes(view.html, "<mark>Paris</mark>, France");
 * ```
 */
export function compareTable(rows: readonly Comparison[], options: CompareOptions = {}): View {
  assertKnownOptions("compare answers", options, COMPARE_OPTIONS);
  assertArray("compare answers of", rows, "rows with prompt, reference, before and after");
  const { caption, maxRows = 20, maxCell = 1000, labels = {} } = options;
  const heads = [
    labels.prompt ?? "Prompt",
    labels.reference ?? "Reference",
    labels.before ?? "Before",
    labels.after ?? "After",
  ];
  return new View(() => {
    const shown = rows.slice(0, maxRows).map((row) => ({
      ...row,
      prompt: cut(row.prompt, maxCell),
      reference: cut(row.reference, maxCell),
      before: cut(row.before, maxCell),
      after: cut(row.after, maxCell),
    }));
    const more = rows.length - shown.length;
    const notes = [
      more > 0 ? `and ${formatNumber(more)} more rows` : "",
      "Underlined: words shared with the reference, in order",
    ].filter(Boolean);
    const body = shown.map((row) =>
      `<tr>${cellOpening(row.prompt, heads[0])}${escapeHtml(row.prompt)}</td>${
        cellOpening(row.reference, heads[1])
      }${escapeHtml(row.reference)}</td>${
        answerCell(row.before, row.reference, heads[2], row.scores?.before)
      }${answerCell(row.after, row.reference, heads[3], row.scores?.after)}</tr>`
    ).join("");
    const scored = (text: string, score: number | undefined) =>
      score === undefined ? text : `${text} (${formatValue(score)})`;
    const line = (texts: readonly string[]) => `| ${texts.join(" | ")} |`;
    return {
      "text/html": tableHtml({
        caption,
        head: heads.map((label) => headingCell(label)).join(""),
        body,
        rest: notes.join(". "),
      }),
      "text/markdown": [
        ...(caption ? [`**${markdownCell(caption)}**`, ""] : []),
        line(heads.map(markdownCell)),
        line(heads.map(() => "---")),
        ...shown.map((row) =>
          line([
            markdownCell(row.prompt),
            markdownCell(row.reference),
            markdownCell(scored(row.before, row.scores?.before)),
            markdownCell(scored(row.after, row.scores?.after)),
          ])
        ),
        ...(more > 0 ? ["", `*${notes[0]}*`] : []),
      ].join("\n"),
      "text/plain": [
        ...(caption ? [caption] : []),
        ...shown.map((row, i) =>
          [
            `${i + 1}. ${heads[0]}: ${row.prompt}`,
            `${heads[1]}: ${row.reference}`,
            `${heads[2]}: ${scored(row.before, row.scores?.before)}`,
            `${heads[3]}: ${scored(row.after, row.scores?.after)}`,
          ].map((text) => text.replace(/\s*[\r\n]+\s*/g, " ↵ ")).join("\n   ")
        ),
        ...(more > 0 ? [notes[0]] : []),
      ].join("\n"),
    };
  });
}

function answerCell(
  answer: string,
  reference: string,
  label: string,
  score: number | undefined,
): string {
  const marked = sharedWords(answer, reference).map(({ text, shared }) =>
    shared ? `<mark>${escapeHtml(text)}</mark>` : escapeHtml(text)
  ).join("").replaceAll("</mark> <mark>", " ");
  const below = score === undefined
    ? ""
    : `<div style="opacity:0.8;font-size:12px">score <b>${
      escapeHtml(formatValue(score))
    }</b></div>`;
  return `${cellOpening(answer, label)}${
    answer === "" ? '<span style="opacity:0.7">(empty)</span>' : marked
  }${below}</td>`;
}

function cut(text: string, most: number): string {
  const characters = Array.from(text.slice(0, most * 2 + 2));
  return characters.length > most ? `${characters.slice(0, most).join("")}…` : text;
}
