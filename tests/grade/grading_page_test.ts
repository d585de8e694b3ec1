// docs/grading.md: an assignment goes from an empty folder to the gradebook by the page's own commands.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { parse } from "@std/csv";
import { sandboxFault } from "../../lib/runtime/sandbox/outer.ts";
import { markAll, walk } from "./grading_page.ts";

const fault = await sandboxFault();
const needs = fault === undefined ? "" : ` (${fault})`;

Deno.test({
  name: `the page on grading leads from an empty folder to the gradebook${needs}`,
  ignore: fault !== undefined,
  async fn() {
    await using done = await walk(markAll);
    const { course, printed } = done;
    const steps = Object.keys(printed).map((section) => section[0]);
    assertEquals(steps, ["1", "2", "3", "4", "6", "7"]);
    assertStringIncludes(printed["3. Students work, and hand in"]!, "Not ready");
    assertMatch(printed["4. Autograde"]!, /Graded 6 submissions/);
    const rows: string[][] = parse(await Deno.readTextFile(join(course, "grades.csv"))).slice(1);
    assertEquals(rows.map((row) => row[3]), ["ada", "ben", "chloe", "dev", "emil", "fay"]);
    const [ada, , chloe, dev] = rows.map((row) => ({
      score: Number(row[9]),
      late: Number(row[8]),
    }));
    assert(ada!.score > chloe!.score && ada!.score <= 20);
    assert(ada!.late === 0 && dev!.late > 0 && dev!.score < ada!.score);
    const page = await Deno.readTextFile(
      join(course, "feedback/ben/tokens-and-masks/tokens-and-masks.html"),
    );
    assertStringIncludes(page, "Say why as well.");
    assert((await Deno.stat(join(course, "scores.html"))).size > 1000);
  },
});

Deno.test("the pictures of the page on grading are small", async () => {
  let bytes = 0;
  for (const name of ["marking", "feedback", "statistics"]) {
    bytes += (await Deno.stat(new URL(`../../docs/grading_${name}.png`, import.meta.url))).size;
  }
  assert(bytes <= 300_000, `${bytes} bytes`);
});
