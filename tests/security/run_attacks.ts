// Runs the attacks in a sandbox, by whichever user runs this, and writes the results as JSON.

import { runNotebook } from "../../lib/runtime/runner.ts";
import { sandboxFault } from "../../lib/runtime/sandbox/outer.ts";
import { code, notebookOf } from "../runtime/report/sample.ts";
import { ATTACKS, FATAL, MEMORY, SETUP } from "./attacks.ts";

/** The results of the attacks. */
export interface AttackReport {
  /** Why this user cannot build a sandbox here. */
  fault?: string;
  /** The output of each attack, in order; an error's text where a cell failed. */
  seen: string[];
  /** How the kernel ended in each fatal attack, in order. */
  ends: string[];
  /** Files whose hashes stand in the manifest. */
  hashed: string[];
}

/** Runs all attacks in one notebook. */
export async function runAttacks(): Promise<AttackReport> {
  const fault = await sandboxFault();
  if (fault !== undefined) return { fault, seen: [], ends: [], hashed: [] };
  const cwd = await Deno.makeTempDir();
  try {
    const cells = [SETUP, ...ATTACKS.map(({ cell }) => cell)].map((source) => code(source));
    const { notebook, manifest } = await runNotebook(notebookOf(...cells), {
      cwd,
      name: "attacks.ipynb",
      sandbox: { memory: MEMORY },
      totalTimeout: 90,
      allowErrors: true,
    });
    const seen = notebook.cells.slice(1).map((cell) =>
      cell.cell_type !== "code"
        ? ""
        : cell.outputs.map((output) =>
          output.output_type === "stream"
            ? output.text
            : output.output_type === "error"
            ? `${output.ename}: ${output.evalue}`
            : ""
        ).join("").trim()
    );
    const ends = [];
    for (const { cell } of FATAL) {
      const { failure, notebook } = await runNotebook(notebookOf(code(SETUP), code(cell)), {
        cwd,
        sandbox: { memory: 64 },
        totalTimeout: 60,
      });
      ends.push(failure?.message ?? JSON.stringify(notebook.cells.at(-1)));
    }
    return { seen, ends, hashed: Object.keys(manifest.modules ?? {}) };
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

if (import.meta.main) console.log(JSON.stringify(await runAttacks()));
