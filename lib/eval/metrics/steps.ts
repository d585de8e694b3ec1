/**
 * Answers that are instructions: their steps, and which step of one answers to which of another.
 *
 * @module
 */
import { rougeWords } from "../rouge.ts";
import { heaviestAssignment } from "./assignment.ts";
import { countNgrams, fMeasure, sharedCount } from "./words.ts";

/** A step is the same as another from this likeness on: half of their words, by the F-measure of stems. */
export const STEP_THRESHOLD = 0.5;

/** The beginning of a step's line: `1.`, `1)`, `(1)`, `Step 1:`, a bullet. */
const MARKER = /^\s*(?:(?:step\s*)?\(?(\d{1,3})[.):]|[-*•])\s+/i;

/** A line that stands in the list. */
export interface ListLine {
  /** Its number; undefined for a bullet. */
  readonly number: number | undefined;
  /** What is behind the number. */
  readonly text: string;
}

/**
 * Reads a line as an item of a list.
 *
 * @param line The line.
 * @returns Its number and text; undefined where it is not one.
 */
export function readListLine(line: string): ListLine | undefined {
  const match = MARKER.exec(line);
  if (match === null) return undefined;
  return {
    number: match[1] === undefined ? undefined : Number(match[1]),
    text: line.slice(match[0].length).trim(),
  };
}

/**
 * Finds the steps of an answer. In a list they are its items, with the lines below that belong to them, and without an
 * introduction; in other texts every sentence is a step.
 *
 * @param text The answer.
 * @returns The steps' texts, in order, without numbers.
 */
export function parseSteps(text: string): string[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const steps: string[] = [];
  for (const line of lines) {
    const item = readListLine(line);
    if (item !== undefined) steps.push(item.text);
    else if (steps.length > 0) steps.push(`${steps.pop()} ${line.trim()}`);
  }
  if (steps.length > 0) return steps;
  return lines.flatMap((line) => line.split(/(?<=[.!?])\s+/)).map((sentence) => sentence.trim())
    .filter((sentence) => rougeWords(sentence).length > 0);
}

/** Which step answers to which. */
export interface StepAlignment {
  /** The steps of the reference answer. */
  readonly expected: readonly string[];
  /** The steps of the response. */
  readonly got: readonly string[];
  /** Pairs of places, in the order of `expected`; each step is in one pair. */
  readonly pairs: readonly (readonly [expected: number, got: number])[];
}

/**
 * Aligns the steps of a response with those of its reference, one to one, such that the likeness of all pairs together is
 * greatest. Steps that are less alike than {@linkcode STEP_THRESHOLD} are not paired.
 *
 * @param reference The correct answer.
 * @param response The answer to compare.
 * @returns Steps and pairs.
 */
export function alignSteps(reference: string, response: string): StepAlignment {
  const [expected, got] = [parseSteps(reference), parseSteps(response)];
  const [a, b] = [expected, got].map((steps) => steps.map(countWords));
  const weights = a.map((one) =>
    b.map((other) => {
      const weight = likeness(one, other);
      return weight >= STEP_THRESHOLD ? weight : 0;
    })
  );
  const pairs = heaviestAssignment(weights).filter(([i, j]) => weights[i][j] > 0);
  return { expected, got, pairs };
}

const countWords = (step: string) => countNgrams(rougeWords(step), 1);

/** The F-measure of the stems that two steps share. */
function likeness(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): number {
  const size = (counts: ReadonlyMap<string, number>) =>
    counts.values().reduce((sum, count) => sum + count, 0);
  const shared = sharedCount(a, b);
  return shared === 0 ? 0 : fMeasure(shared / size(b), shared / size(a));
}
