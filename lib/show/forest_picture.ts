// Pictures of a forest batch: its branches, and which token attends to which.

import type { DrawnForest, ForestTree, Segment } from "./forest_tree.ts";
import { px } from "./svg/marks.ts";
import { textElement } from "./svg/text.ts";
import { niceTicks } from "./svg/scale.ts";
import { escapeHtml, palette, sansSerif } from "./theme.ts";

const svgOpen = (
  width: number,
  height: number,
  alt: string,
  color: string | undefined,
  max: number,
) =>
  `<svg class="tb-picture-svg" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${
    px(height)
  }" width="${width}" height="${px(height)}" role="img" aria-label="${
    escapeHtml(alt)
  }" style="color:${color ?? "inherit"};width:100%;min-width:${
    Math.min(440, width)
  }px;max-width:${max}px;height:auto;display:block" font-family="${
    escapeHtml(sansSerif)
  }" font-size="12" fill="currentColor">`;

/**
 * Draws the branches of a forest: one bar per segment, with the length of its tokens, at its
 * positions. Tokens whose prediction counts are highlighted.
 *
 * @param batch The batch.
 * @param tree Its tree, from {@linkcode forestTree}.
 * @param alt The text alternative.
 * @param color Colour of text and lines, the page's own by default.
 * @returns One `<svg>` element.
 */
export function drawBranches(
  batch: DrawnForest,
  tree: ForestTree,
  alt: string,
  color?: string,
): string {
  const width = 640;
  const [left, right, top] = [10, 10, 40];
  const longest = Math.max(1, ...tree.segments.map(({ stop }) => batch.positions[stop - 1] + 1));
  const ends = [...tree.onlyPredicted.keys()].map((row) => batch.positions[row] + 2);
  const reach = Math.max(longest, ...ends);
  const scale = (width - left - right) / reach;
  const lanes = tree.roots.reduce((sum, root) => sum + root.leaves, 0);
  const lane = Math.max(5, Math.min(20, 420 / lanes));
  const bar = Math.max(3, lane * 0.6);
  const height = top + lanes * lane + 8;
  const x = (position: number) => left + position * scale;

  const middles = new Map<Segment, number>();
  let leaf = 0;
  for (const segment of tree.segments.toReversed()) {
    // From the last leaf upwards, because children are placed before their parents.
    if (segment.children.length === 0) {
      leaf++;
      middles.set(segment, top + (lanes - leaf + 0.5) * lane);
    } else {
      const places = segment.children.map((child) => middles.get(child)!);
      middles.set(segment, (places[0] + places[places.length - 1]) / 2);
    }
  }
  let [read, counted, branches, predicted] = ["", "", "", ""];
  for (const segment of tree.segments) {
    const y = middles.get(segment)!;
    const rect = (from: number, to: number) =>
      `M${px(x(from))} ${px(y - bar / 2)}H${px(x(to))}v${px(bar)}H${px(x(from))}z`;
    for (let row = segment.start; row < segment.stop;) {
      const counts = tree.countOf[row] > 0;
      let stop = row + 1;
      while (stop < segment.stop && (tree.countOf[stop] > 0) === counts) stop++;
      const path = rect(batch.positions[row], batch.positions[stop - 1] + 1);
      if (counts) counted += path;
      else read += path;
      row = stop;
    }
    const end = x(batch.positions[segment.stop - 1] + 1);
    for (const child of segment.children) {
      const to = middles.get(child)!;
      branches += `M${px(end)} ${px(y)}C${px(end + 4)} ${px(y)} ${px(end - 4)} ${px(to)} ${
        px(end)
      } ${px(to)}`;
    }
    for (let row = segment.start; row < segment.stop; row++) {
      if (!tree.onlyPredicted.has(row)) continue;
      const at = x(batch.positions[row] + 1);
      predicted += `M${px(at + 1)} ${px(y - bar / 2)}h${px(Math.max(2, scale - 1))}v${px(bar)}h${
        px(-Math.max(2, scale - 1))
      }z`;
    }
  }
  const labels = niceTicks(0, longest, 8).filter(Number.isInteger).map((position) =>
    `<path d="M${px(x(position))} ${top - 8}V${
      px(height - 4)
    }" stroke="currentColor" stroke-opacity=".12"/>` +
    textElement(String(position), x(position), top - 12, { anchor: "middle" })
  ).join("");
  const title = textElement("position in the sequence", width / 2, 13, { anchor: "middle" });
  return svgOpen(width, height, alt, color, 768) + title + labels +
    `<path d="${branches}" fill="none" stroke="currentColor" stroke-opacity=".55" stroke-width="1.3"/>` +
    `<path d="${read}" fill="#8c8c8c"/><path d="${counted}" fill="${palette[2]}"/>` +
    `<path d="${predicted}" fill="none" stroke="${palette[2]}" stroke-width="1.3"/></svg>`;
}

/**
 * Draws which token attends to which: row i, column j is filled if i attends to j, that is, if j ≤
 * i < end[j].
 *
 * @param batch The batch; with one tree per sequence the picture shows the blocks of a packed
 * batch.
 * @param alt The text alternative.
 * @param color Colour of text and lines, the page's own by default.
 * @returns One `<svg>` element.
 */
export function drawAttention(batch: DrawnForest, alt: string, color?: string): string {
  const total = batch.tokens.length;
  const side = 400;
  const [left, top] = [44, 40];
  const cell = side / Math.max(1, total);
  let path = "";
  for (let column = 0; column < total; column++) {
    const from = top + column * cell;
    const height = (batch.end[column] - column) * cell;
    path += `M${precise(left + column * cell)} ${precise(from)}h${precise(cell)}v${
      precise(height)
    }h${precise(-cell)}z`;
  }
  const ticks = niceTicks(0, total, 6).filter((tick) => tick < total && Number.isInteger(tick));
  const labels = ticks.map((tick) =>
    textElement(String(tick), left + (tick + 0.5) * cell, top - 6, { anchor: "middle" }) +
    textElement(String(tick), left - 6, top + (tick + 0.5) * cell + 4, { anchor: "end" })
  ).join("");
  return svgOpen(left + side + 10, top + side + 10, alt, color, 480) +
    textElement("token attended to (j)", left + side / 2, 14, { anchor: "middle" }) +
    textElement("token that attends (i)", 12, top + side / 2, { anchor: "middle", rotate: -90 }) +
    labels +
    `<path d="M${left} ${top}h${side}v${side}h${-side}z" fill="none" stroke="currentColor" stroke-opacity=".5"/>` +
    `<path d="${path}" fill="${palette[0]}" shape-rendering="crispEdges"/></svg>`;
}

/** Two decimals, because tenths of a pixel add up over hundreds of cells. */
const precise = (value: number) => String(Math.round(value * 100) / 100);
