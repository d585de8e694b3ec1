// Tables, as HTML, Markdown and aligned text.

import { assertArray } from "../kind_of.ts";
import { escapeHtml, formatNumber, sansSerif } from "./theme.ts";
import { textWidth } from "./svg/text.ts";
import { View } from "./view.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

/** One column of a table. */
export interface TableColumn<Row> {
  /** The heading. */
  label: string;
  /** The value in a row: a property's name, or a function of the row. */
  value: keyof Row | ((row: Row, index: number) => unknown);
  /** The alignment; `"right"` by default if all values are numbers. */
  align?: "left" | "right" | "center";
  /** Formats a value. */
  format?: (value: unknown) => string;
}

/** How a table is shown. */
export interface TableOptions<Row> {
  /** The columns; all properties of the first rows by default. */
  columns?: readonly (keyof Row | TableColumn<Row>)[];
  /** The caption above the table. */
  caption?: string;
  /** Alignment by column label, for columns that are given by name. */
  align?: Record<string, "left" | "right" | "center">;
  /** The most rows to show, 50 by default; the table says how many are left out. */
  maxRows?: number;
  /** The most characters of a cell to show, 600 by default. */
  maxCell?: number;
}

/** The names of {@linkcode TableOptions}. */
export const TABLE_OPTIONS: OptionNames<TableOptions<never>> = {
  columns: true,
  caption: true,
  align: true,
  maxRows: true,
  maxCell: true,
};

interface Cell {
  text: string;
  number: boolean;
}

/**
 * Shows rows as a table.
 *
 * @param rows Objects with the same properties; texts are shown unchanged.
 * @param options Columns, caption, and how much is shown.
 * @returns The table as HTML, Markdown and aligned text.
 *
 * @example
 * ```ts
 * import { table } from "tunebook/show";
 * import { assertEquals } from "@std/assert";
 *
 * const view = table([{ metric: "ROUGE-L", score: 0.61234 }, { metric: "exact", score: 0.5 }]);
 * assertEquals(view.text, [
 *   "metric    score",
 *   "-------  ------",
 *   "ROUGE-L  0.6123",
 *   "exact       0.5",
 * ].join("\n"));
 * ```
 */
export function table<Row extends object>(
  rows: readonly Row[],
  options: TableOptions<Row> = {},
): View {
  assertKnownOptions("show a table", options, TABLE_OPTIONS);
  assertArray("show a table of", rows, "objects");
  const { caption, maxRows = 50, maxCell = 600 } = options;
  const columns = columnsOf(rows, options);
  return new View(() => {
    const shown = rows.slice(0, maxRows);
    const cells = shown.map((row, i) =>
      columns.map((column): Cell => {
        const value = typeof column.value === "function" ? column.value(row, i) : row[column.value];
        const text = column.format ? column.format(value) : formatValue(value);
        return {
          text: text.length > maxCell ? `${sliceCharacters(text, maxCell)}…` : text,
          number: typeof value === "number" || typeof value === "bigint",
        };
      })
    );
    const aligns = columns.map((column, c) =>
      column.align ?? options.align?.[column.label] ??
        (cells.length > 0 && cells.every((row) => row[c].number || row[c].text === "")
          ? "right"
          : "left")
    );
    const more = rows.length - shown.length;
    const rest = more > 0 ? `and ${formatNumber(more)} more rows` : "";
    const labels = columns.map(({ label }) => label);
    return {
      "text/html": htmlTable(labels, cells, aligns, caption, rest),
      "text/markdown": markdownTable(labels, cells, aligns, caption, rest),
      "text/plain": plainTable(labels, cells, aligns, caption, rest),
    };
  });
}

function columnsOf<Row extends object>(
  rows: readonly Row[],
  options: TableOptions<Row>,
): TableColumn<Row>[] {
  const named = options.columns ??
    [...new Set(rows.slice(0, 100).flatMap((row) => Object.keys(row) as (keyof Row)[]))];
  return named.map((column) =>
    typeof column === "object" ? column : { label: String(column), value: column }
  );
}

/** @returns A value as the text of a cell; empty for missing values. */
export function formatValue(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "number") return formatNumber(value);
  if (typeof value === "object" && !(value instanceof Date)) {
    try {
      return JSON.stringify(value) ?? String(value);
    } catch {
      return String(value);
    }
  }
  return String(value);
}

function sliceCharacters(text: string, count: number): string {
  // Cut by code points, so that surrogate pairs are not split.
  return Array.from(text.slice(0, count * 2)).slice(0, count).join("");
}

/**
 * The styles of tables: readable lines on light and dark pages. On narrow screens a table of figures scrolls inside, and one
 * of texts becomes a list; on paper, where nothing scrolls, words break.
 */
export const tableStyle = `<style>
.tb-table{overflow-x:auto;margin:6px 8px;font-family:${sansSerif};font-size:13px}
.tb-table table{border-collapse:collapse;margin:0!important;border:0!important}
.tb-table caption{text-align:left;font-weight:600;padding:0 0 4px;caption-side:top;color:inherit}
.tb-table tr{background:none!important}
.tb-table th,.tb-table td{padding:4px 10px!important;vertical-align:top!important;border:0;border-bottom:1px solid rgba(128,128,128,0.3);white-space:pre-wrap;overflow-wrap:break-word;max-width:420px}
.tb-table thead th{border-bottom:2px solid rgba(128,128,128,0.6);font-weight:600}
.tb-table .tb-long{min-width:125px}
@media print{.tb-table{overflow:visible!important}.tb-table th,.tb-table td{padding:3px 6px!important}.tb-table :is(.tb-long,.tb-name){min-width:0;max-width:none;overflow-wrap:anywhere}}
@media screen and (max-width:600px){
.tb-table .tb-name{min-width:7em;overflow-wrap:anywhere}
.tb-table:has(.tb-long) :is(table,caption,tbody,tr,td){display:block;min-width:0;max-width:none}
.tb-table:has(.tb-long) thead{display:none}
.tb-table:has(.tb-long) tr{padding:6px 0;border-bottom:2px solid rgba(128,128,128,0.3)}
.tb-table:has(.tb-long) td{border:0;text-align:left!important;overflow-wrap:anywhere}
.tb-table:has(.tb-long) td::before{content:attr(data-label);display:block;font-weight:600;opacity:.8}
}
.tb-table .tb-rest{opacity:.8;padding:4px 10px}
.tb-table mark{background:rgba(42,148,97,0.22);color:inherit;border-bottom:2px solid #2a9461;padding:0 1px}
</style>`.replace(/\n/g, "");

function htmlTable(
  labels: readonly string[],
  rows: readonly (readonly Cell[])[],
  aligns: readonly string[],
  caption: string | undefined,
  rest: string,
): string {
  const head = labels.map((label, c) => headingCell(label, aligns[c])).join("");
  const body = rows.map((cells) =>
    `<tr>${
      cells.map(({ text }, c) =>
        `${cellOpening(text, labels[c], aligns[c])}${escapeHtml(text)}</td>`
      ).join("")
    }</tr>`
  ).join("");
  return tableHtml({ caption, head, body, rest });
}

/** The class of a long text, or of a name with a long word, such as a path. */
function classOf(text: string): string {
  if (text.length > 40) return ' class="tb-long"';
  return /\S{17}/.test(text) ? ' class="tb-name"' : "";
}

/**
 * The opening tag of a table cell.
 *
 * @param text The cell's text.
 * @param label The column's heading, which the cell has above it where the table becomes a list.
 * @param align The alignment, always set because JupyterLab's own style aligns cells to the right.
 * @returns The cell's opening tag.
 */
export function cellOpening(text: string, label: string, align = "left"): string {
  return `<td${classOf(text)} data-label="${escapeHtml(label)}" style="text-align:${align}">`;
}

/**
 * The heading of a column.
 *
 * @param label Its text.
 * @param align The alignment of its cells.
 * @returns The cell.
 */
export function headingCell(label: string, align = "left"): string {
  const name = /\S{17}/.test(label) ? ' class="tb-name"' : "";
  return `<th scope="col"${name} style="text-align:${align}">${escapeHtml(label)}</th>`;
}

/**
 * Assembles a table.
 *
 * @param parts Caption and rest as plain text, head and body as HTML cells and rows.
 * @returns HTML.
 */
export function tableHtml(
  parts: { caption?: string; head: string; body: string; rest: string },
): string {
  const caption = parts.caption ? `<caption>${escapeHtml(parts.caption)}</caption>` : "";
  const rest = parts.rest ? `<div class="tb-rest">${escapeHtml(parts.rest)}</div>` : "";
  return `<div class="tb-table" style="overflow-x:auto" tabindex="0">${tableStyle}<table>${caption}<thead><tr>${parts.head}</tr></thead><tbody>${parts.body}</tbody></table>${rest}</div>`;
}

function markdownTable(
  labels: readonly string[],
  rows: readonly (readonly Cell[])[],
  aligns: readonly string[],
  caption: string | undefined,
  rest: string,
): string {
  const line = (texts: readonly string[]) => `| ${texts.map(markdownCell).join(" | ")} |`;
  const rule = aligns.map((align) =>
    align === "right" ? "---:" : align === "center" ? ":---:" : "---"
  );
  return [
    ...(caption ? [`**${markdownCell(caption)}**`, ""] : []),
    line(labels),
    `| ${rule.join(" | ")} |`,
    ...rows.map((cells) => line(cells.map(({ text }) => text))),
    ...(rest ? ["", `*${rest}*`] : []),
  ].join("\n");
}

/** @returns Text that Markdown shows unchanged, on one line. */
export function markdownCell(text: string): string {
  return text.replace(/[\\`*_{}[\]<>()#+!|~$&]/g, "\\$&").replace(/\r?\n|\r/g, "<br>");
}

function plainTable(
  labels: readonly string[],
  rows: readonly (readonly Cell[])[],
  aligns: readonly string[],
  caption: string | undefined,
  rest: string,
): string {
  const flat = (text: string) => {
    const line = text.replace(/\s*[\r\n]+\s*/g, " ↵ ");
    return line.length > 60 ? `${sliceCharacters(line, 59)}…` : line;
  };
  const texts = [labels, ...rows.map((cells) => cells.map(({ text }) => text))]
    .map((row) => row.map(flat));
  const widths = labels.map((_, c) => Math.max(...texts.map((row) => columnsWide(row[c]))));
  const lines = texts.map((row) =>
    row.map((text, c) => {
      const room = " ".repeat(Math.max(0, widths[c] - columnsWide(text)));
      return aligns[c] === "right" ? room + text : text + room;
    }).join("  ").trimEnd()
  );
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [
    ...(caption ? [caption] : []),
    lines[0],
    rule,
    ...lines.slice(1),
    ...(rest ? [rest] : []),
  ].join("\n");
}

/** Columns in a terminal: two for wide characters. */
function columnsWide(text: string): number {
  let columns = 0;
  for (const character of text) columns += textWidth(character, 1) >= 1 ? 2 : 1;
  return columns;
}
