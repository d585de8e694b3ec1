// Exercises of the course, and their checks: shape first, then values, then the name of the likely
// mistake.

import { escapeHtml, sansSerif } from "../show/theme.ts";
import { View } from "../show/view.ts";
import { compareAnswers } from "./compare.ts";

/** A task to program or to work out. */
export interface Exercise<Input extends readonly unknown[], Result> {
  /** The title, such as `"2.1 Shift the targets"`. */
  readonly title: string;
  /** The arguments of each call of an answer; `[[]]` if the answer is a value. */
  readonly inputs: readonly Input[];
  /** The solution, independent of the library's own code. */
  readonly solution: (...input: Input) => Result | Promise<Result>;
  /** Common mistakes, by a sentence that names each: `"The targets are not shifted"`. */
  readonly mistakes?: Readonly<Record<string, (...input: Input) => unknown>>;
  /** Shown after a wrong answer. */
  readonly hint: string;
  /** How far numbers may differ, relative to `max(1, |expected|)`. 1e-4 by default. */
  readonly tolerance?: number;
}

/** The verdict on an answer. */
export type AnswerVerdict =
  | { readonly status: "right" }
  | { readonly status: "missing" }
  | {
    readonly status: "wrong";
    /** What differs. */
    readonly message: string;
    /** The share of right calls, with the share of equal values for wrong ones, from 0 to 1. */
    readonly correct: number;
    /** The common mistake that gives exactly this answer, if there is one. */
    readonly mistake?: string;
  };

/**
 * An answer: a function of the exercise's inputs, or a value if there are none; undefined if it is
 * missing.
 */
export type Answer<Input extends readonly unknown[], Result> =
  | ((...input: Input) => Result | undefined | Promise<Result | undefined>)
  | Result
  | undefined;

/**
 * Declares an exercise, so that TypeScript infers the types of its inputs and its result.
 *
 * @param definition Its parts.
 * @returns The same.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { check, exercise } from "tunebook/course";
 *
 * const double = exercise({
 *   title: "Twice",
 *   inputs: [[2], [3]],
 *   solution: (x: number) => 2 * x,
 *   hint: "Add it to itself.",
 * });
 * assertEquals((await check(double, (x) => x + x)).text.startsWith("Right"), true);
 * ```
 */
export function exercise<Input extends readonly unknown[], Result>(
  definition: Exercise<Input, Result>,
): Exercise<Input, Result> {
  return definition;
}

/**
 * Judges an answer.
 *
 * @param exercise The exercise.
 * @param answer The learner's answer. It gets copies of the inputs, so that changing them has no
 * effect.
 * @returns The verdict; an answer that throws is wrong, with the error as the message.
 */
export async function judgeAnswer<Input extends readonly unknown[], Result>(
  exercise: Exercise<Input, Result>,
  answer: Answer<NoInfer<Input>, NoInfer<Result>>,
): Promise<AnswerVerdict> {
  const { inputs, solution, mistakes = {}, tolerance } = exercise;
  const call = async (respond: unknown, input: Input): Promise<unknown> =>
    typeof respond === "function" ? await respond(...copyOf(input)) : respond;
  let wrong: string | undefined;
  let correct = 0;
  const results: unknown[] = [];
  for (const input of inputs) {
    let actual: unknown;
    try {
      actual = await call(answer, input);
    } catch (error) {
      const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      return { status: "wrong", message: `${describe(input)}it throws ${message}`, correct: 0 };
    }
    if (actual === undefined) return { status: "missing" };
    results.push(actual);
    const difference = compareAnswers(actual, await call(solution, input), tolerance);
    correct += (difference?.correct ?? 1) / inputs.length;
    wrong ??= difference && describe(input) + difference.message;
  }
  if (wrong === undefined) return { status: "right" };
  for (const [mistake, respond] of Object.entries(mistakes)) {
    const same = await Promise.all(inputs.map(async (input, i) => {
      try {
        return compareAnswers(results[i], await call(respond, input), tolerance) === undefined;
      } catch {
        return false;
      }
    }));
    if (same.every(Boolean)) return { status: "wrong", message: wrong, correct, mistake };
  }
  return { status: "wrong", message: wrong, correct };
}

/**
 * Checks an answer and shows the verdict.
 *
 * @param exercise The exercise.
 * @param answer The learner's answer: a function, or a value if the exercise has no inputs.
 * @returns A view whose text begins with `Right`, `Not yet` or `Not quite`.
 *
 * @example
 * ```ts
 * import { check, exercise } from "tunebook/course";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const next = exercise({
 *   title: "Shift by one",
 *   inputs: [[[1, 2, 3]], [[4, 5]]],
 *   solution: (tokens: number[]) => tokens.slice(1),
 *   mistakes: { "The targets are not shifted": (tokens: number[]) => tokens },
 *   hint: "Position i predicts token i + 1.",
 * });
 * assertStringIncludes((await check(next, (tokens) => tokens.slice(1))).text, "Right");
 * ```
 */
export async function check<Input extends readonly unknown[], Result>(
  exercise: Exercise<Input, Result>,
  answer: Answer<NoInfer<Input>, NoInfer<Result>>,
): Promise<View> {
  const verdict = await judgeAnswer(exercise, answer);
  if (verdict.status === "right") return told(exercise.title, "Right", []);
  if (verdict.status === "missing") {
    return told(exercise.title, "Not yet", []);
  }
  const percent = (100 * verdict.correct).toFixed(1).replace(/\.0$/, "");
  return told(exercise.title, "Not quite", [
    ...(verdict.correct > 0 ? [["How much is right", `${percent} %`]] : []),
    ["First difference", verdict.message],
    ...(verdict.mistake ? [["Likely mistake", verdict.mistake]] : []),
    ["Hint", exercise.hint],
  ]);
}

/** A banner with mark, verdict and explanation. Mark and words repeat what the colour says. */
function told(title: string, verdict: string, lines: readonly (readonly string[])[]): View {
  const right = verdict === "Right";
  const color = right ? "#2a9461" : lines.length > 0 ? "#d9692a" : "#8c8c8c";
  const rows = lines.map(([what, text]) =>
    `<p style="margin:4px 0 0"><b>${what}.</b> ${escapeHtml(text)}</p>`
  );
  return new View(() => ({
    "text/html":
      `<div class="tb-check" style="font-family:${
        escapeHtml(sansSerif)
      };font-size:13px;margin:6px 8px;padding:6px 12px;border-left:4px solid ${color}">` +
      `<b>${right ? "✓" : "○"} ${verdict}</b>: ${escapeHtml(title)}${rows.join("")}</div>`,
    "text/plain": [
      `${verdict}: ${title}`,
      ...lines.map(([what, text]) => `  ${what}: ${text}`),
    ].join("\n"),
  }));
}

function describe(input: readonly unknown[]): string {
  if (input.length === 0) return "";
  const text = input.map((value) =>
    JSON.stringify(
      value,
      (_, part) => ArrayBuffer.isView(part) ? Array.from(part as Uint8Array) : part,
    )
  ).join(", ");
  return `for (${text.length > 80 ? `${text.slice(0, 79)}…` : text}) `;
}

/**
 * Functions and objects with methods, such as tokenizers, cannot be copied and are passed
 * unchanged.
 */
function copyOf<Input extends readonly unknown[]>(input: Input): Input {
  return input.map((value) => {
    try {
      return structuredClone(value);
    } catch {
      return value;
    }
  }) as unknown as Input;
}
