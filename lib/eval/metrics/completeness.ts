/**
 * Completeness of instructions, by a rubric and never by a count of steps. The score is the product of
 *
 * - **coverage**: the fraction of the reference answer's steps that the response has, aligned one to one as for step accuracy;
 * - **order**: the longest run of these steps that are in the same order there, as a fraction of them, because a step that
 *   comes before what it depends on does not work;
 * - **coherence**: the fraction of the response's steps that do not repeat an earlier one.
 *
 * A last step that stops in the middle, in an answer whose reference ends with a full stop, is not counted as done. Whether a
 * step that the reference lacks makes sense, no count of words can tell: a judge's rubric asks that.
 *
 * @module
 */
import { meanOf, type Metric } from "./metric.ts";
import { alignSteps, STEP_THRESHOLD } from "./steps.ts";
import { rougeWords } from "../rouge.ts";

/** The row in the table of metrics. */
export const completeness: Metric = {
  name: "completeness",
  label: "completeness",
  summary: "the reference's steps that are there, in order, unrepeated and finished, from 0 to 1",
  top: 1,
  variants: ["rubric"],
  prepare: () =>
    meanOf(
      `metric:completeness|nrefs:1|rubric:coverage*order*coherence|threshold:${STEP_THRESHOLD}|version:1`,
      completenessOf,
    ),
};

function completenessOf(reference: string, response: string): number {
  const { expected, got, pairs } = alignSteps(reference, response);
  if (expected.length === 0 || got.length === 0) return Number(expected.length === got.length);
  const cut = endsSentence(reference) && !endsSentence(response);
  const done = pairs.filter(([, place]) => !(cut && place === got.length - 1));
  if (done.length === 0) return 0;
  const order = longestIncreasing(done.map(([, place]) => place)) / done.length;
  const distinct = new Set(got.map((step) => rougeWords(step).join(" "))).size;
  return (done.length / expected.length) * order * (distinct / got.length);
}

const endsSentence = (text: string) => /[.!?…][)\]"'”’]*\s*$/.test(text);

/** The length of the longest increasing subsequence. */
function longestIncreasing(places: readonly number[]): number {
  /** The least last place of a subsequence of each length. */
  const ends: number[] = [];
  for (const place of places) {
    const at = ends.findIndex((end) => end >= place);
    ends[at < 0 ? ends.length : at] = place;
  }
  return ends.length;
}
