/**
 * Made-up submissions of a made-up class, in folders as nbgrader's exchange has them:
 * `deno run -A tests/grade/submissions/made_up_class.ts COURSE ASSIGNMENT FOLDER`, after the assignment's release.
 */

import { join } from "@std/path";
import { readNotebook, writeNotebook } from "../../../lib/runtime/mod.ts";
import { handIn, type Quality, type Submission } from "./submission.ts";

/** The students, the quality of their work, and its time. */
const CLASS: readonly (readonly [student: string, quality: Quality, time: string])[] = [
  ["ada", "good", "2026-10-05 18:20:00 UTC"],
  ["ben", "fair", "2026-10-05 21:02:00 UTC"],
  ["chloe", "poor", "2026-10-04 11:15:00 UTC"],
  ["dev", "good", "2026-10-06 09:30:00 UTC"],
  ["emil", "fair", "2026-10-05 16:45:00 UTC"],
  ["fay", "good", "2026-10-03 08:00:00 UTC"],
];

if (import.meta.main) {
  const [course, assignment, folder] = Deno.args;
  if (course === undefined || assignment === undefined || folder === undefined) {
    console.error("Expected three arguments: the course folder, an assignment, where to hand in");
    Deno.exit(1);
  }
  const file = `${assignment}.ipynb`;
  const released = await readNotebook(join(course, "release", assignment, file));
  const { submissions } = await import(`./${assignment}.ts`) as {
    submissions: Record<Quality, Submission>;
  };
  for (const [student, quality, time] of CLASS) {
    const place = join(folder, `${student}+${assignment}+${time}`);
    await Deno.mkdir(place, { recursive: true });
    await writeNotebook(join(place, file), handIn(released, submissions[quality].answers));
  }
}
