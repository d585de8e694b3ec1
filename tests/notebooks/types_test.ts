// The main notebook shows no type error in a cell that nobody has touched: its cells are checked in order as
// the Jupyter kernel checks them, by the same modules and language server. The chapters are run in that
// kernel by live_kernel_test.ts.

import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { checkCells } from "../../lib/runtime/check_types.ts";
import { LanguageServer } from "../../lib/runtime/jupyter/language_server.ts";
import { readNotebook } from "../../lib/runtime/notebook.ts";

const folder = fromFileUrl(new URL("../../notebooks", import.meta.url));

Deno.test("the main notebook has no type error in any cell", async (t) => {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name)
    .filter((name) => /^00_.*\.ipynb$/.test(name));
  const server = await LanguageServer.start(folder);
  try {
    for (const name of names) {
      await t.step(name, async () => {
        const errors = await checkCells(await readNotebook(join(folder, name)), folder, server);
        assertEquals(
          errors.map(({ cell, line, message }) => `cell ${cell}, line ${line}: ${message}`),
          [],
        );
      });
    }
  } finally {
    await server.close();
  }
});
