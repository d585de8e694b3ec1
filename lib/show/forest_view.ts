// A view of a forest: shared prefixes once, branches, and the predictions that count in the loss.

import { type Chip, chipsHtml, chipStyle, describeChips, legendHtml } from "./chips.ts";
import { drawingHtml } from "./drawing.ts";
import { drawAttention, drawBranches } from "./forest_picture.ts";
import { type DrawnForest, type ForestTree, forestTree, type Segment } from "./forest_tree.ts";
import { escapeHtml, formatNumber, plural } from "./theme.ts";
import { type Detokenizer, tokenText, visibleText } from "./token_text.ts";
import { View } from "./view.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

/** How a forest is shown. */
export interface ForestViewOptions {
  /** The title. */
  title?: string;
  /** The most tokens of a segment to show unfolded, 48 by default. */
  maxTokens?: number;
  /** The most segments to show, 60 by default; the view says how many are left out. */
  maxSegments?: number;
}

/** The names of {@linkcode ForestViewOptions}. */
export const FOREST_VIEW_OPTIONS: OptionNames<ForestViewOptions> = {
  title: true,
  maxTokens: true,
  maxSegments: true,
};

/**
 * Shows a forest batch: a picture of its branches, then its tokens as chips, with shared prefixes
 * once. A token is underlined if its prediction counts in the loss, with the number of times; a
 * dotted chip is a target that no sequence continues from, such as an end token.
 *
 * @param batch The batch.
 * @param tokenizer The model's tokenizer.
 * @param options Title, and how much is shown.
 * @returns The view.
 * @throws {RangeError} If the arrays do not describe a forest.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { forest, gpt2Tokenizer } from "tunebook";
 * import * as show from "tunebook/show";
 *
 * const batch = forest([
 *   { promptIds: [1, 2], responseIds: [3, 50256], instructionLength: 1 },
 *   { promptIds: [1, 2], responseIds: [4, 50256], instructionLength: 1 },
 * ]);
 * assertStringIncludes(show.forestView(batch, gpt2Tokenizer()).html, "<svg");
 * ```
 */
export function forestView(
  batch: DrawnForest,
  tokenizer: Detokenizer,
  options: ForestViewOptions = {},
): View {
  assertKnownOptions("show a forest", options, FOREST_VIEW_OPTIONS);
  const tree = forestTree(batch);
  const { title, maxTokens = 48, maxSegments = 60 } = options;
  return new View(() => {
    const summary = summaryOf(batch, tree);
    const shown = tree.segments.slice(0, maxSegments);
    const more = tree.segments.length - shown.length;
    const chips = new Map(
      shown.map((segment) => [segment, chipsOf(segment, batch, tree, tokenizer)]),
    );
    const alt = `Forest of ${plural(tree.segments.length, "segment")}. ${summary}`;
    const picture = drawingHtml((color) => drawBranches(batch, tree, alt, color), alt);
    const heading = title ? `<div class="tb-title"><b>${escapeHtml(title)}</b></div>` : "";
    const rest = more > 0
      ? `<div class="tb-caption">and ${plural(more, "more segment")}</div>`
      : "";
    const all = [...chips.values()].flat();
    const legend = legendHtml([], {
      targetOnly: all.some(({ targetOnly }) => targetOnly),
      times: all.some(({ count = 1 }) => count > 1),
    });
    return {
      "text/html":
        `<div class="tb-tokens tb-forest">${chipStyle}${heading}<div class="tb-caption">${
          escapeHtml(summary)
        }</div>${picture}${legend}${segmentsHtml(shown, chips, batch, maxTokens)}${rest}</div>`,
      "text/plain": [
        ...(title ? [title] : []),
        summary,
        ...plainTree(shown, chips),
        ...(more > 0 ? [`and ${plural(more, "more segment")}`] : []),
      ].join("\n"),
    };
  });
}

/**
 * Shows which token attends to which in a forest batch.
 *
 * @param batch The batch.
 * @param options Title.
 * @returns The view: rows attend to columns.
 * @throws {RangeError} If the arrays do not describe a forest.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { forest } from "tunebook";
 * import * as show from "tunebook/show";
 *
 * const batch = forest([
 *   { promptIds: [1, 2], responseIds: [3, 50256], instructionLength: 1 },
 *   { promptIds: [1, 2], responseIds: [4, 50256], instructionLength: 1 },
 * ]);
 * assertStringIncludes(show.attentionView(batch).html, "<svg");
 * ```
 */
export function attentionView(batch: DrawnForest, options: { title?: string } = {}): View {
  assertKnownOptions("show attention", options, { title: true });
  const tree = forestTree(batch);
  return new View(() => {
    const total = batch.tokens.length;
    let pairs = 0;
    for (let j = 0; j < total; j++) pairs += batch.end[j] - j;
    const causal = total * (total + 1) / 2;
    const alt = `${options.title ?? "Attention"}: ${formatNumber(pairs)} of the ${
      formatNumber(causal)
    } pairs that one sequence of ${formatNumber(total)} tokens would have, in ${
      plural(tree.roots.length, "tree")
    }.`;
    const heading = options.title ? `<div><b>${escapeHtml(options.title)}</b></div>` : "";
    const html = drawingHtml((color) => drawAttention(batch, alt, color), alt, {
      before: heading,
      after: `<div class="tb-caption" style="opacity:0.85">${escapeHtml(alt)}</div>`,
      maxWidth: 480,
    });
    return {
      "text/html": `<div class="tb-attention" style="margin:6px 8px;font-size:13px">${html}</div>`,
      "text/plain": alt,
    };
  });
}

function summaryOf(batch: DrawnForest, tree: ForestTree): string {
  const computed = batch.tokens.length;
  const counts = Array.from(batch.edges.counts).reduce((sum, count) => sum + count, 0);
  const saved = batch.tokensPadded && batch.tokensPadded > computed
    ? ` instead of ${formatNumber(batch.tokensPadded)} padded ones${
      batch.tokensReal ? ` (${formatNumber(batch.tokensReal)} of them real)` : ""
    }: ${(batch.tokensPadded / computed).toFixed(1)} times fewer`
    : "";
  const where = `${plural(computed, "token")} in ${plural(tree.roots.length, "tree")}`;
  const edges = plural(batch.edges.rows.length, "loss edge");
  return `${where}${saved}; ${plural(counts, "prediction")} ${
    counts === 1 ? "counts" : "count"
  }, as ${edges}.`;
}

function chipsOf(
  segment: Segment,
  batch: DrawnForest,
  tree: ForestTree,
  tokenizer: Detokenizer,
): Chip[] {
  const chips: Chip[] = [];
  for (let row = segment.start; row < segment.stop; row++) {
    const count = tree.countOf[row];
    const id = batch.tokens[row];
    chips.push({
      text: tokenText(id, tokenizer),
      role: count > 0 ? "response" : "prompt",
      counted: count > 0,
      count,
      id,
      position: batch.positions[row],
    });
    for (const { target, count } of tree.onlyPredicted.get(row) ?? []) {
      chips.push({
        text: tokenText(target, tokenizer),
        role: "end",
        counted: true,
        count,
        id: target,
        position: batch.positions[row] + 1,
        targetOnly: true,
      });
    }
  }
  return chips;
}

/**
 * The deepest indentation: deeper branches would leave no room, and browsers would not nest them.
 */
const deepest = 24;

function segmentsHtml(
  segments: readonly Segment[],
  chips: Map<Segment, Chip[]>,
  batch: DrawnForest,
  maxTokens: number,
): string {
  let html = "";
  let depth = 0;
  for (const segment of segments) {
    const wanted = Math.min(segment.depth, deepest);
    for (; depth > wanted; depth--) html += "</div>";
    for (; depth < wanted; depth++) {
      html +=
        '<div class="tb-branch" style="border-left:2px solid rgba(128,128,128,0.45);margin-left:8px;padding-left:10px">';
    }
    const length = segment.stop - segment.start;
    const from = batch.positions[segment.start];
    const to = batch.positions[segment.stop - 1];
    const shared = segment.children.length > 0
      ? `, computed once for the ${segment.leaves} branches below`
      : "";
    html +=
      `<div class="tb-seq"><div class="tb-caption" style="font-size:11px;opacity:0.75;margin:4px 0 0 0">${length} token${
        length === 1 ? "" : "s"
      } at ${
        from === to ? `position ${from}` : `positions ${from} to ${to}`
      }${shared}</div><div class="tb-line">${
        chipsHtml(chips.get(segment)!, { fold: maxTokens, middle: true })
      }</div></div>`;
  }
  return html + "</div>".repeat(depth);
}

function plainTree(segments: readonly Segment[], chips: Map<Segment, Chip[]>): string[] {
  return segments.map((segment) => {
    const list = chips.get(segment)!;
    const text = list.slice(0, 40).map(({ text, targetOnly, count = 1 }) =>
      (targetOnly ? `→${visibleText(text)}` : visibleText(text)) + (count > 1 ? `×${count}` : "")
    ).join("|");
    return `${"  ".repeat(Math.min(segment.depth, deepest))}${segment.depth > 0 ? "└ " : ""}${
      describeChips(list)
    }: ${text}${list.length > 40 ? "|…" : ""}`;
  });
}
