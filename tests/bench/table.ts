/** The benchmarks' tables in README.md: what must hold, and what each program took. */

import { format as formatBytes } from "@std/fmt/bytes";
import type { Agreement, Bar, Case } from "./cases.ts";
import type { Measured } from "./harness.ts";

const BEGIN = "<!-- begin table -->";
const END = "<!-- end table -->";

const seconds = (value: number) =>
  value < 1 ? `${(value * 1000).toFixed(1)} ms` : `${value.toFixed(2)} s`;

/** Whether a result is as it must be. */
export function holds({ value, kind, limit }: Bar): boolean {
  return kind === "at most" ? value <= limit : value >= limit;
}

/** The row of a bar. */
export function barRow(bar: Bar): string {
  const { what, value, kind, limit, unit = "×" } = bar;
  const tell = (number: string) => unit === "×" ? `${number}×` : `${number} ${unit}`;
  const sign = kind === "at most" ? "≤" : "≥";
  const digits = { "×": 2, "s": 2, "ms": 1, "%": 0 }[unit];
  return row([
    what,
    tell(value.toFixed(digits)),
    `${sign} ${tell(`${limit}`)}`,
    holds(bar) ? "yes" : "**no**",
  ]);
}

/** The rows of one case's programs. */
export function programRows(
  one: Case,
  measured: readonly Measured[],
  agreement?: Agreement,
): string[] {
  const agreed = agreement?.holds === false ? `**${agreement.text}**` : agreement?.text ?? "";
  return measured.map((contestant, i) => {
    const peak = Math.max(...contestant.runs.map((run) => run.peakBytes ?? 0));
    return row([
      one.title,
      contestant.name,
      seconds(contestant.median),
      seconds(contestant.best),
      `${contestant.runs.length}`,
      one.rate(contestant),
      peak > 0 ? formatBytes(peak, { binary: true, maximumFractionDigits: 1 }) : "",
      i === 0 ? agreed : "",
    ]);
  });
}

/** Both tables, with a sentence on where and when they were measured. */
export function formatTables(
  bars: readonly string[],
  programs: readonly string[],
  machine: string,
): string {
  return [
    machine,
    "",
    "| what | measured | bar | holds |",
    "|---|---|---|---|",
    ...bars,
    "",
    "| case | program | median | best | runs | rate | peak memory | agreement |",
    "|---|---|---|---|---|---|---|---|",
    ...programs,
  ].join("\n");
}

/** README's text with its tables replaced. */
export function replaceTable(readme: string, table: string): string {
  const begin = readme.indexOf(BEGIN), end = readme.indexOf(END);
  if (begin < 0 || end < begin) {
    throw new SyntaxError(`Cannot place the table: README.md has no "${BEGIN}" before "${END}"`);
  }
  return `${readme.slice(0, begin + BEGIN.length)}\n\n${table}\n\n${readme.slice(end)}`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
