// Axes as numbers: nice ticks, and the map from data to pixels. Figures are Plotly's, so a
// logarithmic axis is a linear one over the logarithms.

// @ts-types="npm:@types/d3-array@3.2.2"
import { ticks } from "d3-array";
// @ts-types="npm:@types/d3-scale@4.0.9"
import { scaleLinear } from "d3-scale";
import { formatNumber } from "../theme.ts";

/** A mark on an axis. */
export interface Tick {
  /** The position, in the units of the axis: data values, powers of ten (log) or indices (category). */
  value: number;
  label: string;
}

/** Maps data to pixels along one axis. */
export interface Scale {
  type: "linear" | "log" | "category";
  /** Ends of the axis, in its own units. */
  range: [number, number];
  ticks: Tick[];
  /** @returns The pixel of a datum; NaN if it has no position (log of 0, unknown category). */
  pixel(value: unknown): number;
}

/**
 * Round numbers within a range: multiples of 1, 2 or 5 times a power of ten.
 *
 * @param min Lower end of the range.
 * @param max Upper end, above `min`.
 * @param count About how many ticks to make.
 * @returns The ticks in ascending order; only `min` if the range is empty, tiny or not finite.
 */
export function niceTicks(min: number, max: number, count: number): number[] {
  // Within the smallest numbers there are no powers of ten.
  if (!(max - min > 1e-300) || !Number.isFinite(max - min)) return [min];
  return ticks(min, max, Math.max(1, count - 1));
}

/**
 * Labels with as many digits as distinguish neighbouring ticks.
 *
 * @param values Ticks of one axis.
 * @returns A label for each.
 */
export function tickLabels(values: readonly number[]): string[] {
  const size = Math.max(...values.map(Math.abs));
  const [divisor, suffix] = size >= 1e9
    ? [1e9, "G"]
    : size >= 1e6
    ? [1e6, "M"]
    : size >= 1e4
    ? [1e3, "k"]
    : [1, ""];
  if (size > 0 && size < 1e-4) return values.map((v) => v === 0 ? "0" : formatNumber(v));
  if (size >= 1e13) return values.map((v) => v === 0 ? "0" : v.toExponential(1).replace("e+", "e"));
  for (let digits = 0; digits < 8; digits++) {
    const labels = values.map((v) => (v / divisor).toFixed(digits));
    const exact = labels.every((label, i) =>
      Math.abs(Number(label) * divisor - values[i]) <= 1e-9 * Math.max(size, 1e-300)
    );
    if (exact) return labels.map((label) => Number(label) === 0 ? "0" : label + suffix);
  }
  return values.map((v) => formatNumber(v / divisor) + suffix);
}

/** Options of {@linkcode makeScale}. */
export interface ScaleOptions {
  type: Scale["type"];
  /** Ends in the axis' own units. */
  range: [number, number];
  /** Pixels of the two ends. */
  pixels: [number, number];
  /** About how many ticks. */
  tickCount: number;
  /** Names of a category axis, in order. */
  categories?: readonly string[];
  /** Ticks that the figure sets, in data values. */
  ticks?: { values: readonly (number | string)[]; labels?: readonly string[] };
}

/**
 * Creates the scale of one axis.
 *
 * @param options Kind, range and pixels of the axis.
 * @returns The scale with its ticks.
 */
export function makeScale(options: ScaleOptions): Scale {
  const { type, range, pixels, categories = [] } = options;
  const index = new Map(categories.map((name, i) => [name, i]));
  const unit = (value: unknown): number => {
    if (type === "category") {
      return typeof value === "number" ? value : index.get(String(value)) ?? NaN;
    }
    if (value === null || value === undefined || value === "") return NaN;
    const number = Number(value);
    return type === "log" ? (number > 0 ? Math.log10(number) : NaN) : number;
  };
  // A range so small that floating point cannot divide by it is drawn as if it were 1 long.
  const size = range[1] - range[0];
  const domain = Number.isFinite((pixels[1] - pixels[0]) / size) ? range : [range[0], range[0] + 1];
  const linear = scaleLinear().domain(domain).range(pixels).interpolate(lerp);
  // What is far outside is clipped anyway, and drawing programs fail on huge numbers.
  const pixel = (value: unknown) => Math.min(1e5, Math.max(-1e5, linear(unit(value))));
  return { type, range, pixel, ticks: ticksOf(options, unit) };
}

/** Interpolates between two numbers; unlike d3's own, without NaN far outside of them. */
const lerp = (a: number, b: number) => (t: number): number => a + (b - a) * t;

function ticksOf(options: ScaleOptions, unit: (value: unknown) => number): Tick[] {
  const { type, range, tickCount, categories = [], ticks: given } = options;
  const [low, high] = [Math.min(...range), Math.max(...range)];
  const inside = (tick: Tick) => tick.value >= low - 1e-9 && tick.value <= high + 1e-9;
  if (given) {
    const labels = given.labels ?? given.values.map(String);
    return given.values.map((v, i) => ({ value: unit(v), label: labels[i] ?? String(v) }))
      .filter(inside);
  }
  if (type === "category") {
    // If names would overlap, only every second, third, … is shown.
    const stride = Math.max(1, Math.ceil(categories.length / 40));
    return categories.map((label, value) => ({ value, label })).filter((_, i) => i % stride === 0);
  }
  if (type === "log") {
    const powers: number[] = [];
    for (let p = Math.ceil(low - 1e-9); p <= high + 1e-9 && powers.length < 400; p++) {
      powers.push(p);
    }
    if (powers.length >= 2) {
      const stride = Math.ceil(powers.length / Math.max(2, tickCount));
      return powers.filter((_, i) => i % stride === 0)
        .map((value) => ({ value, label: formatNumber(Number(`1e${value}`)) }));
    }
    // Less than a decade: round data values at their logarithms.
    return niceTicks(10 ** low, 10 ** high, tickCount).filter((v) => v > 0)
      .map((v) => ({ value: Math.log10(v), label: formatNumber(v) }));
  }
  const values = niceTicks(low, high, tickCount);
  const labels = tickLabels(values);
  return values.map((value, i) => ({ value, label: labels[i] }));
}
