// tunebook data dedupe writes what is left, and says what is not.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { tunebook } from "./tunebook.ts";

const ENTRIES = [
  { instruction: "Name a fruit.", input: "", output: "An apple." },
  { instruction: "What is the plural of fox?", input: "", output: "Foxes." },
  { instruction: "Name a fruit.", input: "", output: "An apple." },
  { instruction: "What is the plural of “Fox”?", input: "", output: "foxes" },
];

Deno.test("tunebook data dedupe removes exact and near duplicates, and reports each", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const [data, out, report] = ["data.json", "out.json", "report.json"].map((name) =>
      `${folder}/${name}`
    );
    await Deno.writeTextFile(data, JSON.stringify(ENTRIES));
    const near = await tunebook(["data", "dedupe", data, "--out", out, "--report", report]);
    assertEquals([near.code, near.stderr], [0, ""]);
    assertStringIncludes(
      near.stdout,
      `4 entries: 1 exact and 1 near duplicates removed, 2 written to "${out}"`,
    );
    assertStringIncludes(near.stdout, "What is the plural of “Fox”?");
    assertEquals(JSON.parse(await Deno.readTextFile(out)), ENTRIES.slice(0, 2));
    assertEquals(JSON.parse(await Deno.readTextFile(report)).removed, [
      { entry: 3, keptAs: 1, kind: "exact", similarity: 1 },
      { entry: 4, keptAs: 2, kind: "near", similarity: 1 },
    ]);

    const exact = await tunebook(["data", "dedupe", data, "--out", out, "--no-near", "--json"]);
    assertEquals(JSON.parse(exact.stdout).kept, 3);
    const wrong = await tunebook(["data", "dedupe", data, "--out", out, "--threshold", "0"]);
    assertEquals(wrong.code === 0, false);
    assertStringIncludes(wrong.stderr, "Expected a number above 0 and up to 1");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
