/**
 * A course folder: its settings (`course.yaml`), its roster (`roster.csv`) and where its files are, in nbgrader's layout.
 *
 * @module
 */

import { join } from "@std/path/join";
import { parse } from "@std/yaml/parse";
import { stringify } from "@std/yaml/stringify";
import { z } from "zod";
import { GRADE_LIMITS, type GradeLimits } from "./autograde.ts";
import type { Student } from "./gradebook.ts";
import { type NbgraderCourseFacts, readNbgraderCourse } from "./nbgrader_course.ts";
import { FOLDER_NAME, formatRoster, parseRoster } from "./roster.ts";

/** The steps of an assignment, each a folder of the course. */
export const STEPS = ["source", "release", "submitted", "autograded", "feedback"] as const;
/** A step of an assignment. */
export type Step = typeof STEPS[number];

/** What lateness costs. */
export interface LatePolicy {
  /** The share of the score that each day begun costs, from 0 to 1. */
  readonly penaltyPerDay: number;
  /** After this many days nothing is accepted; undefined if there is no end. */
  readonly maxDays?: number;
}

/** What the course file says of an assignment. */
export interface AssignmentSettings {
  /** When it is due; undefined if never. */
  readonly due?: Date;
  /** What its points must add up to, if that is to be checked. */
  readonly points?: number;
  /** Whether groups hand it in. */
  readonly groups: boolean;
  /** The kinds of file that may be handed in. */
  readonly accepts: readonly ("ipynb" | "md" | "pdf")[];
  /** What a submission may use. */
  readonly limits: GradeLimits;
  /** What lateness costs. */
  readonly late: LatePolicy;
  /** Later due dates, by student or group. */
  readonly extensions: ReadonlyMap<string, Date>;
}

/** What the course file says. */
export interface CourseSettings {
  /** The course's name. */
  readonly name: string;
  /** The IANA time zone of all dates in the file. */
  readonly timeZone: string;
  /** For assignments that say nothing else. */
  readonly defaults: Pick<AssignmentSettings, "late" | "limits">;
  /** The assignments by their ids. */
  readonly assignments: ReadonlyMap<string, AssignmentSettings>;
}

/** A course. */
export interface Course {
  /** Its folder. */
  readonly root: string;
  /** What its course file says. */
  readonly settings: CourseSettings;
  /** Its students. */
  readonly roster: readonly Student[];
}

const limits = z.strictObject(
  Object.fromEntries(Object.keys(GRADE_LIMITS).map((name) => [name, z.number().positive()])) as {
    [Name in keyof GradeLimits]: z.ZodNumber;
  },
).partial();
const late = z.strictObject({
  penaltyPerDay: z.number().min(0).max(1).default(0),
  maxDays: z.number().min(0).optional(),
});
const LOCAL_TIME = z.string().regex(
  /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?$/,
  'expected a time such as "2026-10-01 23:59", in quotes',
);
const folderName = z.string().regex(FOLDER_NAME, "expected a name that is safe as a folder");
const SETTINGS = z.strictObject({
  name: z.string().default("Course"),
  timeZone: z.string().default("UTC"),
  late: late.prefault({}),
  limits: limits.default({}),
  assignments: z.record(
    folderName,
    z.strictObject({
      due: LOCAL_TIME.optional(),
      points: z.number().min(0).optional(),
      groups: z.boolean().default(false),
      accepts: z.array(z.enum(["ipynb", "md", "pdf"])).min(1).default(["ipynb"]),
      late: late.optional(),
      limits: limits.default({}),
      extensions: z.record(z.string(), LOCAL_TIME).default({}),
    }),
  ).default({}),
});

/**
 * Reads a course file.
 *
 * @param text YAML; unknown keys are refused.
 * @returns The settings.
 * @throws {SyntaxError} If it is not YAML, or a setting is unknown, missing or wrong; each is named.
 */
export function parseCourseSettings(text: string): CourseSettings {
  const refuse = (why: string, cause?: unknown) =>
    new SyntaxError(`Cannot read the course file: ${why}`, { cause });
  let value: unknown;
  try {
    // YAML's core schema has no dates: their time zone would be UTC, not the course's.
    value = parse(text, { schema: "core" }) ?? {};
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error), error);
  }
  const read = SETTINGS.safeParse(value);
  if (!read.success) {
    throw refuse(
      read.error.issues.map(({ path, message }) =>
        path.length === 0 ? message : `${path.join(".")}: ${message}`
      ).join("; "),
    );
  }
  const { name, timeZone, assignments, ...course } = read.data;
  const time = (local: string, where: string): Date => {
    try {
      const zoned = Temporal.PlainDateTime.from(local.replace(" ", "T")).toZonedDateTime(timeZone);
      return new Date(zoned.epochMilliseconds);
    } catch (error) {
      throw refuse(`${where}: "${local}" does not exist in the zone "${timeZone}"`, error);
    }
  };
  try {
    new Intl.DateTimeFormat("en", { timeZone });
  } catch (error) {
    throw refuse(`timeZone: "${timeZone}" is not a time zone`, error);
  }
  return {
    name,
    timeZone,
    defaults: { late: course.late, limits: { ...GRADE_LIMITS, ...course.limits } },
    assignments: new Map(
      Object.entries(assignments).map(([id, { due, points, extensions, ...one }]) => [id, {
        ...due !== undefined && { due: time(due, `assignments.${id}.due`) },
        ...points !== undefined && { points },
        groups: one.groups,
        accepts: one.accepts,
        late: one.late ?? course.late,
        limits: { ...GRADE_LIMITS, ...course.limits, ...one.limits },
        extensions: new Map(
          Object.entries(extensions).map((
            [who, until],
          ) => [who, time(until, `assignments.${id}.extensions.${who}`)]),
        ),
      }]),
    ),
  };
}

/**
 * Opens a course folder.
 *
 * @param folder The folder, with `course.yaml` and `roster.csv`; without a course file, the defaults hold.
 * @returns The course.
 * @throws {SyntaxError} If the course file or the roster cannot be read, or an extension is for nobody on the roster.
 *
 * @example
 * ```ts
 * import { initCourse, openCourse } from "tunebook/grade";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * await initCourse(folder);
 * await Deno.writeTextFile(
 *   `${folder}/course.yaml`,
 *   `timeZone: Europe/Berlin
 * assignments: { week1: { due: "2026-10-01 23:59" } }`,
 * );
 * const { settings } = await openCourse(folder);
 * assertEquals(settings.assignments.get("week1")?.due, new Date("2026-10-01T21:59:00Z"));
 * ```
 */
export async function openCourse(folder: string): Promise<Course> {
  if (!(await Deno.stat(folder)).isDirectory) {
    throw new Deno.errors.NotADirectory(`Cannot open the course "${folder}": it is not a folder`);
  }
  const settings = parseCourseSettings(await readIfThere(join(folder, "course.yaml")) ?? "");
  const roster = parseRoster(await readIfThere(join(folder, "roster.csv")) ?? "id\n");
  const known = new Set(
    roster.flatMap(({ id, group }) => group === undefined ? [id] : [id, group]),
  );
  for (const [id, { extensions }] of settings.assignments) {
    for (const who of extensions.keys()) {
      if (!known.has(who)) {
        throw new SyntaxError(
          `Cannot open the course: assignments.${id}.extensions names "${who}", who is not on the roster`,
        );
      }
    }
  }
  return { root: folder, settings, roster };
}

/**
 * Makes a course folder. Of a course that nbgrader has kept there, students, assignments, due dates and extensions are
 * taken over.
 *
 * @param folder The folder; files that are there stay as they are.
 * @returns The course.
 * @throws {Error} If nbgrader's gradebook cannot be read.
 *
 * @example
 * ```ts
 * import { initCourse } from "tunebook/grade";
 * import { assertEquals } from "@std/assert";
 *
 * const { roster } = await initCourse(await Deno.makeTempDir());
 * assertEquals(roster, []);
 * ```
 */
export async function initCourse(folder: string): Promise<Course> {
  for (const step of STEPS) await Deno.mkdir(join(folder, step), { recursive: true });
  const known = await readNbgraderCourse(folder);
  const files = {
    "course.yaml": courseFile(known),
    "roster.csv": formatRoster(known.students),
  };
  for (const [name, text] of Object.entries(files)) {
    try {
      await Deno.writeTextFile(join(folder, name), text, { createNew: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
  return await openCourse(folder);
}

/**
 * What the course file says of an assignment.
 *
 * @param course The course.
 * @param assignment The assignment's id.
 * @returns Its settings; the defaults if the course file does not name it.
 */
export function assignmentSettings(course: Course, assignment: string): AssignmentSettings {
  return course.settings.assignments.get(assignment) ?? {
    groups: false,
    accepts: ["ipynb"],
    ...course.settings.defaults,
    extensions: new Map(),
  };
}

/**
 * The folder of an assignment at a step.
 *
 * @param course The course.
 * @param step The step.
 * @param assignment The assignment's id.
 * @param student The student's id; none for source, and for a release that is the same for all.
 * @returns The path `{step}/{student}/{assignment}`.
 * @throws {RangeError} If an id cannot name a folder, or a student is named where there is none or left out.
 */
export function assignmentFolder(
  course: Course,
  step: Step,
  assignment: string,
  student?: string,
): string {
  const isShared = step === "source", isBoth = step === "release";
  if (!isBoth && isShared !== (student === undefined)) {
    throw new RangeError(
      `The step "${step}" is ${isShared ? "the same for all students" : "kept for each student"}`,
    );
  }
  for (const id of student === undefined ? [assignment] : [student, assignment]) {
    if (!FOLDER_NAME.test(id)) {
      throw new RangeError(`The id ${JSON.stringify(id)} cannot name a folder`);
    }
  }
  return join(course.root, step, student ?? ".", assignment);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** A new course file. */
function courseFile({ name = "Course", assignments }: NbgraderCourseFacts): string {
  const time = (date: Date) => date.toISOString().slice(0, 19).replace("T", " ");
  const entries = assignments.map(({ id, due, extensions }) => [id, {
    ...due !== undefined && { due: time(due) },
    ...extensions.size > 0 && {
      extensions: Object.fromEntries([...extensions].map(([who, until]) => [who, time(until)])),
    },
  }]);
  return `# The course. Times are in its time zone.
${stringify({ name, timeZone: "UTC" })}late: { penaltyPerDay: 0 }
${stringify({ assignments: Object.fromEntries(entries) })}#  week1:
#    due: "2026-10-01 23:59"
#    accepts: [ipynb]
#    extensions: { ada: "2026-10-08 23:59" }
`;
}
