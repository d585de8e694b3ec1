// A course into which tests collect.

import { dirname, join } from "@std/path";
import { type CollectOptions, collectSubmissions } from "../../lib/grade/collect.ts";
import { type Course, initCourse, openCourse } from "../../lib/grade/course.ts";
import { releaseNotebook } from "../../lib/grade/release.ts";
import { formatNotebook } from "../../lib/runtime/notebook.ts";
import { answer, book, test, written } from "./book.ts";

const RELEASE = releaseNotebook(book(
  ["code", "const f = 1;", answer("f")],
  ["code", "f;", test("test_f", 3)],
  ["markdown", "Why?", written("why")],
)).notebook;

/** A notebook that was handed in. */
export function notebook(text: string): string {
  const copy = structuredClone(RELEASE);
  copy.cells[0]!.source = text;
  return formatNotebook(copy);
}

/** A course beside a folder for sources; disposing of it removes both. */
export interface Place extends AsyncDisposable {
  readonly course: Course;
  /** A folder for sources, beside the course. */
  readonly sources: string;
}

const SETTINGS = `assignments:
  week1: { due: "2026-10-01 12:00", accepts: [ipynb, md, pdf], late: { penaltyPerDay: 0.1, maxDays: 2 } }
  team: { groups: true }
`;
const ROSTER = `id,first_name,last_name,email,lms_user_id,group
ada,Ada,Lovelace,,1234,blue
bob,Bob,Ångström-O'Hara,,1235,blue
cho,Cho,Lee,cho@example.org,,red
lee,Lee,Cho,,,red
eve,Eve,Adams,,1239,
`;

/** Makes a course with students, and two assignments that are released. */
export async function makePlace(): Promise<Place> {
  const root = await Deno.makeTempDir({ prefix: "tunebook-collect-" });
  const folder = join(root, "course");
  await Deno.mkdir(folder);
  await initCourse(folder);
  await Deno.writeTextFile(join(folder, "course.yaml"), SETTINGS);
  await Deno.writeTextFile(join(folder, "roster.csv"), ROSTER);
  for (const id of ["week1", "team"]) {
    await Deno.mkdir(join(folder, "release", id));
    await Deno.writeTextFile(join(folder, "release", id, `${id}.ipynb`), formatNotebook(RELEASE));
    await Deno.writeTextFile(join(folder, "release", id, "data.csv"), "1,2\n");
  }
  return {
    course: await openCourse(folder),
    sources: join(root, "sources"),
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

/** Writes files by their paths, or a zip where the path says so. */
export async function lay(
  folder: string,
  files: Record<string, string | Uint8Array>,
): Promise<string> {
  for (const [path, data] of Object.entries(files)) {
    const full = join(folder, path);
    await Deno.mkdir(dirname(full), { recursive: true });
    if (typeof data === "string") await Deno.writeTextFile(full, data);
    else await Deno.writeFile(full, data);
  }
  return folder;
}

/** The files of a folder with their contents; of notebooks, the first cell. */
export async function tree(folder: string, within = ""): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const entries = await Array.fromAsync(Deno.readDir(join(folder, within))).catch(() => []);
  for (const { name, isDirectory } of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
    const path = within === "" ? name : `${within}/${name}`;
    if (isDirectory) Object.assign(found, await tree(folder, path));
    else {
      const text = await Deno.readTextFile(join(folder, path));
      found[path] = path.endsWith(".ipynb") && text.startsWith("{")
        ? [JSON.parse(text).cells[0].source].flat().join("")
        : text.trim();
    }
  }
  return found;
}

/** The files of all submissions. */
export const submitted = ({ course }: Place) => tree(join(course.root, "submitted"));

/** Collects, and says what counts and what was found. */
export async function collect(
  place: Place,
  source: string,
  options?: CollectOptions,
  assignment = "week1",
) {
  const result = await collectSubmissions(place.course, assignment, source, options);
  return {
    layout: result.layout,
    attempts: result.attempts.map(({ student, attempt, isNew, counts }) =>
      `${student} ${attempt}${isNew ? " new" : ""}${counts ? " counts" : ""}`
    ),
    findings: result.findings.map(({ path, message }) => `${path} ${message}`),
    missing: result.missing,
  };
}
