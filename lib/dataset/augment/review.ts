/**
 * The table in which a person checks and revises what a teacher proposed.
 *
 * @module
 */

import { stringify } from "@std/csv/stringify";
import type { InstructionEntry } from "../entry.ts";
import { fromCell, parseTable, readDecision, toCell } from "../spreadsheet.ts";
import type { Proposal } from "./propose.ts";

/** What a person checks of each proposal. */
const CHECKS = ["facts", "steps", "form"] as const;

const COLUMNS = [
  ...["number", "kind", "from", "instruction", "input", "output"] as const,
  ...CHECKS,
  ...["revised_instruction", "revised_output"] as const,
  ...["topic", "source", "teacher", "seed", "prompt"] as const,
] as const;

/**
 * Writes proposals as CSV for review in a spreadsheet. A person puts yes or no into the columns `facts` (what it says is
 * true), `steps` (its steps are complete and in the right order) and `form` (it is like the other entries), and may write a
 * better text into `revised_instruction` and `revised_output`. The last columns say where each is from: the teacher, the seed and
 * the beginning of the SHA-256 of the prompt.
 *
 * @param proposals The proposals.
 * @returns The table.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { proposeParaphrases, readProposals, writeProposals } from "tunebook/data";
 *
 * const teacher = { name: "me", ask: () => Promise.resolve('["Tell me a colour."]') };
 * const entries = [{ instruction: "Name a colour.", input: "", output: "Blue." }];
 * const { proposals } = await proposeParaphrases(entries, teacher);
 * const reviewed = writeProposals(proposals).replace("Blue.,,,,", "Blue.,yes,yes,yes,"); // by a person
 * assertEquals(readProposals(reviewed).accepted[0].instruction, "Tell me a colour.");
 * ```
 */
export function writeProposals(proposals: readonly Proposal[]): string {
  const rows = proposals.map(({ kind, from, entry, teacher, seed, prompt }, i) => {
    const { instruction, input, output, topic = "", source = "" } = entry;
    const texts = { instruction, input, output, topic, source, teacher };
    return {
      ...{ number: i + 1, kind, from: from.map((index) => index + 1).join(" "), seed, prompt },
      ...Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, toCell(text)])),
      ...{ facts: "", steps: "", form: "", revised_instruction: "", revised_output: "" },
    };
  });
  return stringify(rows, { columns: COLUMNS });
}

/** What a person decided on proposals. */
export interface ReviewedProposals {
  /** Entries that passed all checks or were revised; `source` says so, and where they are from. */
  readonly accepted: InstructionEntry[];
  /** The proposals that failed a check and were not revised: their numbers, and the checks. */
  readonly refused: { number: number; failed: string[] }[];
  /** How many of the accepted ones were revised. */
  readonly revised: number;
}

/**
 * Reads a reviewed table.
 *
 * @param csv The table that {@linkcode writeProposals} wrote, with yes or no in the columns `facts`, `steps` and `form`.
 * @param name Its name in errors.
 * @returns What is accepted and what is not.
 * @throws {SyntaxError} If it is not such a table.
 * @throws {RangeError} If a row is not decided.
 *
 * @example
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { readProposals } from "tunebook/data";
 *
 * assertThrows(() => readProposals("number,kind\n1,pair\n"), SyntaxError, 'no column "from"');
 * ```
 */
export function readProposals(csv: string, name = "review"): ReviewedProposals {
  const rows = parseTable(csv, name, COLUMNS);
  const accepted: InstructionEntry[] = [];
  const refused: ReviewedProposals["refused"] = [];
  let revised = 0;
  for (const [i, row] of rows.entries()) {
    const failed = CHECKS.filter((check) => !readDecision(rows, i, check, name));
    const better = [row.revised_instruction, row.revised_output].map(fromCell);
    const isRevised = better.some((text) => text.trim() !== "");
    if (failed.length > 0 && !isRevised) {
      refused.push({ number: Number(row.number), failed });
      continue;
    }
    revised += Number(isRevised);
    const [instruction, output] = [row.instruction, row.output]
      .map((text, at) => better[at].trim() === "" ? fromCell(text) : better[at]);
    const made = `seed ${row.seed}, prompt ${row.prompt}`;
    accepted.push({
      ...{ instruction, input: fromCell(row.input), output },
      ...(row.topic !== "" && { topic: fromCell(row.topic) }),
      source: `${fromCell(row.source)} (${made}), ${isRevised ? "revised" : "reviewed"}`,
    });
  }
  return { accepted, refused, revised };
}
