/**
 * The student's version of an assignment: solutions, hidden tests and mark schemes are taken out, cells are locked, and
 * checksums are written, as nbgrader's `generate_assignment` does.
 *
 * @module
 */

import type { Cell, Notebook } from "../runtime/notebook.ts";
import { hasTag } from "../runtime/parameters.ts";
import { cellChecksum } from "./checksum.ts";
import {
  checkMetadata,
  describeFinding,
  type Finding,
  type GradeMetadata,
  isEffectivelyLocked,
  METADATA_KEY,
  readGradeMetadata,
  roleOf,
} from "./metadata.ts";
import { type RegionKind, replaceRegions, withoutMarkers } from "./regions.ts";
import { declaredNames } from "./standins/names.ts";
import { type Stubs, stubsFor } from "./stubs.ts";
import { VARIANTS_TAG, variantsFault, withSeed } from "./variants.ts";

/** What {@linkcode releaseNotebook} gives. */
export interface Release {
  /** The student's version. */
  readonly notebook: Notebook;
  /** The source notebook's cells by `grade_id`, hidden tests and solutions included, as the gradebook keeps them. */
  readonly withHidden: ReadonlyMap<string, { readonly source: string; readonly checksum: string }>;
  /** Names that the instructor's answers and open cells declare: tests may have them from a submission. */
  readonly answered: ReadonlySet<string>;
}

/**
 * Finds what keeps an assignment from being released: faults of its metadata, markers that are not closed, are
 * nested, or stand in a cell of another kind, and variants without a seed.
 *
 * @param notebook The instructor's notebook.
 * @returns The findings, in the order of cells; none if it can be released.
 *
 * @example
 * ```ts
 * import { checkRelease } from "tunebook/grade";
 * import { readNotebook } from "tunebook/runtime";
 * import { assertEquals } from "@std/assert";
 *
 * const source = await readNotebook("notebooks/assignments/gradients/gradients.ipynb");
 * assertEquals(checkRelease(source), []);
 * ```
 */
export function checkRelease(notebook: Notebook): Finding[] {
  const findings = checkMetadata(notebook);
  const faulty = new Set(findings.map(({ index }) => index));
  for (const [index, cell] of notebook.cells.entries()) {
    if (faulty.has(index)) continue;
    const metadata = readGradeMetadata(cell);
    const add = (message: string) =>
      findings.push({ index, gradeId: metadata?.grade_id || undefined, message });
    const fault = variantsFault(cell);
    if (fault !== undefined) add(fault);
    for (const { kind, fits, expected } of PLACES) {
      try {
        const found = replaceRegions(cell.source, kind).regions.length > 0;
        if (found && !fits(metadata)) {
          add(`${NAMES[kind]} stands in a cell that is not ${expected}`);
        }
        if (kind === "markScheme" && found && leaksAttachment(cell)) {
          add("A mark scheme shows an attachment, which students would receive: embed the image");
        }
      } catch (error) {
        add((error as Error).message);
      }
    }
  }
  return findings.sort((a, b) => (a.index ?? -1) - (b.index ?? -1));
}

/** Which cells the regions may stand in, by nbgrader's rules. */
const PLACES: readonly {
  kind: RegionKind;
  fits: (metadata: GradeMetadata | undefined) => boolean;
  expected: string;
}[] = [
  { kind: "solution", fits: (metadata) => metadata?.solution ?? false, expected: "an answer" },
  { kind: "hiddenTests", fits: (metadata) => metadata?.grade ?? false, expected: "graded" },
  { kind: "markScheme", fits: (metadata) => metadata?.task ?? false, expected: "a task" },
];

const NAMES: Readonly<Record<RegionKind, string>> = {
  solution: "A solution",
  hiddenTests: "A hidden test",
  markScheme: "A mark scheme",
};

function leaksAttachment(cell: Cell): boolean {
  const { regions } = replaceRegions(cell.source, "markScheme");
  return regions.some((region) => /!\[.*\]\(attachment:.+?\)/.test(region));
}

/**
 * Makes the student's version of an assignment.
 *
 * @param source The instructor's notebook, which is not changed.
 * @param stubs What replaces answers; by default what fits the notebook's language.
 * @returns The student's version, and what the gradebook keeps of the instructor's.
 * @throws {SyntaxError} If {@linkcode checkRelease} finds a fault; the message names the first.
 *
 * @example
 * ```ts
 * import { releaseNotebook } from "tunebook/grade";
 * import { readNotebook } from "tunebook/runtime";
 * import { assertEquals } from "@std/assert";
 *
 * const source = await readNotebook("notebooks/assignments/gradients/gradients.ipynb");
 * const { notebook } = releaseNotebook(source);
 * assertEquals(notebook.cells.some((cell) => cell.source.includes("BEGIN SOLUTION")), false);
 * ```
 */
export function releaseNotebook(source: Notebook, stubs: Stubs = stubsFor(source)): Release {
  const [finding] = checkRelease(source);
  if (finding) throw new SyntaxError(`Cannot release the assignment: ${describeFinding(finding)}`);
  const notebook = structuredClone(source);
  delete notebook.metadata.celltoolbar;
  const withHidden = new Map<string, { source: string; checksum: string }>();
  for (const cell of notebook.cells) {
    const metadata = readGradeMetadata(cell);
    lock(cell, metadata);
    clearOutputs(cell);
    cell.source = withoutSolution(cell, metadata, stubs);
    // Of an older version, it would not be accepted beside the newer.
    if (metadata) cell.metadata[METADATA_KEY] = metadata;
    else delete cell.metadata[METADATA_KEY];
    if (!metadata || roleOf(metadata) === "plain") continue;
    withHidden.set(metadata.grade_id!, {
      source: cell.source,
      checksum: cellChecksum(cell, metadata),
    });
    cell.source = replaceRegions(cell.source, "hiddenTests").source;
    cell.source = replaceRegions(cell.source, "markScheme").source;
    const isSealed = metadata.grade || metadata.solution || isEffectivelyLocked(metadata);
    cell.metadata[METADATA_KEY] = {
      ...metadata,
      ...(isSealed && { checksum: cellChecksum(cell, metadata), cell_type: cell.cell_type }),
    };
  }
  return { notebook, withHidden, answered: answeredNames(source) };
}

/**
 * The names that answers and open cells of a notebook declare.
 *
 * @param notebook The notebook, with solutions or with a student's answers.
 */
export function answeredNames({ cells }: Notebook): Set<string> {
  const open = cells.filter((cell) => {
    const role = roleOf(readGradeMetadata(cell));
    return cell.cell_type === "code" && role !== "test" && role !== "locked";
  });
  return declaredNames(open.map(({ source }) => withoutMarkers(source)));
}

/**
 * A release as one student has it.
 *
 * @param release The release.
 * @param seed The student's seed.
 * @returns The release with that seed in its variants cells, and their checksums.
 */
export function variantOf(release: Release, seed: number): Release {
  const withHidden = new Map(release.withHidden);
  const notebook = structuredClone(release.notebook);
  for (const cell of notebook.cells) {
    if (!hasTag(cell, VARIANTS_TAG)) continue;
    cell.source = withSeed(cell.source, seed);
    const metadata = readGradeMetadata(cell)!;
    const checksum = cellChecksum(cell, metadata);
    cell.metadata[METADATA_KEY] = { ...metadata, checksum };
    withHidden.set(metadata.grade_id!, { source: cell.source, checksum });
  }
  return { ...release, notebook, withHidden };
}

/** A whole answer is replaced only if no part of it is marked as the solution. */
function withoutSolution(cell: Cell, metadata: GradeMetadata | undefined, stubs: Stubs): string {
  const stub = cell.cell_type === "code" ? stubs.code : stubs.text;
  const { source, regions } = replaceRegions(cell.source, "solution", stub.split("\n"));
  return metadata?.solution && regions.length === 0 ? stub : source;
}

/** Jupyter's own flags: nobody deletes what is graded, and nobody edits what is tested. */
function lock(cell: Cell, metadata: GradeMetadata | undefined): void {
  const role = roleOf(metadata);
  if (role === "plain" || role === "task" && !metadata!.locked && !metadata!.grade) return;
  cell.metadata.deletable = false;
  if (!metadata!.solution) cell.metadata.editable = false;
}

function clearOutputs(cell: Cell): void {
  if (cell.cell_type !== "code") return;
  cell.outputs = [];
  cell.execution_count = null;
  for (const key of ["collapsed", "scrolled"]) delete cell.metadata[key];
}
