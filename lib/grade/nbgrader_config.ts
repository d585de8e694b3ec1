/**
 * nbgrader's configuration file, `nbgrader_config.py`: written, so that nbgrader itself can run a course on the kernel
 * "Deno (Tunebook)", and read for what it says about releases. It is a Python program; it is read without running it.
 *
 * Source: nbgrader 0.9, "Configuration options".
 *
 * @module
 */

import { KERNEL_NAME } from "../runtime/jupyter/install.ts";
import { readPythonLiteral } from "./python_literal.ts";
import { CODE_STUBS } from "./stubs.ts";

/** The name of the file in a course folder. */
export const NBGRADER_CONFIG = "nbgrader_config.py";

/** What {@linkcode nbgraderConfig} says of the course. */
export interface NbgraderCourse {
  /** The name of the kernel; that of `tunebook kernel install` by default. */
  readonly kernel?: string;
  /** Seconds that a cell may take; 30 by default, as in nbgrader. */
  readonly cellSeconds?: number;
}

/**
 * Writes a configuration with which nbgrader releases and grades TypeScript notebooks.
 *
 * @param course The kernel and the time limit.
 * @returns The text of `nbgrader_config.py`.
 *
 * @example
 * ```ts ignore
 * await Deno.writeTextFile("course/nbgrader_config.py", nbgraderConfig({ cellSeconds: 60 }));
 * ```
 */
export function nbgraderConfig({ kernel = KERNEL_NAME, cellSeconds = 30 }: NbgraderCourse = {}) {
  return `# Lets nbgrader release and grade this course on the Jupyter kernel "Deno (Tunebook)".
# Install the kernel once: tunebook kernel install

import os

# The kernel inherits it: nbgrader cannot read a coloured number, and would give full marks instead of a part of them.
os.environ["NO_COLOR"] = "1"

c = get_config()

# What stands in a released notebook in place of a solution, by the language of its kernelspec.
c.ClearSolutions.code_stub = {
    "typescript": ${pythonString(CODE_STUBS.typescript!)},
    "python": ${pythonString(CODE_STUBS.python!)},
}

# Notebooks of the stock kernel "deno" run on this one too: its outputs come in order, and it can be interrupted.
c.Execute.kernel_name = ${pythonString(kernel)}
c.Execute.timeout = ${cellSeconds}
# A cell that runs out of time fails, and the cells after it still run.
c.Execute.interrupt_on_timeout = True
c.Execute.raise_on_iopub_timeout = False
c.Execute.error_on_timeout = {
    "ename": "TimeoutError",
    "evalue": "The cell did not end within ${cellSeconds} s",
    "traceback": ["TimeoutError: The cell did not end within ${cellSeconds} s"],
}
`;
}

/** What a course's configuration says of releases, and of the course. */
export interface NbgraderSettings {
  /** Stubs of code by language, where they are not nbgrader's. */
  readonly codeStubs: Readonly<Record<string, string>>;
  /** The stub of text, if it is not nbgrader's. */
  readonly textStub?: string;
  /** Delimiters of regions, where they are not nbgrader's. */
  readonly delimiters: Readonly<Partial<Record<Delimiter, string>>>;
  /** The course's name. */
  readonly courseId?: string;
  /** Students and assignments, as older versions of nbgrader keep them here; their keys are not checked. */
  readonly students: readonly Readonly<Record<string, unknown>>[];
  readonly assignments: readonly Readonly<Record<string, unknown>>[];
  /** Notebooks, by their paths in the course, whose cells stand before and after those of every notebook. */
  readonly header?: string;
  readonly footer?: string;
  /** Names of settings of releases that could not be read, because they are not literals, such as `c.X.y = f()`. */
  readonly unread: readonly string[];
}

/** A delimiter that a course may set. */
export type Delimiter =
  | "beginSolution"
  | "endSolution"
  | "beginHiddenTests"
  | "endHiddenTests"
  | "beginMarkScheme"
  | "endMarkScheme";

const DELIMITERS: Readonly<Record<string, Delimiter>> = {
  "ClearSolutions.begin_solution_delimeter": "beginSolution",
  "ClearSolutions.end_solution_delimeter": "endSolution",
  "ClearHiddenTests.begin_test_delimeter": "beginHiddenTests",
  "ClearHiddenTests.end_test_delimeter": "endHiddenTests",
  "ClearMarkScheme.begin_mark_scheme_delimeter": "beginMarkScheme",
  "ClearMarkScheme.end_mark_scheme_delimeter": "endMarkScheme",
};

/**
 * Reads a configuration, without running it: assignments of literals such as `c.ClearSolutions.text_stub = "Answer"`.
 *
 * @param text The text of `nbgrader_config.py`.
 * @returns What it says; nothing is thrown for what cannot be read.
 */
export function readNbgraderConfig(text: string): NbgraderSettings {
  const values = new Map<string, unknown>();
  const unread: string[] = [];
  // `c = get_config()`, or by another name.
  const config = /^(\w+)\s*=\s*get_config\(\)/m.exec(text)?.[1] ?? "c";
  const assignment = new RegExp(
    `^${config}\\.(\\w+\\.\\w+)(?:\\[(["'])(.+?)\\2\\])?[ \\t]*=(?!=)`,
    "gm",
  );
  for (const found of text.matchAll(assignment)) {
    const [all, name, , key] = found;
    if (!READ.has(name!)) continue;
    try {
      const value = readPythonLiteral(text, found.index + all.length);
      if (key === undefined) values.set(name!, value);
      else values.set(name!, { ...values.get(name!) as Record<string, unknown>, [key]: value });
    } catch {
      if (!name!.startsWith("CourseDirectory.")) unread.push(name!);
    }
  }
  const string = (name: string): string | undefined => {
    const value = values.get(name);
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const stub = values.get("ClearSolutions.code_stub");
  const codeStubs = Object.entries(typeof stub === "string" ? { python: stub } : stub ?? {})
    .filter((entry): entry is [string, string] => typeof entry[1] === "string");
  const delimiters = Object.entries(DELIMITERS).flatMap(([name, delimiter]) => {
    const value = string(name);
    return value === undefined ? [] : [[delimiter, value]];
  });
  const textStub = string("ClearSolutions.text_stub");
  const header = string("IncludeHeaderFooter.header");
  const footer = string("IncludeHeaderFooter.footer");
  const courseId = string("CourseDirectory.course_id");
  const rows = (name: string) => {
    const value = values.get(name);
    return (Array.isArray(value) ? value : [])
      .filter((row) => typeof row === "object" && row !== null);
  };
  return {
    ...courseId !== undefined && { courseId },
    students: rows("CourseDirectory.db_students"),
    assignments: rows("CourseDirectory.db_assignments"),
    codeStubs: Object.fromEntries(codeStubs),
    ...textStub !== undefined && { textStub },
    delimiters: Object.fromEntries(delimiters),
    ...header !== undefined && { header },
    ...footer !== undefined && { footer },
    unread,
  };
}

const READ: ReadonlySet<string> = new Set([
  ...Object.keys(DELIMITERS),
  "CourseDirectory.course_id",
  "CourseDirectory.db_students",
  "CourseDirectory.db_assignments",
  "ClearSolutions.code_stub",
  "ClearSolutions.text_stub",
  "IncludeHeaderFooter.header",
  "IncludeHeaderFooter.footer",
]);

/** A Python literal; JSON's escapes are Python's too. */
function pythonString(text: string): string {
  return JSON.stringify(text);
}
