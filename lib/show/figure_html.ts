// The HTML of a chart: a drawing that is complete without scripts and becomes live with Plotly.

import { drawingHtml } from "./drawing.ts";
import type { PlotlyLayout, PlotlyTrace } from "./plotly.ts";
import { renderSvg } from "./svg/render.ts";

/** The event on `window` that announces Plotly; {@linkcode enableLivePlotly} sends it. */
export const plotlyArrived = "tb-plotly";

// Runs in the page. `currentScript` is only set while the script first runs.
const upgrade = `(() => {
  const root = document.currentScript?.closest(".tb-figure");
  if (!root) return;
  const draw = () => {
    const { data, layout } = JSON.parse(root.querySelector(".tb-data").textContent);
    const color = getComputedStyle(root).color;
    const line = "rgba(128,128,128,0.25)";
    for (const name of ["xaxis", "yaxis", "xaxis2"]) {
      if (layout[name] || name !== "xaxis2") {
        layout[name] = { gridcolor: line, zerolinecolor: line, automargin: true, ...layout[name] };
      }
    }
    layout.font = { color, ...layout.font };
    if (layout.title) {
      const place = { x: 0.01, xanchor: "left", yref: "container", y: 0.97, yanchor: "top" };
      layout.title = { ...place, automargin: true, font: { size: 16 }, ...layout.title };
    }
    const below = { y: 0, yref: "container", yanchor: "bottom" };
    layout.legend = { orientation: "h", x: 0, ...below, ...layout.legend };
    layout.margin = { l: 56, r: 24, t: 24, b: 48, ...layout.margin };
    layout.height ??= 380;
    const target = root.querySelector(".tb-live");
    Promise.resolve(window.Plotly.newPlot(target, data, layout, { responsive: true, displaylogo: false }))
      .then(() => root.classList.add("tb-drawn"), () => target.remove());
  };
  window.Plotly ? draw() : addEventListener("${plotlyArrived}", draw, { once: true });
})();`.replace(/\n\s*/g, " ");

/**
 * Writes the HTML of a chart.
 *
 * @param figure The Plotly figure, small enough to store twice.
 * @param alt The text alternative.
 * @param heading HTML above the drawing, which must be safe.
 * @returns HTML that loads nothing from elsewhere.
 */
export function figureHtml(
  figure: { data: readonly PlotlyTrace[]; layout: PlotlyLayout },
  alt: string,
  heading = "",
): string {
  return drawingHtml(drawer(figure, alt), alt, {
    before: heading,
    after: `<div class="tb-live"></div>` +
      `<script type="application/json" class="tb-data">${scriptJson(figure)}</script>` +
      `<script>${upgrade}</script>`,
  });
}

/**
 * Writes the HTML of a chart for a page without scripts.
 *
 * @param figure The Plotly figure.
 * @param alt The text alternative.
 * @returns HTML with the drawing only.
 */
export function staticFigureHtml(
  figure: { data: readonly PlotlyTrace[]; layout: PlotlyLayout },
  alt: string,
): string {
  return drawingHtml(drawer(figure, alt), alt);
}

/** Draws a chart: a picture in one colour without a text alternative, or drawings for a desk and for a phone. */
function drawer(
  { data, layout }: { data: readonly PlotlyTrace[]; layout: PlotlyLayout },
  alt: string,
): (color?: string) => string {
  return (color) =>
    color
      ? renderSvg(data, layout, { alt: "", color })
      : renderSvg(data, layout, { alt }) + renderSvg(data, layout, { alt, narrow: true });
}

/**
 * Writes JSON that is safe inside a `<script>` element.
 *
 * @param value A JSON value.
 * @returns JSON without `<`, so that no text in it ends the element.
 */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}
