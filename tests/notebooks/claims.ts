// What chapters say in numbers about what their own cells compute, held to what the cells gave. Where a new model, new data
// or a new default fails here, the chapter's words have to change with it.

import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import type { CodeCell } from "../../lib/runtime/mod.ts";

/** What cells said, by their ids: all text, and all HTML. */
export interface Said {
  text(id: string): string;
  html(id: string): string;
}

/** Reads the outputs of cells. */
export function saidBy(cells: ReadonlyMap<string, CodeCell>): Said {
  const outputs = (id: string) => {
    const cell = cells.get(id);
    if (cell === undefined) throw new RangeError(`There is no cell "${id}"`);
    return cell.outputs;
  };
  const data = (id: string, type: string) =>
    outputs(id).map((output) => "data" in output ? [output.data[type] ?? ""].flat().join("") : "");
  return {
    text: (id) =>
      outputs(id).map((output, i) =>
        output.output_type === "stream" ? output.text : data(id, "text/plain")[i]
      ).join("\n"),
    html: (id) => data(id, "text/html").join("\n"),
  };
}

/** The numbers in the line of a table, or of a text, that begins with some words. */
function numbersAfter(text: string, words: string): number[] {
  const line = text.split("\n").find((line) => line.startsWith(words));
  if (line === undefined) throw new RangeError(`No line begins with "${words}" in:\n${text}`);
  return Array.from(
    line.slice(words.length).matchAll(/-?[\d.,]+(?:e-?\d+)?/g),
    ([number]) => Number(number.replaceAll(",", "")),
  );
}

/** The ends of a line in charts that are drawn, from their descriptions; one for each chart that has it. */
function endsOf(html: string, line: string): [from: number, to: number][] {
  const ends = new RegExp(
    `${line}, \\d+ points, from (-?[\\d.]*\\d(?:e-?\\d+)?) to (-?[\\d.]*\\d(?:e-?\\d+)?)`,
  );
  const charts = new Set(Array.from(html.matchAll(/aria-label="([^"]*)"/g), ([, label]) => label));
  return [...charts].flatMap((label): [number, number][] => {
    const [, from, to] = ends.exec(label) ?? [];
    return from === undefined ? [] : [[Number(from), Number(to)]];
  });
}

/** By the beginnings of chapters' names. */
export const CLAIMS: Readonly<Record<string, (said: Said) => void>> = {
  /** "_painted_, which nano puts first"; "an error of a few 1e-7 is rounding". */
  "04"({ text }) {
    assert(/^walk is to walked.*? painted 0\./m.test(text("analogies-run")), text("analogies-run"));
    const [largest] = numbersAfter(text("whole-run"), "largest");
    assertLess(largest, 1e-6);
  },
  /** "With the highest rates the loss rises in the first steps"; ours is the best of the four. */
  "05"({ text, html }) {
    const [low, ours, high, highest] = text("sweep").split("\n").slice(-4)
      .map((line) => Number(line.trim().split(/\s+/).at(-1)));
    assert(ours < low && low < high && high < highest, text("sweep"));
    assertEquals(endsOf(html("sweep-view"), "rate 0.0001").length, 1);
  },
  /** "at step 0 the adapted model is the base model"; packing costs little. */
  "08"({ text }) {
    assertEquals(numbersAfter(text("step-0"), "logits that changed"), [0]);
    const loss = (way: string) => numbersAfter(text("full-run"), `${way} `).at(-1)!;
    assertLess(Math.abs(loss("base, packed") - loss("base")), 0.05);
    assertLess(Math.abs(loss("QLoRA") - loss("LoRA")), 0.1);
    assert([loss("full"), loss("LoRA")].every((after) => after < loss("base") - 1));
  },
  "10"({ text, html }) {
    // "The two agree."
    const [byHand, byLibrary] = ["by hand", "by the library"]
      .map((how) => numbersAfter(text("by-library"), how));
    assertEquals(byHand, byLibrary);
    assertLess(Math.abs(byHand[0] - Math.LN2), 1e-3); // "At the start Δ is 0, and the loss is log 2"
    // "The answers have become brief", and the facts are not clearly lost.
    const [, , mostWords] = numbersAfter(text("better-run"), "words per answer");
    assertLess(mostWords, 0);
    const [fewer, , most] = numbersAfter(text("better-run"), "share of right answers");
    assert(fewer > -0.15 && most >= 0, text("better-run"));
    // "A higher learning rate reaches a lower loss in fewer steps."
    const [[, slow], [, fast]] = endsOf(html("wrong-run"), "loss");
    assertLess(fast, slow / 10);
    // A collapse: both answers become less likely, the rejected one faster. The slow run has none.
    const [chosen, rejected] = ["chosen answers", "rejected answers"]
      .map((line) => endsOf(html("wrong-run"), line));
    const fallOf = ([from, to]: [number, number]) => from - to;
    assertLess(fallOf(chosen[0]), 0);
    assertGreater(fallOf(chosen[1]), 20);
    assertGreater(fallOf(rejected[1]), fallOf(chosen[1]) + 20);
    // "The polite answers were never taught": they begin far below, and stay what the model would never say.
    assertLess(chosen[2][0], chosen[0][0] - 30);
    assertLess(chosen[2][1], -10);
    assertLess(rejected[2][1], -10); // "it makes the rejected sentence impossible"
    // "Length is of little use only in honest."
    const share = (topic: string) => numbersAfter(text("length-table"), topic);
    assertEquals([share("brief"), share("polite")], [[160, 0], [160, 1]]);
    assertEquals(share("honest"), [32, 0.5]); // and "32 pairs"
  },
};
