// The commands of docs/grading.md, run as they stand there, but in a folder of their own.

import { assertEquals } from "@std/assert";
import { fromFileUrl, join, relative } from "@std/path";
import { openCourse } from "../../lib/grade/course.ts";
import { Gradebook, gradebookFile } from "../../lib/grade/gradebook.ts";
import { GradebookMarks } from "../../lib/grade/serve/gradebook_marks.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));

/** The folder that the page names. */
const NAMED = "out/course";

/** A course that the page's commands have made. */
export interface Walk extends AsyncDisposable {
  readonly course: string;
  /** What the commands printed, section by section. */
  readonly printed: Readonly<Record<string, string>>;
}

/** The commands of each section, which all run in one shell. */
export async function pageCommands(): Promise<[section: string, commands: string][]> {
  const page = await Deno.readTextFile(join(ROOT, "docs/grading.md"));
  return page.split(/^## /m).slice(1).map((section) => {
    const commands = [...section.matchAll(/^```sh\n(.*?)^```/gms)].map(([, text]) => text!);
    return [section.split("\n", 1)[0]!, commands.join("")];
  });
}

/**
 * Follows the page to its end.
 *
 * @param onMarking Called where people mark, with the course's folder.
 */
export async function walk(onMarking: (course: string) => Promise<void>): Promise<Walk> {
  await Deno.mkdir(join(ROOT, "out"), { recursive: true });
  const course = await Deno.makeTempDir({ dir: join(ROOT, "out"), prefix: "course-" });
  const programs = await Deno.makeTempDir({ prefix: "tunebook-walk-" });
  const remove = async () => {
    await Deno.remove(course, { recursive: true });
    await Deno.remove(programs, { recursive: true });
  };
  const printed: Record<string, string> = {};
  try {
    await Deno.symlink(Deno.execPath(), join(programs, "deno"));
    // `deno task` keeps the folder that another task, or npx, has put there.
    const { INIT_CWD: _, ...inherited } = Deno.env.toObject();
    let cwd = ROOT;
    for (const [section, commands] of await pageCommands()) {
      if (/^\d. Mark/.test(section)) await onMarking(course);
      if (commands === "") continue;
      const line = commands.replaceAll(NAMED, relative(ROOT, course));
      const { code, stdout, stderr } = await new Deno.Command("bash", {
        args: ["-euo", "pipefail", "-c", line],
        cwd,
        env: {
          ...inherited,
          PATH: `${programs}:${inherited.PATH}`,
          NO_COLOR: "1",
          TUNEBOOK_DEVICE: "cpu",
        },
        clearEnv: true,
      }).output();
      const decoder = new TextDecoder();
      printed[section] = decoder.decode(stdout) + decoder.decode(stderr);
      assertEquals(code, 0, `${section}: ${printed[section]}`);
      if (commands.includes(`cd ${NAMED}`)) cwd = course;
    }
    return { course, printed, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Marks all written answers, each with the first item of its rubric. */
export async function markAll(folder: string): Promise<void> {
  const course = await openCourse(folder);
  using book = Gradebook.open(gradebookFile(course));
  const marks = await GradebookMarks.open(course, book);
  for (const { id, rubric, maxPoints } of await marks.questions()) {
    const [item] = rubric;
    for (const answer of await marks.answers(id)) {
      await marks.append({
        answer: answer.id,
        marker: "Kim",
        session: "test",
        edit: 1,
        points: item?.points ?? maxPoints,
        rubric: item === undefined ? [] : [item.id],
        comment: "Say why as well.",
      }, 0);
    }
  }
}
