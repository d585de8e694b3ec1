// The time of a computation by kernel.

import { barChart } from "./charts.ts";
import { table, type TableColumn } from "./table.ts";
import { escapeHtml } from "./theme.ts";
import { View } from "./view.ts";

/** A profile, from `profile()` of the tensor library. */
export interface ProfileLike {
  /** The device's name. */
  readonly device: string;
  /** How the kernels were timed. */
  readonly method: string;
  /** The total time in seconds. */
  readonly seconds: number;
  /** Kernels, slowest first; `flops` is 0 if unknown. */
  readonly kernels: readonly {
    readonly name: string;
    readonly calls: number;
    readonly seconds: number;
    readonly flops: number;
  }[];
  /** The peak in floating-point operations per second, to which shares refer. */
  readonly peakFlops: number;
}

interface Row {
  name: string;
  calls: number | undefined;
  seconds: number;
  flops: number;
}

const UNACCOUNTED = "(between kernels)";
const BAR_WIDTH = 20;

/**
 * Shows a profile: a table and bars, with a row for each kernel and one for the time between
 * kernels.
 *
 * @param profile From `profile()`.
 * @returns Time, calls and share of each kernel; if its operations are known, also the operations
 * per second and the share of the peak.
 *
 * @example
 * ```ts
 * import { profileView } from "tunebook/show";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const view = profileView({
 *   device: "CPU",
 *   method: "a clock",
 *   seconds: 2,
 *   kernels: [{ name: "matmul", calls: 10, seconds: 1.5, flops: 75e9 }],
 *   peakFlops: 100e9,
 * });
 * assertStringIncludes(view.text, "matmul");
 * assertStringIncludes(view.text, "75 %");
 * assertStringIncludes(view.text, "50 %");
 * assertStringIncludes(view.text, "all together reach 38 %");
 * ```
 */
export function profileView(profile: ProfileLike): View {
  const { device, method, seconds, kernels, peakFlops } = profile;
  const busy = kernels.reduce((sum, kernel) => sum + kernel.seconds, 0);
  const rows: Row[] = kernels.map((kernel) => ({ ...kernel }));
  if (busy < seconds) {
    rows.push({ name: UNACCOUNTED, calls: undefined, seconds: seconds - busy, flops: 0 });
  }
  const whole = Math.max(seconds, busy);
  const share = (row: Row) => row.seconds / whole;
  const percent = (part: number) => `${(100 * part).toFixed(part < 0.0995 ? 1 : 0)} %`;
  const rate = (row: Row) => row.flops / row.seconds;
  const columns: TableColumn<Row>[] = [
    { label: "kernel", value: "name" },
    { label: "calls", value: (row) => row.calls ?? "", align: "right" },
    { label: "seconds", value: (row) => row.seconds.toFixed(3), align: "right" },
    { label: "share", value: (row) => percent(share(row)), align: "right" },
    {
      label: "GFLOP/s",
      value: (row) => row.flops > 0 ? (rate(row) / 1e9).toFixed(1) : "",
      align: "right",
    },
    {
      label: "of peak",
      value: (row) => row.flops > 0 ? percent(rate(row) / peakFlops) : "",
      align: "right",
    },
  ];
  const bars: TableColumn<Row> = {
    label: "",
    value: (row) => "█".repeat(Math.round(BAR_WIDTH * share(row))),
  };
  const caption = `${seconds.toFixed(2)} s on ${device}`;
  const flops = kernels.reduce((sum, kernel) => sum + kernel.flops, 0);
  const note = `Measured by ${method}. The peak is the best matrix product's, ` +
    `${(peakFlops / 1e9).toFixed(1)} GFLOP/s; all together reach ${
      percent(flops / whole / peakFlops)
    } of it. Kernels without a rate mostly move memory. Threads that wait for one another count as busy. ` +
    "Between kernels the program itself is at work, such as on files: checkpoints are written there.";
  return new View(() => {
    const shown = table(rows, { columns, caption, maxRows: rows.length });
    const terminal = table(rows, { columns: [...columns, bars], caption, maxRows: rows.length });
    const chart = barChart(rows.map((row) => [row.name, row.seconds] as const), {
      horizontal: true,
      title: "Seconds by kernel",
    });
    return {
      "text/plain": `${terminal.text}\n${note}`,
      "text/markdown": `${shown.bundle["text/markdown"] ?? ""}\n\n${note}`,
      "text/html": `${shown.html}<p>${escapeHtml(note)}</p>${chart.html}`,
    };
  });
}
