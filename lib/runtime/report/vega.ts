// Vega and Vega-Lite charts as SVG: drawn when the report is made, without a network and without
// compiling their expressions, in a worker that is ended if a chart takes too long.

import type { MimeBundle, Notebook } from "../notebook.ts";
import { startTimer } from "../timer.ts";

/** Drawings by the display that they stand for. */
export type Drawings = Map<MimeBundle, string>;

/** How long one chart may take, in milliseconds; the library's start included. */
const PATIENCE = 20_000;
/** A chart with more data is not drawn. */
const MAX_SPECIFICATION = 5_000_000;

const VEGA_MIME = /^application\/vnd\.(vega|vegalite)\.v\d+(?:\.\d+)*\+json$/;

/**
 * Draws a notebook's Vega and Vega-Lite charts.
 *
 * @param notebook The notebook.
 * @returns A drawing for each display that has a chart and no picture of it; charts that cannot be drawn,
 * or that load their data from elsewhere, are left out.
 */
export async function drawVega(notebook: Notebook): Promise<Drawings> {
  const drawings: Drawings = new Map();
  const displays = notebook.cells.flatMap((cell) =>
    cell.cell_type === "code" ? cell.outputs.flatMap((one) => "data" in one ? [one.data] : []) : []
  );
  let worker: Worker | undefined;
  try {
    for (const data of displays) {
      const type = Object.keys(data).find((one) => VEGA_MIME.test(one));
      if (type === undefined || "image/png" in data || "image/svg+xml" in data) continue;
      if (JSON.stringify(data[type]).length > MAX_SPECIFICATION) continue;
      worker ??= new Worker(new URL("./vega_worker.ts", import.meta.url), { type: "module" });
      const svg = await draw(worker, {
        lite: type.includes("vegalite"),
        specification: data[type],
      });
      if (svg === undefined) {
        worker.terminate();
        worker = undefined;
      } else if (svg !== "") drawings.set(data, svg);
    }
  } finally {
    worker?.terminate();
  }
  return drawings;
}

/** @returns The drawing, empty where there can be none; undefined where the worker took too long. */
async function draw(worker: Worker, chart: unknown): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  worker.onmessage = ({ data }) => resolve(String(data));
  worker.onerror = (event) => {
    event.preventDefault();
    resolve(undefined);
  };
  worker.postMessage(chart);
  const timer = startTimer(PATIENCE);
  try {
    return await Promise.race([promise, timer.passed.then(() => undefined)]);
  } finally {
    timer.cancel();
  }
}
