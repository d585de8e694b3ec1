/**
 * Adherence to the form of a numbered list: the fraction of responses that are one.
 *
 * A response is a numbered list if it has at least two items, on a line each, numbered 1, 2, 3 and so on, none of them empty,
 * and nothing else; one line before the first that ends with a colon may introduce it. The reference is not looked at.
 *
 * @module
 */
import { meanOf, type Metric } from "./metric.ts";
import { readListLine } from "./steps.ts";

/** The row in the table of metrics. */
export const numberedList: Metric = {
  name: "numberedList",
  label: "numbered list",
  summary: "the fraction of answers that are lists numbered 1, 2, 3, one step per line",
  top: 1,
  variants: ["strict"],
  prepare: () =>
    meanOf(
      "metric:numberedList|nrefs:0|items:2+|introduction:1|version:1",
      (_, response) => Number(isNumberedList(response)),
    ),
};

/**
 * Whether a text is a numbered list and nothing else.
 *
 * @param text The text.
 * @returns Whether it is.
 */
export function isNumberedList(text: string): boolean {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const introduced = lines.length > 0 && readListLine(lines[0]) === undefined &&
    /:\s*$/.test(lines[0]);
  const items = lines.slice(introduced ? 1 : 0).map(readListLine);
  return items.length >= 2 && items.every((item, i) => item?.number === i + 1 && item.text !== "");
}
