// A notebook as one Markdown file with its pictures in a folder beside it, for wikis and repositories.
// What a stranger's notebook says is sanitised here as in the HTML report.

import { basename } from "@std/path/basename";
import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import MarkdownIt from "markdown-it";
import type { Manifest } from "../manifest.ts";
import { PROVENANCE_MIME } from "../manifest.ts";
import type { Cell, MimeBundle, Notebook, Output } from "../notebook.ts";
import { hasTag } from "../parameters.ts";
import { makeFolder, writeFileBeside } from "../../write_beside.ts";
import { asManifest } from "./embedded.ts";
import { escapeHtml } from "./html.ts";
import { renderMarkdown } from "./markdown.ts";
import { isSafeLink, sanitizeHtml } from "./sanitize.ts";
import { standaloneSvg } from "./svg.ts";
import { plainText } from "./terminal.ts";
import { assertKnownOptions, type OptionNames } from "../../options.ts";

/** Longest text of one output; the notebook has the rest. */
const MAX_TEXT = 50_000;

const BITMAPS: Record<string, string> = {
  "image/png": "png",
  "image/jpeg": "jpg",
  "image/gif": "gif",
  "image/webp": "webp",
};

/** A notebook as Markdown. */
export interface MarkdownReport {
  /** The Markdown file's text. */
  markdown: string;
  /** Its pictures by the names that the text links to, below the folder that was named. */
  files: Map<string, Uint8Array>;
}

/** Options of {@linkcode renderMarkdownReport}. */
export interface MarkdownReportOptions {
  /** How the notebook was run; by default what the runner left in its metadata. */
  manifest?: Manifest;
  /** Whether code is shown. Default: true. */
  code?: boolean;
  /** The folder of pictures, as links name it. Default: `"files"`. */
  folder?: string;
}

/** The names of {@linkcode MarkdownReportOptions}. */
export const MARKDOWN_REPORT_OPTIONS: OptionNames<MarkdownReportOptions> = {
  manifest: true,
  code: true,
  folder: true,
};

/**
 * Makes a Markdown report of a notebook.
 *
 * @param notebook The notebook with its outputs.
 * @param options What to show.
 * @returns The text and its pictures.
 *
 * @example
 * ```ts
 * import { parseNotebook, renderMarkdownReport } from "tunebook/runtime";
 * import { assertEquals } from "@std/assert";
 *
 * const notebook = parseNotebook(`{
 *   "nbformat": 4, "nbformat_minor": 5, "metadata": {},
 *   "cells": [{ "cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Losses" }]
 * }`);
 * assertEquals(renderMarkdownReport(notebook).markdown, "# Losses\n");
 * ```
 */
export function renderMarkdownReport(
  notebook: Notebook,
  options: MarkdownReportOptions = {},
): MarkdownReport {
  assertKnownOptions("make a report", options, MARKDOWN_REPORT_OPTIONS);
  const kept = writeReport(notebook, options, true);
  // What is harmless in each part must be so in the whole.
  return isHarmlessReport(kept.markdown) ? kept : writeReport(notebook, options, false);
}

/** @param keep Whether harmless Markdown is written as it is, and not as HTML. */
function writeReport(
  notebook: Notebook,
  options: MarkdownReportOptions,
  keep: boolean,
): MarkdownReport {
  const { code = true, folder = "files" } = options;
  const writer = new Writer(folder, keep);
  const language = String(notebook.metadata.language_info?.name ?? "typescript")
    .replace(/[^\w+-]/g, "");
  for (const cell of notebook.cells) {
    if (hasTag(cell, "remove-cell")) continue;
    if (cell.cell_type !== "code") {
      writer.add(textCell(cell, keep));
      continue;
    }
    if (code && !hasTag(cell, "remove-input") && cell.source.trim() !== "") {
      writer.add(fence(cell.source.trimEnd(), language));
    }
    if (!hasTag(cell, "remove-output")) cell.outputs.forEach((output) => writer.output(output));
  }
  const manifest = asManifest(options.manifest ?? notebook.metadata.tunebook);
  if (manifest !== undefined) writer.add(howMade(manifest));
  return { markdown: writer.blocks.join("\n\n") + "\n", files: writer.files };
}

/**
 * Writes a Markdown report: `report.md`, and its pictures into `report_files/`.
 *
 * @param path The Markdown file's path.
 * @param notebook The notebook with its outputs.
 * @param options What to show.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseNotebook, writeMarkdownReport } from "tunebook/runtime";
 *
 * const notebook = parseNotebook(`{
 *   "nbformat": 4, "nbformat_minor": 5, "metadata": {},
 *   "cells": [{ "cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Losses" }]
 * }`);
 * const path = await Deno.makeTempFile({ suffix: ".md" });
 * await writeMarkdownReport(path, notebook);
 * assertEquals(await Deno.readTextFile(path), "# Losses\n");
 * await Deno.remove(path);
 * ```
 */
export async function writeMarkdownReport(
  path: string,
  notebook: Notebook,
  options: Omit<MarkdownReportOptions, "folder"> = {},
): Promise<void> {
  assertKnownOptions("write a report", options, { manifest: true, code: true });
  const folder = `${basename(path).replace(/\.\w+$/, "")}_files`;
  const { markdown, files } = renderMarkdownReport(notebook, { ...options, folder });
  if (files.size > 0) await makeFolder(join(dirname(path), folder));
  for (const [name, bytes] of files) {
    await writeFileBeside(join(dirname(path), folder, name), bytes);
  }
  await writeFileBeside(path, markdown);
}

class Writer {
  readonly blocks: string[] = [];
  readonly files = new Map<string, Uint8Array>();
  readonly #folder: string;
  readonly #keep: boolean;

  constructor(folder: string, keep: boolean) {
    this.#folder = folder;
    this.#keep = keep;
  }

  add(block: string) {
    if (block.trim() !== "") this.blocks.push(block.trimEnd());
  }

  output(output: Output) {
    if (output.output_type === "stream") this.add(plainBlock(output.text));
    else if (output.output_type === "error") {
      const { ename, evalue, traceback } = output;
      this.add(plainBlock(traceback.length > 0 ? traceback.join("\n") : `${ename}: ${evalue}`));
    } else this.#bundle(output.data);
  }

  #bundle(data: MimeBundle) {
    if (PROVENANCE_MIME in data) return;
    const plain = textIn(data, "text/plain");
    const alt = plainText(plain ?? "").replace(/\s+/g, " ").slice(0, 300) || "Picture";
    for (const [type, ending] of Object.entries(BITMAPS)) {
      const bytes = fromBase64(textIn(data, type));
      if (bytes !== undefined) return this.#picture(bytes, ending, alt);
    }
    const svg = textIn(data, "image/svg+xml");
    if (svg !== undefined && this.#drawing(svg, alt)) return;
    const html = textIn(data, "text/html");
    if (html !== undefined) {
      // Drawings of this library hold a picture of themselves.
      const picture = /<img class="tb-picture"[^>]* src="data:image\/(png|jpeg);base64,([^"]+)"/
        .exec(html);
      const bytes = fromBase64(picture?.[2]);
      if (bytes !== undefined) return this.#picture(bytes, picture![1], alt);
      const drawing = svgIn(html);
      if (drawing !== undefined && this.#drawing(drawing, alt)) return;
      const safe = sanitizeHtml(html, { prefix: `o${this.blocks.length}` });
      if (!safe.empty) return this.add(htmlBlock(safe.html));
    }
    const markdown = textIn(data, "text/markdown");
    if (markdown !== undefined) return this.add(safeMarkdown(markdown, this.#keep));
    const latex = textIn(data, "text/latex");
    if (latex !== undefined) return this.add(fence(latex.trim(), "latex"));
    if (plain !== undefined) return this.add(plainBlock(plain));
    const [json] = Object.entries(data).filter(([type]) => type.endsWith("json"));
    if (json !== undefined) this.add(fence(clip(JSON.stringify(json[1], null, 2)), "json"));
  }

  #picture(bytes: Uint8Array, ending: string, alt: string) {
    const name = `${this.files.size + 1}.${ending.replace("jpeg", "jpg")}`;
    this.files.set(name, bytes);
    const text = alt.replace(/[\\[\]<>`*_&]/g, "\\$&");
    this.add(`![${text}](${encodeURI(`${this.#folder}/${name}`)})`);
  }

  /** A drawing as a file of its own, where one is left after sanitising. */
  #drawing(svg: string, alt: string): boolean {
    const safe = sanitizeHtml(svg, { prefix: "s" }).html;
    const found = svgIn(safe);
    if (found === undefined) return false;
    this.#picture(new TextEncoder().encode(standaloneSvg(found)), "svg", alt);
    return true;
  }
}

function textCell(cell: Exclude<Cell, { cell_type: "code" }>, keep: boolean): string {
  if (cell.cell_type === "markdown") {
    const attached = cell.attachments !== undefined && Object.keys(cell.attachments).length > 0;
    return safeMarkdown(cell.source, keep, attached ? cell.attachments : undefined);
  }
  const format = String(cell.metadata.raw_mimetype ?? cell.metadata.format ?? "text/plain");
  if (format === "text/markdown") return safeMarkdown(cell.source, keep);
  return format === "text/plain" ? plainBlock(cell.source) : "";
}

const parser = new MarkdownIt({ html: true, linkify: true });
parser.validateLink = () => true;

/** Longer text is written as HTML without being looked at. */
const MAX_LOOKED_AT = 100_000;

/** What a text is parsed with to see where it ends: a paragraph after it must be one of its own. */
const SENTINEL = "end-of-the-cell";

type Token = ReturnType<typeof parser.parse>[number];
type Environment = NonNullable<Parameters<typeof parser.parse>[1]>;

/**
 * Whether Markdown may be written as it is: nothing in it could run or reach out, and nothing in it
 * changes how the cells after it are read (an open fence, a comment, a definition of links), or lets
 * those before it change how it is read (an indented line after a list).
 */
function isHarmless(source: string): boolean {
  if (source.length > MAX_LOOKED_AT || /^\s*\n[ \t]|^[ \t]/.test(source)) return false;
  const env: Environment = {};
  const tokens = parse(`${source}\n\n${SENTINEL}\n`, env);
  // A paragraph's opening, its line, the line's text, its closing.
  const [open, inline] = tokens?.slice(-4) ?? [];
  if (open?.type !== "paragraph_open" || open.level !== 0 || inline.content !== SENTINEL) {
    return false;
  }
  // Another cell could make a link or a picture of it.
  if (env.references !== undefined && Object.keys(env.references).length > 0) return false;
  return tokens!.every((token) => !/^html_/.test(token.type) && leadsNowhere(token));
}

/** Whether all HTML of a whole report is what this module wrote, and nothing is fetched. */
function isHarmlessReport(markdown: string): boolean {
  // Longer cells have been written as HTML; where there are very many, all are.
  if (markdown.length > 50 * MAX_LOOKED_AT) return false;
  return parse(markdown, {})?.every((token) =>
    token.type === "html_block"
      ? OWN_BLOCK.test(token.content)
      : token.type !== "html_inline" && leadsNowhere(token)
  ) ?? false;
}

/** What {@linkcode htmlBlock} writes. */
const OWN_BLOCK = /^<div>\n[^]*\n<\/div>\n*$/;

/** All tokens, those of lines too; undefined for what cannot be parsed. */
function parse(markdown: string, env: Environment): Token[] | undefined {
  try {
    return parser.parse(markdown, env).flatMap((one) => [one, ...(one.children ?? [])]);
  } catch {
    return undefined;
  }
}

/** Whether a link is one that may be followed; a picture elsewhere would be fetched when the file is opened. */
function leadsNowhere(token: Token): boolean {
  const attribute = token.attrGet("href") ?? token.attrGet("src");
  const target = attribute === null ? null : String(attribute);
  if (target !== null && !isSafeLink(target)) return false;
  return !(token.type === "image" && /^([a-z]+:|\/\/|\\)/i.test(target ?? ""));
}

/** Markdown, unchanged if that is harmless, otherwise as sanitised HTML. */
function safeMarkdown(
  source: string,
  keep: boolean,
  attachments?: Record<string, MimeBundle>,
): string {
  const plain = keep && attachments === undefined && isHarmless(source);
  if (plain) return source;
  const attachment = (name: string) => {
    const data = attachments && Object.hasOwn(attachments, name) ? attachments[name] : {};
    const [type, value] = Object.entries(data).find(([one]) => one in BITMAPS) ?? [];
    const bytes = fromBase64(typeof value === "string" ? value : undefined);
    return bytes && `data:${type};base64,${bytes.toBase64()}`;
  };
  return htmlBlock(renderMarkdown(source, { prefix: "u", headings: true, attachment }).html);
}

/** From the first `<svg` to the last `</svg>`. */
function svgIn(html: string): string | undefined {
  const from = html.search(/<svg\b/), to = html.lastIndexOf("</svg>");
  return from < 0 || to < from ? undefined : html.slice(from, to + "</svg>".length);
}

/** HTML that Markdown leaves alone: no blank line may end it. */
function htmlBlock(html: string): string {
  return `<div>\n${html.replace(/\r\n?/g, "\n").replace(/\n\s*\n/g, "\n").trim()}\n</div>`;
}

function plainBlock(text: string): string {
  const shown = clip(plainText(text).trimEnd());
  return shown === "" ? "" : fence(shown, "text");
}

/** A fence longer than any in the text. */
function fence(text: string, language: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((ticks) => ticks.length));
  const ticks = "`".repeat(longest + 1);
  return `${ticks}${language}\n${text}\n${ticks}`;
}

function howMade(manifest: Manifest): string {
  const facts: [string, unknown][] = [
    ["Notebook", manifest.notebook.name],
    ["SHA-256 of its code and text", manifest.notebook.sha256],
    ["Started", manifest.startedAt],
    ["Tunebook", manifest.tunebook],
    ["Deno", manifest.deno],
    ["System", `${manifest.os}, ${manifest.cores} logical processors`],
    ...Object.entries(manifest.parameters).map(([name, value]): [string, unknown] => [
      `Parameter ${name}`,
      JSON.stringify(value),
    ]),
    ...manifest.provenance.map(({ kind, ...rest }): [string, unknown] => [
      kind,
      JSON.stringify(rest),
    ]),
  ];
  const cell = (value: unknown) =>
    escapeHtml(clip(String(value ?? "not recorded"), 400)).replace(/[\\|`*_[\]]/g, "\\$&")
      .replace(/\s+/g, " ");
  const rows = facts.map(([name, value]) => `| ${cell(name)} | ${cell(value)} |`);
  return ["## How this was made", "", "| | |", "|---|---|", ...rows].join("\n");
}

function clip(text: string, length = MAX_TEXT): string {
  return text.length > length ? `${text.slice(0, length)}\n…` : text;
}

function textIn(data: MimeBundle, type: string): string | undefined {
  const value = Object.hasOwn(data, type) ? data[type] : undefined;
  return typeof value === "string" ? value : undefined;
}

function fromBase64(text: string | undefined): Uint8Array | undefined {
  try {
    return text === undefined ? undefined : Uint8Array.fromBase64(text.replace(/\s+/g, ""));
  } catch {
    return undefined;
  }
}
