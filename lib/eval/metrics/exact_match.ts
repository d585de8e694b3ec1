/**
 * Exact match: the fraction of responses that equal their reference, white space at the ends aside.
 *
 * @module
 */
import { meanOf, type Metric } from "./metric.ts";
import { splitWords } from "./words.ts";

/**
 * Whether a response equals its reference, except for white space at the ends.
 *
 * @param reference The correct text.
 * @param response The text to compare.
 * @returns Whether they are equal.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { exactMatch } from "tunebook/eval";
 *
 * assertEquals(exactMatch("Foxes.", "Foxes."), true);
 * ```
 */
export function exactMatch(reference: string, response: string): boolean {
  return reference.trim() === response.trim();
}

/** The row in the table of metrics. */
export const exactMatchMetric: Metric = {
  name: "exactMatch",
  label: "exact match",
  summary: "the fraction of answers that equal the reference; exactMatch:squad as SQuAD compares",
  top: 1,
  variants: ["trimmed", "squad"],
  prepare: (variant) =>
    variant === "squad"
      ? meanOf(
        "metric:exactMatch|nrefs:1|normalized:squad",
        (reference, response) => Number(squadText(reference) === squadText(response)),
      )
      : meanOf(
        "metric:exactMatch|nrefs:1|normalized:trim",
        (reference, response) => Number(exactMatch(reference, response)),
      ),
};

/**
 * A text as SQuAD's evaluation compares it: in lower case, without ASCII punctuation, articles and surplus white space.
 *
 * @param text Any text.
 * @returns What is compared.
 */
export function squadText(text: string): string {
  const plain = text.toLowerCase().replace(/[!-/:-@[-`{-~]/g, "")
    .replace(/(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu, " ");
  return splitWords(plain).join(" ");
}
