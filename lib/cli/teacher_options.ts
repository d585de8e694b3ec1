// The options of a model that writes texts for a data set.

import { Option } from "commander";
import type { Teacher } from "../dataset/mod.ts";
import { parseTeacher } from "../eval/judges/teacher.ts";
import { readCount, readRate } from "./arguments.ts";

/** The values of {@linkcode teacherOptions}. */
export interface TeacherOptions {
  teacher?: string;
  teacherUrl?: string;
  teacherCache?: string;
  temperature: number;
  numCtx: number;
}

/**
 * The options.
 *
 * @param temperature The temperature by default.
 * @returns The options, in order of the help.
 */
export function teacherOptions(temperature: number): Option[] {
  return [
    new Option(
      "--teacher <name>",
      'the model to ask: "ollama:MODEL", at OLLAMA_HOST or on this machine, or "openai:MODEL" at OPENAI_BASE_URL',
    ),
    new Option(
      "--teacher-url <url>",
      "the endpoint of an openai: model, instead of OPENAI_BASE_URL",
    ),
    new Option(
      "--teacher-cache <folder>",
      "keep its replies there, and do not ask again; an interrupted run continues from them",
    ),
    new Option("--temperature <t>", "its temperature").argParser(readRate).default(temperature),
    new Option("--num-ctx <tokens>", "the most tokens of prompt and reply").argParser(readCount)
      .default(4096),
  ];
}

/**
 * Makes the teacher.
 *
 * @param options The values.
 * @param what What it is needed for, after "Cannot".
 * @returns The teacher.
 * @throws {TypeError} If none is named.
 */
export function readTeacher(options: TeacherOptions, what: string): Teacher {
  const { teacher, teacherUrl: url, teacherCache: cache, temperature, numCtx } = options;
  if (teacher === undefined) {
    throw new TypeError(`Cannot ${what} without a model to ask: give --teacher ollama:MODEL`);
  }
  return parseTeacher(teacher, {
    ...{ temperature, numCtx },
    ...(url !== undefined && { url }),
    ...(cache !== undefined && { cache }),
  });
}
