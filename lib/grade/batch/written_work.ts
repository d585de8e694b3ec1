/**
 * Written work that was handed in as Markdown in place of a notebook: its sections become the notebook's answers, so that
 * they are marked one by one, and its structure is checked where the assignment has rules for it.
 *
 * @module
 */

import type { Notebook } from "../../runtime/notebook.ts";
import type { Assignment } from "../assignment.ts";
import type { Finding } from "../metadata.ts";
import { checkProposal, structureRulesIn } from "../proposal_file.ts";
import { proposalOf, withProposal } from "../structure.ts";
import type { Submission } from "../submission.ts";

/** What was found of written work. */
export interface WrittenWork {
  /** The released notebook with the answers; undefined if no Markdown was handed in, or it has none of the sections. */
  readonly notebook?: Notebook;
  /** What its structure lacks. */
  readonly findings: readonly Finding[];
}

/**
 * Reads the Markdown of a submission into a notebook.
 *
 * @param assignment The assignment.
 * @param released Its released notebook.
 * @param submission The submission.
 * @returns The notebook, and what its structure lacks.
 */
export async function readWrittenWork(
  { folder, files }: Assignment,
  released: Notebook,
  submission: Submission,
): Promise<WrittenWork> {
  const file = submission.files.find(({ path }) => /\.md$/i.test(path) && !files.includes(path));
  if (file === undefined) return { findings: [] };
  try {
    const markdown = await Deno.readTextFile(file.from);
    const notebook = withProposal(released, markdown);
    return {
      ...notebook !== undefined && { notebook },
      findings: await structureFindings(folder, () => markdown),
    };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { findings: [{ message: `"${file.path}" is not read: ${error.message}` }] };
  }
}

/**
 * Checks the structure of the written answers of a notebook, where the assignment has rules for it.
 *
 * @param assignment The assignment.
 * @param notebook The notebook.
 * @returns What the structure lacks.
 */
export async function checkWrittenAnswers(
  { folder }: Assignment,
  notebook: Notebook,
): Promise<Finding[]> {
  return await structureFindings(folder, (title) => proposalOf(notebook, title));
}

async function structureFindings(
  folder: string,
  proposal: (title: string) => string,
): Promise<Finding[]> {
  const rules = await structureRulesIn(folder);
  if (rules === undefined) return [];
  return (await checkProposal(folder, rules, proposal(rules.title)))
    .filter(({ passed }) => !passed)
    .map(({ section, message }) => ({
      message: `Structure: ${section}: ${message}`,
      structure: true,
    }));
}
