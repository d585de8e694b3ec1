// Draws a Plotly figure as an SVG without a browser, which Plotly itself cannot do.

import { plainText, type PlotlyLayout, type PlotlyTrace } from "../plotly.ts";
import { escapeHtml, sansSerif } from "../theme.ts";
import { drawLegend, layOutLegend } from "./legend.ts";
import { drawColorBar, drawShapes, drawXAxis, drawYAxis } from "./axes.ts";
import { drawTraces, px } from "./marks.ts";
import { axisRange, isHeatmap, isScatter } from "./ranges.ts";
import { makeScale, type Scale } from "./scale.ts";
import { breakLines, textElement, textWidth, truncate } from "./text.ts";

/** Options of a drawing. */
export interface RenderOptions {
  /** The text alternative. */
  alt: string;
  /** Colour of text and axes, the page's own by default. */
  color?: string;
  /** Draws for a phone: titles and legends take more lines, and the plot keeps its height. */
  narrow?: boolean;
}

const tickSize = 12;

/**
 * Draws the traces that this library makes: lines, markers, bars and heatmaps on linear, logarithmic
 * and category axes. Text and axes have the page's own colour.
 *
 * @param data The figure's traces.
 * @param layout The figure's layout.
 * @param options Text alternative, colour, and whether it is for a phone.
 * @returns One `<svg>` element without ids, scripts or links.
 */
export function renderSvg(
  data: readonly PlotlyTrace[],
  layout: PlotlyLayout,
  options: RenderOptions,
): string {
  const { narrow = false } = options;
  const width = narrow ? 320 : 640; // in the drawing's own coordinates
  const onPlane = data.filter((trace) => !(isScatter(trace) && trace.xaxis === "x2"));
  const xRange = axisRange(onPlane, "x", layout);
  const yRange = axisRange(onPlane, "y", layout);
  let svg = "";

  // Space at the top: title, subtitle, legend, upper axis.
  let top = 8;
  const linesOf = (text: string | undefined, size: number, width: number) =>
    text ? breakLines(plainText(text), size, width, narrow ? 5 : 2) : [];
  for (const line of linesOf(layout.title?.text, 16, (width - 16) * 0.92)) {
    svg += textElement(line, 8, top += 18, { size: 16, bold: true });
  }
  for (const line of linesOf(layout.title?.subtitle?.text, 12.5, width - 16)) {
    svg += textElement(line, 8, top += 17, { size: 12.5, faint: true });
  }
  const legend = layOutLegend(data, layout, width - 16);
  svg += drawLegend(legend, 8, top + 6);
  top += legend.height + 14;
  const upper = layout.xaxis2;
  if (upper?.tickvals) top += upper.title?.text ? 34 : 18;
  const taller = narrow ? Math.max(0, top - 40) : 0;
  const height = Math.min(4000, Math.max(160, layout.height ?? 340) + taller);

  // Space at the sides: labels of the y axis, colour bar.
  const bottomRoom = (xTitle(layout) ? 22 : 4) + 22;
  const yTitle = plainText(layout.yaxis?.title?.text ?? "");
  const maxLabel = width * 0.3;
  const plotHeight = height - top - bottomRoom;
  const tickCount = Math.max(2, Math.round(plotHeight / 48));
  const y = makeScale({
    type: yRange.type,
    range: yRange.range,
    categories: yRange.categories,
    pixels: [height - bottomRoom, top],
    tickCount,
    ticks: ticksOf(layout.yaxis),
  });
  shorten(y, maxLabel);
  const labelWidth = Math.max(...y.ticks.map((tick) => textWidth(tick.label, tickSize)), 8);
  const left = 8 + (yTitle ? 20 : 0) + labelWidth + 8;
  const heat = data.find(isHeatmap);
  const right = heat && heat.showscale !== false ? 84 : 14;
  const xPixels: [number, number] = [left, width - right];
  const x = makeScale({
    type: xRange.type,
    range: xRange.range,
    categories: xRange.categories,
    pixels: xPixels,
    tickCount: Math.max(2, Math.round((xPixels[1] - xPixels[0]) / 75)),
    ticks: ticksOf(layout.xaxis),
  });

  // Names that would overlap are slanted, which increases the height.
  shorten(x, 120);
  const slot = x.ticks.length > 1
    ? Math.abs(unitPixel(x, x.ticks[1].value) - unitPixel(x, x.ticks[0].value))
    : xPixels[1] - xPixels[0];
  const aslant = x.ticks.some((tick) => textWidth(tick.label, tickSize) + 8 > slot);
  if (aslant) {
    // The first name extends to the left, but not beyond the drawing.
    for (const tick of x.ticks) {
      const room = Math.min(120, (unitPixel(x, tick.value) - 8) * 1.15);
      tick.label = truncate(tick.label, tickSize, Math.max(40, room));
    }
  }
  const drop = aslant
    ? Math.max(...x.ticks.map((tick) => textWidth(tick.label, tickSize))) * 0.64
    : 0;
  const box = { left, right: width - right, top, bottom: height - bottomRoom };
  const drawing = { x, y, box, tickSize };

  svg += drawXAxis(drawing, {
    title: xTitle(layout),
    aslant,
    drop,
    grid: layout.xaxis?.showgrid ?? true,
  });
  svg += drawYAxis(drawing, { title: yTitle, grid: layout.yaxis?.showgrid ?? true });
  if (upper?.tickvals) {
    svg += drawXAxis({
      ...drawing,
      x: makeScale({
        type: "linear",
        range: xRange.range,
        pixels: xPixels,
        tickCount: 5,
        ticks: ticksOf(upper),
      }),
    }, { title: plainText(upper.title?.text ?? ""), upper: true, grid: false });
  }
  // An inner svg clips marks outside the axes without needing an id.
  const { left: l, top: t } = box;
  const [w, h] = [box.right - box.left, box.bottom - box.top];
  const marks = drawTraces(onPlane, { x, y }, layout.barmode ?? "group") +
    drawShapes(layout, drawing);
  svg += `<svg x="${px(l)}" y="${px(t - 4)}" width="${px(w + 4)}" height="${px(h + 8)}" viewBox="${
    px(l)
  } ${px(t - 4)} ${px(w + 4)} ${px(h + 8)}">${marks}</svg>`;
  if (heat && heat.showscale !== false) svg += drawColorBar(heat, box, tickSize);
  if (!xRange.hasData && !yRange.hasData) {
    svg += textElement("No data", (l + box.right) / 2, (t + box.bottom) / 2, {
      anchor: "middle",
      faint: true,
    });
  }

  const total = height + drop;
  const alt = escapeHtml(options.alt);
  const fit = narrow
    ? "width:100%;max-width:480px;height:auto;display:none"
    : "width:100%;min-width:440px;max-width:768px;height:auto;display:block";
  return `<svg class="tb-chart${
    narrow ? " tb-narrow" : ""
  }" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${
    px(total)
  }" width="${width}" height="${px(total)}" role="img" aria-label="${alt}" style="color:${
    options.color ?? "inherit"
  };${fit}" font-family="${
    escapeHtml(sansSerif)
  }" font-size="${tickSize}" fill="currentColor"><title>${alt}</title>${svg}</svg>`;
}

const xTitle = (layout: PlotlyLayout) => plainText(layout.xaxis?.title?.text ?? "");

function ticksOf(axis: PlotlyLayout["xaxis"]) {
  if (!axis?.tickvals) return undefined;
  return { values: axis.tickvals, labels: axis.ticktext?.map(plainText) };
}

function shorten(scale: Scale, width: number): void {
  for (const tick of scale.ticks) tick.label = truncate(tick.label, tickSize, width);
}

/** The pixel of a position in the axis' own units. */
function unitPixel(scale: Scale, value: number): number {
  return scale.pixel(scale.type === "log" ? 10 ** value : value);
}
