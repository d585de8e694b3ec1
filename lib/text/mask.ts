/**
 * What is masked and why: which of an example's tokens the loss counts.
 *
 * A model learns from a token by having to predict it. Predicting the instruction teaches it to ask;
 * predicting the response, and the closing token after it, teaches it to answer and to stop.
 */

import type { AnswerSpan } from "./chat.ts";

/**
 * Which tokens count as targets:
 *
 * - `"none"`: every real token but the first, which nothing precedes;
 * - `"instruction"`: the response marker, the response and the closing token. It counts from the blank
 *   line before "### Response:" on, as the published exercise solution (7.2 of Raschka's book) does:
 *   its cut lies at the length of the prompt without the marker, encoded alone;
 * - `"prompt"`: the response and the closing token only.
 *
 * In a conversation `"prompt"` counts every answer of the assistant with its closing token, and
 * `"instruction"` also the words that ask for it, such as `<|im_start|>assistant`.
 */
export type Mask = "none" | "instruction" | "prompt";

/** The masks by name. */
export const MASKS: readonly Mask[] = ["none", "instruction", "prompt"];

/**
 * Reads a mask's name.
 *
 * @param name A name from outside, such as the command line.
 * @returns The mask.
 * @throws {RangeError} If there is no such mask.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
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

/** The lengths, in tokens, that a mask's line is drawn by. */
export interface MaskedLengths {
  /** The prompt's tokens, up to and including the response marker. */
  promptIds: readonly number[];
  /** How many tokens the prompt without its marker has, encoded alone. */
  instructionLength: number;
}

/** What a mask counts by: an example's lengths, and where answers stand if there are several. */
export interface MaskedExample extends MaskedLengths {
  /** The response and the closing token. */
  responseIds: readonly number[];
  /** Where an assistant's answers stand among the joined tokens; without it all of `responseIds` is one. */
  answers?: readonly AnswerSpan[];
}

/**
 * Which tokens count.
 *
 * @param example The example.
 * @param mask Which tokens count.
 * @returns Ranges of the tokens of prompt and response joined, each its first index and one past its
 * last, in order, none empty, none with the first token, which nothing predicts.
 */
export function countedRanges(example: MaskedExample, mask: Mask): [start: number, end: number][] {
  const length = example.promptIds.length + example.responseIds.length;
  const ranges: [number, number][] = example.answers === undefined || mask === "none"
    ? [[firstCounted(example, mask), length]]
    : example.answers.map((answer) => [
      Math.max(1, mask === "instruction" ? answer.marker : answer.start),
      answer.end,
    ]);
  return ranges.filter(([start, end]) => start < end);
}

/**
 * Where counting begins.
 *
 * @param example The example's prompt.
 * @param mask Which tokens count.
 * @returns The index, among the tokens of prompt and response joined, of the first that counts as a
 * target; at least 1, since no token predicts the first.
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
