// The most common charts: lines, bars, points and grids.

import { assertArray, kindOf } from "../kind_of.ts";
import { type Figure, figure } from "./figure.ts";
import { type PlotlyLayout, plotlyText, type PlotlyTrace } from "./plotly.ts";
import { palette } from "./theme.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

/** Options of all charts. All texts are plain text. */
export interface ChartOptions {
  /** The title. */
  title?: string;
  /** A second line below the title. */
  subtitle?: string;
  /** Title of the x axis. */
  xLabel?: string;
  /** Title of the y axis. */
  yLabel?: string;
  /** The text alternative; derived from the data by default. */
  alt?: string;
}

/** The names of {@linkcode ChartOptions}. */
export const CHART_OPTIONS: OptionNames<ChartOptions> = {
  title: true,
  subtitle: true,
  xLabel: true,
  yLabel: true,
  alt: true,
};

/** One line of a chart. */
export interface Series {
  /** The name. */
  name: string;
  /** Positions; 1, 2, 3, … by default. */
  x?: ArrayLike<number>;
  /** Values; a gap for those that are not finite. */
  y: ArrayLike<number>;
}

/**
 * Draws values as lines.
 *
 * @param series Values of one line, several lines by name, or lines with their own positions.
 * @param options Titles, and logarithmic axes.
 * @returns The chart.
 * @throws {RangeError} If a line's x and y differ in length.
 *
 * @example
 * ```ts
 * import { lineChart } from "tunebook/show";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const chart = lineChart({ train: [3, 2, 1], validation: [3.2, 2.5, 1.9] }, { title: "Loss" });
 * assertStringIncludes(chart.text, "validation, 3 points, from 3.2 to 1.9");
 * ```
 */
export function lineChart(
  series: ArrayLike<number> | Record<string, ArrayLike<number>> | readonly Series[],
  options: ChartOptions & { logX?: boolean; logY?: boolean } = {},
): Figure {
  assertKnownOptions("draw a line chart", options, { ...CHART_OPTIONS, logX: true, logY: true });
  const dashes = ["solid", "dash", "dot"] as const;
  const traces = toSeries(series).map(({ name, x, y }, i): PlotlyTrace => {
    if (x && x.length !== y.length) {
      throw new RangeError(
        `Cannot draw "${name}": x has ${x.length} values and y ${y.length}, expected equal numbers`,
      );
    }
    return {
      type: "scatter",
      mode: y.length === 1 ? "markers" : "lines",
      ...(name ? { name: plotlyText(name) } : {}),
      x: x ? Array.from(x) : Array.from(y, (_, at) => at + 1),
      y: Array.from(y),
      // Dashes too, for readers who cannot distinguish the colours.
      line: { color: palette[i % palette.length], dash: dashes[i % dashes.length] },
    };
  });
  const layout = layoutOf(options);
  if (options.logX) layout.xaxis = { ...layout.xaxis, type: "log" };
  if (options.logY) layout.yaxis = { ...layout.yaxis, type: "log" };
  return figure(traces, layout, { alt: options.alt });
}

/**
 * Normalizes the forms of one or several series.
 *
 * @param series One list of numbers, several by name, or series.
 * @returns The series; a single one has no name.
 */
export function toSeries(
  series: ArrayLike<number> | Record<string, ArrayLike<number>> | readonly Series[],
): readonly Series[] {
  const all = readSeries(series);
  for (const { name, y } of all) {
    assertNumbers(name === "" ? "draw" : `draw "${name}", which is`, y);
  }
  return all;
}

/** Refuses what is not a list of numbers; a number that is missing may be null. */
function assertNumbers(action: string, values: ArrayLike<number>): void {
  if (ArrayBuffer.isView(values)) return;
  const wrong = Array.isArray(values)
    ? values.find((value) => value !== null && value !== undefined && typeof value !== "number")
    : values;
  if (Array.isArray(values) && wrong === undefined) return;
  throw new TypeError(`Cannot ${action} ${kindOf(wrong)}: expected numbers`);
}

function readSeries(
  series: ArrayLike<number> | Record<string, ArrayLike<number>> | readonly Series[],
): readonly Series[] {
  if (typeof series !== "object" || series === null) {
    throw new TypeError(`Cannot draw ${kindOf(series)}: expected numbers`);
  }
  if (Array.isArray(series) && series.length > 0 && typeof series[0] === "object") {
    return series as readonly Series[];
  }
  if (Array.isArray(series) || ArrayBuffer.isView(series)) {
    return [{ name: "", y: series as ArrayLike<number> }];
  }
  return Object.entries(series as Record<string, ArrayLike<number>>)
    .map(([name, y]) => ({ name, y }));
}

/**
 * Draws named values as bars.
 *
 * @param values Values by name, or pairs of name and value, in the order of the bars.
 * @param options Titles; `horizontal` draws horizontal bars, which leave room for long names.
 * @returns The chart.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import * as show from "tunebook/show";
 *
 * const chart = show.barChart({ "nano": 12, "gpt2": 124 }, { yLabel: "million weights" });
 * assertStringIncludes(chart.html, "<svg");
 * ```
 */
export function barChart(
  values: Record<string, number> | readonly (readonly [string, number])[],
  options: ChartOptions & { horizontal?: boolean } = {},
): Figure {
  assertKnownOptions("draw a bar chart", options, { ...CHART_OPTIONS, horizontal: true });
  const pairs: readonly (readonly [string, number])[] = Array.isArray(values)
    ? values
    : Object.entries(values);
  if (typeof values !== "object") {
    throw new TypeError(`Cannot draw bars of ${kindOf(values)}: expected numbers by name`);
  }
  for (const [name, value] of pairs) {
    if (typeof value === "number") continue;
    throw new TypeError(
      `Cannot draw bars of ${kindOf(value)} for ${JSON.stringify(name)}: expected numbers by name`,
    );
  }
  const names = pairs.map(([name]) => plotlyText(name));
  const lengths = pairs.map(([, value]) => value);
  const layout = layoutOf(options);
  if (options.horizontal) {
    // The first name is at the top.
    layout.yaxis = { ...layout.yaxis, type: "category", autorange: "reversed" };
    layout.height = Math.max(200, 90 + 26 * pairs.length);
    return figure(
      [{
        type: "bar",
        orientation: "h",
        x: lengths,
        y: names,
        marker: { color: palette[0] },
      }],
      layout,
      { alt: options.alt },
    );
  }
  layout.xaxis = { ...layout.xaxis, type: "category" };
  return figure(
    [{ type: "bar", x: names, y: lengths, marker: { color: palette[0] } }],
    layout,
    { alt: options.alt },
  );
}

/**
 * Draws points.
 *
 * @param x Positions.
 * @param y Values, one per position.
 * @param options Titles; `labels` has a text for each point, shown on hover.
 * @returns The chart.
 * @throws {RangeError} If x and y differ in length.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import * as show from "tunebook/show";
 *
 * const chart = show.scatter([1, 2, 3], [2, 4, 5], { xLabel: "ROUGE-L", yLabel: "judge" });
 * assertStringIncludes(chart.html, "<svg");
 * ```
 */
export function scatter(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  options: ChartOptions & { labels?: readonly string[] } = {},
): Figure {
  assertKnownOptions("draw a scatter plot", options, { ...CHART_OPTIONS, labels: true });
  assertNumbers("draw points of", x);
  assertNumbers("draw points of", y);
  if (x.length !== y.length) {
    throw new RangeError(
      `Cannot draw points: x has ${x.length} values and y ${y.length}, expected equal numbers`,
    );
  }
  return figure(
    [{
      type: "scatter",
      mode: "markers",
      x: Array.from(x),
      y: Array.from(y),
      marker: { color: palette[0], size: 6 },
      ...(options.labels ? { text: options.labels.map(plotlyText) } : {}),
    }],
    layoutOf(options),
    { alt: options.alt },
  );
}

/** Options of a heat map. */
export interface HeatmapOptions extends ChartOptions {
  /** Names or numbers of the columns. */
  columns?: readonly (string | number)[];
  /** Names or numbers of the rows. */
  rows?: readonly (string | number)[];
  /** The meaning of the colours. */
  valueLabel?: string;
  /** The number of the darkest colour; the smallest value by default. */
  min?: number;
  /** The number of the brightest colour; the largest value by default. */
  max?: number;
}

/** The names of {@linkcode HeatmapOptions}. */
export const HEATMAP_OPTIONS: OptionNames<HeatmapOptions> = {
  ...CHART_OPTIONS,
  columns: true,
  rows: true,
  valueLabel: true,
  min: true,
  max: true,
};

/**
 * Draws a grid of numbers as colours, with the first row at the top.
 *
 * @param values Rows of numbers; values that are not finite are left empty.
 * @param options Titles, names of rows and columns.
 * @returns The chart; more than 48 rows or columns are drawn as averages of blocks.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import * as show from "tunebook/show";
 *
 * const chart = show.heatmap([[1, 2], [3, 4]], { rows: ["a", "b"], columns: ["x", "y"] });
 * assertStringIncludes(chart.html, "<svg");
 * ```
 */
export function heatmap(
  values: readonly ArrayLike<number>[],
  options: HeatmapOptions = {},
): Figure {
  assertKnownOptions("draw a heat map", options, HEATMAP_OPTIONS);
  assertArray("draw a heat map of", values, "rows of numbers");
  for (const row of values) assertNumbers("draw a heat map with a row of", row);
  const escaped = (list: readonly (string | number)[]) =>
    list.map((name) => typeof name === "string" ? plotlyText(name) : name);
  const layout = layoutOf(options);
  layout.xaxis = { ...layout.xaxis, showgrid: false };
  layout.yaxis = { ...layout.yaxis, autorange: "reversed", showgrid: false };
  return figure(
    [{
      type: "heatmap",
      z: values.map((row) => Array.from(row)),
      colorscale: "Viridis",
      ...(options.columns ? { x: escaped(options.columns) } : {}),
      ...(options.rows ? { y: escaped(options.rows) } : {}),
      ...(options.min === undefined ? {} : { zmin: options.min }),
      ...(options.max === undefined ? {} : { zmax: options.max }),
      ...(options.valueLabel
        ? { colorbar: { title: { text: plotlyText(options.valueLabel) } } }
        : {}),
    }],
    layout,
    { alt: options.alt },
  );
}

/**
 * Creates a layout from plain texts.
 *
 * @param options The texts.
 * @returns The layout.
 */
export function layoutOf(options: ChartOptions): PlotlyLayout {
  const { title, subtitle, xLabel, yLabel } = options;
  return {
    ...(title || subtitle
      ? {
        title: {
          text: plotlyText(title ?? ""),
          ...(subtitle ? { subtitle: { text: plotlyText(subtitle) } } : {}),
        },
      }
      : {}),
    xaxis: xLabel ? { title: { text: plotlyText(xLabel) } } : {},
    yaxis: yLabel ? { title: { text: plotlyText(yLabel) } } : {},
  };
}
