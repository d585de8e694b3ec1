/**
 * How course systems, nbgrader and people name what was handed in: whose file it is, when it was handed in, and what it
 * is called. One layout is one row; the one that fits most files is taken for the whole source.
 *
 * @module
 */

import { parseTimestamp } from "../timestamp.ts";
import { nameKey, splitPath } from "./names.ts";
import type { Owner, People } from "./people.ts";
import type { WorksheetRow } from "./worksheet.ts";

/** What a path says of a file. */
export interface Attribution {
  /** Whose it is. */
  readonly owner: Owner;
  /** The components of the file's own path in the submission. */
  readonly file: readonly string[];
  /** When it was handed in; undefined if the path does not say. */
  readonly submitted?: Date;
  /** Whether the course system says that it came late. */
  readonly late?: boolean;
  /** Why it is not clear whose it is. */
  readonly fault?: string;
}

/** The layout of a source whose names a regular expression reads. */
export const NAMED = "named";

/** What a layout may ask. */
export interface LayoutContext {
  /** The assignment that is collected. */
  readonly assignment: string;
  readonly people: People;
  /** The course's time zone, in which course systems write times without one. */
  readonly timeZone: string;
  /** What reads a path of the layout {@linkcode NAMED}, with `/` between components. */
  readonly names?: RegExp;
  /** The students and times behind Moodle's numbers. */
  readonly worksheet?: ReadonlyMap<string, WorksheetRow>;
}

/** A layout. */
export interface Layout {
  /** What it looks like, for the help. */
  readonly example: string;
  /** Whether a `timestamp.txt` beside the files says when they were handed in. */
  readonly hasTimestamp?: boolean;
  /**
   * @param path The components of a file's path.
   * @param above The components before them.
   * @returns What they say; undefined if the path is not of this layout.
   */
  attribute(
    path: readonly string[],
    context: LayoutContext,
    above: readonly string[],
  ): Attribution | undefined;
}

/** The layouts by their names, the most telling ones first. */
export const LAYOUTS: Readonly<Record<LayoutName, Layout>> = {
  exchange: {
    example: "ada+week1+2026-10-01 12:00:00.000000 UTC/week1.ipynb",
    hasTimestamp: true,
    attribute([first = "", ...file], { assignment }) {
      const [id, name, time] = first.split("+");
      if (file.length === 0 || id === "" || name !== assignment || time === undefined) return;
      return { owner: { id }, file, ...withTime(time) };
    },
  },
  moodle: {
    example: "Ada Lovelace_1234567_assignsubmission_file/week1.ipynb",
    attribute([first = "", ...rest], { worksheet }) {
      // Moodle replaces underscores in names, so that nobody's name can end the pattern early.
      const found = /^([^_]*)_(\d+)_assignsubmission_[a-z]+(?:_(.*))?$/s.exec(first);
      if (found === null) return;
      const [, name, account, own = ""] = found;
      const file = own === "" ? rest : [own, ...rest];
      if (file.length === 0) return;
      // Moodle's number is the submission's, not the person's.
      const { id, submitted } = worksheet?.get(account!) ?? {};
      const owner = id === undefined ? { name, account } : { id, account };
      return { owner, file, ...submitted !== undefined && { submitted } };
    },
  },
  blackboard: {
    example: "week1_ada_attempt_2026-10-01-12-00-00_week1.ipynb",
    attribute([first = "", ...rest], { assignment, timeZone }) {
      const found = /^(.+?)_attempt_(\d{4}(?:-\d\d){5})(?:_(.+))?$/s.exec(first);
      if (found === null) return;
      const [, before, time, own = ""] = found;
      const id = before!.startsWith(`${assignment}_`)
        ? before!.slice(assignment.length + 1)
        : before!.slice(before!.lastIndexOf("_") + 1);
      const file = own === "" || own.startsWith(".") ? [first, ...rest] : [own, ...rest];
      return {
        owner: { id },
        file,
        ...withTime(time!, timeZone),
      };
    },
  },
  canvas: {
    example: "lovelaceada_LATE_1234_56789_week1.ipynb",
    attribute([first = "", ...rest], { people }) {
      const readings = [...canvasReadings(first)];
      if (readings.length === 0) return;
      // A student who names a file, or himself, like another student's export can be read in two ways.
      const known = readings.filter(({ owner }) => people.hasLmsId(owner.lmsId!));
      const ids = new Set(known.map(({ owner }) => owner.lmsId));
      const { owner, file, late } = known[0] ?? readings[0]!;
      return {
        owner,
        file: [file, ...rest],
        late,
        ...ids.size > 1 && { fault: `its name can be read as that of ${[...ids].join(" and ")}` },
      };
    },
  },
  repositories: {
    example: "week1-ada/week1.ipynb",
    attribute([first = "", ...file], { assignment, people }) {
      const start = `${nameKey(assignment)}-`;
      if (file.length === 0 || !nameKey(first).startsWith(start)) return;
      const id = first.slice(start.length);
      // What GitHub's "Download ZIP" appends.
      const plain = id.replace(/-(?:main|master|[0-9a-f]{40})$/, "");
      return { owner: { id: people.has(id) ? id : plain }, file };
    },
  },
  course: {
    example: "submitted/ada/week1/week1.ipynb",
    hasTimestamp: true,
    attribute([id = "", name, ...file], { assignment, people }, above) {
      const isStep = above.length === 0 || above.at(-1) === "submitted";
      if (file.length === 0 || name !== assignment || !isStep || !people.has(id)) return;
      return { owner: { id }, file };
    },
  },
  students: {
    example: "ada/week1.ipynb, ada.zip or week4_assignment_ada.md",
    attribute(path, { people }) {
      const [first = "", ...rest] = path;
      if (rest.length > 0) {
        if (people.has(first)) return { owner: { id: first }, file: rest };
        return people.hasName(first) ? { owner: { name: first }, file: rest } : undefined;
      }
      const stem = first.replace(/\.[^.]*$/, "");
      // The whole name, or what stands behind or before an underscore or hyphen.
      const parts = [stem, ...ends(stem)];
      const ids = new Set(parts.filter((part) => people.has(part)).map(nameKey));
      const fault = ids.size > 1 ? `its name holds the ids ${[...ids].join(" and ")}` : undefined;
      if (ids.size > 0) {
        const id = parts.find((part) => people.has(part));
        return { owner: { id }, file: path, ...fault !== undefined && { fault } };
      }
      const name = parts.find((part) => people.hasName(part));
      return name === undefined ? undefined : { owner: { name }, file: path };
    },
  },
  [NAMED]: {
    example: "what --names reads",
    attribute(path, { names, timeZone }) {
      const groups = names?.exec(path.join("/"))?.groups;
      if (groups === undefined) return;
      const { student_id: id, lms_user_id: lmsId, first_name = "", last_name = "" } = groups;
      const name = `${first_name} ${last_name}`.trim();
      if (id === undefined && lmsId === undefined && name === "") return;
      const owner = {
        ...id !== undefined && { id },
        ...lmsId !== undefined && { lmsId },
        ...name !== "" && { name },
      };
      const { file_id: file, timestamp } = groups;
      return {
        owner,
        file: file === undefined ? path.slice(-1) : splitPath(file).components,
        ...timestamp !== undefined && withTime(timestamp, timeZone),
      };
    },
  },
};

/** The name of a layout. */
export type LayoutName =
  | "exchange"
  | "moodle"
  | "blackboard"
  | "canvas"
  | "repositories"
  | "course"
  | "students"
  | "named";

/** How deep a source's folders may stand in folders that say nothing. */
const MAX_DEPTH = 4;

/** A layout, and how many folders stand above what it describes. */
export interface Fit {
  readonly layout: LayoutName;
  readonly depth: number;
}

/**
 * Finds the layout that fits a source.
 *
 * @param paths The paths of its files.
 * @param context The assignment and the students.
 * @param only The one layout to look at.
 * @returns The one in which most files are named; undefined if in none a file is that of a student on the roster.
 */
export function findLayout(
  paths: readonly (readonly string[])[],
  context: LayoutContext,
  only?: LayoutName,
): Fit | undefined {
  const all = Object.keys(LAYOUTS) as LayoutName[];
  const names: LayoutName[] = only === undefined ? all.filter((name) => name !== NAMED) : [only];
  let best: Fit | undefined;
  let most = 0;
  for (const layout of names) {
    for (let depth = 0; depth <= MAX_DEPTH; depth++) {
      const fit: Fit = { layout, depth };
      const named = paths.filter((path) => attribute(path, fit, context) !== undefined);
      if (named.length <= most || !named.some((path) => isSomebodys(path, fit, context))) continue;
      [best, most] = [fit, named.length];
    }
  }
  return best;
}

function isSomebodys(path: readonly string[], fit: Fit, context: LayoutContext): boolean {
  const said = attribute(path, fit, context);
  if (said === undefined || said.fault !== undefined) return false;
  try {
    context.people.find(said.owner);
    return true;
  } catch {
    return false;
  }
}

/**
 * Reads a path.
 *
 * @param path Its components.
 * @param fit The layout.
 * @param context The assignment and the students.
 * @returns What it says; undefined if it is not of this layout.
 */
export function attribute(
  path: readonly string[],
  { layout, depth }: Fit,
  context: LayoutContext,
): Attribution | undefined {
  if (path.length <= depth) return undefined;
  const row: Layout = LAYOUTS[layout];
  return row.attribute(path.slice(depth), context, path.slice(0, depth));
}

/** All ways to read `name_LATE_user_attachment_file`, where name and file may hold numbers between underscores too. */
function* canvasReadings(name: string) {
  for (const found of name.matchAll(/(?=_(\d+)_(\d+)_(.+)$)/gs)) {
    const [, lmsId, , file] = found;
    const before = name.slice(0, found.index);
    const late = before.endsWith("_LATE");
    yield {
      owner: { lmsId: lmsId!, account: lmsId!, name: late ? before.slice(0, -5) : before },
      file: file!,
      late,
    };
  }
}

/** What stands behind and before each underscore and hyphen of a name. */
function ends(stem: string): string[] {
  const at = [...stem.matchAll(/[_-]/g)].map(({ index }) => index);
  return at.flatMap((index) => [stem.slice(index + 1), stem.slice(0, index)]);
}

/** A time in nbgrader's form, or with hyphens throughout; without a zone it is in the given one. */
function withTime(text: string, timeZone?: string): { submitted?: Date } {
  const time = text.replace(/^(\d{4}-\d\d-\d\d)[-_T](\d\d)[-:](\d\d)[-:](\d\d)/, "$1 $2:$3:$4");
  try {
    const hasZone = timeZone === undefined || /\d [A-Za-z]/.test(time);
    return { submitted: parseTimestamp(hasZone ? time : `${time} ${timeZone}`) };
  } catch {
    return {};
  }
}
