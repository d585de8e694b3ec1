/**
 * The result of validating a notebook, which shows itself in notebooks and terminals.
 *
 * @module
 */

import { escape } from "@std/html/entities";
import type { Finding } from "../metadata.ts";
import type { StructureRow } from "../structure.ts";
import type { CellVerdict } from "../verdict.ts";

/** What was found of one answer or test. */
export interface ValidatedCell {
  /** Its place in the notebook, from 0. */
  readonly index: number;
  /** Its `grade_id`. */
  readonly gradeId: string;
  /** What the question is called. */
  readonly title: string;
  /** Of an answer, whether there is one; of a test, its result; of a task, that a person marks it. */
  readonly status:
    | "answered"
    | "partly"
    | "unanswered"
    | "marked"
    | "not run"
    | Exclude<CellVerdict["status"], "manual">;
  /** What the test gave. */
  readonly points?: number;
  /** What the test, or the person who marks, can give. */
  readonly maxPoints?: number;
  /** Why the test did not pass. */
  readonly message?: string;
}

/** What {@linkcode Validation} shows. */
export interface ValidationResult {
  /** The notebook's file name. */
  readonly notebook: string;
  /** Its size in bytes. */
  readonly size: number;
  /** Answers and tests, in the notebook's order. */
  readonly cells: readonly ValidatedCell[];
  /** What was changed that should not be, and what fails. */
  readonly findings: readonly Finding[];
  /** The structure of a written proposal, where the assignment has rules for it. */
  readonly structure?: readonly StructureRow[];
  /** Where the tests ran. */
  readonly run: "sandbox" | "no sandbox" | "not run";
}

const DISPLAY = Symbol.for("Jupyter.display");
const INSPECT = Symbol.for("Deno.customInspect");

/** Words and marks for each status; what is not well has a cross or a circle. */
const SHOWN: Readonly<Record<ValidatedCell["status"], readonly [mark: string, words: string]>> = {
  answered: ["✓", "answered"],
  partly: ["○", "still has the stub"],
  unanswered: ["○", "unanswered"],
  marked: ["·", "marked by a person"],
  "not run": ["·", "test not run"],
  passed: ["✓", "test passes"],
  partial: ["◐", "test gives a part"],
  failed: ["✗", "test fails"],
  timeout: ["✗", "test runs out of time"],
  crashed: ["✗", "test cannot run"],
  limit: ["✗", "test exceeds a limit"],
  changed: ["✗", "test was changed"],
  missing: ["✗", "cell is missing"],
};

/** What was found of a notebook before it is handed in. Jupyter shows it; on a console its text is printed. */
export class Validation implements ValidationResult {
  readonly notebook: string;
  readonly size: number;
  readonly cells: readonly ValidatedCell[];
  readonly findings: readonly Finding[];
  readonly structure?: readonly StructureRow[];
  readonly run: ValidationResult["run"];

  /**
   * Makes the result.
   *
   * @param result What was found.
   */
  constructor({ notebook, size, cells, findings, structure, run }: ValidationResult) {
    this.notebook = notebook;
    this.size = size;
    this.cells = cells;
    this.findings = findings;
    if (structure !== undefined) this.structure = structure;
    this.run = run;
  }

  /** Whether all is answered and unchanged, and each visible test passes. */
  get isReady(): boolean {
    const good = new Set<ValidatedCell["status"]>(["answered", "marked", "passed"]);
    return this.findings.length === 0 && this.cells.every(({ status }) => good.has(status)) &&
      (this.structure ?? []).every(({ passed }) => passed);
  }

  /** What the visible tests give, and what they can give. */
  get points(): { readonly given: number; readonly max: number } {
    const tests = this.cells.filter(({ points }) => points !== undefined);
    return {
      given: tests.reduce((sum, { points = 0 }) => sum + points, 0),
      max: tests.reduce((sum, { maxPoints = 0 }) => sum + maxPoints, 0),
    };
  }

  /** All that was found, as lines of text. */
  get text(): string {
    const lines = [this.#headline, ""];
    for (const cell of this.cells) {
      const [mark, words] = SHOWN[cell.status];
      lines.push(`${mark} ${cell.title} (cell ${cell.index + 1}): ${words}${pointsOf(cell)}`);
      if (cell.message !== undefined) lines.push(indented(cell.message));
    }
    const structure = this.#structureFaults;
    if (structure.length > 0) {
      lines.push("", "Structure:", ...structure.map((line) => `✗ ${line}`));
    }
    if (this.findings.length > 0) {
      lines.push("", "To look at:", ...this.findings.map((one) => `✗ ${placed(one)}`));
    }
    return [...lines, "", ...this.#closing].join("\n");
  }

  /** All that was found, as HTML. */
  get html(): string {
    const color = this.isReady ? "#2a9461" : "#d9692a";
    const rows = this.cells.map((cell) => {
      const [mark, words] = SHOWN[cell.status];
      const message = cell.message === undefined
        ? ""
        : `<pre style="margin:2px 0 0;white-space:pre-wrap;font-size:12px;background:none">${
          escape(cell.message)
        }</pre>`;
      return `<tr><td style="${CELL}">${mark}</td><td style="${CELL}">${escape(cell.title)} ` +
        `<span style="opacity:.65;white-space:nowrap">cell ${
          cell.index + 1
        }</span></td><td style="${CELL}">${words}` +
        `${escape(pointsOf(cell))}${message}</td></tr>`;
    }).join("");
    const list = (title: string, items: readonly string[]) =>
      items.length === 0
        ? ""
        : `<p style="margin:8px 0 0"><b>${title}</b></p><ul style="margin:2px 0 0">${
          items.map((item) => `<li>${escape(item)}</li>`).join("")
        }</ul>`;
    return `<div class="tb-validation" style="font-family:system-ui,sans-serif;font-size:13px;margin:6px 8px;` +
      `padding:6px 12px;border-left:4px solid ${color}"><b>${this.isReady ? "✓" : "○"} ` +
      `${
        escape(this.#headline)
      }</b><table style="border-collapse:collapse;margin:6px 0 0">${rows}</table>` +
      list("Structure", this.#structureFaults) + list("To look at", this.findings.map(placed)) +
      this.#closing.map((line) => `<p style="margin:8px 0 0">${escape(line)}</p>`).join("") +
      "</div>";
  }

  get #headline(): string {
    const open =
      this.cells.filter(({ status }) => ["unanswered", "partly", "missing"].includes(status))
        .length;
    const { given, max } = this.points;
    const parts = [
      open === 0
        ? "everything is answered"
        : `${open} of the answers ${open === 1 ? "is" : "are"} missing`,
      ...max > 0 ? [`visible tests give ${given} of ${max} points`] : [],
    ];
    return `${this.notebook}: ${parts.join(", ")}`;
  }

  get #structureFaults(): string[] {
    return (this.structure ?? []).filter(({ passed }) => !passed)
      .map(({ section, message }) => `${section}: ${message}`);
  }

  get #closing(): string[] {
    const byPerson = this.cells.reduce(
      (sum, { points, status, maxPoints = 0 }) =>
        sum + (points === undefined && status !== "not run" ? maxPoints : 0),
      0,
    );
    return [
      ...byPerson > 0 ? [`A person marks ${byPerson} points.`] : [],
      ...this.run === "no sandbox"
        ? [
          "There is no sandbox here: the grader runs the notebook without network and other files.",
        ]
        : [],
      ...this.run === "not run"
        ? ["The notebook was not run."]
        : ["Hidden tests may ask for more than these."],
      `To hand in: ${this.notebook} (${Math.ceil(this.size / 1024)} kB), as it is saved now.`,
    ];
  }

  /** Called by the Deno kernel. @returns The formats that Jupyter shows. */
  [DISPLAY](): Record<string, string> {
    return { "text/plain": this.text, "text/html": this.html };
  }

  /** Called by `console.log`. @returns The text. */
  [INSPECT](): string {
    return this.text;
  }
}

const CELL = "padding:2px 12px 2px 0;text-align:left;vertical-align:top";

function pointsOf({ points, maxPoints }: ValidatedCell): string {
  if (maxPoints === undefined) return "";
  const max = `${maxPoints} ${maxPoints === 1 ? "point" : "points"}`;
  return points === undefined ? `, ${max}` : `, ${points} of ${max}`;
}

const indented = (text: string) => text.split("\n").map((line) => `    ${line}`).join("\n");

function placed({ index, message }: Finding): string {
  return index === undefined ? message : `Cell ${index + 1}: ${message}`;
}
