// A report of the main notebook, verified in the sandbox: training, generation and charts come out the
// same to the bit.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { renderReport, runNotebook, verifyReport } from "../../lib/runtime/mod.ts";
import { sandboxFault } from "../../lib/runtime/sandbox/outer.ts";
import { blasNeed } from "../devices.ts";
import { code, notebookOf } from "../runtime/report/sample.ts";

const root = fromFileUrl(new URL("../../", import.meta.url));
const fault = await sandboxFault();

Deno.test({
  name: `verifyReport() finds the main notebook's report the same to the bit${
    fault ? ` (${fault})` : ""
  }`,
  ignore: fault !== undefined,
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "tunebook-verify-" });
    try {
      const entries = await Deno.readTextFile(
        join(root, "data/instructions/instruction-data.json"),
      );
      const dataSource = join(folder, "some.json");
      await Deno.writeTextFile(dataSource, JSON.stringify(JSON.parse(entries).slice(0, 30)));
      const cwd = join(root, "notebooks");
      const { notebook, ok, failure } = await runNotebook(join(cwd, "00_fine_tune_gpt2.ipynb"), {
        parameters: {
          dataSource,
          epochs: 1,
          maxNewTokens: 4,
          judge: "",
          output: join(folder, "out"),
        },
      });
      assert(ok, failure?.summary);
      const verdict = await verifyReport(await renderReport(notebook), {
        cwd,
        sandbox: { read: [dataSource] },
      });
      assertEquals(verdict.changes, []);
      // Only what shows how fast a step was may differ.
      const train = verdict.cells.filter(({ verdict }) => verdict !== "same");
      assertEquals(train.map(({ id, verdict }) => [id, verdict]), [["train", "excused"]]);
      assertMatch(train[0].difference ?? "", /tokens\/s/);
      assertEquals([verdict.verdict, verdict.page.verdict, verdict.tampered, verdict.exact], [
        "same but for",
        "same",
        [],
        true,
      ]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

const need = fault ?? blasNeed;

Deno.test({
  name: `verifyReport() says which variable of a BLAS differs, and reaches the sandbox with it${
    need ? ` (${need})` : ""
  }`,
  ignore: need !== undefined,
  async fn() {
    const book = notebookOf(
      code(`import { pick } from "tunebook";
const { facts } = await pick({ device: "cpu" });
facts.OPENBLAS_CORETYPE`),
    );
    const cwd = join(root, "notebooks");
    const before = Deno.env.get("OPENBLAS_CORETYPE");
    try {
      Deno.env.set("OPENBLAS_CORETYPE", "Generic");
      const { notebook, ok, failure } = await runNotebook(book, { name: "book.ipynb", cwd });
      assert(ok, failure?.summary);
      Deno.env.delete("OPENBLAS_CORETYPE");
      const report = await renderReport(notebook);
      const { changes, cells } = await verifyReport(report, { cwd, sandbox: {} });
      assert(
        changes.some(({ text }) =>
          text === 'device: OPENBLAS_CORETYPE nothing instead of "Generic"'
        ),
        JSON.stringify(changes),
      );
      assertEquals(changes.filter(({ kind }) => kind !== "machine"), []);
      assertEquals(cells.map(({ verdict }) => verdict), ["differs"]);
      Deno.env.set("OPENBLAS_CORETYPE", "Generic");
      assertEquals((await verifyReport(report, { cwd, sandbox: {} })).changes, []);
    } finally {
      if (before === undefined) Deno.env.delete("OPENBLAS_CORETYPE");
      else Deno.env.set("OPENBLAS_CORETYPE", before);
    }
  },
});
