// A chart: one Plotly figure, in several formats.

import { describe } from "./describe.ts";
import { fit } from "./fit.ts";
import { figureHtml } from "./figure_html.ts";
import type { PlotlyLayout, PlotlyTrace } from "./plotly.ts";
import { type MimeBundle, View } from "./view.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

/** The MIME type of a Plotly figure. */
export const plotlyMimeType = "application/vnd.plotly.v1+json";

/** The size limit of a chart in a notebook file, in bytes. */
export const maxFigureBytes = 100_000;

/** Options of a figure. */
export interface FigureOptions {
  /** One sentence that describes the chart; derived from the data by default. */
  alt?: string;
  /** HTML shown above the drawing, which must be safe. */
  heading?: string;
}

/** The names of {@linkcode FigureOptions}. */
export const FIGURE_OPTIONS: OptionNames<FigureOptions> = { alt: true, heading: true };

/**
 * A chart. Its bundle holds the Plotly figure, HTML with a complete static drawing that becomes a
 * live chart if the page has Plotly, and one sentence of text.
 */
export class Figure extends View {
  /** The series as given. */
  readonly data: readonly PlotlyTrace[];
  /** The layout as given. */
  readonly layout: PlotlyLayout;

  /**
   * Creates a chart.
   *
   * @param data The series.
   * @param layout Titles, axes and the like.
   * @param options Text alternative.
   */
  constructor(
    data: readonly PlotlyTrace[],
    layout: PlotlyLayout = {},
    options: FigureOptions = {},
  ) {
    super(() => makeBundle(data, layout, options));
    assertKnownOptions("draw a figure", options, FIGURE_OPTIONS);
    this.data = data;
    this.layout = layout;
  }
}

/**
 * Creates a chart from a Plotly figure. Supported traces are those that this library can also draw
 * without Plotly: lines, markers, bars and heatmaps.
 *
 * @param data The series.
 * @param layout Titles, axes and the like.
 * @param options Text alternative.
 * @returns The chart; long series are downsampled when it is drawn, and the chart says so.
 * @throws {TypeError} If a trace has a type that cannot be drawn without Plotly.
 *
 * @example
 * ```ts
 * import { figure } from "tunebook/show";
 * import { assertEquals, assertStringIncludes } from "@std/assert";
 *
 * const chart = figure([{ x: [1, 2, 3], y: [4, 2, 1], name: "loss" }], { title: { text: "Run" } });
 * assertEquals(chart.text, "Line chart “Run”: loss, 3 points, from 4 to 1.");
 * assertStringIncludes(chart.html, "<svg");
 * ```
 */
export function figure(
  data: readonly PlotlyTrace[],
  layout: PlotlyLayout = {},
  options: FigureOptions = {},
): Figure {
  for (const trace of data) {
    const { type } = trace as { type?: unknown };
    if (![undefined, "scatter", "bar", "heatmap"].includes(type as string)) {
      throw new TypeError(
        `Cannot draw a trace of type "${type}": expected "scatter", "bar" or "heatmap"`,
      );
    }
  }
  return new Figure(data, layout, options);
}

function makeBundle(
  data: readonly PlotlyTrace[],
  layout: PlotlyLayout,
  options: FigureOptions,
): MimeBundle {
  for (let points = 800;;) {
    const fitted = fit(data, layout, points);
    const alt = (options.alt ?? describe(data, layout)) + (fitted.note ? ` ${fitted.note}` : "");
    const figure = { data: fitted.data, layout: { ...commonLayout, ...fitted.layout } };
    const bundle: MimeBundle = {
      [plotlyMimeType]: figure,
      "text/html": figureHtml(figure, alt, options.heading),
      "text/plain": alt,
    };
    const bytes = bytesInNotebook(bundle);
    if (bytes <= maxFigureBytes || points <= 40) return bundle;
    // Downsample more, in proportion to the excess size.
    points = Math.max(40, Math.floor(points * Math.min(0.9, 0.95 * maxFigureBytes / bytes)));
  }
}

/** Transparent, so that a figure has the page's own colours, light or dark. */
const commonLayout = { paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)" };

/** Notebook files are indented, and outputs are six levels deep: each number takes a line. */
function bytesInNotebook(bundle: MimeBundle): number {
  return new TextEncoder().encode(JSON.stringify([[[[[[bundle]]]]]], null, 1)).length;
}
