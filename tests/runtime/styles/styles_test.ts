// Twelve notebooks in the styles of public ones: what each cell shows is what `expected.json` says, and
// their reports are clean under axe-core. `deno run -A tests/runtime/styles/styles_test.ts --write` writes
// the expected outputs again, to be read before they are committed.

import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import type { Output } from "../../../lib/runtime/notebook.ts";
import { renderReport, runNotebook } from "../../../lib/runtime/mod.ts";
import { chromiumProgram, launchBrowser } from "../../browser.ts";

import { sampleManifest, sampleNotebook } from "../report/sample.ts";

const folder = fromFileUrl(new URL(".", import.meta.url));
const expectedFile = join(folder, "expected.json");
const names = [...Deno.readDirSync(folder)].map(({ name }) => name)
  .filter((name) => name.endsWith(".ipynb")).sort();

/** An output in short: streams and errors as text, displays by their types. */
function brief(output: Output): unknown {
  if (output.output_type === "stream") {
    // The kernel's own test runner says how long tests took.
    return `${output.name}: ${output.text.replace(/\(\d+ms\)/g, "(… ms)")}`;
  }
  if (output.output_type === "error") return `${output.ename}: ${output.evalue}`;
  return output.data;
}

/** Runs all notebooks in a folder of their own, which no lock file of this project is for. */
async function runAll(): Promise<{ shown: Record<string, unknown[][]>; reports: string[] }> {
  const copy = await Deno.makeTempDir({ prefix: "tunebook-styles-" });
  try {
    for (const name of [...names, "helper.ts", "scores.json"]) {
      await Deno.copyFile(join(folder, name), join(copy, name));
    }
    await Deno.writeTextFile(join(copy, "deno.json"), '{ "lock": false }');
    const shown: Record<string, unknown[][]> = {}, reports: string[] = [];
    for (const name of names) {
      const { notebook } = await runNotebook(join(copy, name), { allowErrors: true });
      shown[name] = notebook.cells.flatMap((cell) =>
        cell.cell_type === "code" ? [cell.outputs.map(brief)] : []
      );
      reports.push(await renderReport(notebook));
    }
    return { shown, reports };
  } finally {
    await Deno.remove(copy, { recursive: true });
  }
}

if (import.meta.main && Deno.args.includes("--write")) {
  const { shown } = await runAll();
  await Deno.writeTextFile(expectedFile, `${JSON.stringify(shown, null, 2)}\n`);
} else {
  let all: ReturnType<typeof runAll> | undefined;
  const once = () => all ??= runAll();

  Deno.test("notebooks in the styles of public ones show what they should", async () => {
    const { shown } = await once();
    const expected = JSON.parse(await Deno.readTextFile(expectedFile));
    for (const name of names) assertEquals(shown[name], expected[name], name);
    assertEquals(names.length, 12);
  });

  Deno.test({
    name: `their reports and the richest one are clean under axe-core${chromiumProgram.needs}`,
    ignore: !chromiumProgram.found,
    async fn() {
      const sample = sampleNotebook();
      const rich = await renderReport(sample, { manifest: sampleManifest(sample) });
      const reports = [...(await once()).reports, rich];
      const { default: axe } = await import("axe-core");
      const browser = await launchBrowser();
      try {
        for (const [i, html] of reports.entries()) {
          // The page's policy allows no script but its own.
          const page = await browser.newPage({ bypassCSP: true });
          await page.setContent(html);
          await page.evaluate(axe.source);
          const { violations } = await page.evaluate("axe.run()") as {
            violations: { id: string; nodes: { html: string }[] }[];
          };
          const found = violations.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 200)}`);
          assertEquals(found, [], names[i] ?? "the richest one");
          await page.close();
        }
      } finally {
        await browser.close();
      }
    },
  });
}
