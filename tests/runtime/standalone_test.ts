// From a checkout, a notebook anywhere imports this library: values, types and the embedded model,
// beside no deno.json and beside one of its own.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { checkTypes } from "../../lib/runtime/check_types.ts";
import { IS_CHECKOUT, LIBRARY } from "../../lib/runtime/library.ts";
import { parseNotebook, writeNotebook } from "../../lib/runtime/notebook.ts";
import { runNotebook } from "../../lib/runtime/runner.ts";
import { kernelImports, withFullNames } from "../../lib/runtime/standalone.ts";

const CELLS = [
  `import { loadModel } from "tunebook";
import * as show from "tunebook/show";
import { tensor } from "tunebook/tensor";
const model = await loadModel("nano", { device: "cpu" });
const answer: string = await model.answer("Name the opposite of hot.", { maxNewTokens: 4 });
[typeof answer, typeof show.lossCurve, await tensor([1, 2]).sum().item()].join()`,
  `const wrong: number = await model.answer("Name a fruit.", { maxNewTokens: 1 });`,
];

const folders: Record<string, Record<string, string>> = {
  "no deno.json": {},
  "a deno.json of its own": { "deno.json": '{ "imports": { "mine": "./mine.ts" } }' },
};

for (const [name, files] of Object.entries(folders)) {
  Deno.test(`from a checkout, a notebook beside ${name} imports the library`, async () => {
    const folder = await Deno.realPath(await Deno.makeTempDir());
    try {
      for (const [file, text] of Object.entries(files)) {
        await Deno.writeTextFile(join(folder, file), text);
      }
      const cells = CELLS.map((source, i) => ({
        ...{ cell_type: "code", id: `cell-${i}`, metadata: {}, source },
        ...{ execution_count: null, outputs: [] },
      }));
      const notebook = parseNotebook(
        JSON.stringify({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 }),
      );
      const path = join(folder, "book.ipynb");
      await writeNotebook(path, notebook);

      const { notebook: run } = await runNotebook(path);
      assertStringIncludes(JSON.stringify(run.cells[0]), "string,function,3");

      const errors = await checkTypes(path);
      assertEquals(errors.map(({ cell, code }) => [cell, code]), [[2, 2322]]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("a notebook whose deno.json maps the library imports that", async () => {
  assertEquals(IS_CHECKOUT, true);
  assertEquals(await kernelImports(join(LIBRARY.pathname, "notebooks")), {});
});

Deno.test("withFullNames() changes names in imports, and nothing else", () => {
  const code = `/**
 * import { z } from "zod";
 */
import { z } from "zod";
import {
  join,
} from "@std/path";
import text from "katex/dist/katex.min.css" with { type: "text" };
import { own } from "./own.ts";
export { type Device } from "../device.ts";
const late = await import("vega");
const words = 'import { loadModel } from "tunebook"';
`;
  const changed = withFullNames(code);
  assertEquals(
    changed.split("\n").flatMap((line, i) => line === code.split("\n")[i] ? [] : [i + 1]),
    [4, 7, 8, 11],
  );
  assertEquals(changed.match(/"npm:[a-z-]+@[\d.]+/g)?.map((name) => name.split(/[:@]/)[1]), [
    "zod",
    "deno-std",
    "katex",
    "vega",
  ]);
});
