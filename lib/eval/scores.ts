/** Scores against a reference answer, without a judge. */
import { assertArray } from "../kind_of.ts";
import { exactMatch } from "./metrics/exact_match.ts";
import type { ResponseEntry } from "./responses.ts";
import { rougeL } from "./rouge.ts";

/** How well responses match their references. */
export interface ResponseScores {
  /** The mean ROUGE-L F-measure over stemmed words, from 0 to 1. */
  rougeL: number;
  /** The fraction of responses that equal their reference, from 0 to 1. */
  exactMatch: number;
  /** How many responses were scored. */
  examples: number;
  /** Each response's scores, in order. */
  each: { rougeL: number; exactMatch: boolean }[];
}

/**
 * Scores responses against their references.
 *
 * @param entries Entries with a model's responses.
 * @returns Mean ROUGE-L, fraction of exact matches, and each response's own.
 * @throws {RangeError} If there are no entries.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { scoreResponses } from "tunebook";
 *
 * const entry = { instruction: "Add 1 and 2.", input: "", output: "3" };
 * const scores = scoreResponses([
 *   { ...entry, model_response: "3" },
 *   { ...entry, model_response: "12" },
 * ]);
 * assertEquals([scores.rougeL, scores.exactMatch, scores.examples], [0.5, 0.5, 2]);
 * ```
 */
export function scoreResponses(
  entries: readonly Pick<ResponseEntry, "output" | "model_response">[],
): ResponseScores {
  assertArray("score", entries, "entries with responses");
  if (entries.length === 0) throw new RangeError("Cannot score no responses");
  const each = entries.map(({ output, model_response }) => ({
    rougeL: rougeL(output, model_response).fmeasure,
    exactMatch: exactMatch(output, model_response),
  }));
  return {
    rougeL: each.reduce((sum, score) => sum + score.rougeL, 0) / each.length,
    exactMatch: each.filter((score) => score.exactMatch).length / each.length,
    examples: each.length,
    each,
  };
}
