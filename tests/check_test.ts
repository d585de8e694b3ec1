import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { extractModule, notebookFaults, ROOT } from "./check.ts";

const code = (id: string, source: string | string[]) => ({
  cell_type: "code",
  id,
  metadata: {},
  source,
  outputs: [] as unknown[],
  execution_count: null as number | null,
});

const notebook = (...cells: unknown[]) =>
  JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: "deno", display_name: "Deno", language: "typescript" } },
    cells,
  });

Deno.test("notebookFaults() finds outputs, counts, and ids that lack or repeat", () => {
  assertEquals(notebookFaults(notebook(code("a", "1"), code("b", "2"))), []);
  const run = { ...code("a", "1"), outputs: [{ output_type: "stream" }], execution_count: 3 };
  assertEquals(notebookFaults(notebook(run)), [
    'cell "a" is committed with outputs',
    'cell "a" is committed with execution count 3',
  ]);
  assertEquals(notebookFaults(notebook(code("a", "1"), code("a", "2"))), [
    'cell "a" has the id of an earlier cell',
  ]);
  assertEquals(notebookFaults(notebook(code("", "1"))), ["cell 1 has no id"]);
  assertStringIncludes(notebookFaults("{")[0], "is not JSON");
});

Deno.test("extractModule() joins cells and keeps where each line comes from", () => {
  const markdown = { cell_type: "markdown", id: "m", metadata: {}, source: "# Title" };
  const { text, origins } = extractModule(
    notebook(code("a", ["const x = 1;\n", "x;"]), markdown, code("b", "await x;")),
  );
  assertEquals(text, "const x = 1;\nx;\nawait x;\nexport {};\n");
  assertEquals(origins, [
    { cell: "a", line: 1 },
    { cell: "a", line: 2 },
    { cell: "b", line: 1 },
  ]);
});

Deno.test("the notebook check finds a type error by its cell and line, and passes sound cells", async () => {
  const folder = await Deno.makeTempDir({ prefix: "tunebook-notebooks-" });
  try {
    await Deno.mkdir(join(folder, "notebooks"));
    await Deno.copyFile(join(ROOT, "deno.json"), join(folder, "deno.json"));
    const good = join(folder, "notebooks", "good.ipynb");
    const bad = join(folder, "notebooks", "bad.ipynb");
    await Deno.writeTextFile(
      good,
      notebook(code("a", 'import { assert } from "@std/assert";'), code("b", "assert(await 1);")),
    );
    await Deno.writeTextFile(
      bad,
      notebook(code("a", "const x = 1;"), code("b", "\nconst y: string = x;")),
    );
    const check = async (path: string) => {
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: [
          "eval",
          `import { checkNotebooks } from ${JSON.stringify(import.meta.resolve("./check.ts"))};
           console.log(JSON.stringify(await checkNotebooks([Deno.args[0]], Deno.args[1])));`,
          path,
          folder,
        ],
        cwd: ROOT,
      }).output();
      return new TextDecoder().decode(stdout).trim();
    };
    const [sound, faulty] = await Promise.all([check(good), check(bad)]);
    assertStringIncludes(sound, "\n[]");
    assertStringIncludes(faulty, join("notebooks", "bad.ipynb") + ', cell "b", line 2');
    assertStringIncludes(faulty, `["notebooks' types"]`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
