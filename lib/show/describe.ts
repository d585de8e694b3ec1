// Describes a chart in one sentence: its text alternative.

import { plainText, type PlotlyLayout, type PlotlyTrace } from "./plotly.ts";
import { heatRange } from "./svg/marks.ts";
import { isBar, isHeatmap, isScatter } from "./svg/ranges.ts";
import { formatNumber, plural } from "./theme.ts";

/**
 * A sentence for readers who do not see the chart.
 *
 * @param data The chart's traces.
 * @param layout Its layout.
 * @returns One sentence with title, kind, and a summary of the first few series.
 */
export function describe(data: readonly PlotlyTrace[], layout: PlotlyLayout): string {
  const title = plainText(layout.title?.text ?? "");
  const shown = data.filter((trace) => isHeatmap(trace) || trace.showlegend !== false);
  const told = (shown.length > 0 ? shown : data).slice(0, 4).map(describeTrace);
  const more = shown.length > 4 ? `; and ${shown.length - 4} more series` : "";
  const kind = data.some(isHeatmap)
    ? "Heatmap"
    : data.some(isBar)
    ? "Bar chart"
    : data.every((trace) => isScatter(trace) && trace.mode === "markers")
    ? "Scatter chart"
    : "Line chart";
  const axes = [
    layout.yaxis?.title?.text && plainText(layout.yaxis.title.text),
    layout.xaxis?.title?.text && plainText(layout.xaxis.title.text),
  ].filter(Boolean).join(" by ");
  const subject = [kind, title && `“${title}”`, axes && `(${axes})`].filter(Boolean).join(" ");
  return data.length === 0 ? `${subject} without data.` : `${subject}: ${told.join("; ")}${more}.`;
}

function describeTrace(trace: PlotlyTrace): string {
  const name = trace.name ? `${plainText(trace.name)}, ` : "";
  if (isHeatmap(trace)) {
    const [low, high] = heatRange(trace);
    const columns = trace.z.reduce((most, row) => Math.max(most, row.length), 0);
    return `${name}${trace.z.length} × ${columns} cells from ${formatNumber(low)} to ${
      formatNumber(high)
    }`;
  }
  if (isBar(trace)) return name + describeBars(trace.orientation === "h" ? trace : flipped(trace));
  const values = trace.y.filter((v): v is number => typeof v === "number" && Number.isFinite(v));
  if (values.length === 0) return `${name}no finite points`;
  const [first, last] = [values[0], values[values.length - 1]];
  if (trace.mode === "markers") {
    return `${name}${plural(values.length, "point")} from ${formatNumber(least(values))} to ${
      formatNumber(most(values))
    }`;
  }
  const lowest = least(values);
  const low = lowest < last ? ` (lowest ${formatNumber(lowest)})` : "";
  return `${name}${plural(values.length, "point")}, from ${formatNumber(first)} to ${
    formatNumber(last)
  }${low}`;
}

type Bars = { x: readonly unknown[]; y: readonly unknown[] };

const flipped = (bars: Bars): Bars => ({ x: bars.y, y: bars.x });

/** `x` holds the lengths here, `y` the names. */
function describeBars({ x, y }: Bars): string {
  const lengths = x.map(Number);
  if (lengths.length === 0) return "no bars";
  const longest = lengths.indexOf(most(lengths.filter(Number.isFinite)));
  const nameOf = (i: number) =>
    typeof y[i] === "number" ? formatNumber(y[i] as number) : plainText(String(y[i]));
  if (lengths.length <= 6) {
    return lengths.map((length, i) => `${nameOf(i)} ${formatNumber(length)}`).join(", ");
  }
  return `${plural(lengths.length, "bar")}, the longest ${formatNumber(lengths[longest])} at ${
    nameOf(longest)
  }`;
}

const least = (values: readonly number[]) => values.reduce((a, b) => Math.min(a, b), Infinity);
const most = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), -Infinity);
