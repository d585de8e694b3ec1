// The names of the series, in rows above the plot.

import { plainText, type PlotlyLayout, type PlotlyTrace } from "../plotly.ts";
import { dashAttribute, marker, px, safeColor, traceColor } from "./marks.ts";
import { isHeatmap, isScatter } from "./ranges.ts";
import { textElement, textWidth, truncate } from "./text.ts";

/** The names of a legend and their positions. */
export interface Legend {
  items: { trace: PlotlyTrace; color: string; label: string; x: number; row: number }[];
  /** Its height in pixels. */
  height: number;
}

const rowHeight = 18;
const size = 12;

/**
 * Arranges the names of a figure's series in rows.
 *
 * @param data The figure's traces.
 * @param layout Its layout; as in Plotly, a legend is shown for two or more series.
 * @param width The width of a row in pixels.
 * @returns The position of each name.
 */
export function layOutLegend(
  data: readonly PlotlyTrace[],
  layout: PlotlyLayout,
  width: number,
): Legend {
  const named = data.map((trace, i) => ({ trace, color: traceColor(trace, i) })).filter((
    { trace },
  ) => !isHeatmap(trace) && trace.showlegend !== false && trace.name);
  if (!(layout.showlegend ?? named.length > 1) || named.length === 0) {
    return { items: [], height: 0 };
  }
  let [x, row] = [0, 0];
  const items = named.map(({ trace, color }) => {
    const label = truncate(plainText(trace.name!), size, width - 30);
    const itemWidth = 30 + textWidth(label, size) + 16;
    if (x > 0 && x + itemWidth > width) [x, row] = [0, row + 1];
    const item = { trace, color, label, x, row };
    x += itemWidth;
    return item;
  });
  return { items, height: (row + 1) * rowHeight };
}

/**
 * Draws a legend.
 *
 * @param legend The legend, from {@linkcode layOutLegend}.
 * @param left Its left edge.
 * @param top Its upper edge.
 * @returns SVG elements.
 */
export function drawLegend(legend: Legend, left: number, top: number): string {
  return legend.items.map(({ trace, color, label, x, row }) => {
    const [at, middle] = [left + x, top + row * rowHeight + rowHeight / 2];
    return sample(trace, color, at, middle) +
      textElement(label, at + 30, middle + size * 0.35);
  }).join("");
}

function sample(trace: PlotlyTrace, color: string, x: number, y: number): string {
  if (!isScatter(trace)) {
    return `<path d="M${px(x + 6)} ${px(y - 6)}h12v12h-12z" fill="${color}"/>`;
  }
  const mode = trace.mode ?? "lines";
  const opacity = trace.opacity === undefined
    ? ""
    : ` opacity="${Number(trace.opacity.toFixed(2))}"`;
  let svg = "";
  if (mode.includes("lines")) {
    svg += `<path d="M${px(x)} ${px(y)}h24" stroke="${color}" stroke-width="2"${
      dashAttribute(trace.line?.dash)
    }${opacity}/>`;
  }
  if (mode.includes("markers")) {
    const symbol = trace.marker?.symbol ?? "circle";
    const fill = safeColor(trace.marker?.color, color);
    const paint = symbol === "x"
      ? `stroke="${fill}" stroke-width="2" fill="none"`
      : `fill="${fill}"`;
    svg += `<path d="${marker(symbol, x + 12, y, trace.marker?.size ?? 6)}" ${paint}${opacity}/>`;
  }
  return svg;
}
