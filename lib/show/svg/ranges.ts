// The range and type of an axis.

// @ts-types="npm:@types/d3-array@3.2.2"
import { min, pairs } from "d3-array";
import type {
  BarTrace,
  HeatmapTrace,
  PlotlyAxis,
  PlotlyLayout,
  PlotlyTrace,
  ScatterTrace,
} from "../plotly.ts";
import { plainText } from "../plotly.ts";
import type { Scale } from "./scale.ts";

/** Type, range and names of one axis. */
export interface AxisRange {
  type: Scale["type"];
  range: [number, number];
  categories: string[];
  /** Whether the axis has any data. */
  hasData: boolean;
}

/** @returns Whether a trace is a line or markers. */
export function isScatter(trace: PlotlyTrace): trace is ScatterTrace {
  return trace.type === undefined || trace.type === "scatter";
}

/** @returns Whether a trace is bars. */
export function isBar(trace: PlotlyTrace): trace is BarTrace {
  return trace.type === "bar";
}

/** @returns Whether a trace is a grid of colours. */
export function isHeatmap(trace: PlotlyTrace): trace is HeatmapTrace {
  return trace.type === "heatmap";
}

/** @returns A trace's coordinates along an axis; a heatmap without coordinates counts from 0. */
export function coordinates(trace: PlotlyTrace, axis: "x" | "y"): readonly unknown[] {
  const given = trace[axis];
  if (given !== undefined) return given;
  if (!isHeatmap(trace)) return [];
  const size = axis === "y"
    ? trace.z.length
    : trace.z.reduce((most, row) => Math.max(most, row.length), 0);
  return Array.from({ length: size }, (_, i) => i);
}

const isNumeric = (value: unknown) =>
  value === null || value === undefined || typeof value === "number" ||
  (typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value)));

/**
 * Finds type and range of an axis from the traces and the layout.
 *
 * @param traces All traces on the axis.
 * @param axis Which coordinate.
 * @param layout The figure's layout.
 * @returns The axis to draw; `range` is in the axis' own units.
 */
export function axisRange(
  traces: readonly PlotlyTrace[],
  axis: "x" | "y",
  layout: PlotlyLayout,
): AxisRange {
  const options: PlotlyAxis = (axis === "x" ? layout.xaxis : layout.yaxis) ?? {};
  const values = traces.flatMap((trace) => coordinates(trace, axis));
  const wanted = options.type === "-" ? undefined : options.type;
  const type = wanted ?? (values.every(isNumeric) ? "linear" : "category");
  const reversed = options.autorange === "reversed";
  const flip = (range: [number, number]): [number, number] =>
    reversed && range[0] < range[1] ? [range[1], range[0]] : range;

  if (type === "category") {
    const categories = [...new Set(values.map((value) => plainText(String(value))))];
    const range: [number, number] = options.range ?? [-0.5, Math.max(0.5, categories.length - 0.5)];
    return { type, range: flip(range), categories, hasData: categories.length > 0 };
  }

  const extent = new Extent(type === "log");
  for (const trace of traces) addTrace(extent, trace, axis, traces, layout);
  if (options.rangemode === "tozero") extent.add(0);
  const range = options.range ?? extent.padded();
  return { type, range: flip(range), categories: [], hasData: extent.low <= extent.high };
}

/** Smallest and largest value, and the padding of the ends. */
class Extent {
  low = Infinity;
  high = -Infinity;
  padLow = 0;
  padHigh = 0;
  constructor(readonly log: boolean) {}

  add(value: unknown): void {
    if (value === null || value === undefined || value === "") return;
    const number = this.log ? Math.log10(Number(value)) : Number(value);
    // Beyond this the size of the range would not be finite.
    if (!(Math.abs(number) < 1e300)) return;
    this.low = Math.min(this.low, number);
    this.high = Math.max(this.high, number);
  }

  padded(): [number, number] {
    if (this.low > this.high) return [0, 1];
    const size = this.high - this.low;
    const most = Math.max(Math.abs(this.low), Math.abs(this.high));
    // Equal, or so close that floating point cannot divide the difference.
    if (!(size > most * 1e-12 && size > 1e-280)) {
      const room = this.log ? 0.5 : most < 1e-280 ? 1 : most / 10;
      return [this.low - room, this.high + room];
    }
    return [this.low - size * this.padLow, this.high + size * this.padHigh];
  }
}

function addTrace(
  extent: Extent,
  trace: PlotlyTrace,
  axis: "x" | "y",
  traces: readonly PlotlyTrace[],
  layout: PlotlyLayout,
): void {
  const values = coordinates(trace, axis);
  if (isScatter(trace)) {
    values.forEach((value) => extent.add(value));
    const room = axis === "y" ? 0.05 : trace.mode?.includes("markers") ? 0.03 : 0;
    extent.padLow = Math.max(extent.padLow, room);
    extent.padHigh = Math.max(extent.padHigh, room);
    if (axis === "y" && trace.fill) extent.add(0);
    return;
  }
  const alongBars = isBar(trace) && (trace.orientation === "h" ? "y" : "x") === axis;
  if (isHeatmap(trace) || alongBars) {
    const numbers = values.map(Number);
    const widths = isBar(trace)
      ? barWidths(trace, numbers)
      : numbers.map(() => smallestGap(numbers));
    numbers.forEach((value, i) => {
      extent.add(value - widths[i] / 2);
      extent.add(value + widths[i] / 2);
    });
    return;
  }
  extent.add(0);
  extent.padHigh = Math.max(extent.padHigh, 0.05);
  if (layout.barmode === "stack") {
    for (const total of stackTotals(traces.filter(isBar), axis)) extent.add(total);
  } else values.forEach((value) => extent.add(value));
  if (extent.low < 0) extent.padLow = Math.max(extent.padLow, 0.05);
}

function stackTotals(bars: readonly BarTrace[], axis: "x" | "y"): number[] {
  const totals = new Map<string, number>();
  for (const bar of bars) {
    const names = axis === "y" ? bar.x : bar.y;
    const lengths = axis === "y" ? bar.y : bar.x;
    names.forEach((name, i) => {
      const length = Number(lengths[i]);
      if (!Number.isFinite(length)) return;
      const key = `${length < 0 ? "-" : "+"}${name}`;
      totals.set(key, (totals.get(key) ?? 0) + length);
    });
  }
  return [...totals.values()];
}

/** @returns The smallest distance between neighbours; 1 if there are fewer than two values. */
export function smallestGap(values: readonly number[]): number {
  const sorted = [...new Set(values.filter(Number.isFinite))].sort((a, b) => a - b);
  return min(pairs(sorted, (a, b) => b - a)) ?? 1;
}

/** @returns The width of each bar on a numeric axis, in data units. */
export function barWidths(trace: BarTrace, centres: readonly number[]): number[] {
  const { width } = trace;
  if (typeof width === "number") return centres.map(() => width);
  if (width) return centres.map((_, i) => width[i] ?? 1);
  const gap = smallestGap(centres) * 0.8;
  return centres.map(() => gap);
}
