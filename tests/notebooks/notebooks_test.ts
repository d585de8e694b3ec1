// The main notebook, run from top to bottom on the real kernel, with little data.

import { assert, assertEquals, assertGreater } from "@std/assert";
import { basename, fromFileUrl, join } from "@std/path";
import { readNotebook, runNotebook } from "../../lib/runtime/mod.ts";
import { renderReport } from "../../lib/runtime/report/mod.ts";

const root = fromFileUrl(new URL("../../", import.meta.url));
const folder = join(root, "notebooks");

/** Parameters that keep a run short; the notebook is the same. */
const SMALL: Record<string, (temporary: string) => Promise<Record<string, unknown>>> = {
  "00_fine_tune_gpt2.ipynb": async (temporary) => {
    const source = join(root, "data/instructions/instruction-data.json");
    const entries = JSON.parse(await Deno.readTextFile(source)).slice(0, 60);
    const dataSource = join(temporary, "some.json");
    await Deno.writeTextFile(dataSource, JSON.stringify(entries));
    const judge = "ollama:a-model-that-nobody-has";
    return { dataSource, epochs: 1, maxNewTokens: 8, judge, output: join(temporary, "model") };
  },
};

const notebooks = [...Deno.readDirSync(folder)].map(({ name }) => name)
  .filter((name) => name.endsWith(".ipynb") && !/^((0[1-9]|10)_|\.)/.test(name)) // chapters: chapters_test.ts
  .sort();

Deno.test("every notebook is run by these tests", () => {
  assertEquals(notebooks, Object.keys(SMALL).sort());
});

for (const name of notebooks) {
  Deno.test(`${basename(name)} runs from top to bottom and makes a report`, async () => {
    const temporary = await Deno.makeTempDir({ prefix: "tunebook-notebooks-" });
    try {
      const path = join(folder, name);
      const before = await Deno.readTextFile(path);
      const parameters = await SMALL[name](temporary);
      const { ok, failure, notebook, manifest } = await runNotebook(path, {
        parameters: parameters as never,
        timeout: 240,
      });
      assert(ok, failure?.summary);
      assertEquals(await Deno.readTextFile(path), before, "the notebook itself is unchanged");
      const kinds = new Set(manifest.provenance.map(({ kind }) => kind));
      for (const kind of ["device", "data", "model", "training"]) {
        assert(kinds.has(kind), `no ${kind}`);
      }
      for (const cell of notebook.cells) {
        if (cell.cell_type !== "code") continue;
        const errors = cell.outputs.filter(({ output_type }) => output_type === "error");
        assertEquals(errors, [], `cell ${cell.id}`);
      }
      const html = await renderReport(notebook, { manifest });
      assertGreater(html.length, 100_000);
      assert(html.length < 3_000_000, `the report has ${html.length} characters`);
      assertEquals((await readNotebook(path)).cells.length + 1, notebook.cells.length);
    } finally {
      await Deno.remove(temporary, { recursive: true });
    }
  });
}
