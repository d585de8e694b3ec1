/** The kernel "Deno (Tunebook)" beside the stock kernel, and how soon it says what went wrong. */

import { type Case, kernel } from "../cases.ts";
import { type Measured, median } from "../harness.ts";
import type { Troubles } from "../kernel.ts";

const OURS = "Deno (Tunebook)";

const cellOf = (measured: Measured) => median(measured.runs.map((run) => run.cell as number));

/** From a kernel's start to its first result, and for each cell, as a client sees it. */
export function kernelCase(): Promise<Case> {
  return Promise.resolve({
    title: "Kernel, from its start to its first result",
    prepare: { case: "start" },
    contestants: [kernel(OURS, "ours"), kernel("Stock kernel", "stock")],
    rounds: 7,
    rate: (measured) => `${(1000 * cellOf(measured)).toFixed(1)} ms per cell`,
    bars: (of) => {
      const [mine, its] = [of(OURS), of("Stock kernel")];
      return [
        {
          what: "Kernel's start to its first result, more than the stock kernel's",
          value: 1000 * (mine.median - its.median),
          kind: "at most",
          limit: 400,
          unit: "ms",
        },
        {
          what: "A cell, more than the stock kernel's",
          value: 1000 * (cellOf(mine) - cellOf(its)),
          kind: "at most",
          limit: 10,
          unit: "ms",
        },
      ];
    },
  });
}

const WITHIN: Record<keyof Troubles, string> = {
  hungAwait: "Hung await, from its stop to its message",
  busyLoop: "Busy loop, from its stop to its message",
  exit: "Deno.exit(3), to its message",
  outOfMemory: "Out of memory, from the last sign of life to its message",
  manyBytes: "20 MB in one output, until they are there",
  manyLines: "The last of 100,000 lines, until all are there",
  worker: "A line of a worker left running, until it is there",
  timer: "A timer that throws while the cell waits, to its message",
  killed: "The kernel killed from outside, to its message",
};

/** From what goes wrong to its message, as a client sees it; the longest of all runs counts. */
export function troublesCase(): Promise<Case> {
  return Promise.resolve({
    title: "Kernel, the longest from what goes wrong to its message",
    prepare: { case: "troubles" },
    contestants: [kernel(OURS, "ours")],
    rounds: 5,
    warmUps: 0,
    rate: () => "",
    bars: (of) =>
      Object.entries(WITHIN).map(([trouble, what]) => ({
        what,
        value: Math.max(
          ...of(OURS).runs.map((run) => (run.troubles as Troubles)[trouble as keyof Troubles]),
        ),
        kind: "at most",
        limit: 2,
        unit: "s",
      })),
  });
}
