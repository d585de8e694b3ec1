// Chapters, as they are opened, in the kernel that JupyterLab speaks to: every cell runs, and no note about types stands
// above a cell that nobody has touched. chapters_test.ts runs every one, and `deno task check` checks the types of every one;
// with TUNEBOOK_CHAPTERS=all, every one runs here too.

import { assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { readNotebook } from "../../lib/runtime/notebook.ts";
import { hasTag } from "../../lib/runtime/parameters.ts";
import { startKernel } from "../runtime/jupyter/client.ts";
import { chaptersToRun } from "./chapters.ts";

const folder = fromFileUrl(new URL("../../notebooks", import.meta.url));
/** A cell with a type error, sent after the chapter's: without a note above it, no note says anything. */
const WRONG = { id: "wrong", source: "const notANumber: number = (() => 'text')();" };

for (const name of chaptersToRun("02,06,09")) {
  Deno.test(`${name} runs untouched in the live kernel, without a note about types`, async () => {
    const path = join(folder, name);
    const { cells } = await readNotebook(path);
    await using running = await startKernel({ session: { cwd: folder, path } });
    const { client } = running;
    const run = cells.filter((cell) => cell.cell_type === "code" && !hasTag(cell, "skip"));
    for (const { id, source } of [...run, WRONG]) {
      const { reply } = await client.execute(source, { cellId: id });
      const { status, evalue } = reply.content;
      assertEquals(status, "ok", `the cell "${id}": ${evalue}`);
    }
    // Answered once all cells have been checked.
    await client.request("inspect_request", { code: "Deno", cursor_pos: 4, detail_level: 0 });
    const notes = client.published.flatMap(({ content }) => {
      const id = String(content.transient?.display_id ?? "");
      const text = content.data?.["text/plain"];
      return id.startsWith("tunebook-note-") && text !== undefined ? [String(text)] : [];
    });
    assertMatch(notes.at(-1) ?? "", /Type 'string' is not assignable to type 'number'/);
    assertEquals(notes.slice(0, -1), []);
  });
}
