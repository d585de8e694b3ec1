// A padded batch as a grid: the inputs, and below each its target.

import type { PaddedBatch } from "../dataset/mod.ts";
import { chipStyle } from "./chips.ts";
import { escapeHtml, monospace, palette, plural } from "./theme.ts";
import { type Detokenizer, tokenText, visibleText } from "./token_text.ts";
import { View } from "./view.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

/** How a batch is shown. */
export interface BatchViewOptions {
  /** The title. */
  title?: string;
  /** The padding token, 50256 by default. */
  padId?: number;
  /** The target that does not count, −100 by default. */
  ignoreIndex?: number;
  /** The most columns to show; by default as many as fit a notebook's width. A gap says how many are left out. */
  maxColumns?: number;
  /** Columns that are shown in any case, such as the ends of prompts. */
  columns?: readonly number[];
  /** The most rows to show, 8 by default. */
  maxRows?: number;
}

/** The names of {@linkcode BatchViewOptions}. */
export const BATCH_VIEW_OPTIONS: OptionNames<BatchViewOptions> = {
  title: true,
  padId: true,
  ignoreIndex: true,
  maxColumns: true,
  columns: true,
  maxRows: true,
};

/**
 * Shows a padded batch as a grid. Each target is below the input that predicts it, which shows the
 * shift by one; targets that do not count are dashes.
 *
 * @param batch Inputs and targets, (B, T).
 * @param tokenizer The model's tokenizer.
 * @param options Title, and how much is shown.
 * @returns The view. If columns are left out, the beginning and the end of each row's counted targets remain, and the
 * beginning and the end of its padding.
 * @throws {RangeError} If inputs or targets are not B·T numbers.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { collate, gpt2Tokenizer } from "tunebook";
 * import * as show from "tunebook/show";
 *
 * const batch = collate([{ promptIds: [1, 2], responseIds: [3, 50256], instructionLength: 1 }]);
 * assertStringIncludes(show.batchView(batch, gpt2Tokenizer()).text, "1 sequence");
 * ```
 */
export function batchView(
  batch: Pick<PaddedBatch, "inputs" | "targets" | "batchSize" | "length">,
  tokenizer: Detokenizer,
  options: BatchViewOptions = {},
): View {
  assertKnownOptions("show a batch", options, BATCH_VIEW_OPTIONS);
  const { inputs, targets, batchSize, length } = batch;
  const size = batchSize * length;
  if (inputs.length !== size || targets.length !== size) {
    throw new RangeError(
      `Cannot show a batch of ${batchSize} × ${length} tokens: expected ${size} inputs and targets, ` +
        `got ${inputs.length} and ${targets.length}`,
    );
  }
  const { title, padId = 50256, ignoreIndex = -100, maxColumns, maxRows = 8 } = options;
  const rows = Math.min(batchSize, maxRows);
  const counts = (row: number, column: number) => targets[row * length + column] !== ignoreIndex;
  const padded = Array.from({ length: rows }, (_, row) => {
    let from = length;
    // Padding consists of the pad tokens after the last counted target.
    while (from > 0 && inputs[row * length + from - 1] === padId && !counts(row, from - 1)) from--;
    return from;
  });
  // A closing token that is an input looks like padding: both belong to the run of pad tokens at the end.
  const ends = Array.from({ length: rows }, (_, row) => {
    let end = length;
    while (end > 0 && inputs[row * length + end - 1] === padId) end--;
    return { first: firstCounted(row), end };
  });
  const text = (id: number) => visibleText(tokenText(id, tokenizer));
  // The closing token is in most rows, and its name is long.
  const isMarked = [...text(padId)].length > 4;
  const shown = (id: number) => isMarked && id === padId ? PAD_MARK : text(id);
  const widthOf = (at: number) => {
    const ids = Array.from({ length: rows }, (_, row) => row * length + at)
      .flatMap((i) => targets[i] === ignoreIndex ? [inputs[i]] : [inputs[i], targets[i]]);
    return Math.max(String(at).length, ...ids.map((id) => [...shown(id)].length));
  };
  const columns = chooseColumns({
    ends,
    length,
    most: maxColumns ?? Infinity,
    room: maxColumns === undefined ? ROOM : Infinity,
    widthOf,
  }, options.columns ?? []);

  return new View(() => {
    let counted = 0;
    let padding = 0;
    for (let i = 0; i < size; i++) if (targets[i] !== ignoreIndex) counted++;
    for (const [row, from] of padded.entries()) padding += row < rows ? length - from : 0;
    const count = `${plural(counted, "target")} ${counted === 1 ? "counts" : "count"}`;
    const summary = `${plural(batchSize, "sequence")} × ${plural(length, "token")}; ${count}` +
      (rows === batchSize ? `; ${plural(padding, "token")} of padding` : "");
    const head = columns.map((column) =>
      column.gap ? `<th ${gapCell}>⋯</th>` : `<th ${numberCell}>${column.at}</th>`
    ).join("");
    const body = Array.from({ length: rows }, (_, row) => {
      const inputCells = columns.map(({ at, gap }) => {
        if (gap) return `<td ${gapCell}>${gap}</td>`;
        const pad = at >= padded[row];
        return `<td ${pad ? padCell : inputCell}>${
          escapeHtml(shown(inputs[row * length + at]))
        }</td>`;
      }).join("");
      const targetCells = columns.map(({ at, gap }) => {
        if (gap) return `<td ${gapCell}>more</td>`;
        return counts(row, at)
          ? `<td ${countedCell}>${escapeHtml(shown(targets[row * length + at]))}</td>`
          : `<td ${ignoredCell}>–</td>`;
      }).join("");
      return `<tr><th scope="row" ${rowHead}>input ${row + 1}</th>${inputCells}</tr>` +
        `<tr><th scope="row" ${rowHead}>target ${row + 1}</th>${targetCells}</tr>`;
    }).join("");
    const rest = rows < batchSize
      ? `<div class="tb-caption">and ${plural(batchSize - rows, "more sequence")}</div>`
      : "";
    const heading = title ? `<div class="tb-title"><b>${escapeHtml(title)}</b></div>` : "";
    return {
      "text/html":
        `<div class="tb-tokens">${chipStyle}${gridStyle}${heading}<div class="tb-caption">${summary}</div>` +
        `<div class="tb-scroll" style="overflow-x:auto" tabindex="0"><table class="tb-grid" style="border-collapse:collapse;font-size:12px;font-family:${
          escapeHtml(monospace)
        }"><thead><tr><td></td>${head}</tr></thead><tbody>${body}</tbody></table></div>${rest}` +
        `<div class="tb-legend" style="font-size:12px;margin:2px 0">underlined: counts · –: does not count (${ignoreIndex}) · dashed: padding${
          isMarked ? ` · ${PAD_MARK}: ${escapeHtml(text(padId))}` : ""
        }</div></div>`,
      "text/plain": [
        ...(title ? [title] : []),
        summary,
        ...Array.from({ length: rows }, (_, row) => plainRow(row)),
      ].join("\n"),
    };
  });

  function firstCounted(row: number): number {
    let at = 0;
    while (at < length && !counts(row, at)) at++;
    return at;
  }

  function plainRow(row: number): string {
    const line = (of: (at: number) => string) =>
      columns.map(({ at, gap }) => gap ? `…${gap} more…` : of(at)).join("|");
    return `  input ${row + 1}:  ${line((at) => text(inputs[row * length + at]))}\n` +
      `  target ${row + 1}: ${
        line((at) => counts(row, at) ? text(targets[row * length + at]) : "–")
      }`;
  }
}

// Inline styles are only those that JupyterLab's table style lacks when it strips the style sheet
// of an untrusted notebook.
const inputCell = 'class="tb-in"';
const padCell = 'class="tb-pad"';
const countedCell =
  `class="tb-out" style="background:rgba(59,125,216,0.3);border-bottom:3px solid ${palette[2]}"`;
const ignoredCell = 'class="tb-ign"';
const numberCell = 'class="tb-num"';
const gapCell = 'class="tb-gap"';
const rowHead = 'class="tb-row" style="text-align:left"';
const gridStyle = `<style>
.tb-tokens .tb-grid{margin:0!important;border:0!important;border-collapse:collapse}
.tb-tokens .tb-grid tr{background:none!important}
.tb-tokens .tb-grid :is(td,th){padding:1px 5px!important;line-height:17px;text-align:center!important;white-space:nowrap;border:0;border-right:1px solid rgba(128,128,128,0.25);font-weight:normal}
.tb-tokens .tb-grid .tb-row{text-align:left!important;padding-right:8px!important;font-weight:normal}
.tb-tokens .tb-grid .tb-in{background:rgba(128,128,128,0.18)}
.tb-tokens .tb-grid .tb-pad{border:1px dashed rgba(128,128,128,0.6);opacity:.65}
.tb-tokens .tb-grid :is(.tb-ign,.tb-num,.tb-gap){opacity:.65}
@media print{.tb-tokens .tb-scroll{overflow:visible!important}.tb-tokens .tb-grid{font-size:7.5px!important}.tb-tokens .tb-grid :is(td,th){padding:1px 2px!important}}
.tb-tokens .tb-grid .tb-out{border-bottom:3px solid ${palette[2]}!important}
</style>`.replace(/\n/g, "");

/** What stands for the padding token, which mostly is the closing token too. */
const PAD_MARK = "⏹";

/** What fits a notebook's width beside the names of rows, in characters. */
const ROOM = 84;
/** The padding of a column, in characters. */
const PADDING = 1.5;

interface Column {
  at: number;
  /** The number of columns left out here, instead of a column. */
  gap?: number;
}

/** What decides which columns are shown. */
interface Choice {
  /** By row: the first counted target, and the end of the inputs before the padding. */
  readonly ends: readonly { first: number; end: number }[];
  /** How many columns there are. */
  readonly length: number;
  /** The most to show. */
  readonly most: number;
  /** What they may take together, in characters. */
  readonly room: number;
  /** What a column takes, in characters, without its padding. */
  widthOf(at: number): number;
}

/** Keeps `wanted`, then the ends of each row's counted targets and padding, then what is around them. */
function chooseColumns(
  { ends, length, most, room, widthOf }: Choice,
  wanted: readonly number[],
): Column[] {
  const widths = Array.from({ length }, (_, at) => widthOf(at) + PADDING);
  const all = Array.from(widths.keys());
  const fits = (places: readonly number[]) =>
    places.length <= most && widthOfColumns(withGaps(places, length), widths) <= room;
  let keep = inOrder(wanted.filter((at) => at >= 0 && at < length));
  const add = (...places: number[]) => {
    for (const at of places) {
      if (at < 0 || at >= length || keep.includes(at)) continue;
      const more = inOrder([...keep, at]);
      if (fits(more)) keep = more;
    }
  };
  if (fits(all)) keep = all;
  else if (wanted.length === 0) {
    for (const { first, end } of ends) add(end - 1, end, first - 1, first);
    add(0, length - 1, 1);
    for (let away = 1; away < AROUND; away++) {
      for (const { first, end } of ends) add(end - 1 - away, first + away);
    }
  }
  // A gap takes as much room as the column that it would stand for.
  keep = inOrder(keep.flatMap((at) => keep.includes(at + 2) ? [at, at + 1] : [at]));
  return withGaps(keep, length);
}

/** How far from the ends columns are tried; no more of them fit. */
const AROUND = 40;

const inOrder = (places: readonly number[]) => [...new Set(places)].sort((a, b) => a - b);

/** Columns, with a gap where some are left out. */
function withGaps(places: readonly number[], length: number): Column[] {
  const columns: Column[] = [];
  let before = -1;
  for (const at of [...places, length]) {
    if (at - before > 1) columns.push({ at: -1, gap: at - before - 1 });
    if (at < length) columns.push({ at });
    before = at;
  }
  return columns;
}

/** What columns take together; a gap has the width of "more". */
function widthOfColumns(columns: readonly Column[], widths: readonly number[]): number {
  return columns.reduce((sum, { at, gap }) => sum + (gap ? 4 + PADDING : widths[at]!), 0);
}
