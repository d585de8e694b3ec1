// Attention in three stages for chapter 4: scores, mask, softmax, for each head of a layer.

import { frames, View, visibleText } from "tunebook/show";
import { PARTS, type Rows, softmax } from "./gpt2_parts.ts";
import { scrolling } from "./scrolling.ts";

/** What one head computes; a row a query, a column a key. */
export interface HeadStages {
  /** How well each query fits each key. */
  readonly scores: Rows;
  /** The same, with −∞ where the key is in the future. */
  readonly masked: Rows;
  /** What each token takes from each: rows sum to 1. */
  readonly weights: Rows;
}

/**
 * Computes the stages of one head.
 *
 * @param qkv Queries, keys and values side by side, (T, 3 C).
 * @param head Which, from 0.
 * @param heads How many there are.
 * @returns The stages, (T, T) each.
 */
export function headStages(qkv: Rows, head: number, heads: number): HeadStages {
  const width = qkv[0].length / 3;
  const part = (which: number) =>
    qkv.map((row) => PARTS.headOf(row.slice(which * width, (which + 1) * width), head, heads));
  const [queries, keys] = [part(0), part(1)];
  const scores = queries.map((query) => keys.map((key) => PARTS.score(query, key)));
  const masked = scores.map((row, t) => row.map((score, past) => past <= t ? score : -Infinity));
  return { scores, masked, weights: masked.map(softmax) };
}

/**
 * Shows the attention of a layer.
 *
 * @param qkv Its queries, keys and values, (T, 3 C).
 * @param heads How many heads it has.
 * @param tokens Each token's text.
 * @returns Buttons for the stages, a slider over the heads.
 */
export function attentionStages(qkv: Rows, heads: number, tokens: readonly string[]): View {
  const all = Array.from({ length: heads }, (_, head) => headStages(qkv, head, heads));
  const names = { "1 scores": "scores", "2 mask": "masked", "3 softmax": "weights" } as const;
  return frames(
    { stage: Object.keys(names), head: all.map((_, head) => head + 1) },
    ({ stage, head }) =>
      draw(all[head - 1][names[stage as keyof typeof names]], tokens, stage === "3 softmax"),
    { title: "Attention in three stages", start: { stage: "3 softmax" } },
  );
}

const [LEFT, TOP, CELL] = [96, 74, 46];

function draw(values: Rows, tokens: readonly string[], areWeights: boolean): View {
  const texts = tokens.map((token) => visibleText(token));
  const safe = texts.map((text) =>
    text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;")
  );
  const finite = values.flat().filter(Number.isFinite);
  const highest = areWeights ? 1 : Math.max(...finite.map(Math.abs));
  const cells = values.flatMap((row, query) =>
    row.map((value, key) => {
      const [x, y] = [LEFT + key * CELL, TOP + query * CELL * 0.75];
      const masked = value === -Infinity || (areWeights && key > query);
      const color = value < 0 ? "#d9692a" : "#3b7dd8";
      const fill = masked ? "rgba(128,128,128,0.08)" : color;
      const opacity = masked ? 1 : (Math.abs(value) / highest * 0.85).toFixed(2);
      const number = masked ? (areWeights ? "0" : "−∞") : value.toFixed(areWeights ? 2 : 1);
      const says = masked
        ? `${safe[query]} must not see ${safe[key]}, which comes later`
        : `${safe[query]} looks at ${safe[key]}: ${value.toFixed(3)}`;
      return `<g><title>${says}</title><rect x="${x}" y="${y}" width="${CELL - 2}" height="${
        CELL * 0.75 - 2
      }" fill="${fill}" fill-opacity="${opacity}"/><text x="${x + CELL / 2 - 1}" y="${
        y + 21
      }" text-anchor="middle" fill="currentColor"${
        masked ? ' fill-opacity="0.5"' : ""
      }>${number}</text></g>`;
    })
  );
  const rows = safe.map((text, i) =>
    `<text x="${LEFT - 8}" y="${
      TOP + i * CELL * 0.75 + 21
    }" text-anchor="end" fill="currentColor">${text}</text>`
  );
  const columns = safe.map((text, i) => {
    const [x, y] = [LEFT + i * CELL + CELL / 2, TOP - 8];
    return `<text x="${x}" y="${y}" fill="currentColor" transform="rotate(-45 ${x} ${y})">${text}</text>`;
  });
  const strongest = values.map((row, i) => {
    const seen = row.slice(0, i + 1);
    return `${texts[i]} → ${texts[seen.indexOf(Math.max(...seen))]}`;
  });
  const alt = `Each token's largest value, of those that it may see: ${strongest.join(", ")}.`;
  const [width, height] = [
    LEFT + (tokens.length + 1) * CELL,
    TOP + tokens.length * CELL * 0.75 + 4,
  ];
  return new View(() => ({
    "text/html": scrolling(
      `<svg viewBox="0 0 ${width} ${height}" ` +
        `width="${width}" role="img" aria-label="${
          alt.replaceAll('"', "&quot;")
        }" font-size="11" ` +
        `font-family="system-ui,sans-serif" style="width:100%;max-width:${width}px;min-width:420px;` +
        `height:auto">${rows.join("")}${columns.join("")}${cells.join("")}</svg>`,
    ),
    "text/plain": alt,
  }));
}
