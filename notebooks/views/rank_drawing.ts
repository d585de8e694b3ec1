// How chapter 8's rank slider looks: three heat maps, and residual and loss by rank.

import { View } from "tunebook/show";
import type { RankStep, RankTrace } from "./rank.ts";
import type { Rows } from "./svd.ts";
import { scrolling } from "./scrolling.ts";

const CELL = 6;
const PANEL = 258;
const LEVELS = [12, 37, 62, 87];
const POSITIVE = "#d9692a";
const NEGATIVE = "#3b7dd8";
const GREEN = "#2a9461";

/**
 * Draws one rank.
 *
 * @param trace All ranks.
 * @param step This one.
 * @returns The drawing.
 */
export function rankDrawing(trace: RankTrace, step: RankStep): View {
  const { steps, weightsOfRank1, weights } = trace;
  const full = steps.at(-1)!.corner;
  const rest = full.map((row, i) => Array.from(row, (value, j) => value - step.corner[i][j]));
  const share = 100 * step.rank * weightsOfRank1 / weights;
  const alt = `Rank ${step.rank}: ${
    (100 * step.residual).toFixed(0)
  } % of the update is left out, held-out loss ${step.loss.toFixed(3)}; a LoRA of this rank has ${
    share.toFixed(1)
  } % of the layers' weights.`;
  const maps = [
    ["the full update", full],
    [`rebuilt with rank ${step.rank}`, step.corner],
    ["left out", rest],
  ] as const;
  const body = [
    ...maps.map(([title, rows], i) => panel(i, 0, title) + heat(rows, i * PANEL, 24)),
    panel(0, 182, `left out: ${(100 * step.residual).toFixed(0)} % of the update`),
    axis(0, [0, 1], [0, 0.5, 1], (share) => `${100 * share} %`),
    curve(steps.map(({ residual }) => residual), steps.indexOf(step), 0, NEGATIVE, [0, 1]),
    panel(1, 182, `held-out loss: ${step.loss.toFixed(3)} nats per token`),
    axis(1, lossRange(steps), [5, 6, 7, 8], String),
    ...losses(steps, step),
    ...legend(steps, share),
  ];
  return new View(() => ({
    "text/html": scrolling(
      `<svg viewBox="0 0 ${3 * PANEL} 342" width="${
        3 * PANEL
      }" role="img" aria-label="${alt}" style="width:100%;max-width:${
        3 * PANEL
      }px;min-width:520px;height:auto" font-family="system-ui,sans-serif" font-size="12">${
        body.join("")
      }</svg>`,
    ),
    "text/plain": alt,
  }));
}

const panel = (column: number, y: number, title: string) =>
  `<text x="${column * PANEL}" y="${y + 14}" fill="currentColor" font-weight="600">${title}</text>`;

/** One path a colour, so that hundreds of cells stay small. */
function heat(rows: Rows, x: number, y: number): string {
  const paths = new Map<string, string>();
  rows.forEach((row, i) => {
    for (let j = 0; j < row.length; j++) {
      const level = LEVELS.findLastIndex((least) => Math.abs(row[j]) >= least);
      if (level < 0) continue;
      const key = `${row[j] > 0 ? POSITIVE : NEGATIVE}" stroke-opacity="${(level + 1) / 4}`;
      paths.set(key, `${paths.get(key) ?? ""}M${j} ${i}h1`);
    }
  });
  const [width, height] = [rows[0].length * CELL, rows.length * CELL];
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="rgba(128,128,128,0.08)"/>` +
    `<g transform="translate(${x} ${y}) scale(${CELL}) translate(0 0.5)">${
      [...paths].map(([key, path]) => `<path d="${path}" stroke="${key}"/>`).join("")
    }</g>`;
}

const PLOT = { x: 38, y: 206, width: 200, height: 90 };

/** A line over the ranks, evenly spaced, and a dot where the slider is. */
function curve(
  values: readonly (number | undefined)[],
  current: number,
  column: number,
  color: string,
  [least, most]: readonly number[],
  dots = false,
): string {
  const place = (value: number, i: number) => ({
    x: column * PANEL + PLOT.x + i * PLOT.width / (values.length - 1),
    y: PLOT.y + PLOT.height * (most - value) / (most - least),
  });
  const points = values.flatMap((value, i) =>
    value === undefined ? [] : [{ ...place(value, i), i }]
  );
  const line = points.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
  const marks = points.filter(({ i }) => dots || i === current).map(({ x, y, i }) =>
    `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${
      i === current ? 6 : 3
    }" fill="${color}"/>`
  );
  return `<polyline points="${line}" fill="none" stroke="${color}" stroke-width="2"${
    dots ? ' stroke-dasharray="4 3"' : ""
  }/>${marks.join("")}`;
}

/** Ticks of a plot's y axis with their lines, and the name of its x axis. */
function axis(
  column: number,
  [least, most]: readonly number[],
  ticks: readonly number[],
  label: (tick: number) => string,
): string {
  const left = column * PANEL + PLOT.x;
  const lines = ticks.filter((tick) => tick >= least && tick <= most).map((tick) => {
    const y = PLOT.y + PLOT.height * (most - tick) / (most - least);
    return `<path d="M${left} ${
      y.toFixed(1)
    }h${PLOT.width}" stroke="currentColor" stroke-opacity=".2"/>` +
      `<text x="${left - 5}" y="${
        (y + 4).toFixed(1)
      }" text-anchor="end" fill="currentColor" font-size="11">${label(tick)}</text>`;
  });
  return lines.join("") +
    `<text x="${
      left + PLOT.width / 2
    }" y="334" text-anchor="middle" fill="currentColor" font-size="11">rank</text>`;
}

function lossRange(steps: readonly RankStep[]): readonly number[] {
  const all = steps.flatMap(({ loss, loraLoss }) => [loss, loraLoss ?? loss]);
  return [Math.min(...all) - 0.05, Math.max(...all) + 0.05];
}

function losses(steps: readonly RankStep[], step: RankStep): string[] {
  const range = lossRange(steps);
  const current = steps.indexOf(step);
  return [
    curve(steps.map(({ loraLoss }) => loraLoss), current, 1, GREEN, range, true),
    curve(steps.map(({ loss }) => loss), current, 1, POSITIVE, range),
  ];
}

function legend(steps: readonly RankStep[], share: number): string[] {
  const ticks = [0, 1].flatMap((column) =>
    steps.map(({ rank }, i) =>
      `<text x="${
        column * PANEL + PLOT.x + i * PLOT.width / (steps.length - 1)
      }" y="318" text-anchor="middle" fill="currentColor" font-size="11">${rank}</text>`
    )
  );
  const lines = [
    [POSITIVE, "the full update, cut"],
    [GREEN, "LoRAs trained with this rank"],
    ["none", `a LoRA's weights: ${share.toFixed(1)} % of the layers’`],
  ];
  return [
    ...ticks,
    ...lines.map(([color, text], i) =>
      `<path d="M${2 * PANEL} ${218 + 22 * i}h18" stroke="${color}" stroke-width="3"/>` +
      `<text x="${2 * PANEL + (color === "none" ? 0 : 26)}" y="${
        222 + 22 * i
      }" fill="currentColor">${text}</text>`
    ),
  ];
}
