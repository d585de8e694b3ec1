/**
 * Variants: the same assignment with other numbers for each student. One cell of the instructor's notebook, tagged
 * `variants`, declares a seed and draws from it:
 *
 * ```ts ignore
 * const seed = 0; // each student has another
 * const random = new Random(seed);
 * const slope = 2 + random.integer(8);
 * ```
 *
 * A student's copy has another seed in that line and is otherwise the same, so it runs anywhere. The seed follows from the
 * course's key, the assignment and the student's id; the cell is locked, and a submission is graded with the seed of who
 * handed it in, whatever it says. So nobody can choose a variant, and copies are released in nbgrader's own layout,
 * `release/{student_id}/{assignment_id}`, beside the one that nbgrader releases.
 *
 * @module
 */

import { createHmac } from "node:crypto";
import { join } from "@std/path/join";
import { encodeHex } from "@std/encoding/hex";
import { parseCell } from "../runtime/cell_source.ts";
import type { Cell, Notebook } from "../runtime/notebook.ts";
import { hasTag } from "../runtime/parameters.ts";
import { readGradeMetadata, roleOf } from "./metadata.ts";

/** The tag of the cell that declares a notebook's seed. */
export const VARIANTS_TAG = "variants";

/** The file with the course's key. */
const KEY_FILE = "variants.key";

/** One student's variant. */
export interface Variant {
  /** Its owner: a student, or a group. */
  readonly owner: string;
  /** What its parameters are drawn from. */
  readonly seed: number;
}

/**
 * Whether a notebook differs from student to student.
 *
 * @param notebook The notebook.
 */
export function hasVariants(notebook: Notebook): boolean {
  return notebook.cells.some((cell) => hasTag(cell, VARIANTS_TAG));
}

/**
 * Finds what is wrong with a cell that is tagged `variants`.
 *
 * @param cell The cell.
 * @returns The fault; undefined if there is none, or the cell is not tagged.
 */
export function variantsFault(cell: Cell): string | undefined {
  if (!hasTag(cell, VARIANTS_TAG)) return undefined;
  if (cell.cell_type !== "code" || roleOf(readGradeMetadata(cell)) !== "locked") {
    return "A variants cell can be changed by students: expected a locked code cell";
  }
  try {
    seedPlace(cell.source);
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * The seed of a student.
 *
 * @param key The course's key.
 * @param assignment The assignment's id.
 * @param owner The student's id, or that of the group that works together.
 * @returns An integer from 0 to 2⁵³ − 1: the first bits of HMAC-SHA-256.
 */
export function variantSeed(key: string, assignment: string, owner: string): number {
  const hash = createHmac("sha256", key).update(JSON.stringify([assignment, owner])).digest();
  return Number(hash.readBigUInt64BE() >> 11n);
}

/**
 * Puts a seed into a variants cell.
 *
 * @param source The cell's text.
 * @param seed The seed.
 * @returns The text with this seed.
 * @throws {SyntaxError} If the cell does not declare a seed.
 */
export function withSeed(source: string, seed: number): string {
  const { start, end } = seedPlace(source);
  return source.slice(0, start) + seed + source.slice(end);
}

/** Where the number of a cell's seed stands. */
function seedPlace(source: string): { start: number; end: number } {
  const places: { start: number; end: number }[] = [];
  for (const statement of parseCell(source).program.body) {
    if (statement.type !== "VariableDeclaration") continue;
    for (const { id, init } of statement.declarations) {
      if (id.name === "seed" && init?.type === "NumericLiteral") places.push(init);
    }
  }
  if (places.length !== 1) {
    throw new SyntaxError('A variants cell declares no seed: expected a line "const seed = 0;"');
  }
  return places[0]!;
}

/**
 * Reads the course's key for variants.
 *
 * @param root The course folder.
 * @returns The key.
 * @throws {Deno.errors.NotFound} If there is none.
 */
export async function readVariantKey(root: string): Promise<string> {
  const path = join(root, KEY_FILE);
  try {
    return (await Deno.readTextFile(path)).trim();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(
      `Cannot find the students' variants: "${path}" is missing; release the assignment, or restore the file`,
    );
  }
}

/**
 * Reads the course's key for variants, and makes one where there is none.
 *
 * @param root The course folder.
 * @returns The key, 256 random bits in hexadecimal digits.
 */
export async function ensureVariantKey(root: string): Promise<string> {
  const key = encodeHex(crypto.getRandomValues(new Uint8Array(32)));
  try {
    await Deno.writeTextFile(join(root, KEY_FILE), `${key}\n`, { createNew: true, mode: 0o600 });
    return key;
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    return await readVariantKey(root);
  }
}
