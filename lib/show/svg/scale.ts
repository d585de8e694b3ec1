// Axes as numbers: nice ticks, and the map from data to pixels.

import { formatNumber } from "../theme.ts";

/** A mark on an axis. */
export interface Tick {
  /** Where, in the units of the axis: data values, powers of ten (log) or indices (category). */
  value: number;
  label: string;
}

/** Maps data to pixels along one axis. */
export interface Scale {
  type: "linear" | "log" | "category";
  /** Ends of the axis, in its own units. */
  range: [number, number];
  ticks: Tick[];
  /** @returns The pixel of a datum, NaN where the datum has no place (log of 0, unknown category). */
  pixel(value: unknown): number;
}

/**
 * Round numbers that divide a range, after Heckbert, "Nice numbers for graph labels" (1990).
 *
 * @param min Lower end of the range.
 * @param max Upper end, above `min`.
 * @param count About how many are wanted.
 * @returns Multiples of 1, 2 or 5 times a power of ten that lie within the range, in order.
 */
export function niceTicks(min: number, max: number, count: number): number[] {
  const step = niceStep((max - min) / Math.max(1, count - 1));
  if (!(step > 0) || !Number.isFinite(step)) return [min];
  const ticks: number[] = [];
  // Multiples of an integer index, so that 0.1 + 0.1 + … gathers no error.
  const tolerance = 1e-9;
  const first = Math.ceil(min / step - tolerance);
  const last = Math.floor(max / step + tolerance);
  for (let i = first; i <= last && ticks.length < 100; i++) {
    ticks.push(Number((i * step).toPrecision(12)));
  }
  return ticks;
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const fraction = rough / power;
  return power * (fraction < 1.5 ? 1 : fraction < 3 ? 2 : fraction < 7 ? 5 : 10);
}

/**
 * Labels that tell neighbouring ticks apart, none with more digits than that takes.
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

/** What {@linkcode makeScale} needs to know. */
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
  /** Ticks that the figure asks for, in data values. */
  ticks?: { values: readonly (number | string)[]; labels?: readonly string[] };
}

/**
 * Makes the scale of one axis.
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
  const steep = (pixels[1] - pixels[0]) / (range[1] - range[0] || 1);
  // Too steep where a range is so small that floating point cannot divide it.
  const slope = Number.isFinite(steep) ? steep : 0;
  // What lies far outside is clipped anyway, and drawing programs fail on huge numbers.
  const pixel = (value: unknown) =>
    Math.min(1e5, Math.max(-1e5, pixels[0] + (unit(value) - range[0]) * slope));
  return { type, range, pixel, ticks: ticksOf(options, unit) };
}

function ticksOf(options: ScaleOptions, unit: (value: unknown) => number): Tick[] {
  const { type, range, tickCount, categories = [], ticks } = options;
  const [low, high] = [Math.min(...range), Math.max(...range)];
  const inside = (tick: Tick) => tick.value >= low - 1e-9 && tick.value <= high + 1e-9;
  if (ticks) {
    const labels = ticks.labels ?? ticks.values.map(String);
    return ticks.values.map((v, i) => ({ value: unit(v), label: labels[i] ?? String(v) }))
      .filter(inside);
  }
  if (type === "category") {
    // Where names would crowd, every second, third, … is named.
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
