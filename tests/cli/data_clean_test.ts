// tunebook data clean writes what it cleaned and lists it; with a review, a person decides first.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { tunebook } from "./tunebook.ts";

Deno.test("tunebook data clean masks what a person confirms, and lists every change", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = (name: string) => `${folder}/${name}`;
    await Deno.writeTextFile(
      path("data.json"),
      JSON.stringify([
        { instruction: "Who  is Charlotte?", output: "Ask ana@example.org." },
        { instruction: "And now?", output: "" },
      ]),
    );
    const args = [
      "data",
      "clean",
      path("data.json"),
      "--out",
      path("out.json"),
      "--personal",
      "all",
    ];
    const review = ["--review", path("review.csv"), "--report", path("report.json")];
    const first = await tunebook([...args, ...review]);
    assertStringIncludes(first.stderr, `2 findings written to "${path("review.csv")}"`);
    assertEquals(await Deno.stat(path("out.json")).catch(() => "absent"), "absent");

    const undecided = await tunebook([...args, ...review]);
    assertStringIncludes(undecided.stderr, 'expected "yes" or "no"');
    const lines = (await Deno.readTextFile(path("review.csv"))).trimEnd().split(/\r?\n/);
    const answers = ["", "no", "yes"];
    await Deno.writeTextFile(
      path("review.csv"),
      lines.map((line, i) => line + answers[i]).join("\n"),
    );
    const second = await tunebook([...args, ...review]);
    assertEquals(second.code, 0, second.stderr);
    assertStringIncludes(second.stdout, "2 entries: 2 changes, 1 left out, 1 written");
    assertEquals(JSON.parse(await Deno.readTextFile(path("out.json"))), [
      { instruction: "Who is Charlotte?", input: "", output: "Ask [EMAIL]." },
    ]);
    const { changes, dropped } = JSON.parse(await Deno.readTextFile(path("report.json")));
    assertEquals(changes.map(({ step }: { step: string }) => step), ["whitespace", "personal"]);
    assertEquals(dropped, [{ entry: 2, reason: "nothing to learn" }]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
