// The kept runs of the recipes on a real model: whole, unchanged since they ran, and of the notebooks as they are, or with a
// list of the cells that have changed.

import { assert, assertEquals, assertLess, assertNotMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { type CodeCell, type Notebook, parseNotebook } from "../../lib/runtime/mod.ts";
import { authoredHash, recordHash, sha256 } from "../../lib/runtime/new_manifest.ts";
import { asManifest } from "../../lib/runtime/report/embedded.ts";
import { readReport, renderMarkdownReport, renderReport } from "../../lib/runtime/report/mod.ts";
import { filesUnder } from "../check.ts";

const root = fromFileUrl(new URL("../../", import.meta.url));
const examples = join(root, "examples/recipes");
const recipes = join(root, "notebooks/recipes");
const page = await Deno.readTextFile(join(examples, "README.md"));

const names = [...Deno.readDirSync(examples)].map(({ name }) => name)
  .filter((name) => name.endsWith(".ipynb")).sort();

async function read(folder: string, name: string): Promise<Notebook> {
  return parseNotebook(await Deno.readTextFile(join(folder, name)));
}

const codeCells = ({ cells }: Notebook) =>
  cells.filter((cell): cell is CodeCell => cell.cell_type === "code");

/** The last column of the README's row on a notebook: cells that have changed since it ran. */
function changedAccordingToPage(name: string): string[] {
  const row = page.split("\n").find((line) => line.startsWith("|") && line.includes(`(${name})`));
  if (row === undefined) throw new Error(`examples/recipes/README.md has no row of "${name}"`);
  const [last] = row.split("|").slice(-2);
  return [...last.matchAll(/`([\w-]+)`/g)].map(([, id]) => id).sort();
}

for (const name of names) {
  Deno.test(`the example of ${name} is a whole report, and says what has changed since`, async () => {
    const example = await read(examples, name);
    const manifest = asManifest(example.metadata.tunebook)!;
    const notebook = await read(recipes, manifest.notebook.name);

    assertEquals(manifest.record, await recordHash(example, manifest), "changed after its run");
    assert(
      codeCells(example).every(({ outputs }) => outputs.every((o) => o.output_type !== "error")),
    );
    assertEquals(
      manifest.cells.map(({ id }) => id).sort(),
      codeCells(example).map(({ id }) => id).sort(),
      "each cell ran once",
    );

    const ran = new Map(manifest.cells.map(({ id, sha256 }) => [id, sha256]));
    const changed: string[] = [];
    for (const { id, source } of codeCells(notebook)) {
      if (ran.get(id!) !== await sha256(source)) changed.push(id!);
    }
    assertEquals(changedAccordingToPage(name), changed.sort(), "cells that have changed");
    const isSame = await authoredHash(notebook) === manifest.notebook.sha256;
    assert(changed.length === 0 || !isSame);

    const html = await renderReport(example);
    const { notebook: carried } = await readReport(html);
    assertEquals(carried, example);
  });

  Deno.test(`the example of ${name} as Markdown is what its notebook gives`, async () => {
    const example = await read(examples, name);
    const folder = `${name.replace(/\.ipynb$/, "")}_files`;
    const { markdown, files } = renderMarkdownReport(example, { folder });
    const path = join(examples, name.replace(/\.ipynb$/, ".md"));
    assertEquals(await Deno.readTextFile(path), markdown);
    const kept = [...Deno.readDirSync(join(examples, folder))].map(({ name }) => name).sort();
    assertEquals(kept, [...files.keys()].sort());
    for (const [file, bytes] of files) {
      assertEquals(await Deno.readFile(join(examples, folder, file)), bytes);
    }
  });
}

Deno.test("the examples of the recipes are small, and name no folder of the machine that ran them", async () => {
  let bytes = 0;
  for (const path of filesUnder(examples, () => true)) {
    const text = await Deno.readTextFile(path);
    bytes += new TextEncoder().encode(text).length;
    assertNotMatch(text, /(?<![\w.:/])\/(tmp|home|root|opt|work|Users|usr|var)\//, path);
  }
  assertLess(bytes, 3e6);
});
