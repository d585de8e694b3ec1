// Prints what a notebook's cells have shown, for a run whose outputs are written nowhere.

import type { Output } from "../runtime/notebook.ts";
import { plainText, settledText } from "../runtime/report/terminal.ts";
import { firstLine } from "../runtime/run_suite.ts";
import type { RunResult } from "../runtime/runner.ts";

/** Longest text of one output that is printed. */
const MAX_TEXT = 20_000;

/**
 * Prints outputs on standard output, those of each cell below its first line.
 *
 * @param result The run. @param name The notebook's name, where there are several.
 */
export function printOutputs({ notebook }: RunResult, name: string): void {
  let number = 0;
  for (const cell of notebook.cells) {
    if (cell.cell_type !== "code") continue;
    number++;
    const texts = cell.outputs.map(textOf).filter((text) => text !== "");
    if (texts.length === 0) continue;
    const place = name === "" ? `cell ${number}` : `${name}, cell ${number}`;
    console.log(`${place} (${firstLine(cell.source)}):`);
    for (const text of texts) console.log(text.replace(/^/gm, "  "));
  }
}

function textOf(output: Output): string {
  let text: string;
  if (output.output_type === "stream") text = settledText(output.text);
  else if (output.output_type === "error") text = output.traceback.join("\n");
  else {
    const plain = output.data["text/plain"] ?? output.data["text/markdown"] ??
      output.data["text/csv"];
    const types = Object.keys(output.data);
    text = typeof plain === "string" ? plain : types.length > 0 ? `[${types.join(", ")}]` : "";
  }
  const shown = plainText(text).trimEnd();
  return shown.length > MAX_TEXT ? `${shown.slice(0, MAX_TEXT)}\n…` : shown;
}
