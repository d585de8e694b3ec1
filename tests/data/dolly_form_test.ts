// Rows of Dolly's form: exactly its four fields, its categories, and three rows to filter.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readDataset } from "../../lib/dataset/mod.ts";

const here = (name: string) => new URL(`../../data/dolly_form/${name}`, import.meta.url);
const rows: Record<string, string>[] = (await Deno.readTextFile(here("dolly_form.jsonl")))
  .trimEnd().split("\n").map((line) => JSON.parse(line));

/** The categories of Dolly that have a context. */
const WITH_CONTEXT = ["closed_qa", "information_extraction", "summarization"];

Deno.test("dolly form: every row has the four fields in Dolly's order, and a context where its category has one", () => {
  for (const row of rows) {
    assertEquals(Object.keys(row), ["instruction", "context", "response", "category"]);
    assertEquals(row.context !== "", WITH_CONTEXT.includes(row.category), row.instruction);
  }
  assertEquals(new Set(rows.map(({ instruction }) => instruction)).size, rows.length);
});

Deno.test("dolly form: the page's table counts rows and empty ones by category", async () => {
  const page = await Deno.readTextFile(here("README.md"));
  const isEmpty = (row: Record<string, string>) =>
    row.instruction.trim() === "" || row.response.trim() === "";
  const counts = Object.entries(Object.groupBy(rows, ({ category }) => category));
  for (const [category, of] of counts) {
    const empty = of!.filter(isEmpty).length;
    assertStringIncludes(page, `| \`${category}\` | ${of!.length} | ${empty || "–"} |`);
  }
  assertEquals([rows.length, rows.filter(isEmpty).length, counts.length], [43, 3, 8]);
});

Deno.test("dolly form: it is recognised, and its empty fields are reported", async () => {
  const { entries, report } = await readDataset(here("dolly_form.jsonl"));
  assertEquals(report.forms, { dolly: 43 });
  assertEquals([report.emptyOutputs.length, report.emptyInstructions.length], [2, 1]);
  assert(entries.every((entry) => entry.category !== undefined));
});
