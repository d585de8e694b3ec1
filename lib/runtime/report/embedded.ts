// What a report carries besides the page: the notebook and the manifest, and reading them again.

import { gunzipSync } from "node:zlib";
import { formatNotebook, type Notebook, parseNotebook } from "../notebook.ts";
import type { Manifest } from "../manifest.ts";
import { embeddedJson, escapeHtml } from "./html.ts";

const NOTEBOOK_TYPE = "application/x-ipynb+json+gzip+base64";

/** A notebook of more bytes than this is not unpacked: a few bytes may unpack to a great many. */
const MAX_NOTEBOOK = 128 * 2 ** 20;

/** The version that rendered a page, and its inputs besides notebook and manifest. */
export interface PageSettings {
  /** Version of Tunebook. */
  tunebook: string;
  /** SHA-256 over its own files, where it ran from a folder. */
  library?: string;
  /** Version of Deno, which packs the notebook. */
  deno: string;
  /** The title, where the page was given another than the notebook's own. */
  title?: string;
  /** Whether code is shown. */
  code: boolean;
  /** The style sheet that goes over the report's own. */
  theme?: string;
}

/** A report with all that it must carry to be checked. */
export interface CompleteReport {
  notebook: Notebook;
  manifest: Manifest;
  settings: PageSettings;
}

/** What a report carries. */
export interface EmbeddedReport {
  /** The notebook with its outputs; undefined if the report was made without it. */
  notebook?: Notebook;
  /** The notebook's text as the report carries it. */
  notebookText?: string;
  /** The manifest of its run; undefined if there was none. */
  manifest?: Manifest;
  /** What the page was rendered with. */
  settings?: PageSettings;
}

/**
 * Writes the data that a report carries.
 *
 * The notebook is compressed, since its figures and pictures are in the page once already.
 *
 * @param notebook The notebook; undefined leaves it out.
 * @param manifest The manifest; undefined leaves it out.
 * @param settings What the page was rendered with.
 * @returns `<script>` elements of data types, which browsers do not run.
 */
export async function embedData(
  notebook: Notebook | undefined,
  manifest: Manifest | undefined,
  settings: PageSettings,
): Promise<string> {
  let html = `<script type="application/json" id="nb-page">${embeddedJson(settings)}</script>\n`;
  if (manifest !== undefined) {
    html += `<script type="application/json" id="nb-manifest">${embeddedJson(manifest)}</script>\n`;
  }
  if (notebook !== undefined) {
    const name = manifest?.notebook?.name ?? "notebook.ipynb";
    const packed = new Blob([formatNotebook(notebook)]).stream()
      .pipeThrough(new CompressionStream("gzip"));
    const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
    html +=
      `<script type="${NOTEBOOK_TYPE}" id="nb-notebook" data-name="${escapeHtml(String(name))}">` +
      `${bytes.toBase64()}</script>\n`;
  }
  return html;
}

/**
 * Reads what a report carries.
 *
 * @param html The text of a report that {@linkcode renderReport} made.
 * @returns The notebook and the manifest, as far as the report has them.
 * @throws {SyntaxError} If the text is not a report, or its embedded data is damaged.
 * @throws {RangeError} If the notebook unpacks to more than 128 MiB.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseNotebook, readReport, renderReport } from "tunebook/runtime";
 *
 * const notebook = parseNotebook(`{
 *   "nbformat": 4, "nbformat_minor": 5, "metadata": {},
 *   "cells": [{ "cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Losses" }]
 * }`);
 * const { notebook: carried } = await readReport(await renderReport(notebook));
 * assertEquals(carried, notebook);
 * ```
 */
export async function readReport(html: string): Promise<EmbeddedReport> {
  if (!/<meta name="generator" content="Tunebook[^"]*">/.test(html)) {
    throw new SyntaxError("Cannot read the report: it is not a report by Tunebook");
  }
  const report: EmbeddedReport = {};
  report.manifest = asManifest(readData(html, "manifest"));
  report.settings = asSettings(readData(html, "page"));
  const place = notebookPlace(html);
  if (place !== undefined) {
    const text = unpack(html.slice(...place));
    report.notebookText = text;
    report.notebook = parseNotebook(text, "the report's notebook");
  }
  return report;
}

/**
 * Where in a report the packed notebook stands.
 *
 * @param html The report.
 * @returns From and to; undefined where it carries none.
 */
export function notebookPlace(html: string): [number, number] | undefined {
  const start = html.indexOf(`<script type="${NOTEBOOK_TYPE}" id="nb-notebook"`);
  if (start < 0) return undefined;
  const from = html.indexOf(">", start) + 1;
  const to = html.indexOf("</script>", from);
  return from === 0 || to < 0 ? undefined : [from, to];
}

function readData(html: string, name: string): unknown {
  const opening = `<script type="application/json" id="nb-${name}">`;
  const start = html.indexOf(opening);
  if (start < 0) return undefined;
  const from = start + opening.length;
  try {
    return JSON.parse(html.slice(from, html.indexOf("<", from)));
  } catch (cause) {
    const what = name === "page" ? "settings are" : `${name} is`;
    throw new SyntaxError(`Cannot read the report: its ${what} damaged`, { cause });
  }
}

function asSettings(value: unknown): PageSettings | undefined {
  if (!isRecord(value) || typeof value.tunebook !== "string") return undefined;
  const text = (key: string) => typeof value[key] === "string" ? value[key] : undefined;
  return {
    tunebook: value.tunebook,
    library: text("library"),
    deno: text("deno") ?? "",
    title: text("title"),
    code: value.code !== false,
    theme: text("theme"),
  };
}

/**
 * Takes a manifest from a file of anyone's, such as the one that the runner leaves in a notebook's
 * metadata.
 *
 * @param value Any JSON value.
 * @returns A manifest whose parts have the right shape, without wrong parts; undefined if it is not
 * a manifest.
 */
export function asManifest(value: unknown): Manifest | undefined {
  if (!isRecord(value) || typeof value.tunebook !== "string") return undefined;
  const records = (list: unknown) => Array.isArray(list) ? list.filter(isRecord) : [];
  return {
    ...value,
    notebook: isRecord(value.notebook) ? value.notebook : {},
    parameters: isRecord(value.parameters) ? value.parameters : {},
    provenance: records(value.provenance),
    cells: records(value.cells),
  } as unknown as Manifest;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Unpacks a notebook; the stream of the web's own API would hand out all of a bomb as one chunk. */
function unpack(base64: string): string {
  let bytes: Uint8Array;
  try {
    bytes = gunzipSync(Uint8Array.fromBase64(base64), { maxOutputLength: MAX_NOTEBOOK });
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    if ((cause as { code?: string }).code === "ERR_BUFFER_TOO_LARGE") {
      throw new RangeError(
        "Cannot read the report: its notebook unpacks to more than 128 MiB, which is the most allowed",
      );
    }
    throw new SyntaxError("Cannot read the report: its notebook is damaged", { cause });
  }
}
