// Makes the charts of an open JupyterLab page live: zoom, hover, saving as a picture.

import { plotlyArrived } from "./figure_html.ts";
import { type JupyterChannel, jupyterChannel, UpdatingDisplay } from "./jupyter.ts";
import { assertKnownOptions } from "../options.ts";

/**
 * Loads Plotly into the page of this notebook, from this machine and not from the network. Existing
 * and later charts become live. The library's 1.5 MB are sent to the page as an output that is
 * replaced immediately, so that they are not saved in the notebook's file.
 *
 * JupyterLab runs scripts only in trusted notebooks; elsewhere, and outside Jupyter, charts remain
 * static drawings.
 *
 * @param options `channel`: the kernel's output channel, detected by default; `pause`: milliseconds
 * for the page to run the script, 1500 by default.
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
  // An update after the end of its cell does not reach the page, because the stock kernel sends
  // both at once.
  await new Promise((resolve) => setTimeout(resolve, 100));
}

/** A script that defines `window.Plotly` once and then announces it. */
async function plotlyLoader(): Promise<string> {
  const module = await import("plotly.js-cartesian-dist-min/plotly-cartesian.min.js", {
    with: { type: "text" },
  });
  const source = module.default as unknown as string;
  if (/<\/script|<!--/i.test(source)) {
    throw new TypeError('Cannot embed Plotly: expected a script without "</script" and "<!--"');
  }
  // Pages with a module loader (require.js in nbconvert's, CommonJS in VS Code's) would otherwise
  // capture the library, and `window.Plotly` would not be set.
  return `if (!window.Plotly) (function (module, exports, define, require) {${source}\n})();` +
    `dispatchEvent(new Event("${plotlyArrived}"));`;
}
