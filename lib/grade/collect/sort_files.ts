/**
 * The files of a source, sorted into the attempts of students.
 *
 * @module
 */

import type { Student } from "../gradebook.ts";
import { attribute, type Attribution, type Fit, type LayoutContext } from "./layouts.ts";
import { quoted } from "./names.ts";
import type { SourceFile } from "./source_file.ts";

/** What was found of a file, for the person who collects. */
export interface CollectFinding {
  /** Its path in the source, as it may be printed. */
  readonly path: string;
  /** Whose it is, if that is known. */
  readonly student?: string;
  /** What was found, as the end of a sentence about the file. */
  readonly message: string;
  /** Whether the file was refused; otherwise it was taken, or is of no concern. */
  readonly refused: boolean;
}

/** The files of one attempt of a student. */
export interface Submission {
  readonly student: Student;
  /** Where it stands in the source, as it may be printed. */
  readonly path: string;
  readonly submitted?: Date;
  readonly late: boolean;
  readonly files: readonly OwnFile[];
}

/** A file by its path in the submission. */
export interface OwnFile extends SourceFile {
  /** Its path in the source. */
  readonly origin: readonly string[];
}

/**
 * Says whose the files of a source are, and puts those of one attempt together.
 *
 * @param files The files.
 * @param fit How they are named.
 * @param context The assignment and the students.
 * @returns The attempts, by student and time, and what was found of files that are not clearly a student's.
 */
export function sortFiles(
  files: readonly SourceFile[],
  fit: Fit,
  context: LayoutContext,
): { submissions: Submission[]; findings: CollectFinding[] } {
  const findings: CollectFinding[] = [];
  const found = new Map<
    string,
    { student: Student; parts: { file: SourceFile; said: Attribution }[] }
  >();
  const accounts = new Map<string, Set<string>>();
  for (const file of files) {
    const refuse = (message: string) =>
      findings.push({ path: printed(file.path), message, refused: true });
    const said = attribute(file.path, fit, context);
    if (said === undefined) {
      refuse(`is not named as the layout "${fit.layout}" has it: nobody's`);
      continue;
    }
    if (said.fault !== undefined) {
      refuse(`is not taken: ${said.fault}`);
      continue;
    }
    try {
      const student = context.people.find(said.owner);
      const key = `${student.id}/${said.submitted?.getTime() ?? ""}`;
      const one = found.get(key) ?? { student, parts: [] };
      one.parts.push({ file, said });
      found.set(key, one);
      const { account } = said.owner;
      if (account !== undefined) {
        accounts.set(student.id, (accounts.get(student.id) ?? new Set()).add(account));
      }
    } catch (error) {
      refuse(`is not taken: ${(error as Error).message}`);
    }
  }
  const submissions: Submission[] = [];
  for (const { student, parts } of found.values()) {
    const [{ said, file }] = parts as [typeof parts[number]];
    const path = printed(file.path.slice(0, fit.depth + 1));
    const several = accounts.get(student.id);
    if (several !== undefined && several.size > 1) {
      const message =
        `is not taken: ${several.size} people of the source have the name of "${student.id}"`;
      findings.push({ path, student: student.id, message, refused: true });
      continue;
    }
    submissions.push({
      student,
      path,
      ...said.submitted && { submitted: said.submitted },
      late: parts.some(({ said }) => said.late),
      files: parts.map(({ file, said }) => ({ ...file, path: said.file, origin: file.path })),
    });
  }
  const order = ({ student, submitted }: Submission) =>
    [student.id, submitted?.getTime() ?? 0] as const;
  submissions.sort((a, b) => {
    const [[first, before], [second, after]] = [order(a), order(b)];
    return first === second ? before - after : first < second ? -1 : 1;
  });
  return { submissions, findings };
}

/**
 * The path in the source of a file of a submission, or of a file in a zip of it, as it may be printed.
 *
 * @param submission The submission.
 * @param path The file's path in it.
 */
export function inSource({ files }: Submission, path: readonly string[]): string {
  const outer = files.find((file) => file.path.every((part, i) => part === path[i]))!;
  const inner = path.slice(outer.path.length);
  return [outer.origin, inner].filter(({ length }) => length > 0).map(printed).join(": ");
}

function printed(path: readonly string[]): string {
  return quoted(path.join("/")).slice(1, -1);
}
