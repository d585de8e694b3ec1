/**
 * What nbgrader writes into a cell's metadata (schema version 3), so that a course can move either way: which cells are
 * graded, which are answered, for how many points.
 *
 * Source: nbgrader 0.9, `nbgraderformat/v3.json` and `v3.py`.
 *
 * @module
 */

import { z } from "zod";
import type { Cell, Notebook } from "../runtime/notebook.ts";

/** The key under which nbgrader keeps its metadata. */
export const METADATA_KEY = "nbgrader";

/** The schema version of {@linkcode GradeMetadata}. */
export const SCHEMA_VERSION = 3;

/** The metadata of one cell, with nbgrader's keys. */
export interface GradeMetadata {
  /** The version of the schema. */
  schema_version: 3;
  /** Whether the cell gives points. */
  grade: boolean;
  /** Whether the student answers in it. */
  solution: boolean;
  /** Whether its source is restored before grading. */
  locked: boolean;
  /** Whether it is a free task that a person marks. */
  task?: boolean;
  /** Its name in the assignment: letters, digits, `_` and `-`. */
  grade_id?: string;
  /** What it can score. */
  points?: number;
  /** nbgrader's checksum of the cell as it was released. */
  checksum?: string;
  /** The type of cell as it was released. */
  cell_type?: "raw" | "code" | "markdown";
}

const schema = z.strictObject({
  schema_version: z.literal(SCHEMA_VERSION),
  grade: z.boolean(),
  solution: z.boolean(),
  locked: z.boolean(),
  task: z.boolean().optional(),
  grade_id: z.string().regex(/^[a-zA-Z0-9_-]*$/).optional(),
  points: z.number().min(0).optional(),
  checksum: z.string().length(32).optional(),
  cell_type: z.enum(["raw", "code", "markdown"]).optional(),
}) satisfies z.ZodType<GradeMetadata>;

/** What a cell is for in an assignment. */
export type GradeRole =
  /** Code that runs and whose failure costs points: locked, graded, not answered. */
  | "test"
  /** An answer that a test cell grades. */
  | "solution"
  /** An answer that a person marks. */
  | "manual"
  /** Instructions and rubric of a free task that a person marks. */
  | "task"
  /** Shown and restored, never graded. */
  | "locked"
  /** Nothing of the above. */
  | "plain";

/** A cell with the metadata that makes it part of an assignment. */
export interface GradedCell {
  /** Its place in the notebook, from 0. */
  readonly index: number;
  /** The cell. */
  readonly cell: Cell;
  /** Its metadata. */
  readonly metadata: GradeMetadata & { readonly grade_id: string };
  /** What it is for. */
  readonly role: Exclude<GradeRole, "plain">;
}

/** One fault of an assignment, for a person to correct. */
export interface Finding {
  /** The cell's place, from 0; undefined if the whole notebook is meant. */
  readonly index?: number;
  /** Its `grade_id`, if it has one. */
  readonly gradeId?: string;
  /** What is wrong, as one sentence. */
  readonly message: string;
  /** Whether it is about the structure of a written work, and tells nothing of who wrote it. */
  readonly structure?: boolean;
}

/**
 * Reads a cell's metadata. That of older versions comes back as `nbgrader update` would write it.
 *
 * @param cell The cell.
 * @returns The metadata; undefined if the cell has none.
 * @throws {SyntaxError} If it does not fit the schema, or is of a newer version.
 */
export function readGradeMetadata(cell: Cell): GradeMetadata | undefined {
  const given = upgraded(cell);
  if (given === undefined) return undefined;
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const version = (given as { schema_version?: unknown } | null)?.schema_version;
  if (version !== SCHEMA_VERSION) {
    throw new SyntaxError(
      `Cannot read nbgrader metadata of version ${JSON.stringify(version)}: ` +
        `expected ${SCHEMA_VERSION} or an older one`,
    );
  }
  const [issue] = result.error.issues;
  const where = issue!.path.length > 0 ? ` at "${issue!.path.join(".")}"` : "";
  const message = issue!.message.replace(/^./, (letter) => letter.toLowerCase());
  throw new SyntaxError(`Cannot read nbgrader metadata${where}: ${message}`);
}

/** The metadata of versions 0 to 2 as version 3; other values as they are. */
function upgraded(cell: Cell): unknown {
  const given = cell.metadata[METADATA_KEY];
  if (typeof given !== "object" || given === null) return given;
  const { schema_version: version = 0, ...old } = given as Record<string, unknown>;
  if (version !== 0 && version !== 1 && version !== 2) return given;
  const known = Object.entries(old).filter(([key]) => key in schema.shape);
  const metadata: Record<string, unknown> = {
    grade: false,
    solution: false,
    locked: false,
    ...Object.fromEntries(known),
    schema_version: SCHEMA_VERSION,
  };
  if (version === 0) {
    const { grade, solution, locked, points } = metadata;
    if (!grade && !solution && !locked) return undefined;
    // A form field: text, perhaps empty.
    if (grade) metadata.points = Math.max(0, Number(points) || 0);
    else delete metadata.points;
  }
  if ("checksum" in metadata) metadata.cell_type ??= cell.cell_type;
  return metadata;
}

/**
 * Tells what a cell is for.
 *
 * @param metadata Its metadata, if it has any.
 * @returns The role.
 */
export function roleOf(metadata: GradeMetadata | undefined): GradeRole {
  if (!metadata) return "plain";
  if (metadata.task) return "task";
  if (metadata.grade) return metadata.solution ? "manual" : "test";
  if (metadata.solution) return "solution";
  return metadata.locked ? "locked" : "plain";
}

/**
 * Whether the grader restores a cell's source: test cells and locked ones, never answers.
 *
 * @param metadata The cell's metadata.
 * @returns nbgrader's effective lock, which its checksum covers.
 */
export function isEffectivelyLocked({ grade, solution, locked }: GradeMetadata): boolean {
  return !solution && (grade || locked);
}

/**
 * Lists the cells that make up an assignment, in their order.
 *
 * @param notebook The notebook.
 * @returns The cells that are graded, answered or locked.
 * @throws {SyntaxError} If some metadata cannot be read, or {@linkcode checkMetadata} finds a fault.
 *
 * @example
 * ```ts
 * import { gradedCells } from "tunebook/grade";
 * import { readNotebook } from "tunebook/runtime";
 * import { assertEquals } from "@std/assert";
 *
 * const source = await readNotebook("notebooks/assignments/gradients/gradients.ipynb");
 * const tests = gradedCells(source).filter(({ role }) => role === "test");
 * assertEquals(tests.map(({ metadata }) => metadata.points).length > 0, true);
 * ```
 */
export function gradedCells(notebook: Notebook): GradedCell[] {
  const [finding] = checkMetadata(notebook);
  if (finding) throw new SyntaxError(describeFinding(finding));
  return notebook.cells.flatMap((cell, index) => {
    const metadata = readGradeMetadata(cell);
    const role = roleOf(metadata);
    if (role === "plain") return [];
    return [{ index, cell, metadata: metadata as GradedCell["metadata"], role }];
  });
}

/**
 * Checks the metadata of all cells by nbgrader's rules.
 *
 * @param notebook The notebook.
 * @returns What is wrong, in the order of cells; nothing if all is well.
 *
 * @example
 * ```ts
 * import { checkMetadata } from "tunebook/grade";
 * import { readNotebook } from "tunebook/runtime";
 * import { assertEquals } from "@std/assert";
 *
 * const source = await readNotebook("notebooks/assignments/gradients/gradients.ipynb");
 * assertEquals(checkMetadata(source), []);
 * ```
 */
export function checkMetadata(notebook: Notebook): Finding[] {
  const findings: Finding[] = [];
  const seen = new Map<string, number>();
  for (const [index, cell] of notebook.cells.entries()) {
    let metadata: GradeMetadata | undefined;
    try {
      metadata = readGradeMetadata(cell);
    } catch (error) {
      findings.push({ index, message: (error as Error).message });
      continue;
    }
    const role = roleOf(metadata);
    if (!metadata || role === "plain") continue;
    const gradeId = metadata.grade_id;
    const add = (message: string) => findings.push({ index, gradeId, message });
    if (!gradeId) {
      findings.push({ index, message: `A ${role} cell has no grade_id: give it one` });
      continue;
    }
    const earlier = seen.get(gradeId);
    if (earlier !== undefined) add(`The grade_id is also that of cell ${earlier + 1}: rename one`);
    seen.set(gradeId, index);
    if (metadata.grade && metadata.points === undefined) add("A graded cell has no points");
    if (role === "task" && cell.cell_type !== "markdown") {
      add(`A task cell is a ${cell.cell_type} cell: expected markdown`);
    }
    if (cell.cell_type === "markdown" && (role === "test" || role === "solution")) {
      add("A markdown cell is only graded or only answered: expected both, for a person to mark");
    }
    if (metadata.cell_type && metadata.cell_type !== cell.cell_type) {
      add(`The cell is ${cell.cell_type}, but was released as ${metadata.cell_type}`);
    }
  }
  return findings;
}

/**
 * Writes a finding for a person.
 *
 * @param finding The finding.
 * @returns Such as `Cell 3 ("q1_test"): A graded cell has no points`.
 *
 * @example
 * ```ts
 * import { describeFinding } from "tunebook/grade";
 * import { assertEquals } from "@std/assert";
 *
 * const finding = { index: 2, gradeId: "q1", message: "A graded cell has no points" };
 * assertEquals(describeFinding(finding), 'Cell 3 ("q1"): A graded cell has no points');
 * ```
 */
export function describeFinding({ index, gradeId, message }: Finding): string {
  if (index === undefined) return message;
  const name = gradeId ? ` ("${gradeId}")` : "";
  return `Cell ${index + 1}${name}: ${message}`;
}
