/** The benchmarks' table in README.md. */

import { format as formatBytes } from "@std/fmt/bytes";
import type { Case } from "./cases.ts";
import type { Measured } from "./harness.ts";

const BEGIN = "<!-- begin table -->";
const END = "<!-- end table -->";

const seconds = (value: number) =>
  value < 1 ? `${(value * 1000).toFixed(1)} ms` : `${value.toFixed(2)} s`;

/** The rows of one case; its last contestant, where there are several, is the peer. */
export function rowsOf(one: Case, measured: readonly Measured[]): string[] {
  const peer = measured.at(-1)!.name === "PyTorch" ? measured.at(-1)! : undefined;
  return measured.map((contestant) => {
    const peak = Math.max(...contestant.runs.map((run) => run.peakBytes ?? 0));
    const compared = peer === undefined || contestant === peer
      ? ["", ""]
      : [`${(contestant.median / peer.median).toFixed(2)}×`, one.agreement(contestant, peer)];
    return `| ${
      [
        one.title,
        contestant.name,
        seconds(contestant.median),
        seconds(contestant.best),
        one.rate(contestant),
        peak > 0 ? formatBytes(peak, { binary: true, maximumFractionDigits: 1 }) : "",
        ...compared,
      ].join(" | ")
    } |`;
  });
}

/** The whole table, with a sentence on where and when it was measured. */
export function formatTable(rows: readonly string[], machine: string): string {
  return [
    machine,
    "",
    "| case | program | median | best | rate | peak memory | time against PyTorch | agreement |",
    "|---|---|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

/** README's text with its table replaced. */
export function replaceTable(readme: string, table: string): string {
  const begin = readme.indexOf(BEGIN), end = readme.indexOf(END);
  if (begin < 0 || end < begin) {
    throw new SyntaxError(`Cannot place the table: README.md has no "${BEGIN}" before "${END}"`);
  }
  return `${readme.slice(0, begin + BEGIN.length)}\n\n${table}\n\n${readme.slice(end)}`;
}
