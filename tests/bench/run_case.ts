/** A case from its programs to its rows in the tables, and what it misses. */

import type { Case } from "./cases.ts";
import { measure, type Measured } from "./harness.ts";
import { barRow, holds, programRows } from "./table.ts";

/** The result of a case. */
export interface CaseResult {
  /** Rows of the table of bars. */
  readonly bars: string[];
  /** Rows of the table of programs. */
  readonly programs: string[];
  readonly measured: Measured[];
  /** What is not as it must be, in words: bars, and programs that disagree. */
  readonly missed: string[];
}

/**
 * Runs a case and prints it; bars and agreement are left out where not all their programs ran.
 *
 * @param one The case
 * @param rounds How often each program runs; the case's own number if not given
 */
export async function runCase(one: Case, rounds?: number): Promise<CaseResult> {
  console.log(`\n${one.title}`);
  const measured = await measure(one.contestants, one.prepare, {
    rounds: rounds ?? one.rounds,
    warmUps: one.warmUps,
    onRun: (name, round, { seconds }) =>
      console.log(`  ${round + 1}: ${name}, ${seconds.toFixed(4)} s`),
  });
  let complete = true;
  const of = (name: string) => {
    const found = measured.find((contestant) => contestant.name === name);
    if (!found) complete = false;
    return found ?? measured[0];
  };
  const bars = one.bars(of);
  const agreement = one.agreement?.(of);
  if (!complete) return { bars: [], programs: programRows(one, measured), measured, missed: [] };
  const missed = bars.filter((bar) => !holds(bar)).map(({ what }) => what);
  if (agreement?.holds === false) missed.push(`${one.title}: ${agreement.text}`);
  const rows = bars.map(barRow);
  for (const row of rows) console.log(row);
  return { bars: rows, programs: programRows(one, measured, agreement), measured, missed };
}
