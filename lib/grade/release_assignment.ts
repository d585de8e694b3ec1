/**
 * Releases an assignment: writes the students' version into the course folder, once nothing is wrong with it.
 *
 * @module
 */

import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { formatNotebook, type Notebook } from "../runtime/notebook.ts";
import { writeFileBeside } from "../write_beside.ts";
import { type Assignment, readAssignment } from "./assignment.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { assignmentFolder, type Course } from "./course.ts";
import { codecsFor, type Grader, graderOf, ownerOf } from "./grader.ts";
import { describeFinding, type Finding, gradedCells } from "./metadata.ts";
import { type ProofOptions, proveRelease } from "./prove_release.ts";
import { checkRelease, releaseNotebook, variantOf } from "./release.ts";
import { replaceFolder } from "./replace_folder.ts";
import { stubsFor } from "./stubs.ts";
import { ensureVariantKey, hasVariants, type Variant, variantSeed } from "./variants.ts";
import { openWorkplace } from "./workplace.ts";

/** How to release. */
export interface ReleaseOptions {
  /** How to grade the solution and the stub; without it, nothing is proved. */
  proof?: Pick<ProofOptions, "codecs" | "sandbox" | "signal" | "jobs" | "onVariant">;
}

/** What {@linkcode releaseAssignment} did. */
export interface Released {
  /** The folder with the students' version; undefined if there are faults. */
  readonly folder?: string;
  /** What keeps the assignment from being released, each with its notebook and cell. */
  readonly faults: readonly string[];
  /** What the instructor may not have meant. */
  readonly notes: readonly string[];
}

const RELEASE_OPTIONS: OptionNames<ReleaseOptions> = {
  proof: true,
};

/**
 * Writes the students' version of an assignment, if nothing is wrong with it.
 *
 * @param course The course.
 * @param id The assignment's id.
 * @param options Whether to prove it.
 * @returns Its folder, or the faults.
 * @throws {Error} If the assignment cannot be read, or no sandbox can be built.
 *
 * @example
 * ```ts
 * import { initCourse, releaseAssignment } from "tunebook/grade";
 * import { assertEquals } from "@std/assert";
 *
 * const course = await initCourse(await Deno.makeTempDir());
 * await Deno.mkdir(`${course.root}/source/week1`);
 * await Deno.copyFile(
 *   "notebooks/assignments/gradients/gradients.ipynb",
 *   `${course.root}/source/week1/gradients.ipynb`,
 * );
 * // With `{ proof: {} }`, the solution and the stub are graded first.
 * const { folder, faults } = await releaseAssignment(course, "week1");
 * assertEquals([folder, faults], [`${course.root}/release/week1`, []]);
 * ```
 */
export async function releaseAssignment(
  course: Course,
  id: string,
  options: ReleaseOptions = {},
): Promise<Released> {
  assertKnownOptions("release", options, RELEASE_OPTIONS);
  const { proof } = options;
  const assignment = await readAssignment(course, id);
  const { settings, notebooks, folder: source } = assignment;
  const faults: string[] = [];
  const add = (name: string, findings: readonly Finding[]) =>
    faults.push(...findings.map((finding) => `${name}.ipynb: ${describeFinding(finding)}`));
  for (const [name, notebook] of notebooks) add(name, checkRelease(notebook));
  if (faults.length === 0) faults.push(...pointFaults(assignment));
  const variants = faults.length === 0 ? await variantsOf(course, assignment) : [];
  if (variants.length > 0) faults.push(...await nameFaults(course));
  if (faults.length === 0 && proof !== undefined) {
    const files = assignment.files.map((path) => ({ path, from: join(source, path) }));
    await using place = await openWorkplace(course, { assignment: id }, files);
    for (const [name, notebook] of notebooks) {
      const { cwd, testsCwd } = place;
      const { limits } = settings;
      const codecs = codecsFor(releaseNotebook(notebook), proof.codecs);
      const how = { ...proof, codecs, cwd, testsCwd, read: [cwd], limits, variants };
      add(name, await proveRelease(notebook, how, stubsFor(notebook, assignment.stubs)));
    }
  }
  const notes: string[] = [];
  if (!course.settings.assignments.has(id)) {
    notes.push(`"${id}" is not in course.yaml: it has no due date, and the usual limits`);
  }
  if (faults.length > 0) return { faults, notes };
  const folder = assignmentFolder(course, "release", id);
  await writeRelease(course, assignment, folder);
  const own = new Map(variants.map(({ owner, seed }) => [owner, seed]));
  if (own.size > 0) {
    for (const { id: student } of course.roster) {
      const seed = own.get(ownerOf(course, id, student))!;
      await writeRelease(
        course,
        assignment,
        assignmentFolder(course, "release", id, student),
        seed,
      );
    }
    notes.push(
      `Each student has a variant, in release/<student>/${id}; that in ${folder} is an example`,
    );
  }
  const { hash } = await graderOf(assignment);
  const record: ReleaseRecord = { hash, proved: proof !== undefined };
  await writeFileBeside(join(source, RECORD), `${JSON.stringify(record)}\n`);
  return { folder, faults, notes };
}

/** Writes what students get, or one student. */
async function writeRelease(
  course: Course,
  { settings, notebooks, files, folder: source, stubs }: Assignment,
  folder: string,
  seed?: number,
): Promise<void> {
  await Deno.mkdir(dirname(folder), { recursive: true });
  await replaceFolder(folder, async (unfinished) => {
    for (const path of files) {
      await Deno.mkdir(dirname(join(unfinished, path)), { recursive: true });
      await Deno.copyFile(join(source, path), join(unfinished, path));
    }
    for (const [name, notebook] of notebooks) {
      const release = releaseNotebook(notebook, stubsFor(notebook, stubs));
      const { notebook: released } = seed === undefined ? release : variantOf(release, seed);
      const text = formatNotebook(withDueDate(released, settings.due, course.settings.timeZone));
      await writeFileBeside(join(unfinished, `${name}.ipynb`), text);
    }
  });
}

/** The variants of all students or groups of the roster; none if the assignment is the same for all. */
async function variantsOf(course: Course, { id, notebooks }: Assignment): Promise<Variant[]> {
  if (![...notebooks.values()].some(hasVariants)) return [];
  const key = await ensureVariantKey(course.root);
  const owners = new Set(course.roster.map((student) => ownerOf(course, id, student.id)));
  return [...owners].map((owner) => ({ owner, seed: variantSeed(key, id, owner) }));
}

/** Students whose folders in `release` would be those of assignments. */
async function nameFaults({ root, roster }: Course): Promise<string[]> {
  const assignments = new Set<string>();
  for await (const { name } of Deno.readDir(join(root, "source"))) assignments.add(name);
  return roster.filter(({ id }) => assignments.has(id)).map(({ id }) =>
    `The student "${id}" has the name of an assignment: a variant in release/${id} would be mistaken for it`
  );
}

/** What is kept beside the instructor's notebooks: which version of them was released. */
interface ReleaseRecord {
  /** As {@linkcode Grader} has it. */
  readonly hash: string;
  /** Whether the solution and the stub were graded. */
  readonly proved: boolean;
}

const RECORD = ".released.json";

/**
 * Checks that submissions are graded by what was released.
 *
 * @param grader What they are graded by.
 * @returns What the instructor should know; undefined if all is well.
 * @throws {Error} If the instructor's notebooks or files have changed since the release.
 */
export async function checkReleased({ assignment, hash }: Grader): Promise<string | undefined> {
  const { id, folder } = assignment;
  let record: ReleaseRecord;
  try {
    record = JSON.parse(await Deno.readTextFile(join(folder, RECORD)));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return `${id} was not released by this program: nothing proves that its tests work`;
  }
  if (record.hash !== hash) {
    throw new Error(
      `Cannot grade ${id}: "${folder}" has changed since it was released; release it again, which proves it`,
    );
  }
  return record.proved ? undefined : `${id} was released without proof that its tests work`;
}

/** Whether the notebooks' points add up to what the course file says. */
function pointFaults({ settings: { points }, notebooks }: Assignment): string[] {
  const graded = [...notebooks.values()].flatMap((notebook) => gradedCells(notebook));
  const sum = graded.reduce(
    (total, { metadata }) => total + (metadata.grade || metadata.task ? metadata.points ?? 0 : 0),
    0,
  );
  return points === undefined || Math.abs(points - sum) < 1e-9
    ? []
    : [`The cells' points add up to ${sum}: course.yaml says ${points}`];
}

/** The id of the cell that tells students when the assignment is due. */
const DUE_CELL = "due-date";

/** A notebook that says when it is due, below its title. */
export function withDueDate(notebook: Notebook, due: Date | undefined, timeZone: string): Notebook {
  if (due === undefined) return notebook;
  const time = new Intl.DateTimeFormat("en-GB", {
    dateStyle: "full",
    timeStyle: "short",
    timeZone,
  });
  const source = `**Due:** ${time.format(due)} (${timeZone})`;
  const [first, ...rest] = notebook.cells.filter(({ id }) => id !== DUE_CELL);
  const cell = {
    cell_type: "markdown" as const,
    id: DUE_CELL,
    metadata: { deletable: false, editable: false },
    source,
  };
  const hasTitle = first?.cell_type === "markdown" && first.source.trimStart().startsWith("#");
  const cells = hasTitle ? [first, cell, ...rest] : [cell, ...notebook.cells];
  return { ...notebook, cells };
}
