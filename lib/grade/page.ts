// Pages of the grading room: they look like reports, and run no script at all.

import { inFileOrder, type Notebook } from "../runtime/notebook.ts";
import { renderCells } from "../runtime/report/cells.ts";
import { escapeHtml } from "../runtime/report/html.ts";
import reportStyle from "../runtime/report/report.css" with { type: "text" };
import { paletteCss } from "../runtime/report/theme.ts";
import { drawVega } from "../runtime/report/vega.ts";
import gradeStyle from "./page.css" with { type: "text" };

/** What a static page's content policy allows: what is in the file, and no script. */
export const STATIC_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/** The parts of a static page; what is HTML has been made safe. */
export interface StaticPage {
  /** The title as text. */
  readonly title: string;
  /** A line under the title, as HTML. */
  readonly about?: string;
  /** What stands under it, as HTML. */
  readonly body: string;
}

/**
 * Puts a page together that looks like a report and runs nothing.
 *
 * @param page Its parts.
 * @returns The text of one HTML file.
 */
export function renderStaticPage({ title, about = "", body }: StaticPage): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${STATIC_POLICY}">
<meta http-equiv="x-dns-prefetch-control" content="off">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>
${paletteCss()}${reportStyle}${gradeStyle}</style>
</head>
<body>
<a class="nb-skip" href="#nb-main">Skip to content</a>
<div class="nb-page">
<header class="nb-top">
<h1>${escapeHtml(title)}</h1>
${about === "" ? "" : `<p class="nb-about">${about}</p>`}
</header>
<main id="nb-main" tabindex="-1">
${body}
</main>
</div>
</body>
</html>
`;
}

/**
 * Renders a student's notebook as a page without script: the runtime's report, its charts as drawings.
 *
 * @param notebook The notebook, from anyone.
 * @param title The page's title, for example a pseudonym.
 * @returns The text of one HTML file.
 */
export async function renderStaticReport(notebook: Notebook, title: string): Promise<string> {
  const shown = inFileOrder(notebook);
  const { html } = renderCells(shown, { code: true, title, drawings: await drawVega(shown) });
  return renderStaticPage({ title, body: `<div class="gr-framed">${html}</div>` });
}
