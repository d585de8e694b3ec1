/**
 * An assignment as submissions are graded by it: its releases, and hashes that tell whether and where it has changed.
 *
 * @module
 */

import { join } from "@std/path/join";
import { formatNotebook } from "../runtime/notebook.ts";
import { hasTag } from "../runtime/parameters.ts";
import { type Assignment, readAssignment } from "./assignment.ts";
import { assignmentSettings, type Course } from "./course.ts";
import { hashOf } from "./hash.ts";
import { gradedCells } from "./metadata.ts";
import { type Release, releaseNotebook, variantOf } from "./release.ts";
import { stubsFor } from "./stubs.ts";
import { hasVariants, readVariantKey, variantSeed } from "./variants.ts";

/** An assignment, ready to grade submissions by. */
export interface Grader {
  readonly assignment: Assignment;
  /** The releases of its notebooks, by their names. */
  readonly releases: ReadonlyMap<string, Release>;
  /** The hash of all of it. */
  readonly hash: string;
  /** The hash of each test, by notebook and `grade_id`. */
  readonly tests: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** The hash of all but the tests. */
  readonly untested: string;
  /** The seed of a student's variant; undefined if the assignment has no variants. */
  readonly seedOf?: (student: string) => number;
}

/**
 * Reads what an assignment's submissions are graded by.
 *
 * @param course The course.
 * @param id The assignment's id.
 * @returns The releases, made of the instructor's notebooks, and their hashes.
 * @throws {Error} If the assignment cannot be read or released.
 */
export async function openGrader(course: Course, id: string): Promise<Grader> {
  const assignment = await readAssignment(course, id);
  const grader = await graderOf(assignment);
  if (![...assignment.notebooks.values()].some(hasVariants)) return grader;
  const key = await readVariantKey(course.root);
  return { ...grader, seedOf: (student) => variantSeed(key, id, ownerOf(course, id, student)) };
}

/** The owner of a variant: a student, or the group that hands in together. */
export function ownerOf(course: Course, assignment: string, student: string): string {
  if (!assignmentSettings(course, assignment).groups) return student;
  return course.roster.find(({ id }) => id === student)?.group ?? student;
}

/**
 * The releases by which a student is graded.
 *
 * @param grader The assignment.
 * @param student The student's id.
 * @returns The releases of its notebooks by their names, in the student's variant.
 */
export function releasesFor(
  { releases, seedOf }: Grader,
  student: string,
): ReadonlyMap<string, Release> {
  if (seedOf === undefined) return releases;
  const seed = seedOf(student);
  return new Map([...releases].map(([name, release]) => [name, variantOf(release, seed)]));
}

/**
 * Makes what an assignment's submissions are graded by.
 *
 * @param assignment The assignment.
 * @returns The releases and their hashes.
 * @throws {SyntaxError} If it cannot be released.
 */
export async function graderOf(assignment: Assignment): Promise<Grader> {
  const releases = new Map<string, Release>();
  const tests: Record<string, Record<string, string>> = {};
  const rest: unknown[] = [];
  for (const path of assignment.files) {
    rest.push([path, await hashOf(await Deno.readFile(join(assignment.folder, path)))]);
  }
  for (const [name, source] of assignment.notebooks) {
    const release = releaseNotebook(source, stubsFor(source, assignment.stubs));
    releases.set(name, release);
    const own: Record<string, string> = tests[name] = {};
    const others = new Map(release.withHidden);
    const notebook = structuredClone(release.notebook);
    for (const { cell, metadata, role } of gradedCells(notebook)) {
      if (role !== "test") continue;
      const gradeId = metadata.grade_id;
      own[gradeId] = await hashOf([
        others.get(gradeId)!.source,
        metadata.points ?? 0,
        cell.metadata.tags ?? [],
      ]);
      others.delete(gradeId);
      // Where a test stands counts, what it is does not.
      cell.source = gradeId;
      cell.metadata = {};
    }
    rest.push([name, formatNotebook(notebook), [...others]]);
  }
  const untested = await hashOf(rest);
  return { assignment, releases, hash: await hashOf([untested, tests]), tests, untested };
}

/**
 * The codecs that a notebook can need. They take time to load, and the classes that they are for come from modules.
 *
 * @param release The release.
 * @param codecs The codecs that there are.
 * @returns All of them, or none if the notebook imports nothing but Deno's standard library.
 */
export function codecsFor(
  { notebook, withHidden }: Release,
  codecs: readonly string[] = [],
): readonly string[] {
  const imports = /\b(?:from|import)\s*\(?\s*["'](?!@std\/|jsr:@std\/|node:)/;
  const run = notebook.cells.filter((cell) => !hasTag(cell, "skip"));
  const sources = [...run, ...withHidden.values()].map(({ source }) => source);
  return sources.some((source) => imports.test(source)) ? codecs : [];
}
