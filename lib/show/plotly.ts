// Types of the part of Plotly's figures that this library makes, and its rules for text.

/** Text of a title or an axis. */
export interface PlotlyTitle {
  text: string;
  /** A second, smaller line. */
  subtitle?: { text: string };
}

/** A line, or markers, or both. */
export interface ScatterTrace {
  type?: "scatter";
  name?: string;
  x: readonly (number | string)[];
  /** A null, or what is not a finite number, leaves a gap. */
  y: readonly (number | null)[];
  mode?: "lines" | "markers" | "lines+markers";
  line?: {
    color?: string;
    width?: number;
    dash?: "solid" | "dash" | "dot";
    shape?: "linear" | "hv";
  };
  marker?: { color?: string; size?: number; symbol?: "circle" | "x" | "diamond" | "square" };
  /** Shown when a pointer rests on a point, one text a point. */
  text?: readonly string[];
  fill?: "tozeroy";
  opacity?: number;
  showlegend?: boolean;
  hoverinfo?: "skip";
  /** `"x2"` puts a trace on the upper axis. */
  xaxis?: "x" | "x2";
}

/** Upright or lying bars. */
export interface BarTrace {
  type: "bar";
  name?: string;
  x: readonly (number | string)[];
  y: readonly (number | string | null)[];
  /** `"h"`: x holds the lengths and y the names. */
  orientation?: "v" | "h";
  /** Width of a bar in the units of a numeric axis; one number, or one a bar. */
  width?: number | readonly number[];
  marker?: { color?: string };
  /** Shown when a pointer rests on a bar, one text a bar. */
  hovertext?: readonly string[];
  opacity?: number;
  showlegend?: boolean;
  hoverinfo?: "skip";
}

/** A grid of numbers as colours. */
export interface HeatmapTrace {
  type: "heatmap";
  name?: string;
  /** Rows from the bottom, unless the y axis is reversed. A null leaves a cell empty. */
  z: readonly (readonly (number | null)[])[];
  x?: readonly (number | string)[];
  y?: readonly (number | string)[];
  zmin?: number;
  zmax?: number;
  colorscale?: "Viridis";
  colorbar?: { title?: { text: string } };
  showscale?: boolean;
}

/** One series of a figure. */
export type PlotlyTrace = ScatterTrace | BarTrace | HeatmapTrace;

/** An axis. */
export interface PlotlyAxis {
  title?: PlotlyTitle;
  type?: "linear" | "log" | "category" | "-";
  /** Powers of ten on a log axis. */
  range?: [number, number];
  autorange?: boolean | "reversed";
  tickvals?: readonly (number | string)[];
  ticktext?: readonly string[];
  rangemode?: "normal" | "tozero";
  overlaying?: "x";
  side?: "top";
  matches?: "x";
  showgrid?: boolean;
  [option: string]: unknown;
}

/** A straight line across a figure, such as a limit or the end of an epoch. */
export interface PlotlyLine {
  type: "line";
  /** `"paper"`: 0 is the left edge and 1 the right. */
  xref?: "x" | "paper";
  yref?: "y" | "paper";
  x0: number;
  x1: number;
  y0: number;
  y1: number;
  line?: { color?: string; width?: number; dash?: "solid" | "dash" | "dot" };
  label?: { text: string };
}

/** What surrounds the traces. */
export interface PlotlyLayout {
  title?: PlotlyTitle;
  xaxis?: PlotlyAxis;
  /** A second scale for x along the top. */
  xaxis2?: PlotlyAxis;
  yaxis?: PlotlyAxis;
  showlegend?: boolean;
  barmode?: "group" | "stack" | "overlay";
  bargap?: number;
  shapes?: readonly PlotlyLine[];
  height?: number;
  [option: string]: unknown;
}

/**
 * Writes plain text so that Plotly shows it as it is. Plotly reads a pseudo-HTML in every label, so
 * a token such as `<b>` would otherwise vanish.
 *
 * @param text Plain text.
 * @returns Plotly's text.
 */
export function plotlyText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/**
 * Reads Plotly's pseudo-HTML as plain text: line breaks become spaces and formatting is dropped.
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
