// Draws traces: lines, markers, bars and grids of colours.

import type { BarTrace, HeatmapTrace, PlotlyTrace, ScatterTrace } from "../plotly.ts";
import { plainText } from "../plotly.ts";
import { palette } from "../theme.ts";
import { colorAt } from "./colors.ts";
import { barWidths, coordinates, isBar, isHeatmap, isScatter } from "./ranges.ts";
import type { Scale } from "./scale.ts";

/** The two scales of a trace. */
export interface Plane {
  x: Scale;
  y: Scale;
}

/**
 * Formats a pixel number with at most one decimal.
 *
 * @param pixel The number.
 * @returns Its shortest form.
 */
export function px(pixel: number): string {
  return String(Math.round(pixel * 10) / 10);
}

/**
 * Checks a colour for the SVG, because a figure may come from an untrusted source.
 *
 * @param color The colour in the figure.
 * @param fallback The colour to use if it is not valid.
 * @returns A colour name, hex colour, or rgb()/rgba()/hsl().
 */
export function safeColor(color: string | undefined, fallback: string): string {
  return color && /^(?:#[0-9a-f]{3,8}|[a-z]{3,30}|(?:rgb|hsl)a?\([\d\s.,%]{1,60}\))$/i.test(color)
    ? color
    : fallback;
}

/** @returns The colour of the trace with an index in the figure. */
export function traceColor(trace: PlotlyTrace, index: number): string {
  const fallback = palette[index % palette.length];
  if (isScatter(trace)) return safeColor(trace.line?.color ?? trace.marker?.color, fallback);
  return isBar(trace) ? safeColor(trace.marker?.color, fallback) : fallback;
}

/** @returns The `stroke-dasharray` attribute of a dash style, or nothing. */
export function dashAttribute(dash: string | undefined): string {
  return dash === "dash"
    ? ' stroke-dasharray="7 4"'
    : dash === "dot"
    ? ' stroke-dasharray="2 3"'
    : "";
}

/**
 * Draws a line with or without markers.
 *
 * @param trace The series.
 * @param plane The scales.
 * @param color Its colour.
 * @returns SVG elements.
 */
export function drawScatter(trace: ScatterTrace, plane: Plane, color: string): string {
  const mode = trace.mode ?? "lines";
  const points = trace.x.map((x, i) => {
    const y = trace.y[i];
    return {
      x: plane.x.pixel(typeof x === "string" ? plainText(x) : x),
      y: y === null || y === undefined ? NaN : plane.y.pixel(y),
    };
  });
  const opacity = trace.opacity === undefined
    ? ""
    : ` opacity="${Number(trace.opacity.toFixed(2))}"`;
  let svg = "";
  if (mode.includes("lines")) {
    const path = linePath(points, trace.line?.shape === "hv");
    if (trace.fill === "tozeroy" && path.includes("L")) {
      const drawn = points.filter((p) => Number.isFinite(p.x) && Number.isFinite(p.y));
      const base = px(plane.y.pixel(0));
      svg += `<path d="${linePath(drawn, false)}L${px(drawn[drawn.length - 1].x)} ${base}L${
        px(drawn[0].x)
      } ${base}Z" fill="${color}" fill-opacity=".2" stroke="none"/>`;
    }
    svg += `<path d="${path}" fill="none" stroke="${color}" stroke-width="${
      px(trace.line?.width ?? 2)
    }" stroke-linejoin="round" stroke-linecap="round"${dashAttribute(trace.line?.dash)}/>`;
  }
  if (mode.includes("markers")) {
    const size = trace.marker?.size ?? 6;
    const symbol = trace.marker?.symbol ?? "circle";
    const fill = safeColor(trace.marker?.color, color);
    const drawn = points.filter((p) => Number.isFinite(p.x) && Number.isFinite(p.y));
    svg += symbol === "x"
      ? `<path d="${
        drawn.map((p) => marker(symbol, p.x, p.y, size)).join("")
      }" stroke="${fill}" stroke-width="2" fill="none"/>`
      : `<path d="${drawn.map((p) => marker(symbol, p.x, p.y, size)).join("")}" fill="${fill}"/>`;
  }
  return `<g${opacity}>${svg}</g>`;
}

/** @returns Path data of one marker. */
export function marker(symbol: string, x: number, y: number, size: number): string {
  const r = size / 2;
  if (symbol === "x") {
    return `M${px(x - r)} ${px(y - r)}l${px(size)} ${px(size)}m0 ${px(-size)}l${px(-size)} ${
      px(size)
    }`;
  }
  if (symbol === "square") {
    return `M${px(x - r)} ${px(y - r)}h${px(size)}v${px(size)}h${px(-size)}z`;
  }
  if (symbol === "diamond") {
    const d = r * 1.3;
    return `M${px(x)} ${px(y - d)}l${px(d)} ${px(d)}l${px(-d)} ${px(d)}l${px(-d)} ${px(-d)}z`;
  }
  return `M${px(x - r)} ${px(y)}a${px(r)} ${px(r)} 0 1 0 ${px(size)} 0a${px(r)} ${px(r)} 0 1 0 ${
    px(-size)
  } 0z`;
}

function linePath(points: readonly { x: number; y: number }[], steps: boolean): string {
  let path = "";
  let drawing = false;
  points.forEach(({ x, y }, i) => {
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      drawing = false;
      return;
    }
    if (!drawing) {
      path += `M${px(x)} ${px(y)}`;
      // A point between two gaps: round caps draw a line of zero length as a dot.
      const next = points[i + 1];
      if (!next || !Number.isFinite(next.x) || !Number.isFinite(next.y)) path += "h0";
    } else path += steps ? `H${px(x)}V${px(y)}` : `L${px(x)} ${px(y)}`;
    drawing = true;
  });
  return path;
}

/**
 * Draws all bar traces of a figure; they share their slots.
 *
 * @param bars The traces with their colours.
 * @param plane Where to.
 * @param mode Side by side, stacked, or overlaid.
 * @returns SVG elements.
 */
export function drawBars(
  bars: readonly { trace: BarTrace; color: string }[],
  plane: Plane,
  mode: "group" | "stack" | "overlay",
): string {
  const tops = new Map<string, number>();
  return bars.map(({ trace, color }, index) => {
    const lying = trace.orientation === "h";
    const [across, along] = lying ? [plane.y, plane.x] : [plane.x, plane.y];
    const names = lying ? trace.y : trace.x;
    const lengths = lying ? trace.x : trace.y;
    const widths = across.type === "category"
      ? names.map(() => 0.8)
      : barWidths(trace, names.map(Number));
    const share = mode === "group" ? bars.length : 1;
    let path = "";
    names.forEach((name, i) => {
      const length = Number(lengths[i]);
      const middle = across.pixel(typeof name === "string" ? plainText(name) : name);
      if (lengths[i] === null || !Number.isFinite(length) || !Number.isFinite(middle)) return;
      const centre = across.type === "category" ? 0 : Number(name);
      const unitWidth = across.type === "log"
        ? Math.abs(across.pixel(10) - across.pixel(1)) / 20
        : Math.abs(across.pixel(centre + widths[i] / 2) - across.pixel(centre - widths[i] / 2));
      // A hairline between neighbours keeps full-width bars apart.
      const width = Math.max(0.5, unitWidth / share - (unitWidth / share > 4 ? 1 : 0));
      const start = middle - unitWidth / 2 + (share > 1 ? index * unitWidth / share : 0);
      const key = `${length < 0 ? "-" : "+"}${name}`;
      const base = mode === "stack" ? tops.get(key) ?? 0 : 0;
      tops.set(key, base + length);
      const zero = along.type === "log" ? along.pixel(10 ** along.range[0]) : along.pixel(base);
      const end = along.pixel(base + length);
      if (!Number.isFinite(end)) return;
      const [low, high] = [Math.min(zero, end), Math.max(zero, end)];
      path += lying
        ? `M${px(low)} ${px(start)}h${px(high - low)}v${px(width)}h${px(low - high)}z`
        : `M${px(start)} ${px(low)}h${px(width)}v${px(high - low)}h${px(-width)}z`;
    });
    const opacity = trace.opacity ?? (mode === "overlay" && bars.length > 1 ? 0.6 : 1);
    return `<path d="${path}" fill="${color}"${opacity < 1 ? ` fill-opacity="${opacity}"` : ""}/>`;
  }).join("");
}

/**
 * The number of shades of a grid: enough to read, and few enough that one path per shade is small.
 */
const shades = 24;

/** @returns The smallest and largest number of a grid, or the range set by the trace. */
export function heatRange(trace: HeatmapTrace): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const row of trace.z) {
    for (const cell of row) {
      if (cell === null || !Number.isFinite(cell)) continue;
      low = Math.min(low, cell);
      high = Math.max(high, cell);
    }
  }
  if (low > high) [low, high] = [0, 1];
  return [trace.zmin ?? low, trace.zmax ?? high];
}

/**
 * Draws a grid of colours.
 *
 * @param trace The grid.
 * @param plane Where to.
 * @returns SVG elements.
 */
export function drawHeatmap(trace: HeatmapTrace, plane: Plane): string {
  const [low, high] = heatRange(trace);
  const edges = (axis: "x" | "y", scale: Scale) => {
    const centres = coordinates(trace, axis).map((v) =>
      scale.pixel(typeof v === "string" ? plainText(v) : v)
    );
    return centres.map((centre, i) => {
      const before = i > 0 ? (centres[i - 1] + centre) / 2 : NaN;
      const after = i + 1 < centres.length ? (centre + centres[i + 1]) / 2 : NaN;
      const half = Number.isFinite(before)
        ? centre - before
        : Number.isFinite(after)
        ? after - centre
        : Math.abs(scale.pixel(1) - scale.pixel(0)) / 2;
      return [
        Number.isFinite(before) ? before : centre - half,
        Number.isFinite(after) ? after : centre + half,
      ];
    });
  };
  const columns = edges("x", plane.x);
  const rows = edges("y", plane.y);
  const paths = new Map<number, string>();
  trace.z.forEach((cells, r) => {
    if (!rows[r]) return;
    const [y0, y1] = rows[r];
    const shadeOf = (cell: number | null | undefined) =>
      cell === null || cell === undefined || !Number.isFinite(cell)
        ? -1
        : Math.round(Math.min(1, Math.max(0, (cell - low) / (high - low || 1))) * (shades - 1));
    for (let c = 0; c < cells.length && c < columns.length;) {
      const shade = shadeOf(cells[c]);
      let end = c + 1;
      while (end < cells.length && end < columns.length && shadeOf(cells[end]) === shade) end++;
      if (shade >= 0) {
        const [x0, x1] = [columns[c][0], columns[end - 1][1]];
        paths.set(
          shade,
          (paths.get(shade) ?? "") + `M${px(x0)} ${px(y0)}H${px(x1)}V${px(y1)}H${px(x0)}z`,
        );
      }
      c = end;
    }
  });
  const drawn = [...paths].sort(([a], [b]) => a - b).map(([shade, path]) =>
    `<path d="${path}" fill="${colorAt(shade / (shades - 1))}"/>`
  ).join("");
  return `<g shape-rendering="crispEdges">${drawn}</g>`;
}

/** Draws every trace of a figure on its plane. @returns SVG elements. */
export function drawTraces(
  traces: readonly PlotlyTrace[],
  plane: Plane,
  barmode: "group" | "stack" | "overlay",
): string {
  let svg = "";
  const bars: { trace: BarTrace; color: string }[] = [];
  traces.forEach((trace, i) => {
    if (isHeatmap(trace)) svg += drawHeatmap(trace, plane);
    else if (isBar(trace)) bars.push({ trace, color: traceColor(trace, i) });
  });
  svg += drawBars(bars, plane, barmode);
  traces.forEach((trace, i) => {
    if (isScatter(trace) && trace.xaxis !== "x2") {
      svg += drawScatter(trace, plane, traceColor(trace, i));
    }
  });
  return svg;
}
