// Reports that were tampered with: no single change of what a page shows or holds is "same".

import { assert, assertEquals } from "@std/assert";
import { Random } from "../../lib/random.ts";
import type { Manifest } from "../../lib/runtime/manifest.ts";
import { recordHash } from "../../lib/runtime/new_manifest.ts";
import { type Notebook, parseNotebook } from "../../lib/runtime/notebook.ts";
import { checkPage } from "../../lib/runtime/report/check_page.ts";
import type { CompleteReport } from "../../lib/runtime/report/embedded.ts";
import { readReport, renderReport } from "../../lib/runtime/report/mod.ts";
import { runNotebook, type RunResult } from "../../lib/runtime/runner.ts";
import { judge, verifyReport } from "../../lib/runtime/verify_report.ts";
import { code, markdown, notebookOf } from "./report/sample.ts";

const BOOK = notebookOf(
  markdown("# Result\n\nWhat came out.", { id: "m" }),
  code('console.log("accuracy", 0.51);', [], { id: "a" }),
  code(
    `({ [Deno.jupyter.$display]: () => ({
  "application/vnd.tunebook.test+json": { y: [0.1, 0.2, 0.3] },
  "text/html": "<svg width='100' height='20'><text y='15'>acc 0.51</text></svg>",
  "text/plain": "curve, acc 0.51" }) })`,
    [],
    { id: "b" },
  ),
  code('throw new Error("stopped early");', [], {
    id: "c",
    metadata: { tags: ["raises-exception"] },
  }),
  code("", [], { id: "d" }),
);

const run: RunResult = await runNotebook(BOOK, { name: "book.ipynb" });
const page = await renderReport(run.notebook);

/** The verdict on a page, as if its notebook gave again what the first run gave. */
async function verdictOn(html: string): Promise<string> {
  let report: CompleteReport;
  try {
    report = await readReport(html) as CompleteReport;
    const { notebook, manifest, settings } = report;
    if (!notebook || !manifest || !settings) return "refused";
  } catch {
    return "refused";
  }
  return (await judge(report, await checkPage(html, report), run, {})).verdict;
}

/** Renders a changed notebook again, as a forger of a report would. */
async function forge(
  change: (notebook: Notebook, manifest: Manifest) => void,
  sealed: boolean,
): Promise<string> {
  const notebook = structuredClone(run.notebook);
  const manifest = notebook.metadata.tunebook as Manifest;
  change(notebook, manifest);
  if (sealed) manifest.record = await recordHash(notebook, manifest);
  return await renderReport(notebook);
}

Deno.test("a report that nobody has changed is the same", async () => {
  assertEquals(await verdictOn(page), "same");
});

Deno.test("verifyReport() holds the page to its notebook, and to a run of it", async () => {
  const untouched = await verifyReport(page);
  assertEquals([untouched.verdict, untouched.exact], ["same", true]);
  const shown = await verifyReport(page.replace("accuracy 0.51</pre>", "accuracy 0.99</pre>"));
  assertEquals([shown.verdict, shown.run], ["different", undefined]);
  const wrong = (change: (notebook: Notebook) => void) => forge(change, true).then(verifyReport);
  const lie = await wrong(({ cells }) => {
    Object.assign(cells[1], { outputs: [{ output_type: "stream", name: "stdout", text: "0.99" }] });
  });
  assertEquals([lie.verdict, lie.tampered], ["different", []]);
  const injected = await wrong(({ cells }) => {
    cells.push({ ...markdown("final accuracy 0.99"), metadata: { tags: ["injected-parameters"] } });
  });
  assertEquals(injected.verdict, "same but for");
});

Deno.test("a style sheet of the page's own is named in the verdict", async () => {
  const { notebook } = run;
  const html = await renderReport(notebook, { theme: ".nb-stream { display: none }" });
  const { verdict, exceptions } = await verifyReport(html);
  assertEquals([verdict, exceptions], ["same but for", [
    "the page has a style sheet of its own",
  ]]);
});

Deno.test("a page of another version is rendered by that version, and where it cannot be, nobody can tell", async () => {
  const other = page.replaceAll("Tunebook 0.1.0", "Tunebook 0.0.9")
    .replace(/"tunebook":"0\.1\.0","library":"\w+","deno"/, '"tunebook":"0.0.9","deno"');
  const none = await verifyReport(other, { moduleOf: () => "file:///nowhere/mod.ts" });
  assertEquals(none.verdict, "unknown");
  assert(none.page.verdict === "unknown" && none.page.reason.includes("Tunebook 0.0.9"));
  const folder = await Deno.makeTempDir({ prefix: "tunebook-version-" });
  try {
    const version = async (html: string) => {
      await Deno.writeTextFile(
        `${folder}/mod.ts`,
        `export const parseNotebook = JSON.parse;\nexport const renderReport = () => ${
          JSON.stringify(html)
        };`,
      );
      return await verifyReport(other, { moduleOf: () => `file://${folder}/mod.ts` });
    };
    assertEquals((await version(other)).page, { verdict: "same" });
    assertEquals((await version(page)).verdict, "different");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Places of a JSON value that can be changed. */
function places(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== "object" || value === null) return [path];
  return [
    path,
    ...Object.entries(value).flatMap(([key, item]) =>
      places(item, [...path, Array.isArray(value) ? Number(key) : key])
    ),
  ];
}

/** Another value of the same kind. */
function another(value: unknown, random: Random): unknown {
  if (typeof value === "number") return value + 1;
  if (typeof value === "boolean") return !value;
  if (typeof value === "string") {
    const at = random.integer(value.length + 1);
    const inserted = ["0", " ", "\n", "\r", "\b", "\u001b[8m", "9", "​"][random.integer(8)];
    return random.integer(2) === 0 || value === ""
      ? value.slice(0, at) + inserted + value.slice(at)
      : value.slice(0, at) + value.slice(at + 1) + (at < value.length ? "" : "x");
  }
  if (Array.isArray(value)) return [...value, ...value.length > 0 ? [value[0]] : [0]];
  return value === null ? 7 : { ...value as object, extra: 1 };
}

function mutate(root: unknown, random: Random) {
  const all = places(root).filter((path) => path.length > 0);
  const path = all[random.integer(all.length)];
  // deno-lint-ignore no-explicit-any
  const holder = path.slice(0, -1).reduce((at: any, key) => at[key], root);
  const key = path.at(-1)!;
  if (random.integer(4) > 0) holder[key] = another(holder[key], random);
  else if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else delete holder[key];
}

Deno.test("no change of a character of the file is the same (8,000 by seeds)", async () => {
  const random = new Random(12);
  for (let round = 0; round < 8000; round++) {
    // Half of them where the page's words and data are, and not its style sheet and script.
    const body = round % 2 === 0 ? page.indexOf("<body") : 0;
    const at = body + random.integer(page.length - body);
    const kind = random.integer(3);
    const other = page[at] === "0" ? "9" : "0";
    const changed = kind === 0
      ? page.slice(0, at) + other + page.slice(at + 1)
      : kind === 1
      ? page.slice(0, at) + page.slice(at + 1)
      : page.slice(0, at) + other + page.slice(at);
    const verdict = await verdictOn(changed);
    assert(verdict !== "same", `round ${round}: ${changed.slice(at - 40, at + 40)}`);
  }
});

Deno.test("no change of the notebook or the manifest is the same, the page rendered again (2,000 by seeds)", async () => {
  const random = new Random(13);
  let judged = 0;
  for (let round = 0; round < 2000; round++) {
    const notebook = structuredClone(run.notebook);
    const before = JSON.stringify(notebook);
    mutate(notebook, random);
    if (JSON.stringify(notebook) === before) continue;
    let html: string;
    try {
      html = await renderReport(parseNotebook(JSON.stringify(notebook)));
    } catch {
      continue; // No notebook any more.
    }
    // What parsing corrects is not a change.
    if (html === page) continue;
    judged++;
    assert(await verdictOn(html) !== "same", `round ${round}: ${JSON.stringify(notebook)}`);
  }
  assert(judged > 1000, `only ${judged} were judged`);
});

Deno.test("no change of outputs is the same, even if the forger has changed the record too (500 by seeds)", async () => {
  const random = new Random(14);
  for (let round = 0; round < 500; round++) {
    let before = "", after = "";
    const html = await forge(({ cells }) => {
      const cell = cells[1 + random.integer(4)];
      if (cell.cell_type !== "code") return;
      before = JSON.stringify(cell.outputs);
      if (cell.outputs.length > 0) mutate(cell.outputs, random);
      else cell.outputs.push({ output_type: "stream", name: "stdout", text: "0.99" });
      after = JSON.stringify(cell.outputs);
    }, true).catch(() => "");
    if (before === after || html === "") continue;
    assert(await verdictOn(html) !== "same", `round ${round}: ${after}`);
  }
});
