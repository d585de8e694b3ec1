/**
 * What is graded of a submission: the student's answers in the release's own cells. Whatever else of the
 * release was changed is put back and reported.
 *
 * @module
 */

import type { Cell, Notebook } from "../runtime/notebook.ts";
import { hasTag } from "../runtime/parameters.ts";
import {
  type Finding,
  type GradeMetadata,
  isEffectivelyLocked,
  METADATA_KEY,
  readGradeMetadata,
  roleOf,
} from "./metadata.ts";
import { withoutMarkers } from "./regions.ts";
import type { Release } from "./release.ts";
import { VARIANTS_TAG } from "./variants.ts";

/** A submission that is ready to be graded. */
export interface Restored {
  /** The submission with the release's tests, hidden ones included, and locked cells. */
  readonly notebook: Notebook;
  /** What was put back, and what cannot be. */
  readonly findings: readonly Finding[];
  /** Graded and answered cells that the submission lacks, by `grade_id`. */
  readonly missing: ReadonlySet<string>;
}

interface ReleasedCell {
  readonly index: number;
  readonly cell: Cell;
  readonly metadata: GradeMetadata;
  readonly source: string;
  readonly isLocked: boolean;
}

/**
 * Restores a submission from the release.
 *
 * @param release The release.
 * @param submission The student's notebook, which is not changed.
 * @returns The notebook to grade, and what was found.
 */
export function restoreSubmission(release: Release, submission: Notebook): Restored {
  const findings = new Findings();
  const released = releasedCells(release);
  const byCellId = new Map([...released].map(([id, { cell }]) => [cell.id, id]));
  const cells: Cell[] = [];
  const places = new Map<string, number>();
  for (const [index, given] of submission.cells.entries()) {
    const add = (message: string, gradeId?: string) => findings.push({ index, gradeId, message });
    const cell = structuredClone(given);
    const gradeId = identify(cell, released, byCellId, add);
    const own = gradeId === undefined ? undefined : released.get(gradeId)!;
    if (own === undefined) {
      // A cell of the student's own is never graded, whatever it says of itself.
      delete cell.metadata[METADATA_KEY];
      cells.push(cell);
      continue;
    }
    const earlier = places.get(gradeId!);
    if (earlier !== undefined) {
      add("The cell is there more than once", gradeId);
      if (own.isLocked) continue;
      // As in nbgrader the last one is the answer; the others still run.
      delete cells[earlier]!.metadata[METADATA_KEY];
    }
    compare(cell, own, (message) => add(message, gradeId));
    const { metadata, cell_type } = own.cell;
    const restored = {
      ...(cell.cell_type === cell_type ? cell : emptyCell(own.cell, cell.id)),
      source: own.isLocked ? own.source : cell.source,
      metadata: { ...metadata },
    } as Cell;
    places.set(gradeId!, cells.length);
    cells.push(restored);
  }
  const missing = addMissing(released, places, cells, findings);
  reportOrder(released, cells, findings);
  const { kernelspec, language_info } = release.notebook.metadata;
  const isSame = JSON.stringify(submission.metadata.kernelspec) === JSON.stringify(kernelspec);
  if (submission.metadata.kernelspec !== undefined && !isSame) {
    findings.push({ message: "The notebook's kernelspec was changed: the release's is used" });
  }
  const metadata = { ...submission.metadata, kernelspec, language_info };
  if (kernelspec === undefined) delete metadata.kernelspec;
  if (language_info === undefined) delete metadata.language_info;
  return { notebook: { ...submission, metadata, cells }, findings: findings.list, missing };
}

/** The most findings that are listed of one submission: its student may have made any number of cells. */
const MOST_FINDINGS = 200;

class Findings {
  readonly #kept: Finding[] = [];
  #more = 0;

  push(finding: Finding): void {
    if (this.#kept.length < MOST_FINDINGS) this.#kept.push(finding);
    else this.#more++;
  }

  get list(): Finding[] {
    if (this.#more === 0) return this.#kept;
    return [...this.#kept, { message: `${this.#more} more changes are not listed` }];
  }
}

/** A value of the student's in a finding: short, and without characters that a terminal obeys. */
function quoted(value: unknown): string {
  const text = (JSON.stringify(value) ?? "nothing").replace(
    /[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    "?",
  );
  return text.length > 100 ? `${text.slice(0, 100)} …` : text;
}

function releasedCells({ notebook, withHidden }: Release): Map<string, ReleasedCell> {
  const cells = new Map<string, ReleasedCell>();
  for (const [index, cell] of notebook.cells.entries()) {
    const metadata = readGradeMetadata(cell);
    if (metadata === undefined || roleOf(metadata) === "plain") continue;
    // Markers may stand in comments of another language.
    const source = withoutMarkers(withHidden.get(metadata.grade_id!)?.source ?? cell.source);
    const isLocked = isEffectivelyLocked(metadata);
    cells.set(metadata.grade_id!, { index, cell, metadata, source, isLocked });
  }
  return cells;
}

/** The release's cell that a cell is, by its metadata or, where that was taken away, by its id. */
function identify(
  cell: Cell,
  released: ReadonlyMap<string, ReleasedCell>,
  byCellId: ReadonlyMap<string, string>,
  add: (message: string, gradeId?: string) => void,
): string | undefined {
  const given = cell.metadata[METADATA_KEY] as { grade_id?: unknown } | null | undefined;
  const gradeId = typeof given?.grade_id === "string" ? given.grade_id : undefined;
  if (gradeId !== undefined && released.has(gradeId)) return gradeId;
  const known = byCellId.get(cell.id);
  if (known !== undefined) {
    add(
      given === undefined || given === null
        ? "The cell's grading metadata was removed: it is put back"
        : `The cell's grade_id was changed to ${quoted(gradeId)}: it is put back`,
      known,
    );
    return known;
  }
  let role;
  try {
    role = roleOf(readGradeMetadata(cell));
  } catch {
    role = undefined;
  }
  if (given !== undefined && role !== "plain") {
    add(`The cell says that it is graded as ${quoted(gradeId)}, which the release does not know`);
  }
  return undefined;
}

/** Reports what differs from the release and is put back. */
function compare(cell: Cell, own: ReleasedCell, add: (message: string) => void) {
  if (own.isLocked && cell.source !== own.cell.source) {
    add(
      hasTag(own.cell, VARIANTS_TAG)
        ? "The variant is not the student's own: the notebook is graded with the student's"
        : "The cell was changed, though it is locked: the release's is used",
    );
  }
  if (cell.cell_type !== own.cell.cell_type) {
    add(`The cell is ${cell.cell_type}: it was released as ${own.cell.cell_type}`);
  }
  const given = cell.metadata[METADATA_KEY];
  if (given === undefined) return;
  if (typeof given !== "object" || given === null) {
    return add("The grading metadata cannot be read");
  }
  const before = { ...own.metadata } as Record<string, unknown>;
  const after = given as Record<string, unknown>;
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    // Another variant has another checksum, which is reported already.
    if (key === "checksum" && hasTag(own.cell, VARIANTS_TAG)) continue;
    if (key === "grade_id" || JSON.stringify(before[key]) === JSON.stringify(after[key])) continue;
    const [from, to] = [before[key], after[key]].map(quoted);
    add(`The cell's ${quoted(key)} was changed from ${from} to ${to}: it is put back`);
  }
}

/** Tests and locked cells that are missing come back behind the cell that they followed. */
function addMissing(
  released: ReadonlyMap<string, ReleasedCell>,
  places: ReadonlyMap<string, number>,
  cells: Cell[],
  findings: Findings,
): Set<string> {
  const missing = new Set<string>();
  let before: Cell | undefined;
  for (const [gradeId, own] of released) {
    const place = places.get(gradeId);
    if (place !== undefined) {
      before = cells.find(({ metadata }) => gradeIdOf(metadata) === gradeId) ?? before;
      continue;
    }
    missing.add(gradeId);
    const role = roleOf(own.metadata);
    const back = own.isLocked ? ": it is put back" : "";
    findings.push({ gradeId, message: `The ${role} cell "${gradeId}" is missing${back}` });
    if (!own.isLocked && role !== "manual" && role !== "task") continue;
    const cell = { ...structuredClone(own.cell), source: own.isLocked ? own.source : "" };
    cells.splice(before === undefined ? 0 : cells.indexOf(before) + 1, 0, cell);
    before = cell;
  }
  return missing;
}

function reportOrder(
  released: ReadonlyMap<string, ReleasedCell>,
  cells: readonly Cell[],
  findings: Findings,
) {
  const order = cells.flatMap(({ metadata }) => released.get(gradeIdOf(metadata) ?? "") ?? []);
  const moved = order.find(({ index }, i) => i > 0 && index < order[i - 1]!.index);
  if (moved === undefined) return;
  const { grade_id: gradeId } = moved.metadata;
  findings.push({ gradeId, message: `The cell "${gradeId}" was moved: cells run as handed in` });
}

function gradeIdOf(metadata: Cell["metadata"]): string | undefined {
  return (metadata[METADATA_KEY] as { grade_id?: string } | undefined)?.grade_id;
}

function emptyCell(like: Cell, id: string): Cell {
  const base = { id, metadata: {}, source: "" };
  return like.cell_type === "code"
    ? { ...base, cell_type: "code", outputs: [], execution_count: null }
    : { ...base, cell_type: like.cell_type };
}
