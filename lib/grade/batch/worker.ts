/**
 * A process that grades one submission after the other, so that what one does to its grader costs no other one. Jobs come
 * as lines of JSON on standard input, and replies go to standard output; it ends when its input does.
 *
 * @module
 */

import { TextLineStream } from "@std/streams/text-line-stream";
import { type Course, openCourse } from "../course.ts";
import { type FolderOptions, type FolderRules, gradeFolder } from "./grade_folder.ts";
import { type Grader, openGrader } from "../grader.ts";
import type { GradingResult } from "./result.ts";

/** One submission to grade. */
export interface GradingJob {
  readonly root: string;
  readonly assignment: string;
  readonly student: string;
  readonly options: Omit<FolderOptions, "signal">;
  readonly rules: FolderRules;
}

/** The result, or why there is none. */
export type GradingReply =
  | { readonly result: GradingResult; readonly timedOut: boolean }
  | { readonly error: string };

/** Grades what comes in. */
async function serve(): Promise<void> {
  // Ctrl-C reaches this process too: the parent decides what it means.
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGINT", () => {});
  const output = Deno.stdout.writable.getWriter();
  const ended = new AbortController();
  let course: Promise<Course> | undefined;
  const graders = new Map<string, Promise<Grader>>();
  const grade = async (job: GradingJob): Promise<GradingReply> => {
    try {
      const opened = await (course ??= openCourse(job.root));
      const grader = await graders.getOrInsertComputed(
        job.assignment,
        () => openGrader(opened, job.assignment),
      );
      const options = { ...job.options, signal: ended.signal };
      return await gradeFolder(opened, grader, job.student, options, job.rules);
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) };
    }
  };
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream())
    .pipeThrough<string>(new TextLineStream());
  const working: Promise<void>[] = [];
  for await (const line of lines) {
    working.push(
      grade(JSON.parse(line)).then((reply) =>
        output.write(new TextEncoder().encode(`${JSON.stringify(reply)}\n`))
      ),
    );
  }
  // The parent has ended, or wants no more.
  ended.abort(new Error("The grader has ended"));
  await Promise.allSettled(working);
  Deno.exit();
}

if (import.meta.main) await serve();
