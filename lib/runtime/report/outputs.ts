// Outputs of code cells as HTML: of each MIME bundle the richest form that is safe on paper and screen.

import { parse as parseCsv } from "@std/csv/parse";
import type { MimeBundle, Output } from "../notebook.ts";
import { PROVENANCE_MIME } from "../manifest.ts";
import { highlight } from "./code.ts";
import { cleanFigure } from "./figure.ts";
import { embeddedJson, escapeHtml } from "./html.ts";
import { renderMarkdown } from "./markdown.ts";
import { renderMath } from "./math.ts";
import { sanitizeHtml } from "./sanitize.ts";
import { standaloneSvg } from "./svg.ts";
import { plainText, renderTerminal } from "./terminal.ts";
import type { Drawings } from "./vega.ts";

const PLOTLY_MIME = "application/vnd.plotly.v1+json";

const BITMAPS = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp"];

/** Longest text of one output that a screen reader is given as one label. */
const MAX_ALT = 500;

/** How many characters of HTML and of Markdown are rendered; the rest is shown as plain text. */
const MARKUP_OF_CELL = 2_000_000;
const HTML_OF_PAGE = 6_000_000;
const MARKDOWN_OF_PAGE = 1_500_000;

/** Numbers outputs over the whole page, since their ids must differ. */
export class OutputRenderer {
  #count = 0;
  #markupOfCell = 0;
  #htmlOfPage = 0;
  #markdownOfPage = 0;
  readonly #drawings: Drawings;

  /** @param drawings SVG for displays that were drawn before; see `drawVega()`. */
  constructor(drawings: Drawings = new Map()) {
    this.#drawings = drawings;
  }

  /** How many figures the page draws with Plotly. */
  figures = 0;

  /**
   * Renders the outputs of one cell. Streams that follow one another are one block.
   *
   * @param outputs The outputs in order.
   * @returns HTML, empty if there is nothing to show.
   */
  render(outputs: readonly Output[]): string {
    let html = "";
    this.#markupOfCell = 0;
    for (let i = 0; i < outputs.length; i++) {
      const output = outputs[i];
      if (output.output_type === "stream") {
        let text = output.text;
        for (let next = outputs[i + 1]; isSameStream(next, output.name); next = outputs[i + 1]) {
          text += next.text;
          i++;
        }
        html += renderStream(text, output.name);
      } else if (output.output_type === "error") {
        html += renderError(output.ename, output.evalue, output.traceback);
      } else html += this.#renderBundle(output.data, output.metadata);
    }
    return html;
  }

  #renderBundle(data: MimeBundle, metadata: Record<string, unknown>): string {
    if (PROVENANCE_MIME in data) return ""; // the footer shows it
    const drawn = this.#drawings.get(data);
    if (drawn !== undefined) return this.#renderDrawing(drawn, data);
    const figure = PLOTLY_MIME in data ? this.#renderFigure(data) : undefined;
    if (figure !== undefined) return figure;
    const html = textIn(data, "text/html");
    if (html !== undefined) {
      const fits = this.#fits(html.length) && html.length + this.#htmlOfPage <= HTML_OF_PAGE;
      if (!fits) return tooLong("HTML", html, textIn(data, "text/plain"));
      this.#htmlOfPage += html.length;
      const rendered = this.#renderHtml(html);
      if (rendered !== undefined) return rendered;
    }
    const markdown = textIn(data, "text/markdown");
    if (markdown !== undefined) {
      const { length } = markdown;
      const fits = this.#fits(length) && length + this.#markdownOfPage <= MARKDOWN_OF_PAGE;
      if (!fits) return tooLong("Markdown", markdown, markdown);
      this.#markdownOfPage += length;
      const id = this.#newId();
      const safe = renderMarkdown(markdown, { prefix: id, scope: id });
      return container(id, "nb-prose nb-wide", safe.css, safe.html);
    }
    const image = renderImage(data, metadata);
    if (image !== undefined) return image;
    const latex = textIn(data, "text/latex");
    if (latex !== undefined) {
      const tex = latex.trim().replace(/^(\$\$?|\\\[|\\\()([\s\S]*?)(\$\$?|\\\]|\\\))$/, "$2");
      return `<div class="nb-output nb-prose">${renderMath(tex, true)}</div>`;
    }
    const csv = textIn(data, "text/csv");
    if (csv !== undefined) return renderCsv(csv);
    const plain = textIn(data, "text/plain");
    for (const [kind, what] of Object.entries(NOT_DRAWN)) {
      if (!(kind in data)) continue;
      const text = `${what} (${kind}) is not drawn in reports; the notebook in this file has it.`;
      return renderNote(text) + (plain === undefined ? "" : renderText(plain, "nb-result"));
    }
    for (const [type, value] of Object.entries(data)) {
      const isJson = type === "application/json" || (type.endsWith("+json") && plain === undefined);
      if (!isJson) continue;
      const json = JSON.stringify(value, null, 2);
      return `<details class="nb-output nb-json"><summary>JSON, ${
        json.length.toLocaleString("en-US")
      } characters</summary><pre>${highlight(json, "json")}</pre></details>`;
    }
    return plain === undefined || plain === "" ? "" : renderText(plain, "nb-result");
  }

  #renderDrawing(svg: string, data: MimeBundle): string {
    const id = this.#newId();
    const safe = sanitizeHtml(svg, { prefix: id, scope: id });
    const said = plainText(textIn(data, "text/plain") ?? "").trim().slice(0, MAX_ALT);
    const label = escapeHtml(said === "" || said.startsWith("[object") ? "Chart" : said);
    return `<figure class="nb-output nb-drawing" aria-label="${label}">${
      container(id, "nb-wide", safe.css, safe.html)
    }</figure>\n`;
  }

  #renderFigure(data: MimeBundle): string | undefined {
    const figure = cleanFigure(data[PLOTLY_MIME]);
    if (figure === undefined) return undefined;
    this.figures++;
    const alt = plainText(textIn(data, "text/plain") ?? "Chart").trim().slice(0, MAX_ALT);
    const caption = alt.startsWith("[object") || alt === "" ? "Chart" : alt;
    // The HTML that goes with a figure holds a drawing that needs no script; its script never passes.
    const html = textIn(data, "text/html");
    const id = this.#newId();
    const safe = html === undefined
      ? undefined
      : sanitizeHtml(withoutPictures(html), { prefix: id, scope: id });
    const drawing = safe !== undefined && /<(?:svg|img)\b/.test(safe.html)
      ? container(id, "nb-still", safe.css, safe.html)
      : renderImage(data, {})?.replace('class="nb-output', 'class="nb-still');
    return `<figure class="nb-output nb-chart" aria-label="${escapeHtml(caption)}">${
      drawing ?? ""
    }<div class="nb-plot"></div><script type="application/json" class="nb-figure-data">${
      embeddedJson(figure)
    }</script><noscript>${
      drawing === undefined ? `<p>${escapeHtml(caption)}</p>` : ""
    }</noscript></figure>\n`;
  }

  #renderHtml(html: string): string | undefined {
    const id = this.#newId();
    const safe = sanitizeHtml(withoutPictures(html), { prefix: id, scope: id });
    return safe.empty ? undefined : container(id, "nb-wide nb-html", safe.css, safe.html);
  }

  /** Counts markup against what one cell may have rendered. */
  #fits(characters: number): boolean {
    this.#markupOfCell += characters;
    return this.#markupOfCell <= MARKUP_OF_CELL;
  }

  #newId(): string {
    return `o${++this.#count}`;
  }
}

/**
 * Renders text that has no markup of its own.
 *
 * @param text Text, possibly with ANSI escapes.
 * @param kind The class that says what it is.
 * @returns A block that scrolls if it is too wide or too long.
 */
function renderText(text: string, kind: string): string {
  return `<pre class="nb-output ${kind}">${renderTerminal(text.replace(/\n$/, ""))}</pre>\n`;
}

/** Displays that need a program which a report does not hold. */
const NOT_DRAWN: Record<string, string> = {
  "application/pdf": "A PDF document",
  "application/geo+json": "A map",
  "application/vnd.jupyter.widget-view+json": "A widget",
  "application/vnd.jupyter.widget-state+json": "The state of widgets",
  "application/vnd.vegalite.v4+json": "A Vega-Lite chart",
  "application/vnd.vegalite.v5+json": "A Vega-Lite chart",
  "application/vnd.vegalite.v6+json": "A Vega-Lite chart",
  "application/vnd.vega.v5+json": "A Vega chart",
  "application/vnd.vega.v6+json": "A Vega chart",
  "application/vnd.plotly.v1+json": "A Plotly figure of a kind or size that is not drawn here",
};

/** Most rows of a table that are shown. */
const MAX_ROWS = 1000;

function renderCsv(csv: string): string {
  let rows: string[][];
  try {
    rows = parseCsv(csv.slice(0, MARKUP_OF_CELL));
  } catch {
    return renderText(csv, "nb-result");
  }
  const [head = [], ...body] = rows;
  const cells = (row: string[], tag: string) =>
    row.map((text) => `<${tag}>${escapeHtml(text)}</${tag.slice(0, 2)}>`).join("");
  const left = body.length - MAX_ROWS;
  return `<div class="nb-output nb-html"><div class="table-scroll"><table><thead><tr>${
    cells(head, 'th scope="col"')
  }</tr></thead><tbody>${
    body.slice(0, MAX_ROWS).map((row) => `<tr>${cells(row, "td")}</tr>`).join("")
  }</tbody></table></div></div>\n${
    left > 0 ? renderNote(`${left} more rows are in the notebook in this file.`) : ""
  }`;
}

/** A sentence in the place of markup that is too long to be rendered, and the text that goes with it. */
function tooLong(kind: string, markup: string, text: string | undefined): string {
  const length = markup.length.toLocaleString("en-US");
  return renderNote(
    `${kind} of ${length} characters is not rendered here; the notebook in this file has it.`,
  ) + (text === undefined || text === "" ? "" : renderText(text, "nb-result"));
}

/** What the page says in the place of an output. */
function renderNote(text: string): string {
  return `<p class="nb-output nb-note">${escapeHtml(text)}</p>\n`;
}

function renderStream(text: string, name: string): string {
  if (text.trim() === "") return "";
  const kind = name === "stderr" ? "nb-stream nb-stderr" : "nb-stream";
  return renderText(text, kind);
}

function renderError(ename: string, evalue: string, traceback: string[]): string {
  const message = `${ename}: ${evalue}`.replace(/^: /, "");
  const trace = traceback.join("\n");
  // Most tracebacks begin with the message.
  const repeated = plainText(trace).includes(evalue.trim()) && trace.trim() !== "";
  return `<div class="nb-output nb-error" role="group" aria-label="Error">${
    repeated ? "" : `<p><strong>${escapeHtml(plainText(message))}</strong></p>`
  }${trace.trim() === "" ? "" : `<pre>${renderTerminal(trace)}</pre>`}</div>\n`;
}

function renderImage(data: MimeBundle, metadata: Record<string, unknown>): string | undefined {
  let source: string | undefined;
  let type = "image/svg+xml";
  const svg = textIn(data, type);
  if (svg !== undefined) {
    // As an image an SVG neither runs scripts nor loads anything.
    source = `data:image/svg+xml;base64,${base64(standaloneSvg(svg))}`;
  } else {
    type = BITMAPS.find((one) => textIn(data, one) !== undefined) ?? "";
    const bytes = textIn(data, type)?.replace(/\s+/g, "");
    if (bytes !== undefined && /^[A-Za-z0-9+/]+={0,2}$/.test(bytes)) {
      source = `data:${type};base64,${bytes}`;
    }
  }
  if (source === undefined) return undefined;
  const about = { ...metadata, ...(metadata[type] as Record<string, unknown> | undefined) };
  const size = (name: string) => {
    const value = Number(about[name]);
    return value > 0 && value < 10_000 ? ` ${name}="${Math.round(value)}"` : "";
  };
  const plain = plainText(textIn(data, "text/plain") ?? "");
  const said = typeof about.alt === "string" ? about.alt : plain;
  // "<Figure size 640x480 with 1 Axes>" and the like say nothing about the picture.
  const alt = said === "" || /^<.*>$/s.test(said.trim()) ? "Image made by the cell above" : said;
  return `<div class="nb-output nb-wide nb-image"><img src="${source}" alt="${
    escapeHtml(alt.slice(0, MAX_ALT))
  }"${size("width")}${size("height")}></div>\n`;
}

/** Drawings of this library hold a picture of themselves for pages that strip SVG; this one does not. */
function withoutPictures(html: string): string {
  return html.includes("<svg") ? html.replace(/<img class="tb-picture"[^>]*>/g, "") : html;
}

function container(id: string, kind: string, css: string, html: string): string {
  const style = css === "" ? "" : `<style>${css}</style>`;
  // The box that confines is one that no style sheet of the output reaches.
  return `<div class="nb-output ${kind}">${style}<div class="nb-confined"><div id="${id}">${html}</div></div></div>\n`;
}

function isSameStream(
  output: Output | undefined,
  name: string,
): output is Extract<Output, { output_type: "stream" }> {
  return output?.output_type === "stream" && output.name === name;
}

/** MIME data that is text; files from other tools may hold it as lines. */
function textIn(data: MimeBundle, type: string): string | undefined {
  const value = Object.hasOwn(data, type) ? data[type] : undefined;
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every((line) => typeof line === "string")) {
    return value.join("");
  }
  return undefined;
}

function base64(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}
