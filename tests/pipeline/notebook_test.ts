// Notebooks that save models: each may replace its own, and no other's.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { readRecord } from "../../lib/pipeline/mod.ts";
import { parseNotebook, runNotebook, writeNotebook } from "../../lib/runtime/mod.ts";
import { hashModel } from "../../lib/weights/hash_model.ts";
import { resolveModel } from "../../lib/weights/resolve.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";

const notebooks = fromFileUrl(new URL("../../notebooks", import.meta.url));

const book = parseNotebook(JSON.stringify({
  nbformat: 4,
  nbformat_minor: 5,
  metadata: { kernelspec: { name: "deno", display_name: "Deno", language: "typescript" } },
  cells: [{
    cell_type: "code",
    id: "save",
    metadata: { tags: ["parameters"] },
    source: 'let output = "";',
    execution_count: null,
    outputs: [],
  }, {
    cell_type: "code",
    id: "model",
    metadata: {},
    source: 'import { loadModel } from "tunebook";\n' +
      'const model = await loadModel("nano", { device: "cpu" });\nawait model.save(output);\nmodel',
    execution_count: null,
    outputs: [],
  }],
}));

Deno.test("a notebook that runs again saves over its own model, and not over another notebook's", async () => {
  using temporary = new TemporaryDirectory();
  const output = join(temporary.path, "model");
  const run = async (name: string) => {
    const path = join(temporary.path, name);
    await writeNotebook(path, book);
    return await runNotebook(path, { parameters: { output }, cwd: notebooks });
  };
  for (const _ of [1, 2]) {
    const { ok, failure, notebook, manifest } = await run("a.ipynb");
    assert(ok, failure?.summary);
    const loaded = manifest.provenance.find(({ kind }) => kind === "model");
    assertEquals(loaded?.sha256, await hashModel(await resolveModel("nano")));
    const [shown] = notebook.cells.flatMap((cell) => cell.cell_type === "code" ? cell.outputs : [])
      .filter(({ output_type }) => output_type === "execute_result");
    assertStringIncludes(JSON.stringify(shown), 'Model \\"nano\\" (gpt2, 7.3 million weights');
  }
  assertEquals((await readRecord(output))?.program, { kind: "notebook", name: "../a.ipynb" });
  const { ok, failure } = await run("b.ipynb");
  assertEquals(ok, false);
  assertStringIncludes(
    failure!.message,
    `Cannot save to "${output}": it holds what the notebook "../a.ipynb" made; give another folder`,
  );
});
