/**
 * A written proposal as a Markdown file: exported from the notebook under the name that the assignment asks for, and
 * checked.
 *
 * @module
 */

import { join } from "@std/path/join";
import type { Notebook } from "../runtime/notebook.ts";
import {
  checkStructure,
  parseStructureRules,
  proposalOf,
  type StructureRow,
  type StructureRules,
} from "./structure.ts";

/** The file beside a notebook that says what its proposal must have. */
export const STRUCTURE_FILE = "structure.json";

/**
 * Reads the rules of a proposal.
 *
 * @param folder The folder of the assignment.
 * @returns The rules; undefined if the assignment has none.
 * @throws {SyntaxError} If they cannot be read.
 */
export async function structureRulesIn(folder: string): Promise<StructureRules | undefined> {
  const text = await readIfThere(join(folder, STRUCTURE_FILE));
  return text === undefined ? undefined : parseStructureRules(text);
}

/**
 * Checks the structure of a proposal by the rules and the template that came with it.
 *
 * @param folder The folder of the assignment.
 * @param rules The rules.
 * @param proposal Markdown.
 * @returns What {@linkcode checkStructure} gives.
 */
export async function checkProposal(
  folder: string,
  rules: StructureRules,
  proposal: string,
): Promise<StructureRow[]> {
  const template = rules.file && await readIfThere(join(folder, fileName(rules.file, "yourname")));
  return checkStructure(proposal, rules, template ?? "");
}

/**
 * Exports the written answers of a notebook as the file to hand in.
 *
 * @param notebook The notebook.
 * @param rules The rules, which name the file.
 * @param name The student's name: letters, digits, "-" and "_".
 * @returns The file's name and its text.
 * @throws {RangeError} If the name has other characters, or the rules name no file.
 */
export function exportProposal(
  notebook: Notebook,
  rules: StructureRules,
  name: string,
): { file: string; text: string } {
  if (!/^[\w-]{1,60}$/.test(name)) {
    throw new RangeError(
      `Cannot export the proposal of ${
        JSON.stringify(name)
      }: expected a name of letters, digits, "-" and "_"`,
    );
  }
  if (rules.file === undefined) {
    throw new RangeError(`Cannot export the proposal: "${STRUCTURE_FILE}" does not name its file`);
  }
  return { file: fileName(rules.file, name), text: proposalOf(notebook, rules.title) };
}

const fileName = (pattern: string, name: string) => pattern.replace("<name>", () => name);

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
