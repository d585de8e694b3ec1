// Draws axes, lines across the plot and the colour bar.

import { type HeatmapTrace, plainText, type PlotlyLayout } from "../plotly.ts";
import { colorAt } from "./colors.ts";
import { dashAttribute, heatRange, px, safeColor } from "./marks.ts";
import { makeScale, type Scale } from "./scale.ts";
import { textElement } from "./text.ts";

/** Pixels of the plot's edges. */
export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** The scales and edges of a plot. */
export interface Drawing {
  x: Scale;
  y: Scale;
  box: Box;
  tickSize: number;
}

const place = (scale: Scale, value: number) =>
  scale.pixel(scale.type === "log" ? 10 ** value : value);

const gridLines = (path: string) =>
  `<path d="${path}" stroke="currentColor" stroke-opacity=".15" fill="none"/>`;

/**
 * Draws the lower or the upper axis.
 *
 * @param drawing Scales and edges.
 * @param options Title, and whether labels are slanted and how far they then extend downwards.
 * @returns SVG elements.
 */
export function drawXAxis(
  drawing: Drawing,
  options: { title: string; aslant?: boolean; drop?: number; upper?: boolean; grid: boolean },
): string {
  const { x, box } = drawing;
  const edge = options.upper ? box.top : box.bottom;
  const outward = options.upper ? -1 : 1;
  let lines = "";
  let ticks = "";
  let labels = "";
  for (const tick of x.ticks) {
    const at = place(x, tick.value);
    if (!Number.isFinite(at)) continue;
    if (options.grid && x.type !== "category") {
      lines += `M${px(at)} ${px(box.top)}V${px(box.bottom)}`;
    }
    ticks += `M${px(at)} ${px(edge)}v${4 * outward}`;
    if (options.aslant) {
      labels += textElement(tick.label, at + 3, edge + 14, { anchor: "end", rotate: -40 });
    } else {
      labels += textElement(tick.label, at, edge + (options.upper ? -7 : 17), { anchor: "middle" });
    }
  }
  const line = `<path d="M${px(box.left)} ${px(edge)}H${
    px(box.right)
  }${ticks}" stroke="currentColor" stroke-opacity=".5" fill="none"/>`;
  const title = options.title === "" ? "" : textElement(
    options.title,
    (box.left + box.right) / 2,
    edge + (options.upper ? -24 : 38 + (options.drop ?? 0)),
    { anchor: "middle", size: 13 },
  );
  return gridLines(lines) + line + labels + title;
}

/**
 * Draws the axis on the left.
 *
 * @param drawing Scales and edges.
 * @param options Its title, and whether lines go across the plot.
 * @returns SVG elements.
 */
export function drawYAxis(drawing: Drawing, options: { title: string; grid: boolean }): string {
  const { y, box, tickSize } = drawing;
  let lines = "";
  let labels = "";
  for (const tick of y.ticks) {
    const at = place(y, tick.value);
    if (!Number.isFinite(at)) continue;
    if (options.grid && y.type !== "category") {
      lines += `M${px(box.left)} ${px(at)}H${px(box.right)}`;
    }
    labels += textElement(tick.label, box.left - 7, at + tickSize * 0.35, { anchor: "end" });
  }
  const line = `<path d="M${px(box.left)} ${px(box.top)}V${
    px(box.bottom)
  }" stroke="currentColor" stroke-opacity=".5" fill="none"/>`;
  const middle = (box.top + box.bottom) / 2;
  const title = options.title === ""
    ? ""
    : textElement(options.title, 18, middle, { anchor: "middle", size: 13, rotate: -90 });
  return gridLines(lines) + line + labels + title;
}

/**
 * Draws the straight lines of a layout, such as a limit or the end of an epoch.
 *
 * @param layout The figure's layout.
 * @param drawing Scales and edges.
 * @returns SVG elements.
 */
export function drawShapes(layout: PlotlyLayout, drawing: Drawing): string {
  const { x, y, box } = drawing;
  const across = (value: number, reference: string | undefined) =>
    reference === "paper" ? box.left + value * (box.right - box.left) : x.pixel(value);
  const up = (value: number, reference: string | undefined) =>
    reference === "paper" ? box.bottom - value * (box.bottom - box.top) : y.pixel(value);
  return (layout.shapes ?? []).filter((shape) => shape.type === "line").map((shape) => {
    const [x0, x1] = [across(shape.x0, shape.xref), across(shape.x1, shape.xref)];
    const [y0, y1] = [up(shape.y0, shape.yref), up(shape.y1, shape.yref)];
    if (![x0, x1, y0, y1].every(Number.isFinite)) return "";
    const label = shape.label?.text
      ? textElement(plainText(shape.label.text), Math.max(x0, x1) - 4, Math.min(y0, y1) + 14, {
        anchor: "end",
        size: 11.5,
      })
      : "";
    return `<path d="M${px(x0)} ${px(y0)}L${px(x1)} ${px(y1)}" stroke="${
      safeColor(shape.line?.color, "currentColor")
    }" stroke-width="${px(shape.line?.width ?? 1.5)}"${dashAttribute(shape.line?.dash)}/>${label}`;
  }).join("");
}

/**
 * Draws the colour bar.
 *
 * @param trace The grid.
 * @param box The plot's edges; the bar is to the right of it.
 * @param tickSize Height of its numbers.
 * @returns SVG elements.
 */
export function drawColorBar(trace: HeatmapTrace, box: Box, tickSize: number): string {
  const [low, high] = heatRange(trace);
  const left = box.right + 14;
  const steps = 24;
  const step = (box.bottom - box.top) / steps;
  let svg = '<g shape-rendering="crispEdges">';
  for (let i = 0; i < steps; i++) {
    svg += `<path d="M${px(left)} ${px(box.bottom - i * step)}h12v${px(-step - 0.5)}h-12z" fill="${
      colorAt((i + 0.5) / steps)
    }"/>`;
  }
  svg += "</g>";
  const scale = makeScale({
    type: "linear",
    range: [low, high],
    pixels: [box.bottom, box.top],
    tickCount: 5,
  });
  for (const tick of scale.ticks) {
    svg += textElement(tick.label, left + 16, scale.pixel(tick.value) + tickSize * 0.35);
  }
  const title = trace.colorbar?.title?.text;
  if (title) {
    svg += textElement(plainText(title), left + 12, box.top - 10, { anchor: "middle" });
  }
  return svg;
}
