/** A thread of `fma_peak.ts`: does as many turns as it is told and says how many seconds they took. */

import { parentPort, workerData } from "node:worker_threads";

/** As many turns as last a few milliseconds. */
const WARM_TURNS = 100_000;

const { multiplyAdd } = new WebAssembly.Instance(new WebAssembly.Module(workerData.binary))
  .exports as { multiplyAdd: (turns: number, x: number, y: number) => number };

parentPort!.on("message", (turns: number) => {
  const begin = performance.now();
  multiplyAdd(turns, 1e-9, 1e-9);
  parentPort!.postMessage((performance.now() - begin) / 1000);
});
// V8 recompiles code that has run often.
for (let i = 0; i < 10; i++) multiplyAdd(WARM_TURNS, 1e-9, 1e-9);
parentPort!.postMessage(0); // ready
