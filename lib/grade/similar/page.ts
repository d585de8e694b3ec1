// The page that shows similar submissions side by side. It runs no script; marks are links from one
// side to the other.

import { escapeHtml } from "../../runtime/report/html.ts";
import { renderStaticPage } from "../page.ts";
import type { ComparedSubmission, SharedRange, Similarities, SimilarPair } from "../similar.ts";

/** Options of {@linkcode renderSimilarities}. */
export interface SimilarPageOptions {
  /** The assignment's name. */
  readonly assignment?: string;
  /** At most so many pairs are shown side by side; the table has all. Default: 50. */
  readonly shown?: number;
}

/** Parts that match are told apart by so many colours. */
const COLORS = 6;

/**
 * Writes a page for the instructor: a table of the pairs, and each pair's cells side by side with what they share
 * marked.
 *
 * @param similarities What {@linkcode findSimilar} found.
 * @param submissions The submissions that it compared.
 * @param options What to show.
 * @returns The text of one HTML file, which runs no script.
 */
export function renderSimilarities(
  similarities: Similarities,
  submissions: readonly ComparedSubmission[],
  options: SimilarPageOptions = {},
): string {
  const { assignment, shown = 50 } = options;
  const { pairs, commonPassages } = similarities;
  const byId = new Map(submissions.map((submission) => [submission.id, submission]));
  const compared = counted(submissions.length, "submission");
  const about = [
    `${compared} compared`,
    pairs.length === 0 ? "no pair shares more than the release explains" : counted(
      pairs.length,
      "pair",
    ),
    commonPassages === 0 ? "" : `${counted(commonPassages, "passage")} in many of them left out`,
  ].filter((part) => part !== "").join(" · ");
  const note =
    `<p class="gr-note">A place to look, never a verdict. Names, literals, layout and what the release holds are ` +
    `ignored, so a short common answer can look alike in honest work. Read both sides before you ask anybody.</p>`;
  const body = pairs.length === 0
    ? note
    : note + table(pairs, shown) + pairs.slice(0, shown).map((pair, i) =>
      sideBySide(pair, i + 1, byId.get(pair.first)!, byId.get(pair.second)!)
    ).join("");
  return renderStaticPage({
    title: assignment === undefined ? "Similar submissions" : `Similar submissions: ${assignment}`,
    about,
    body: `<div class="gr-wide">${body}</div>`,
  });
}

function table(pairs: readonly SimilarPair[], shown: number): string {
  const rows = pairs.map((pair, i) => {
    const names = `${escapeHtml(pair.first)} and ${escapeHtml(pair.second)}`;
    const longest = pair.ranges.reduce((most, { tokens }) => Math.max(most, tokens), 0);
    return `<tr><th scope="row">${
      i < shown ? `<a href="#pair-${i + 1}">${names}</a>` : names
    }</th>` +
      [percent(pair.score), percent(pair.firstShare), percent(pair.secondShare), String(longest)]
        .map((text) => `<td class="nb-number">${text}</td>`).join("") +
      "</tr>";
  });
  const heads = ["Score", "Of the first", "Of the second", "Longest part"];
  return `<div class="table-scroll" role="group" tabindex="0" aria-label="Pairs"><table><thead><tr><th scope="col">Pair</th>${
    heads.map((head) => `<th scope="col" class="nb-number">${head}</th>`).join("")
  }</tr></thead><tbody>${rows.join("")}</tbody></table></div>\n`;
}

function sideBySide(
  pair: SimilarPair,
  number: number,
  first: ComparedSubmission,
  second: ComparedSubmission,
): string {
  const side = (submission: ComparedSubmission, which: "first" | "second") =>
    `<section class="gr-side" aria-label="${escapeHtml(submission.id)}, pair ${number}"><h3>${
      escapeHtml(submission.id)
    }</h3>${markedCells(submission, pair.ranges, which, number)}</section>`;
  // The anchor is inside, so that a link to it opens what is folded.
  return `<details class="gr-pair"${number === 1 ? " open" : ""}><summary><h2>${
    escapeHtml(pair.first)
  } and ${escapeHtml(pair.second)}</h2><span>${percent(pair.score)} alike</span></summary>` +
    `<div class="gr-sides" id="pair-${number}">${side(first, "first")}${
      side(second, "second")
    }</div></details>\n`;
}

/** The cells that have a part in common, with those parts marked. */
function markedCells(
  { notebook }: ComparedSubmission,
  ranges: readonly SharedRange[],
  which: "first" | "second",
  pair: number,
): string {
  const other = which === "first" ? "second" : "first";
  const byCell = Map.groupBy(
    ranges.map((range, i) => ({ ...range[which], number: i + 1 })),
    ({ cell }) => cell,
  );
  return [...byCell].sort(([a], [b]) => a - b).map(([cell, parts]) => {
    const { source } = notebook.cells[cell]!;
    let html = "";
    let at = 0;
    for (const { start, end, number } of parts.sort((a, b) => a.start - b.start)) {
      html += escapeHtml(source.slice(at, start)) +
        `<mark class="gr-match gr-color-${
          (number - 1) % COLORS
        }" id="m-${pair}-${number}-${which}">` +
        `<a href="#m-${pair}-${number}-${other}" aria-label="Part ${number}, on the other side">${number}</a>` +
        `${escapeHtml(source.slice(start, end))}</mark>`;
      at = end;
    }
    html += escapeHtml(source.slice(at));
    const name = parts[0]!.gradeId ?? `cell ${cell + 1}`;
    return `<p class="gr-cell-name">${
      escapeHtml(name)
    }</p><pre class="gr-source" tabindex="0">${html}</pre>`;
  }).join("");
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
