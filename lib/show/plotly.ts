// Types of the part of Plotly's figures that this library makes, and its rules for text.

/** Text of a title or an axis. */
export interface PlotlyTitle {
  /** The text. */
  text: string;
  /** A second, smaller line. */
  subtitle?: { text: string };
}

/** A line, or markers, or both. */
export interface ScatterTrace {
  /** The kind of trace, axis or shape. */
  type?: "scatter";
  /** The name in the legend. */
  name?: string;
  /** Positions along the x axis. */
  x: readonly (number | string)[];
  /** Values; null and numbers that are not finite leave a gap. */
  y: readonly (number | null)[];
  /** How points are drawn. */
  mode?: "lines" | "markers" | "lines+markers";
  /** How the line is drawn. */
  line?: {
    color?: string;
    width?: number;
    dash?: "solid" | "dash" | "dot";
    shape?: "linear" | "hv";
  };
  /** How markers or bars are drawn. */
  marker?: { color?: string; size?: number; symbol?: "circle" | "x" | "diamond" | "square" };
  /** Texts shown on hover, one per point. */
  text?: readonly string[];
  /** Which area is filled. */
  fill?: "tozeroy";
  /** From 0, invisible, to 1. */
  opacity?: number;
  /** Whether the legend shows it. */
  showlegend?: boolean;
  /** `skip` shows nothing on hover. */
  hoverinfo?: "skip";
  /** `"x2"` puts a trace on the upper axis. */
  xaxis?: "x" | "x2";
}

/** Vertical or horizontal bars. */
export interface BarTrace {
  /** The kind of trace, axis or shape. */
  type: "bar";
  /** The name in the legend. */
  name?: string;
  /** Positions along the x axis. */
  x: readonly (number | string)[];
  /** Positions along the y axis, or values. */
  y: readonly (number | string | null)[];
  /** `"h"`: x has the lengths and y the names. */
  orientation?: "v" | "h";
  /** Width of bars in the units of a numeric axis: one number, or one per bar. */
  width?: number | readonly number[];
  /** How markers or bars are drawn. */
  marker?: { color?: string };
  /** Texts shown on hover, one per bar. */
  hovertext?: readonly string[];
  /** From 0, invisible, to 1. */
  opacity?: number;
  /** Whether the legend shows it. */
  showlegend?: boolean;
  /** `skip` shows nothing on hover. */
  hoverinfo?: "skip";
}

/** A grid of numbers as colours. */
export interface HeatmapTrace {
  /** The kind of trace, axis or shape. */
  type: "heatmap";
  /** The name in the legend. */
  name?: string;
  /** Rows from the bottom, unless the y axis is reversed. A null leaves a cell empty. */
  z: readonly (readonly (number | null)[])[];
  /** Positions along the x axis. */
  x?: readonly (number | string)[];
  /** Positions along the y axis, or values. */
  y?: readonly (number | string)[];
  /** The value of the lowest colour. */
  zmin?: number;
  /** The value of the highest colour. */
  zmax?: number;
  /** The colours. */
  colorscale?: "Viridis";
  /** The colour bar next to the drawing. */
  colorbar?: { title?: { text: string } };
  /** Whether the scale is shown. */
  showscale?: boolean;
}

/** One series of a figure. */
export type PlotlyTrace = ScatterTrace | BarTrace | HeatmapTrace;

/** An axis. */
export interface PlotlyAxis {
  /** The title. */
  title?: PlotlyTitle;
  /** The kind of trace, axis or shape. */
  type?: "linear" | "log" | "category" | "-";
  /** Powers of ten on a log axis. */
  range?: [number, number];
  /** Whether the range follows the data, and in which direction. */
  autorange?: boolean | "reversed";
  /** The positions of ticks. */
  tickvals?: readonly (number | string)[];
  /** The labels of ticks. */
  ticktext?: readonly string[];
  /** Whether the range begins at 0. */
  rangemode?: "normal" | "tozero";
  /** The axis that this one overlays. */
  overlaying?: "x";
  /** The side of the plot that it is on. */
  side?: "top";
  /** The axis whose range it follows. */
  matches?: "x";
  /** Whether grid lines are drawn. */
  showgrid?: boolean;
  /** Any other option of Plotly. */
  [option: string]: unknown;
}

/** A straight line across a figure, such as a limit or the end of an epoch. */
export interface PlotlyLine {
  /** The kind of trace, axis or shape. */
  type: "line";
  /** `"paper"`: 0 is the left edge and 1 the right. */
  xref?: "x" | "paper";
  /** The units of `y0` and `y1`. */
  yref?: "y" | "paper";
  /** Where it begins. */
  x0: number;
  /** Where it ends. */
  x1: number;
  /** Where it begins. */
  y0: number;
  /** Where it ends. */
  y1: number;
  /** How the line is drawn. */
  line?: { color?: string; width?: number; dash?: "solid" | "dash" | "dot" };
  /** The label next to it. */
  label?: { text: string };
}

/** The layout around the traces. */
export interface PlotlyLayout {
  /** The title. */
  title?: PlotlyTitle;
  /** The x axis. */
  xaxis?: PlotlyAxis;
  /** A second scale for x along the top. */
  xaxis2?: PlotlyAxis;
  /** The y axis. */
  yaxis?: PlotlyAxis;
  /** Whether the legend shows it. */
  showlegend?: boolean;
  /** How bars of several traces are arranged. */
  barmode?: "group" | "stack" | "overlay";
  /** The gap between bars, as a fraction of their distance. */
  bargap?: number;
  /** Lines drawn over the traces. */
  shapes?: readonly PlotlyLine[];
  /** Height in pixels. */
  height?: number;
  /** Any other option of Plotly. */
  [option: string]: unknown;
}

/**
 * Escapes plain text so that Plotly shows it unchanged. Plotly parses pseudo-HTML in every label,
 * so a token such as `<b>` would otherwise disappear.
 *
 * @param text Plain text.
 * @returns Plotly's text.
 */
export function plotlyText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/**
 * Converts Plotly's pseudo-HTML to plain text: line breaks become spaces and formatting is dropped.
 *
 * @param text Plotly's text.
 * @returns Plain text.
 */
export function plainText(text: string): string {
  return text
    .replace(/<br\s*\/?>/gi, " ")
    .replace(/<\/?(?:b|i|u|s|em|sub|sup|span|a)(?:\s[^<>]*)?>/gi, "")
    .replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&nbsp;", "\u00A0")
    .replaceAll("&amp;", "&");
}
