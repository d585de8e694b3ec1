// `tunebook check`, `clean` and `test`.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import {
  type CodeCell,
  formatNotebook,
  type Notebook,
  type Output,
  parseNotebook,
} from "../../lib/runtime/notebook.ts";
import { code, markdown, notebookOf, stream } from "../runtime/report/sample.ts";
import { start, tunebook } from "./tunebook.ts";

function result(text: string): Output {
  const data = { "text/plain": text };
  return { output_type: "execute_result", execution_count: 1, data, metadata: {} };
}

async function inFolder(test: (write: (name: string, book: Notebook) => string) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "tunebook-check-" });
  try {
    await test((name, book) => {
      Deno.writeTextFileSync(join(folder, name), formatNotebook(book));
      return join(folder, name);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("tunebook check names cells that depended on hidden state, and excuses timings", () =>
  inFolder(async (write) => {
    const path = write(
      "hidden.ipynb",
      notebookOf(
        code("let x = 1;", [], { id: "a", execution_count: 1 }),
        code("console.log(x + gone)", [stream("3\n")], { id: "b", execution_count: 2 }),
        code("x * 2", [result("2")], { id: "c", execution_count: 3 }),
        code("performance.now()", [result("17")], {
          id: "d",
          execution_count: 4,
          metadata: { tags: ["timing"] },
        }),
      ),
    );
    const before = await Deno.readTextFile(path);
    const { code: exit, stdout } = await tunebook(["check", path]);
    assertEquals(exit, 1);
    assertStringIncludes(
      stdout,
      'hidden.ipynb, cell 2 (console.log(x + gone)): an error ("ReferenceError: gone is not defined") ' +
        'instead of text on stdout ("3")\n  hidden state: "gone" is defined in no cell\n',
    );
    assertStringIncludes(stdout, "2 of 4 cells gave the same output, 1 excused, 1 differ\n");
    assertEquals(await Deno.readTextFile(path), before);
  }));

Deno.test("tunebook check ends with 0 where all outputs were made again", () =>
  inFolder(async (write) => {
    const path = write(
      "good.ipynb",
      notebookOf(code("6 * 7", [result("42")], { execution_count: 1 })),
    );
    const { code: exit, stdout, stderr } = await tunebook(["check", path, "--json"]);
    assertEquals(exit, 0, stderr);
    const { ok, cells } = JSON.parse(stdout);
    assertEquals([ok, cells.length, cells[0].verdict], [true, 1, "same"]);
  }));

Deno.test("tunebook clean strips outputs in place and as a filter, and --check names what is not clean", () =>
  inFolder(async (write) => {
    const dirty = notebookOf(markdown("# T"), code("1", [result("1")], { execution_count: 4 }));
    dirty.metadata.tunebook = { tunebook: "0" };
    const path = write("book.ipynb", dirty);
    const checked = await tunebook(["clean", path, "--check"]);
    assertEquals([checked.code, checked.stderr], [1, `${path} is not clean\n`]);
    assertEquals(parseNotebook(await Deno.readTextFile(path)), dirty);

    const filter = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        new URL("../../lib/cli.ts", import.meta.url).pathname,
        "clean",
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const writer = filter.stdin.getWriter();
    await writer.write(await Deno.readFile(path));
    await writer.close();
    const filtered = new TextDecoder().decode((await filter.output()).stdout);

    const cleaned = await tunebook(["clean", path]);
    assertEquals([cleaned.code, cleaned.stderr], [0, `Cleaned ${path}\n`]);
    const text = await Deno.readTextFile(path);
    assertEquals(filtered, text);
    const cell = parseNotebook(text).cells[1] as CodeCell;
    assertEquals([cell.outputs, cell.execution_count, cell.source], [[], null, "1"]);
    assertEquals(text.includes("tunebook"), false);
    assertEquals((await tunebook(["clean", path, "--check"])).code, 0);
  }));

Deno.test("tunebook test counts each cell, continues after a failure, and writes JUnit", () =>
  inFolder(async (write) => {
    const path = write(
      "tests.ipynb",
      notebookOf(
        code("const two = 2;", [], { id: "a" }),
        code("// doubles\nif (two * 2 !== 5) throw new Error('four is not five');", [], {
          id: "b",
        }),
        code("throw new Error('meant')", [], { id: "c", metadata: { tags: ["raises-exception"] } }),
        code("never", [], { id: "d", metadata: { tags: ["skip"] } }),
      ),
    );
    const junit = path.replace(/[^/]*$/, "out/results.xml");
    const { code: exit, stdout } = await tunebook(["test", path, "--junit", junit]);
    assertEquals(exit, 1);
    assertStringIncludes(stdout, "running 4 tests from ");
    assertStringIncludes(stdout, "cell 2: doubles ... FAILED");
    assertStringIncludes(stdout, "  Error: four is not five");
    assertStringIncludes(stdout, "FAILED | 2 passed | 1 failed | 1 skipped");
    const xml = await Deno.readTextFile(junit);
    assertStringIncludes(xml, 'tests="4" failures="1" errors="0" skipped="1"');
    const broken = start(["test", "nowhere.ipynb"]);
    const { code: none, stdout: said } = await broken.output();
    assertEquals(none, 1);
    assertStringIncludes(new TextDecoder().decode(said), "0 passed | 1 failed");
  }));
