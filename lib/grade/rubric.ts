/**
 * The rubric that an instructor writes below a model answer or in a mark scheme: a list of lines such as
 * `- 2 points: The example is valid JSON.`
 *
 * @module
 */

import type { Cell } from "../runtime/notebook.ts";
import { replaceRegions, withoutMarkers } from "./regions.ts";
import type { RubricItem } from "./serve/store.ts";

/** What a person needs to mark an answer. */
export interface MarkScheme {
  /** The model answer, or what the mark scheme says beside its rubric, in Markdown. */
  readonly scheme: string;
  /** The items of the rubric; none if there is no such list. */
  readonly rubric: readonly RubricItem[];
}

const ITEM = /^\s*[-*+] ([−-]?\d+(?:\.\d+)?) points?: (.*)$/;
const TITLE = /^(?:#+ |\*\*)rubric:?(?:\*\*)?:?\s*$/i;

/**
 * Reads the mark scheme of an answer or a task that a person marks.
 *
 * @param cell The instructor's cell: the regions of a solution or mark scheme, or a whole answer without markers.
 * @returns The model answer and the rubric.
 * @throws {SyntaxError} If a region is not closed.
 */
export function markSchemeOf(cell: Cell): MarkScheme {
  const regions = (["solution", "markScheme"] as const)
    .flatMap((kind) => replaceRegions(cell.source, kind).regions);
  const text = regions.length > 0 ? regions.join("\n\n") : withoutMarkers(cell.source);
  const rubric: { id: string; label: string; points: number }[] = [];
  const kept: string[] = [];
  let item: typeof rubric[number] | undefined;
  for (const line of text.split("\n")) {
    const [, points, label] = ITEM.exec(line) ?? [];
    if (points !== undefined) {
      item = {
        id: `item-${rubric.length + 1}`,
        label: label!.trim(),
        points: Number(points.replace("−", "-")),
      };
      rubric.push(item);
    } else if (item && /^\s+\S/.test(line)) item.label += ` ${line.trim()}`;
    else {
      item = undefined;
      if (!TITLE.test(line)) kept.push(line);
    }
  }
  return { scheme: kept.join("\n").replace(/\n{3,}/g, "\n\n").trim(), rubric };
}
