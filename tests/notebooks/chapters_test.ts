// The course's chapters: each runs with its exercises solved, most cells twice, and keeps to the form that learners know.

import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { basename, fromFileUrl, join } from "@std/path";
import type { Exercise } from "../../lib/course/mod.ts";
import { judgeAnswer } from "../../lib/course/exercise.ts";
import { type CodeCell, type Notebook, readNotebook } from "../../lib/runtime/mod.ts";
import { runNotebook, writeNotebook } from "../../lib/runtime/mod.ts";
import { renderReport } from "../../lib/runtime/report/mod.ts";
import { CLAIMS, saidBy } from "./claims.ts";
import { findExercises, solve, twice } from "./exercises.ts";

const folder = fromFileUrl(new URL("../../notebooks", import.meta.url));
const chapters = [...Deno.readDirSync(folder)].map(({ name }) => name)
  .filter((name) => /^(0[1-9]|10)_.*\.ipynb$/.test(name)).sort();

const codeCells = (notebook: Notebook) =>
  notebook.cells.filter((cell): cell is CodeCell => cell.cell_type === "code");

/** What a cell said, as text. */
const textOf = (cell: CodeCell) =>
  cell.outputs.map((output) =>
    output.output_type === "stream"
      ? output.text
      : output.output_type === "error"
      ? output.evalue
      : String(output.data["text/plain"] ?? "")
  ).join("\n");

/**
 * Cells that continue where they were when they are run again, since they train, and those that
 * take long. All others are run twice: what they make must be the same again.
 */
const ONCE = /\bsft\(|\bof training\b|\b(train|dpo)\(|\b(measureLedger|branchingReplay)\(/;

/** Drawings in some HTML that have no words beside them; those inside another drawing are part of it. */
function wordlessDrawings(html: string): string[] {
  const wordless: string[] = [];
  let depth = 0;
  for (const [tag] of html.matchAll(/<svg\b[^>]*>|<\/svg>/g)) {
    if (tag === "</svg>") depth--;
    else if (depth++ === 0 && !/\baria-label="[^"]+"/.test(tag)) wordless.push(tag);
  }
  return wordless;
}

for (const name of chapters) {
  const path = join(folder, name);

  Deno.test(`${name} has a map, short cells, and 4 to 6 exercises with hints and solutions`, async () => {
    const notebook = await readNotebook(path);
    assertLess(notebook.cells.length, 41);
    const [first] = notebook.cells;
    assertEquals(first.cell_type, "markdown");
    assertMatch(first.source, new RegExp(`^# ${Number(name.slice(0, 2))} · `));
    assertMatch(first.source, /minutes.*\bGB\b/s);
    for (const cell of codeCells(notebook)) {
      const lines = cell.source.split("\n").length;
      assert(lines <= 12, `the cell "${cell.id}" has ${lines} lines, expected at most 12`);
    }
    const exercises = findExercises(notebook);
    assert(exercises.length >= 4 && exercises.length <= 6, `${exercises.length} exercises`);
    for (const { cell } of exercises) {
      const above = notebook.cells.slice(0, notebook.cells.indexOf(cell));
      const intro = above.findLast(({ cell_type }) => cell_type === "markdown")!.source;
      assertMatch(
        intro,
        /### Exercise \d+\.\d · .*\((warm-up|easy|medium|harder), \d+ minutes\)/,
        cell.id,
      );
      assertMatch(cell.source, /await check\(exercises\.\w+/, cell.id);
    }
  });

  Deno.test(`${name} links to its own headings`, async () => {
    const text = (await readNotebook(path)).cells.filter((cell) => cell.cell_type === "markdown")
      .map(({ source }) => source).join("\n");
    const headings = new Set(
      [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) => title.trim().replaceAll(" ", "-")),
    );
    for (const [, target] of text.matchAll(/\]\(#([^)]*)\)/g)) {
      assert(headings.has(decodeURIComponent(target)), `no heading "${target}"`);
    }
  });

  Deno.test(`${name} runs with its exercises solved, cells twice, and makes a report`, async () => {
    const solved = solve(await readNotebook(path));
    // Beside the chapter, whose views and exercises it imports.
    const copy = join(folder, `.solved_${crypto.randomUUID()}.ipynb`);
    try {
      await writeNotebook(copy, twice(solved, ({ source }) => !ONCE.test(source)));
      const { ok, failure, notebook, manifest } = await runNotebook(copy, { timeout: 240 });
      assert(ok, failure?.summary);
      const cells = new Map(codeCells(notebook).map((cell) => [cell.id, cell]));
      const ids = codeCells(solved).map(({ id }) => id);
      for (const id of ids) {
        const again = cells.get(`${id}-again`);
        if (again) assertEquals(textOf(again), textOf(cells.get(id)!), `"${id}", run twice`);
        for (const output of cells.get(id)!.outputs) {
          if (!("data" in output)) continue;
          assertMatch(String(output.data["text/plain"]), /\w/, `words for what "${id}" shows`);
          assertEquals(wordlessDrawings([output.data["text/html"] ?? ""].flat().join("")), [], id);
        }
      }
      for (const { cell } of findExercises(await readNotebook(path))) {
        assertMatch(textOf(cells.get(cell.id)!), /^Right: /m, `the solution of "${cell.id}"`);
      }
      CLAIMS[name.slice(0, 2)]?.(saidBy(cells));
      const shown = notebook.cells.filter(({ id }) => !id.endsWith("-again"));
      const html = await renderReport({ ...notebook, cells: shown }, { manifest });
      assertLess(html.length, 3_000_000);
    } finally {
      await Deno.remove(copy).catch(() => {});
    }
  });

  Deno.test(`${basename(name, ".ipynb")}: exercises know right answers, stubs and every mistake by name`, async () => {
    const module = await import(`../../notebooks/exercises/${name.replace(".ipynb", ".ts")}`);
    const exercises = Object.values(module).filter((value): value is Exercise<unknown[], unknown> =>
      typeof value === "object" && value !== null && "solution" in value
    );
    const { cells } = await readNotebook(path);
    assertEquals(exercises.length, findExercises(await readNotebook(path)).length);
    // A verdict has the title of the exercise above it.
    const headings = cells.flatMap(({ source }) =>
      [...source.matchAll(/^### Exercise (.*?) <small>/gm)].map(([, title]) => title)
    );
    assertEquals(exercises.map(({ title }) => title.replace(" ", " · ")).sort(), headings.sort());
    for (const exercise of exercises) {
      const { title, inputs, solution, mistakes = {}, hint } = exercise;
      assert(inputs.length > 0 && hint !== "", title);
      assertEquals(
        await judgeAnswer<unknown[], unknown>(
          exercise,
          (...input: unknown[]) => solution(...input),
        ),
        { status: "right" },
        title,
      );
      assertEquals(await judgeAnswer<unknown[], unknown>(exercise, () => undefined), {
        status: "missing",
      }, title);
      assertEquals(
        (await judgeAnswer<unknown[], unknown>(exercise, () => ["no"])).status,
        "wrong",
        title,
      );
      for (const [mistake, answer] of Object.entries(mistakes)) {
        const verdict = await judgeAnswer<unknown[], unknown>(exercise, answer);
        assertEquals(verdict.status === "wrong" && verdict.mistake, mistake, title);
      }
    }
  });
}
