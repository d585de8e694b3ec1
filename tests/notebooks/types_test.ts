// No chapter shows a type error in a cell that nobody has touched: its cells are checked in order as the
// Jupyter kernel checks them, by the same modules and language server.

import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { checkTypes } from "../../lib/runtime/check_types.ts";

const folder = fromFileUrl(new URL("../../notebooks", import.meta.url));

for (const { name } of [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1)) {
  if (!name.endsWith(".ipynb")) continue;
  Deno.test(`${name} has no type error in any cell`, async () => {
    const errors = await checkTypes(join(folder, name));
    assertEquals(errors.map(({ cell, line, message }) => `cell ${cell}, ${line}: ${message}`), []);
  });
}
