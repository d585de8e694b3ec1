/**
 * The table of filters, and checking a text with several. To add one, write its file and its row here.
 *
 * @module
 */

import { blockList } from "./block_list.ts";
import { domain } from "./domain.ts";
import type { FilteredSide, FilterFinding, FilterKind, TextFilter } from "./filter.ts";
import { personalData } from "./personal_data.ts";

/**
 * All kinds of filters, each with what it objects to.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { FILTERS } from "tunebook/eval";
 *
 * assertEquals(FILTERS.map(({ name }) => name), ["personalData", "blockList", "domain"]);
 * ```
 */
export const FILTERS: readonly FilterKind[] = [personalData, blockList, domain];

/** A filter, and what becomes of a text in which it finds something. */
export interface FilterRule {
  /** The filter. */
  readonly filter: TextFilter;
  /** `refuse`: the text goes no further. `mask`: it does, with the mask of each finding in its place. */
  readonly action: "refuse" | "mask";
}

/** The result of {@linkcode checkText}. */
export interface CheckedText {
  /** The text with a mask in the place of every finding that is a part of it, also if it is refused: what a log may hold. */
  readonly text: string;
  /** What was found, in the order of the text. */
  readonly findings: readonly FilterFinding[];
  /** Why the text goes no further, as a sentence; undefined if it does. */
  readonly refusal?: string;
}

/**
 * Checks a prompt before a model sees it, or an answer before a person does.
 *
 * @param text The text.
 * @param side What it is; filters that do not read it are left out.
 * @param rules The filters, and what becomes of what they find.
 * @returns The text that goes further, what was found, and why it is refused, if it is.
 * @throws {RangeError} If findings should be masked that are the whole text.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { blockListFilter, checkText, personalDataFilter } from "tunebook/eval";
 *
 * const rules = [
 *   { filter: personalDataFilter(), action: "mask" },
 *   { filter: blockListFilter(["casino"]), action: "refuse" },
 * ] as const;
 * assertEquals(checkText("Write to ana@example.org", "prompt", rules).text, "Write to [EMAIL]");
 * assertEquals(
 *   checkText("Which casino is best?", "prompt", rules).refusal,
 *   'Cannot answer: the prompt has "casino", which is blocked',
 * );
 * ```
 */
export function checkText(
  text: string,
  side: FilteredSide,
  rules: readonly FilterRule[],
): CheckedText {
  const found = rules.flatMap(({ filter, action }) => {
    if (action === "mask" && !filter.masks) {
      throw new RangeError(
        `Cannot mask what the filter "${filter.name}" finds, which is the whole text: expected the action "refuse"`,
      );
    }
    if (!filter.reads.includes(side)) return [];
    return filter.find(text).map((finding) => ({ finding, action, masks: filter.masks }));
  }).sort((a, b) => a.finding.start - b.finding.start);
  const refused = found.find(({ action }) => action === "refuse")?.finding;
  const start = side === "prompt" ? "Cannot answer: the prompt" : "Cannot show the answer: it";
  return {
    text: maskFindings(text, found.filter(({ masks }) => masks).map(({ finding }) => finding)),
    findings: found.map(({ finding }) => finding),
    ...(refused && { refusal: `${start} ${refused.reason}` }),
  };
}

/** A text with masks; of findings that overlap, the first one's mask takes the place of all. */
function maskFindings(text: string, findings: readonly FilterFinding[]): string {
  let masked = "";
  let at = 0;
  for (const { start, end, mask } of findings) {
    if (start >= at) masked += text.slice(at, start) + mask;
    at = Math.max(at, end);
  }
  return masked + text.slice(at);
}
