// Makes the charts of an open JupyterLab page live: zoom, hover, save as picture.

import { plotlyArrived } from "./figure_html.ts";
import { type JupyterChannel, jupyterChannel, UpdatingDisplay } from "./jupyter.ts";
import { assertKnownOptions } from "../options.ts";

/**
 * Loads Plotly into the page in which this notebook is open, from this machine, not from the network.
 * Charts that are drawn already, and those that follow, become live. The library's 1.5 MB are sent to
 * the page as an output that is replaced at once, so that they do not end in the notebook's file.
 *
 * JupyterLab runs scripts in trusted notebooks only; elsewhere, and outside Jupyter, charts stay the
 * drawings that they are.
 *
 * @param options `channel`: the kernel's output channel, found by itself; `pause`: milliseconds that
 *   the page gets to run the script, 1500 by default.
 * @returns A promise that settles when the output has been replaced.
 *
 * @example
 * ```ts
 * import * as show from "tunebook/show";
 *
 * await show.enableLivePlotly({ pause: 0 }); // in a notebook: charts drawn from now on can be zoomed
 * ```
 */
export async function enableLivePlotly(
  options: { channel?: JupyterChannel; pause?: number } = {},
): Promise<void> {
  assertKnownOptions("enable live charts", options, { channel: true, pause: true });
  const channel = options.channel ?? jupyterChannel();
  if (!channel) return;
  const script = await plotlyLoader();
  const display = new UpdatingDisplay(channel);
  await display.show({
    "text/html": `<div class="tb-plotly">Loading Plotly …<script>${script}</script></div>`,
    "text/plain": "Loading Plotly …",
  });
  await new Promise((resolve) => setTimeout(resolve, options.pause ?? 1500));
  await display.show({
    "text/html":
      '<div class="tb-plotly" style="font-size:12px;opacity:0.8">Charts are live while this page is open</div>',
    "text/plain": "Charts are live while this page is open",
  });
  // An update that comes after the end of its cell reaches no page: the stock kernel sends both at once.
  await new Promise((resolve) => setTimeout(resolve, 100));
}

/** A script that defines `window.Plotly` once and then says so. */
async function plotlyLoader(): Promise<string> {
  const module = await import("plotly.js-cartesian-dist-min/plotly-cartesian.min.js", {
    with: { type: "text" },
  });
  const source = module.default as unknown as string;
  if (/<\/script|<!--/i.test(source)) {
    throw new TypeError('Cannot embed Plotly: expected a script without "</script" and "<!--"');
  }
  // Pages with a module loader (require.js in nbconvert's, CommonJS in VS Code's) would catch the
  // library otherwise, and `window.Plotly` would not be set.
  return `if (!window.Plotly) (function (module, exports, define, require) {${source}\n})();` +
    `dispatchEvent(new Event("${plotlyArrived}"));`;
}
