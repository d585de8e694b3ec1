// Exercises of the course, and their checks: shape first, then values, then the name of the likely
// mistake.

import { escapeHtml, sansSerif } from "../show/theme.ts";
import { View } from "../show/view.ts";
import { nameCommonMistake } from "./common_mistakes.ts";
import { compareAnswers } from "./compare.ts";

/** A task to program or to work out. */
export interface Exercise<Input extends readonly unknown[], Result> {
  /** The title, such as `"2.1 Shift the targets"`. */
  readonly title: string;
  /** The arguments of each call of an answer; `[[]]` if the answer is a value. */
  readonly inputs: readonly Input[];
  /** The solution, independent of the library's own code. An answer that is this function is refused. */
  readonly solution: (...input: Input) => Result | Promise<Result>;
  /** Common mistakes, by a sentence that names each: `"The targets are not shifted"`. */
  readonly mistakes?: Readonly<Record<string, (...input: Input) => unknown>>;
  /** Names the mistake in the results of a wrong answer that none of `mistakes` gives, if it can. */
  readonly diagnose?: (results: readonly unknown[]) => string | undefined;
  /** A nudge, never the formula: shown after a wrong answer whose mistake has no name, here or among those of every exercise. */
  readonly hint: string;
  /** How far numbers may differ, relative to `max(1, |expected|)`. 1e-4 by default. */
  readonly tolerance?: number;
}

/** The verdict on an answer. */
export type AnswerVerdict =
  | { readonly status: "right" }
  | { readonly status: "missing" }
  /** The exercise's own solution was handed in. */
  | { readonly status: "solution" }
  | {
    readonly status: "wrong";
    /** What differs. */
    readonly message: string;
    /** The share of right calls, with the share of equal values for wrong ones, from 0 to 1. */
    readonly correct: number;
    /** The mistake by name, if it is known. */
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
  if (answer === solution || usesSolution(answer)) return { status: "solution" };
  const outcomes: Outcome[] = [];
  for (const input of inputs) outcomes.push(await call(answer, input));
  if (outcomes.every((outcome) => "result" in outcome && outcome.result === undefined)) {
    return isStub(answer) ? { status: "missing" } : NOTHING_RETURNED;
  }
  let wrong: string | undefined;
  let correct = 0;
  const right: unknown[] = [];
  for (const [i, input] of inputs.entries()) {
    const outcome = outcomes[i];
    right.push(await solution(...copyOf(input)));
    if ("error" in outcome) {
      wrong ??= `${describe(input)}it throws ${outcome.error}`;
      continue;
    }
    const difference = compareAnswers(outcome.result, right[i], tolerance);
    correct += (difference?.correct ?? 1) / inputs.length;
    // A value is the whole answer: what is expected in its place would give it away.
    wrong ??= difference && describe(input) +
        (input.length === 0 ? difference.actual : difference.message);
  }
  if (wrong === undefined) return { status: "right" };
  const results = outcomes.map((outcome) => "result" in outcome ? outcome.result : undefined);
  const throws = outcomes.some((outcome) => "error" in outcome);
  const mistake = await nameMistake(mistakes, inputs, outcomes, tolerance) ??
    exercise.diagnose?.(results) ??
    (throws || typeof answer !== "function" ? undefined : nameCommonMistake(
      results,
      right,
      (a, b) => compareAnswers(a, b, tolerance) === undefined,
    ));
  return { status: "wrong", message: wrong, correct, ...(mistake !== undefined && { mistake }) };
}

/** What a call of an answer gives. */
type Outcome = { readonly result: unknown } | { readonly error: string };

const NOTHING_RETURNED: AnswerVerdict = {
  status: "wrong",
  message: "the function returns nothing",
  correct: 0,
  mistake: "The result is not returned: inside braces a function needs `return`",
};

async function call(answer: unknown, input: readonly unknown[]): Promise<Outcome> {
  try {
    return { result: typeof answer === "function" ? await answer(...copyOf(input)) : answer };
  } catch (error) {
    return { error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
}

/** The mistake that gives exactly these outcomes: equal results, or an error where the answer throws. */
async function nameMistake(
  mistakes: Readonly<Record<string, unknown>>,
  inputs: readonly (readonly unknown[])[],
  outcomes: readonly Outcome[],
  tolerance?: number,
): Promise<string | undefined> {
  for (const [mistake, respond] of Object.entries(mistakes)) {
    const same = await Promise.all(inputs.map(async (input, i) => {
      const [got, expected] = [outcomes[i], await call(respond, input)];
      if ("error" in got || "error" in expected) return "error" in got && "error" in expected;
      return compareAnswers(got.result, expected.result, tolerance) === undefined;
    }));
    if (same.every(Boolean)) return mistake;
  }
}

/** Whether a function only hands its arguments to an exercise's solution. */
const usesSolution = (answer: unknown) =>
  typeof answer === "function" && /\.solution\s*\(/.test(String(answer));

/** Whether nothing has been written yet: no answer, or a function without a body but for `return undefined`. */
function isStub(answer: unknown): boolean {
  if (typeof answer !== "function") return true;
  const code = String(answer).replace(/\/\*[^]*?\*\/|\/\/.*/g, "").trim();
  return /(?:=>\s*undefined|\{\s*(?:return\s+undefined\s*(?:as [^;]*)?;?)?\s*\})$/.test(code);
}

/**
 * Checks an answer and shows the verdict.
 *
 * @param exercise The exercise.
 * @param answer The learner's answer: a function, or a value if the exercise has no inputs.
 * @returns A view whose text begins with `Right`, `Not yet`, `Not quite` or `Not yours`.
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
  if (verdict.status === "missing") return told(exercise.title, "Not yet", []);
  if (verdict.status === "solution") {
    return told(exercise.title, "Not yours", [[
      "Handed in",
      "this is the exercise's own solution, which is always right; write the function yourself",
    ]]);
  }
  const percent = (100 * verdict.correct).toFixed(1).replace(/\.0$/, "");
  return told(exercise.title, "Not quite", [
    ...(verdict.correct > 0 ? [["How much is right", `${percent} %`]] : []),
    ["First difference", verdict.message],
    verdict.mistake ? ["Likely mistake", verdict.mistake] : ["Hint", exercise.hint],
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
    typeof value === "function" ? String(value).replace(/\s+/g, " ") : JSON.stringify(
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
