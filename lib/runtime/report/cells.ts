// Cells as HTML, in the order of the notebook, with the page's outline.

import type { Cell, CodeCell, MarkdownCell, MimeBundle, Notebook, RawCell } from "../notebook.ts";
import type { Manifest } from "../manifest.ts";
import { highlight } from "./code.ts";
import { countTitles, type Heading, Outline, takeTitle } from "./headings.ts";
import { escapeHtml, textOf } from "./html.ts";
import { renderMarkdown } from "./markdown.ts";
import { OutputRenderer } from "./outputs.ts";
import { sanitizeHtml } from "./sanitize.ts";
import type { Drawings } from "./vega.ts";

/** The prefix of ids that Markdown cells choose. */
const MARKDOWN_PREFIX = "u";

/** A notebook's cells, ready for the page. */
export interface RenderedCells {
  html: string;
  /** The notebook's own title as HTML, taken off its first cell. */
  titleHtml?: string;
  headings: Heading[];
  /** How many figures Plotly draws. */
  figures: number;
  /** How many code cells show their code. */
  codeCells: number;
}

/** What to show of the cells. */
export interface CellOptions {
  /** Whether code is shown. */
  code: boolean;
  /** The title to show above the page; the notebook's own h1 is taken off only where it is the same. */
  title?: string;
  /** Times of cells. */
  manifest?: Manifest;
  /** Charts that were drawn before. */
  drawings?: Drawings;
}

/**
 * Renders the cells of a notebook.
 *
 * @param notebook The notebook.
 * @param options What to show.
 * @returns HTML and what was found in it.
 */
export function renderCells(notebook: Notebook, options: CellOptions): RenderedCells {
  const language = String(
    notebook.metadata.language_info?.name ?? notebook.metadata.kernelspec?.language ?? "typescript",
  );
  const texts = notebook.cells.map((cell) => hasTag(cell, "remove-cell") ? "" : renderText(cell));
  const first = notebook.cells.findIndex((cell) => !hasTag(cell, "remove-cell"));
  const own = takeTitle(texts[first] ?? "");
  let titleHtml: string | undefined;
  if (own !== undefined && (options.title ?? textOf(own.title)) === textOf(own.title)) {
    titleHtml = own.title.replace(/<\/?a\b[^>]*>/g, "");
    texts[first] = own.rest;
  }
  const outline = new Outline(texts.some((text) => countTitles(text) > 0) ? 1 : 0);
  const outlined = texts.map((text) => outline.add(text));
  const outputs = new OutputRenderer(options.drawings);
  const times = new Map(options.manifest?.cells.map((cell) => [cell.id, Number(cell.seconds)]));
  let codeCells = 0;
  let html = "";
  notebook.cells.forEach((cell, index) => {
    if (hasTag(cell, "remove-cell")) return;
    if (cell.cell_type !== "code") {
      const text = outline.resolveLinks(outlined[index], MARKDOWN_PREFIX);
      if (text.trim() !== "") html += `<div class="nb-cell nb-prose">${text}</div>\n`;
      return;
    }
    const code = options.code && !hasTag(cell, "remove-input") && cell.source.trim() !== ""
      ? renderCode(cell, language, times.get(cell.id))
      : "";
    if (code !== "") codeCells++;
    const shown = hasTag(cell, "remove-output") ? "" : outputs.render(cell.outputs);
    const hidden = hasTag(cell, "hide-output") || isHidden(cell, "outputs_hidden");
    const results = hidden && shown !== ""
      ? `<details class="nb-hidden"><summary>Output</summary>${shown}</details>`
      : shown;
    if (code + results !== "") {
      html += `<div class="nb-cell" id="cell-${cellAnchor(cell.id)}">${code}${results}</div>\n`;
    }
  });
  return { html, titleHtml, headings: outline.headings, figures: outputs.figures, codeCells };
}

/**
 * The part of a cell's anchor after `cell-`.
 *
 * @param id A cell's id.
 * @returns The id with characters that no id may have replaced.
 */
export function cellAnchor(id: string): string {
  return String(id).replace(/[^\w-]/g, "_").slice(0, 64);
}

function renderText(cell: Cell): string {
  if (cell.cell_type === "code") return "";
  if (cell.cell_type === "markdown") return renderMarkdownCell(cell, cell.source);
  return renderRaw(cell);
}

function renderMarkdownCell(cell: MarkdownCell | RawCell, source: string): string {
  return renderMarkdown(source, {
    prefix: MARKDOWN_PREFIX,
    headings: true,
    attachment: (name) => attachmentUrl(cell.attachments, name),
  }).html;
}

/** A raw cell is meant for one kind of document; those for others are left out. */
function renderRaw(cell: RawCell): string {
  const format = String(cell.metadata.raw_mimetype ?? cell.metadata.format ?? "text/plain");
  if (cell.source.trim() === "") return "";
  switch (format) {
    case "text/html":
      return sanitizeHtml(cell.source, { prefix: MARKDOWN_PREFIX, headings: true }).html;
    case "text/markdown":
      return renderMarkdownCell(cell, cell.source);
    case "text/plain":
      return `<pre class="nb-raw">${escapeHtml(cell.source)}</pre>`;
    default:
      return "";
  }
}

function renderCode(cell: CodeCell, language: string, seconds: number | undefined): string {
  const source = cell.source.trimEnd();
  const lines = source.split("\n");
  const folded = isHidden(cell, "source_hidden") || hasTag(cell, "hide-input");
  const count = cell.execution_count === null ? "–" : String(Number(cell.execution_count));
  const parameters = hasTag(cell, "injected-parameters")
    ? "Parameters of this run"
    : hasTag(cell, "parameters")
    ? "Parameters"
    : "";
  const preview = lines.find((line) => line.trim() !== "") ?? "";
  const time = seconds === undefined ? "" : formatSeconds(seconds);
  return `<details class="nb-code"${folded ? "" : " open"}><summary><span class="nb-count">` +
    `<span class="nb-unseen">Code of cell </span>${count}</span>` +
    (time === "" ? "" : `<span class="nb-time" title="Time that this cell took">${time}</span>`) +
    `<span class="nb-preview">${escapeHtml(preview.slice(0, 120))}</span></summary>` +
    (parameters === "" ? "" : `<p class="nb-tag">${parameters}</p>`) +
    `<pre><code class="hljs">${highlight(source, language)}</code></pre></details>\n`;
}

/**
 * A time as people read it.
 *
 * @param seconds Seconds.
 * @returns For example `0.4 s`, `12 s`, `3 min 20 s`, `1 h 05 min`.
 */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return "";
  if (seconds < 0.95) {
    return seconds < 0.0005 ? "0 ms" : `${Math.max(1, Math.round(seconds * 1000))} ms`;
  }
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

function attachmentUrl(
  attachments: Record<string, MimeBundle> | undefined,
  name: string,
): string | undefined {
  if (attachments === undefined || !Object.hasOwn(attachments, name)) return undefined;
  for (const [type, value] of Object.entries(attachments[name])) {
    if (typeof value !== "string") continue;
    if (type === "image/svg+xml") {
      return `data:image/svg+xml;base64,${new TextEncoder().encode(value).toBase64()}`;
    }
    if (/^image\/(?:png|jpeg|gif|webp|avif|bmp)$/.test(type) && /^[A-Za-z0-9+/=\s]+$/.test(value)) {
      return `data:${type};base64,${value.replace(/\s+/g, "")}`;
    }
  }
  return undefined;
}

function hasTag(cell: Cell, tag: string): boolean {
  return Array.isArray(cell.metadata.tags) && cell.metadata.tags.includes(tag);
}

function isHidden(cell: Cell, key: "source_hidden" | "outputs_hidden"): boolean {
  const { jupyter } = cell.metadata as { jupyter?: Record<string, unknown> };
  return jupyter?.[key] === true;
}
