/**
 * Loss masks: which of an example's tokens count in the loss, and why.
 *
 * A model learns from a token by predicting it. Predicting the instruction teaches it to ask;
 * predicting the response and its end token teaches it to answer and to stop.
 */

import type { AnswerSpan } from "./chat_turns.ts";

/**
 * Which tokens count as targets:
 *
 * - `"none"`: every real token except the first, which has no predecessor;
 * - `"instruction"`: the response marker, the response and the end token. Counting starts at the
 * blank line before "### Response:", as in the published exercise solution (7.2 of Raschka's book),
 * which masks as many tokens as the prompt without the marker has when encoded separately;
 * - `"prompt"`: only the response and the end token.
 *
 * In a conversation, `"prompt"` counts every answer of the assistant with its end token;
 * `"instruction"` also counts its generation prompt, such as `<|im_start|>assistant`. An answer with a weight counts that
 * much under every mask, and one of weight 0 not at all.
 */
export type Mask = "none" | "instruction" | "prompt";

/** The masks by name. */
export const MASKS: readonly Mask[] = ["none", "instruction", "prompt"];

/**
 * Parses a mask's name.
 *
 * @param name A name from user input, such as the command line.
 * @returns The mask.
 * @throws {RangeError} If there is no such mask.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseMask } from "tunebook";
 *
 * assertEquals(parseMask("prompt"), "prompt");
 * ```
 */
export function parseMask(name: string): Mask {
  if ((MASKS as readonly string[]).includes(name)) return name as Mask;
  throw new RangeError(
    `Cannot use the mask "${name}": masks are ${MASKS.map((mask) => `"${mask}"`).join(", ")}`,
  );
}

/** The lengths, in tokens, that decide where a mask ends. */
export interface MaskedLengths {
  /** The prompt's tokens, up to and including the response marker. */
  promptIds: readonly number[];
  /** The number of tokens of the prompt without its marker, encoded separately. */
  instructionLength: number;
}

/**
 * What a mask depends on: an example's lengths, and the positions of answers if there are several.
 */
export interface MaskedExample extends MaskedLengths {
  /** The response and the end token. */
  responseIds: readonly number[];
  /**
   * The positions of the assistant's answers in the joined tokens; by default all of `responseIds`
   * is one answer.
   */
  answers?: readonly AnswerSpan[];
}

/** Tokens that count: the first one's index, one past the last's, and the weight of each. */
export type CountedRange = [start: number, end: number, weight: number];

/**
 * Which tokens count, and how much.
 *
 * @param example The example.
 * @param mask Which tokens count.
 * @returns Ranges of the joined tokens of prompt and response, in order. None is empty, has a weight of 0, or contains the
 * first token, which nothing predicts.
 */
export function countedRanges(example: MaskedExample, mask: Mask): CountedRange[] {
  const length = example.promptIds.length + example.responseIds.length;
  const { answers = [] } = example;
  const ranges: CountedRange[] = [];
  if (example.answers === undefined) ranges.push([firstCounted(example, mask), length, 1]);
  else if (mask === "none") {
    let from = 1;
    for (const { start, end, weight = 1 } of answers) {
      if (weight === 1) continue; // part of what is around it
      ranges.push([from, start, 1], [Math.max(1, start), end, weight]);
      from = end;
    }
    ranges.push([from, length, 1]);
  } else {
    for (const { marker, start, end, weight = 1 } of answers) {
      ranges.push([Math.max(1, mask === "instruction" ? marker : start), end, weight]);
    }
  }
  return ranges.filter(([start, end, weight]) => start < end && weight > 0);
}

/**
 * The first token that counts.
 *
 * @param example The example's prompt.
 * @param mask Which tokens count.
 * @returns The index, in the joined tokens of prompt and response, of the first that counts as a
 * target; at least 1, because no token predicts the first.
 */
export function firstCounted(example: MaskedLengths, mask: Mask): number {
  switch (mask) {
    case "none":
      return 1;
    case "instruction":
      return Math.max(1, Math.min(example.instructionLength, example.promptIds.length));
    case "prompt":
      return Math.max(1, example.promptIds.length);
  }
}
