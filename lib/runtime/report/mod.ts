// Reports: a notebook as one HTML file that opens anywhere, offline, with live charts, and says how
// it was made. A report of a stranger's notebook runs nothing of theirs and fetches nothing.

import config from "../../../deno.json" with { type: "json" };
import type { Manifest } from "../manifest.ts";
import { libraryHash } from "../new_manifest.ts";
import { inFileOrder, type Notebook } from "../notebook.ts";
import { formatSeconds, renderCells } from "./cells.ts";
import { asManifest, embedData, type PageSettings } from "./embedded.ts";
import { renderContents } from "./headings.ts";
import { escapeHtml, textOf } from "./html.ts";
import { renderPage } from "./page.ts";
import { renderProvenance } from "./provenance.ts";
import { drawVega } from "./vega.ts";
import { assertKnownOptions, type OptionNames } from "../../options.ts";

export { type EmbeddedReport, type PageSettings, readReport } from "./embedded.ts";
export {
  type MarkdownReport,
  type MarkdownReportOptions,
  renderMarkdownReport,
  writeMarkdownReport,
} from "./markdown_report.ts";

/** Options of {@linkcode renderReport}. */
export interface ReportOptions {
  /** The title; by default the notebook's own (its metadata, its first heading of level 1, or its file's name). */
  title?: string;
  /**
   * How the notebook was run; the footer shows it, and the page contains it. By default what the
   * runner left in the notebook's metadata, as `tunebook`.
   */
  manifest?: Manifest;
  /** Whether code is shown. Default: true. The notebook that the page carries has it in any case. */
  code?: boolean;
  /**
   * A style sheet that goes over the report's own. Colours are custom properties of `:root`
   * (`--nb-ink`, `--nb-paper`, `--nb-accent`, …), for the dark `:root[data-theme=dark]`; fonts are
   * `--nb-sans` and `--nb-mono`. External resources that it names are not loaded.
   */
  theme?: string;
  /** Whether the page carries the notebook, to be saved and verified. Default: true. */
  embedNotebook?: boolean;
}

/** The names of {@linkcode ReportOptions}. */
export const REPORT_OPTIONS: OptionNames<ReportOptions> = {
  title: true,
  manifest: true,
  code: true,
  theme: true,
  embedNotebook: true,
};

/**
 * Makes a report of a notebook.
 *
 * Everything in the notebook is taken for a stranger's: HTML, SVG and Markdown are sanitised, figures
 * cleaned, and the page's content policy allows no network and no script but the report's own.
 *
 * @param notebook The notebook with its outputs.
 * @param options What to show.
 * @returns One HTML file. The same notebook and options give the same text.
 * @throws {SyntaxError} If the theme could end its style element.
 *
 * @example
 * ```ts
 * import { parseNotebook, renderReport } from "tunebook/runtime";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const notebook = parseNotebook(`{
 *   "nbformat": 4, "nbformat_minor": 5, "metadata": {},
 *   "cells": [{ "cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Losses" }]
 * }`);
 * const html = await renderReport(notebook);
 * assertStringIncludes(html, "<h1>Losses</h1>");
 * assertStringIncludes(html, "default-src 'none'");
 * ```
 */
export async function renderReport(
  notebook: Notebook,
  options: ReportOptions = {},
): Promise<string> {
  assertKnownOptions("make a report", options, REPORT_OPTIONS);
  const { title, code = true, theme, embedNotebook = true } = options;
  const settings: PageSettings = {
    tunebook: config.version,
    library: await libraryHash(),
    deno: Deno.version.deno,
    title,
    code,
    theme,
  };
  // In the form in which the page embeds it, so that rendering it again gives the same page.
  const carried = inFileOrder(notebook);
  const manifest = asManifest(options.manifest ?? notebook.metadata.tunebook);
  return await renderWith(settings, carried, manifest, embedNotebook);
}

/**
 * Renders a page from exactly what another page says that it was rendered from.
 *
 * @param settings What the page was rendered with.
 * @param notebook The notebook.
 * @param manifest How it was run.
 * @param embedNotebook Whether the page carries the notebook.
 */
export async function renderWith(
  settings: PageSettings,
  notebook: Notebook,
  manifest: Manifest | undefined,
  embedNotebook = true,
): Promise<string> {
  const { code } = settings;
  const given = settings.title ?? metadataText(notebook.metadata.title);
  const drawings = await drawVega(notebook);
  const cells = renderCells(notebook, { code, title: given, manifest, drawings });
  const own = cells.titleHtml === undefined ? undefined : textOf(cells.titleHtml);
  const name = metadataText(manifest?.notebook.name)?.replace(/\.ipynb$/, "");
  const title = given || own || name || "Notebook";
  return await renderPage({
    title,
    titleHtml: cells.titleHtml ?? escapeHtml(title),
    language: /^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/.exec(
      metadataText(notebook.metadata.language) ?? "",
    )?.[0] ?? "en",
    theme: settings.theme ?? "",
    about: manifest === undefined ? "" : aboutRun(manifest),
    contents: renderContents(cells.headings),
    cells: cells.html,
    footer: renderProvenance(manifest, embedNotebook),
    foldable: cells.codeCells > 0,
    data: await embedData(embedNotebook ? notebook : undefined, manifest, settings),
    plotly: cells.figures > 0,
  });
}

function aboutRun(manifest: Manifest): string {
  const seconds = manifest.cells.reduce(
    (sum, cell) => sum + (Number(cell.seconds) || 0),
    0,
  );
  const date = new Date(manifest.startedAt);
  const parts = [
    escapeHtml(String(manifest.notebook.name ?? "")),
    Number.isNaN(date.getTime()) ? "" : `run on ${date.toISOString().slice(0, 10)}`,
    seconds > 0 ? `in ${formatSeconds(seconds)}` : "",
    `<a href="#nb-how">how this was made</a>`,
  ];
  return parts.filter((part) => part !== "").join(" · ");
}

function metadataText(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value.trim().slice(0, 500) : undefined;
}
