// Reduces the size of a figure: downsamples long series, shortens numbers, and says what was left
// out.

import { largestTriangles, shrinkGrid, spread } from "./downsample.ts";
import type { HeatmapTrace, PlotlyLayout, PlotlyTrace, ScatterTrace } from "./plotly.ts";
import { isBar, isHeatmap } from "./svg/ranges.ts";
import { formatNumber } from "./theme.ts";

/** A figure that is small enough. */
export interface FittedFigure {
  data: PlotlyTrace[];
  layout: PlotlyLayout;
  /** A sentence about what was left out, if anything was. */
  note: string;
}

/**
 * Downsamples a figure's series to at most `points` points each.
 *
 * @param data The figure's traces, not changed.
 * @param layout Its layout, not changed.
 * @param points The most points of a series; a grid keeps at most 48 rows and columns.
 * @returns Traces whose numbers are finite with seven digits, and a layout whose subtitle says what
 *   was left out.
 */
export function fit(
  data: readonly PlotlyTrace[],
  layout: PlotlyLayout,
  points: number,
): FittedFigure {
  const notes = new Set<string>();
  const fitted = data.map((trace) => {
    if (isHeatmap(trace)) return fitHeatmap(trace, points, notes);
    const length = Math.min(trace.x.length, trace.y.length);
    const keep = isBar(trace) || trace.mode === "markers"
      ? spread(length, points)
      : keepLine(trace, length, points);
    if (keep.length < length) {
      const noun = isBar(trace) ? "bars" : "points";
      notes.add(`${formatNumber(keep.length)} of ${formatNumber(length)} ${noun} drawn`);
    }
    const pick = <T>(list: readonly T[]) => keep.map((i) => list[i]);
    const result: Record<string, unknown> = {
      ...trace,
      x: pick<unknown>(trace.x).map((value) => shortNumber(value)),
      y: pick<unknown>(trace.y).map((value) => shortNumber(value)),
    };
    if (isBar(trace)) {
      if (trace.hovertext) result.hovertext = pick(trace.hovertext);
    } else if (trace.text) result.text = pick(trace.text);
    if (isBar(trace) && Array.isArray(trace.width)) result.width = pick(trace.width);
    return result as unknown as PlotlyTrace;
  });
  const note = [...notes].join("; ");
  if (note === "") return { data: fitted, layout: { ...layout }, note };
  const before = layout.title?.subtitle?.text;
  const title = {
    text: layout.title?.text ?? "",
    subtitle: { text: before ? `${before} · ${note}` : note },
  };
  return { data: fitted, layout: { ...layout, title }, note: `(${note}.)` };
}

function keepLine(trace: ScatterTrace, length: number, points: number): number[] {
  if (length <= points) return spread(length, points);
  // Gaps are lost in downsampling: in a line of this many points they would not be visible.
  const drawn = spread(length, length).filter((i) =>
    typeof trace.y[i] === "number" && Number.isFinite(trace.y[i])
  );
  const x = drawn.map((i) => typeof trace.x[i] === "number" ? trace.x[i] as number : NaN);
  const ordered = x.every((value, i) => i === 0 ? Number.isFinite(value) : value >= x[i - 1]);
  if (!ordered) return spread(length, points);
  const kept = largestTriangles(x, drawn.map((i) => trace.y[i] as number), points);
  return kept.map((i) => drawn[i]);
}

function fitHeatmap(trace: HeatmapTrace, points: number, notes: Set<string>): HeatmapTrace {
  // The number of cells is limited, which is the square of a side's.
  const side = Math.max(8, Math.floor(48 * Math.min(1, Math.sqrt(points / 800))));
  const columns = trace.z.reduce((most, row) => Math.max(most, row.length), 0);
  const { z, rowBlock, columnBlock } = shrinkGrid(trace.z, side, side);
  if (rowBlock > 1 || columnBlock > 1) {
    notes.add(
      `${formatNumber(trace.z.length)} × ${formatNumber(columns)} cells drawn as ${z.length} × ${
        z[0].length
      } averages`,
    );
  }
  const rounded = z.map((row) => row.map((cell) => shortNumber(cell, 4) as number | null));
  const coordinates = (given: HeatmapTrace["x"], length: number, block: number) => {
    if (!given && block === 1) return {};
    const all = given ?? Array.from({ length }, (_, i) => i);
    const blocks = Array.from({ length: Math.ceil(length / block) }, (_, i) => {
      const members = all.slice(i * block, (i + 1) * block);
      return members.every((v) => typeof v === "number")
        ? shortNumber((members as number[]).reduce((a, b) => a + b, 0) / members.length)
        : members[0];
    });
    return { blocks: blocks as (number | string)[] };
  };
  const x = coordinates(trace.x, columns, columnBlock).blocks;
  const y = coordinates(trace.y, trace.z.length, rowBlock).blocks;
  return { ...trace, z: rounded, ...(x ? { x } : {}), ...(y ? { y } : {}) };
}

/**
 * JSON has no NaN, and seven digits are more than a picture shows; for a colour, four are enough.
 */
function shortNumber(value: unknown, digits = 7): unknown {
  if (typeof value !== "number") return value ?? null;
  if (!Number.isFinite(value)) return null;
  return Number.isInteger(value) ? value : Number(value.toPrecision(digits));
}
