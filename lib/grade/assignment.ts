/**
 * An assignment in its course folder: the instructor's notebooks and files, and their release to students.
 *
 * @module
 */

import { basename, dirname, join } from "@std/path";
import { formatNotebook, type Notebook, readNotebook } from "../runtime/notebook.ts";
import { writeFileBeside } from "../write_beside.ts";
import type { GradeOptions } from "./autograde.ts";
import {
  assignmentFolder,
  type AssignmentSettings,
  assignmentSettings,
  type Course,
} from "./course.ts";
import { describeFinding, type Finding, gradedCells } from "./metadata.ts";
import { proveRelease } from "./prove_release.ts";
import { checkRelease, releaseNotebook } from "./release.ts";
import { replaceFolder } from "./replace_folder.ts";
import { openWorkplace } from "./workplace.ts";

/** An assignment as its instructor wrote it. */
export interface Assignment {
  readonly id: string;
  readonly settings: AssignmentSettings;
  /** Its folder in `source`. */
  readonly folder: string;
  /** Its notebooks by their names, without `.ipynb`. */
  readonly notebooks: ReadonlyMap<string, Notebook>;
  /** The paths within the folder of other files, which students receive too. */
  readonly files: readonly string[];
}

/**
 * Reads an assignment from `source`.
 *
 * @param course The course.
 * @param id The assignment's id.
 * @returns The assignment; hidden files are not part of it.
 * @throws {Error} If there is no such folder, no notebook in it, or a link.
 */
export async function readAssignment(course: Course, id: string): Promise<Assignment> {
  const folder = assignmentFolder(course, "source", id);
  const notebooks = new Map<string, Notebook>();
  const files: string[] = [];
  for (const path of await filesIn(folder)) {
    if (path.endsWith(".ipynb") && dirname(path) === ".") {
      notebooks.set(basename(path, ".ipynb"), await readNotebook(join(folder, path)));
    } else files.push(path);
  }
  if (notebooks.size === 0) {
    throw new Deno.errors.NotFound(
      `Cannot read the assignment "${id}": there is no notebook in "${folder}"`,
    );
  }
  return { id, settings: assignmentSettings(course, id), folder, notebooks, files };
}

/** How to release. */
export interface ReleaseOptions {
  /** How to grade the solution and the stub; without it, nothing is proved. */
  proof?: Omit<GradeOptions, "cwd" | "read" | "limits">;
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

/**
 * Writes the students' version of an assignment, if nothing is wrong with it.
 *
 * @param course The course.
 * @param id The assignment's id.
 * @param options Whether to prove it.
 * @returns Its folder, or the faults.
 * @throws {Error} If the assignment cannot be read, or no sandbox can be built.
 */
export async function releaseAssignment(
  course: Course,
  id: string,
  { proof }: ReleaseOptions = {},
): Promise<Released> {
  const assignment = await readAssignment(course, id);
  const { settings, notebooks, folder: source } = assignment;
  const faults: string[] = [];
  const add = (name: string, findings: readonly Finding[]) =>
    faults.push(...findings.map((finding) => `${name}.ipynb: ${describeFinding(finding)}`));
  for (const [name, notebook] of notebooks) add(name, checkRelease(notebook));
  if (faults.length === 0) faults.push(...pointFaults(assignment));
  if (faults.length === 0 && proof !== undefined) {
    const files = assignment.files.map((path) => ({ path, from: join(source, path) }));
    await using place = await openWorkplace(course, { assignment: id }, files);
    for (const [name, notebook] of notebooks) {
      const how = { ...proof, cwd: place.cwd, read: [place.cwd], limits: settings.limits };
      add(name, await proveRelease(notebook, how));
    }
  }
  const notes: string[] = [];
  if (!course.settings.assignments.has(id)) {
    notes.push(`"${id}" is not in course.yaml: it has no due date, and the usual limits`);
  }
  if (faults.length > 0) return { faults, notes };
  const folder = assignmentFolder(course, "release", id);
  await replaceFolder(folder, async (unfinished) => {
    for (const path of assignment.files) {
      await Deno.mkdir(dirname(join(unfinished, path)), { recursive: true });
      await Deno.copyFile(join(source, path), join(unfinished, path));
    }
    for (const [name, notebook] of notebooks) {
      const { notebook: released } = releaseNotebook(notebook);
      const text = formatNotebook(withDueDate(released, settings.due, course.settings.timeZone));
      await writeFileBeside(join(unfinished, `${name}.ipynb`), text);
    }
  });
  return { folder, faults, notes };
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

/** The files of an assignment's folder, in the order of their paths; hidden ones and checkpoints are left out. */
async function filesIn(folder: string, within = "."): Promise<string[]> {
  const paths: string[] = [];
  let entries: Deno.DirEntry[];
  try {
    entries = await Array.fromAsync(Deno.readDir(join(folder, within)));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(`Cannot read the assignment: there is no folder "${folder}"`);
  }
  for (const { name, isDirectory, isSymlink } of entries) {
    if (name.startsWith(".") || name === "__pycache__") continue;
    const path = join(within, name);
    if (isSymlink) {
      throw new TypeError(`Cannot read the assignment: "${join(folder, path)}" is a link`);
    }
    if (isDirectory) paths.push(...await filesIn(folder, path));
    else paths.push(path);
  }
  return paths.sort();
}
