// Draws one chart after the other, each told by a message.

import * as vega from "vega";
import { expressionInterpreter } from "vega-interpreter";
import { compile } from "vega-lite";

/** Nothing is loaded: a chart's data are in its specification. */
let failed = false;
const refuse = () => {
  failed = true;
  return Promise.reject(new Error("Charts of reports load nothing"));
};
const loader: vega.Loader = { ...vega.loader(), load: refuse, sanitize: refuse };

// deno-lint-ignore no-explicit-any
(globalThis as any).onmessage = async ({ data }: MessageEvent) => {
  let svg = "";
  try {
    const specification = data.lite ? compile(data.specification).spec : data.specification;
    failed = false;
    const logger = vega.logger(vega.Error);
    logger.error = () => (failed = true, logger);
    const view = new vega.View(vega.parse(specification, undefined, { ast: true }), {
      expr: expressionInterpreter,
      loader,
      logger,
      renderer: "none",
    });
    await view.runAsync();
    if (!failed) svg = await view.toSVG();
    view.finalize();
  } catch {
    // A chart that is wrong, or that needs what it may not load.
  }
  // deno-lint-ignore no-explicit-any
  (globalThis as any).postMessage(svg);
};
