// A failed cell is printed again to find its lines: whatever its code is, nothing of it runs.

import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { locate } from "../../lib/runtime/cell_positions.ts";

Deno.test("finding a cell's lines runs nothing of the cell, even where it ends the function around it", async () => {
  const folder = await Deno.makeTempDir();
  const marker = join(folder, "marker");
  try {
    const act = `Deno.writeTextFileSync(${JSON.stringify(marker)}, "");`;
    const ways = [
      `}; ${act} async function next() {`,
      `}).toString()); ${act} console.log((async function () {`,
      `}).toString(), eval(${JSON.stringify(act)}), (async function () {`,
      `await import("data:application/typescript,${encodeURIComponent(act)}");`,
      `/** @jsxImportSource data:application/typescript,${encodeURIComponent(act)} */ <a></a>;`,
    ];
    for (const code of ways) {
      await locate({ source: code, code }, { line: 1, column: 1 });
      await assertRejects(() => Deno.stat(marker), Deno.errors.NotFound, undefined, code);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("lines are found in a cell of TSX too", async () => {
  const source = "const a = 1;\n\nconst b = <p>{a}</p>;\nfail(b);";
  const cell = { source, code: source };
  assertEquals(await locate(cell, { line: 3, column: 1 }), { line: 4, column: 1 });
});
