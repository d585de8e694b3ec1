// `tunebook verify` and `tunebook diff`: the same, or what differs and what has changed.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { formatNotebook, parseNotebook } from "../../lib/runtime/notebook.ts";
import { readReport, renderReport } from "../../lib/runtime/report/mod.ts";
import { runNotebook } from "../../lib/runtime/runner.ts";
import { sandboxFault } from "../../lib/runtime/sandbox/outer.ts";
import { verifyReport } from "../../lib/runtime/verify_report.ts";
import { code, notebookOf } from "../runtime/report/sample.ts";
import { tunebook } from "./tunebook.ts";

const fault = await sandboxFault();

/** A notebook that reads data and a module, and its report. */
async function withReport(test: (folder: string, report: string) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "tunebook-verify-" });
  try {
    await Deno.writeTextFile(join(folder, "data.json"), "[1, 2, 3]");
    await Deno.writeTextFile(join(folder, "helper.ts"), "export const double = (x) => 2 * x;\n");
    const book = notebookOf(
      code("let scale = 1;", [], { id: "p", metadata: { tags: ["parameters"] } }),
      code(
        `import { double } from "./helper.ts";
const text = await Deno.readTextFile("data.json");
const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).toHex();
await Deno.jupyter.broadcast("display_data", { metadata: {}, transient: {}, data: {
  "application/vnd.tunebook.provenance+json": { kind: "data", source: "data.json", sha256 } } });
const sum = JSON.parse(text).reduce((a, b) => a + b);
double(sum) * scale`,
        [],
        { id: "sum" },
      ),
      // Never twice the same, not within a tolerance either, as times since the start can be.
      code("crypto.randomUUID()", [], { id: "t", metadata: { tags: ["timing"] } }),
    );
    await Deno.writeTextFile(join(folder, "book.ipynb"), formatNotebook(book));
    const { notebook, ok, failure } = await runNotebook(join(folder, "book.ipynb"), {
      parameters: { scale: 3 },
    });
    assert(ok, failure?.summary);
    await Deno.writeTextFile(join(folder, "report.html"), await renderReport(notebook));
    await test(folder, join(folder, "report.html"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("tunebook verify says same to the bit, and names the data, module, code or version that changed", () =>
  withReport(async (folder, report) => {
    const verify = (...more: string[]) => tunebook(["verify", report, "--trust", ...more]);
    const same = await verify();
    assertEquals(same.code, 0, same.stderr);
    assertMatch(
      same.stdout,
      /^excused, cell 4 \(crypto\.randomUUID\(\)\): "\S+" instead of "\S+"; its own tag "timing" excuses it\nSame but for 1 cell: cell 4 \(crypto\.randomUUID\(\)\): its own tag "timing" excuses it\. 3 of 4 cells, to the bit\n$/,
    );

    await Deno.writeTextFile(join(folder, "data.json"), "[1, 2, 4]");
    const data = await verify();
    assertEquals(data.code, 1);
    assertStringIncludes(data.stdout, 'changed, data: the content of data "data.json"\n');
    assertStringIncludes(
      data.stdout,
      'differs, cell 3 (import { double } from "./helper.ts";): "42" instead of "36"',
    );
    assertStringIncludes(data.stdout, "Not the same: 2 of 4 cells");
    await Deno.writeTextFile(join(folder, "data.json"), "[1, 2, 3]");

    await Deno.writeTextFile(join(folder, "helper.ts"), "export const double = (x) => x + x;\n");
    const module = await verify("--json");
    assertEquals(module.code, 0);
    const { verdict, exact, changes } = JSON.parse(module.stdout);
    assertEquals([verdict, exact, changes], ["same but for", false, [
      { kind: "code", text: 'module "helper.ts"' },
    ]]);
    await Deno.writeTextFile(join(folder, "helper.ts"), "export const double = (x) => 2 * x;\n");

    const book = parseNotebook(await Deno.readTextFile(join(folder, "book.ipynb")));
    book.cells[1].source = book.cells[1].source.replace("* scale", "* scale + 1");
    const changed = await verifyReport(await Deno.readTextFile(report), {
      notebook: book,
      cwd: folder,
    });
    assertEquals([changed.same, changed.changes], [false, [
      { kind: "code", text: 'the code of cell "sum" (number 3 to run)' },
    ]]);

    const html = await Deno.readTextFile(report);
    const { notebook, manifest } = await readReport(html);
    notebook!.metadata.tunebook = { ...manifest!, v8: "1.0" };
    const older = await verifyReport(await renderReport(notebook!), { cwd: folder });
    assertEquals([older.verdict, older.changes], ["same but for", [
      { kind: "versions", text: `V8 ${manifest!.v8} instead of 1.0` },
    ]]);
    assertEquals(older.tampered, ["outputs or what was recorded were changed after the run"]);
  }));

Deno.test("verifyReport() finds a report the same that was made of a saved notebook", async () => {
  const book = notebookOf(
    code("let zeta = 1, alpha = {};", [], { id: "p", metadata: { tags: ["parameters"] } }),
    code(
      `await Deno.jupyter.broadcast("display_data", { metadata: {}, transient: {}, data: {
  "application/vnd.plotly.v1+json": { layout: {}, data: [{ y: [zeta], x: [1] }] } } });
JSON.stringify(alpha)`,
      [],
      { id: "s" },
    ),
  );
  const { notebook, ok, failure } = await runNotebook(book, {
    name: "book.ipynb",
    parameters: { zeta: 5, alpha: { d: 1, c: 2 } },
  });
  assert(ok, failure?.summary);
  const saved = parseNotebook(formatNotebook(notebook));
  for (const made of [notebook, saved]) {
    const { verdict, page, tampered, changes } = await verifyReport(await renderReport(made));
    assertEquals([verdict, page.verdict, tampered, changes], ["same", "same", [], []]);
  }
});

Deno.test("tunebook diff names what two reports do not share", () =>
  withReport(async (folder, report) => {
    assertEquals((await tunebook(["diff", report, report])).stdout, "No difference\n");
    const { notebook } = await runNotebook(join(folder, "book.ipynb"), {
      parameters: { scale: 4 },
    });
    const other = join(folder, "other.html");
    await Deno.writeTextFile(other, await renderReport(notebook));
    const { code: exit, stdout } = await tunebook(["diff", report, other]);
    assertEquals(exit, 1);
    assertStringIncludes(stdout, 'changed, parameters: parameter "scale": 4 instead of 3\n');
    assertStringIncludes(stdout, '"48" instead of "36"');
    const bare = join(folder, "bare.html");
    await Deno.writeTextFile(bare, await renderReport(notebook, { embedNotebook: false }));
    const refused = await tunebook(["diff", report, bare]);
    assertEquals([refused.code, refused.stderr], [
      1,
      "error: Cannot compare the report: it carries no notebook\n",
    ]);
  }));

Deno.test({
  name: `tunebook verify runs in a sandbox that says what it holds${fault ? ` (${fault})` : ""}`,
  ignore: fault !== undefined,
  fn: () =>
    withReport(async (folder, report) => {
      const closed = await tunebook(["verify", report]);
      assertEquals(closed.code, 1);
      assertStringIncludes(
        closed.stderr,
        "In a sandbox:\n  network: none\n  files it can read: nothing",
      );
      const named = ["data.json", "helper.ts"].flatMap((
        name,
      ) => ["--allow-read", join(folder, name)]);
      const open = await tunebook(["verify", report, ...named]);
      assertEquals(open.code, 0, open.stdout + open.stderr);
      assertStringIncludes(open.stdout, "Same but for 1 cell");
    }),
});
