// tunebook data balance writes weights or repeated entries, by topic.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { tunebook } from "./tunebook.ts";

Deno.test("tunebook data balance weighs topics, or repeats their entries", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const [data, out] = [`${folder}/data.json`, `${folder}/out.json`];
    const entries = ["orders", "orders", "orders", "returns"].map((topic, i) => ({
      ...{ instruction: `Say ${i}.`, input: "", output: String(i), topic },
    }));
    await Deno.writeTextFile(data, JSON.stringify(entries));
    const weights = await tunebook(["data", "balance", data, "--out", out]);
    assertEquals([weights.code, weights.stderr], [0, ""]);
    assertStringIncludes(weights.stdout, "4 entries written");
    const weighed = JSON.parse(await Deno.readTextFile(out));
    assertEquals(weighed.map(({ weight }: { weight: number }) => weight), [2 / 3, 2 / 3, 2 / 3, 2]);

    const method = ["--method", "oversample"];
    const more = await tunebook(["data", "balance", data, "--out", out, ...method, "--json"]);
    assertEquals(JSON.parse(more.stdout).repeated, [4, 4]);
    assertEquals(JSON.parse(await Deno.readTextFile(out)).length, 6);
    const wrong = await tunebook(["data", "balance", data, "--out", out, "--share", "0.5"]);
    assertStringIncludes(wrong.stderr, "Cannot balance by weights with --share");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
