// Histograms: the distribution of values.

import { CHART_OPTIONS, type ChartOptions, layoutOf, toSeries } from "./charts.ts";
import { type Figure, figure } from "./figure.ts";
import { type PlotlyLine, plotlyText, type PlotlyTrace } from "./plotly.ts";
import { formatNumber, palette } from "./theme.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

/** Options of a histogram. */
export interface HistogramOptions extends ChartOptions {
  /** The number of bins; about the square root of the number of values by default. */
  bins?: number;
  /** Vertical lines at notable values, by name, such as a model's context length. */
  marks?: Record<string, number>;
}

/** The names of {@linkcode HistogramOptions}. */
export const HISTOGRAM_OPTIONS: OptionNames<HistogramOptions> = {
  ...CHART_OPTIONS,
  bins: true,
  marks: true,
};

/**
 * Draws the distribution of values.
 *
 * @param values Numbers, or several lists of numbers by name; values that are not finite are left
 * out and counted in the subtitle.
 * @param options Titles, number of bins, marks.
 * @returns The chart. Bins for integers have integer widths.
 * @throws {RangeError} If `bins` is not a whole number from 1 to 1000.
 *
 * @example
 * ```ts
 * import { histogram } from "tunebook/show";
 * import { assertEquals } from "@std/assert";
 *
 * const chart = histogram([1, 1, 2, 5], { bins: 5 });
 * assertEquals(chart.data[0].x, [1, 2, 3, 4, 5]);
 * assertEquals(chart.data[0].y, [2, 1, 0, 0, 1]);
 * ```
 */
export function histogram(
  values: ArrayLike<number> | Record<string, ArrayLike<number>>,
  options: HistogramOptions = {},
): Figure {
  assertKnownOptions("draw a histogram", options, HISTOGRAM_OPTIONS);
  const { bins: wanted } = options;
  if (wanted !== undefined && !(Number.isInteger(wanted) && wanted >= 1 && wanted <= 1000)) {
    throw new RangeError(`Cannot draw a histogram: bins must be from 1 to 1000, got ${wanted}`);
  }
  const groups = toSeries(values).map(({ name, y }) => {
    const all = Array.from(y, Number);
    return { name, finite: all.filter(Number.isFinite), left: all.length };
  });
  const all = groups.flatMap((group) => group.finite);
  const left = groups.reduce((sum, group) => sum + group.left - group.finite.length, 0);
  const bins = binsOf(all, wanted);
  const traces = groups.map(({ name, finite }, i): PlotlyTrace => {
    const counts = new Array<number>(bins.count).fill(0);
    for (const value of finite) {
      const at = Math.floor((value - bins.start) / bins.width);
      counts[Math.min(bins.count - 1, Math.max(0, at))]++;
    }
    const edges = (bin: number) => [bin, bin + 1].map((e) => bins.start + e * bins.width);
    return {
      type: "bar",
      ...(name ? { name: plotlyText(name) } : {}),
      x: counts.map((_, bin) => Number((bins.start + (bin + 0.5) * bins.width).toPrecision(12))),
      y: counts,
      width: bins.width,
      hovertext: counts.map((_, bin) =>
        bins.whole && bins.width === 1
          ? formatNumber(edges(bin)[0] + 0.5)
          : edges(bin).map((edge) => formatNumber(edge)).join(" to ")
      ),
      marker: { color: palette[i % palette.length] },
      ...(groups.length > 1 ? { opacity: 0.6 } : {}),
    };
  });
  const subtitle = [
    options.subtitle,
    left > 0 && `${formatNumber(left)} values that are not finite numbers left out`,
  ].filter(Boolean).join(" · ");
  const layout = layoutOf({ yLabel: "count", ...options, subtitle });
  layout.barmode = "overlay";
  layout.bargap = 0;
  layout.shapes = Object.entries(options.marks ?? {}).map(([name, value]): PlotlyLine => ({
    type: "line",
    x0: value,
    x1: value,
    y0: 0,
    y1: 1,
    yref: "paper",
    line: { color: palette[1], dash: "dash" },
    label: { text: plotlyText(name) },
  }));
  const alt = options.alt ??
    (all.length === 0
      ? undefined
      : `Histogram${options.title ? ` “${options.title}”` : ""} of ${
        formatNumber(all.length)
      } values from ${formatNumber(all.reduce((a, b) => Math.min(a, b)))} to ${
        formatNumber(all.reduce((a, b) => Math.max(a, b)))
      }, median ${formatNumber(median(all))}.`);
  return figure(traces, layout, { alt });
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function binsOf(values: readonly number[], wanted: number | undefined) {
  if (values.length === 0) return { start: 0, width: 1, count: 1, whole: false };
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const count = wanted ?? Math.min(60, Math.max(5, Math.ceil(Math.sqrt(values.length))));
  const whole = values.every(Number.isInteger) && Number.isSafeInteger(high - low);
  if (whole) {
    // Bins of integer width, centred on their numbers, so that all bins hold equally many.
    const width = Math.max(1, Math.ceil((high - low + 1) / count));
    return { start: low - 0.5, width, count: Math.ceil((high - low + 1) / width), whole };
  }
  // Divided first, because the whole range may exceed the largest number.
  const width = high / count - low / count;
  const divisible = width > Math.max(Math.abs(low), Math.abs(high)) * 1e-14 && width > 1e-290;
  return divisible
    ? { start: low, width, count, whole }
    : { start: low - 0.5, width: 1, count: 1, whole };
}
