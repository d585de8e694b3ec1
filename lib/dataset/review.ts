/**
 * A table in which a person confirms personal data that was found.
 *
 * @module
 */

import { stringify } from "@std/csv/stringify";
import type { EntryFinding } from "./clean.ts";
import { parseTable, readDecision } from "./spreadsheet.ts";

const COLUMNS = ["entry", "field", "start", "end", "kind", "found", "context", "mask"] as const;

/**
 * Writes findings as CSV for review in a spreadsheet. The last column, `mask`, is empty: `yes` confirms a finding, `no` keeps
 * the text as it is. Entries are counted from 1.
 *
 * @param findings The findings of `cleanEntries()`.
 * @returns The table.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { cleanEntries, readReview, writeReview } from "tunebook/data";
 *
 * const entries = [{ instruction: "Who is Charlotte?", input: "", output: "A town." }];
 * const { findings } = cleanEntries(entries, { personal: ["name"] });
 * const reviewed = writeReview(findings).trimEnd().replace(/,$/, ",no"); // by a person
 * const confirm = readReview(reviewed);
 * assertEquals(cleanEntries(entries, { personal: ["name"], confirm }).entries, entries);
 * ```
 */
export function writeReview(findings: readonly EntryFinding[]): string {
  const rows = findings.map(({ index, field, start, end, kind, text, context }) => ({
    ...{ entry: index + 1, field, start, end, kind, mask: "" },
    // The marks keep a spreadsheet from taking a text for a formula or a number.
    found: `“${text}”`,
    context: `… ${context} …`,
  }));
  return stringify(rows, { columns: COLUMNS });
}

/**
 * Reads a reviewed table.
 *
 * @param csv The table that {@linkcode writeReview} wrote, with `yes` or `no` in the column `mask` of each row.
 * @param name Its name in errors.
 * @returns Says whether a finding is to be masked, for `confirm` of `cleanEntries()`. It throws a RangeError on a finding that
 * the table does not have, because data or options have changed since.
 * @throws {SyntaxError} If it is not such a table.
 * @throws {RangeError} If a row is not decided.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readReview } from "tunebook/data";
 *
 * const confirm = readReview("entry,field,start,end,kind,found,context,mask\n1,output,0,5,name,Maria,Maria,yes\n");
 * const maria = { kind: "name" as const, start: 0, end: 5, text: "Maria" };
 * assertEquals(confirm({ ...maria, index: 0, field: "output", context: "Maria" }), true);
 * ```
 */
export function readReview(csv: string, name = "review"): (finding: EntryFinding) => boolean {
  const rows = parseTable(csv, name, COLUMNS);
  const decisions = new Map<string, boolean>();
  for (const [i, row] of rows.entries()) {
    const mask = readDecision(rows, i, "mask", name);
    decisions.set([row.entry, row.field, row.start, row.end, row.kind].join(), mask);
  }
  return ({ index, field, start, end, kind }) => {
    const decision = decisions.get([index + 1, field, start, end, kind].join());
    if (decision !== undefined) return decision;
    throw new RangeError(
      `Cannot use the review "${name}": it has no row for the ${kind} at ${start} of "${field}" in entry ${
        index + 1
      }; ` +
        "data or options have changed since it was written",
    );
  };
}
