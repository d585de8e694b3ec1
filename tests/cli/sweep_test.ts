// `tunebook sweep`: the points of a grid, in shards and again; what is finished is not run twice.

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { pointsOf } from "../../lib/cli/sweep/points.ts";
import { runPoint } from "../../lib/cli/sweep/run_point.ts";
import { lockFolder } from "../../lib/folder_lock.ts";
import { parseNotebook } from "../../lib/runtime/notebook.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";
import { tunebook } from "./tunebook.ts";

const cell = (id: string, source: string, tags: string[] = []) => ({
  cell_type: "code",
  id,
  source,
  metadata: { tags },
  execution_count: null,
  outputs: [],
});
const bookOf = (code: string) =>
  JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {},
    cells: [
      cell("a", 'let lr = 1e-3;\nlet name = "x";\nlet out = "";', ["parameters"]),
      cell("b", code),
    ],
  });

Deno.test("a grid has a point for each combination, with values of the declared types", () => {
  const notebook = parseNotebook(bookOf(""));
  const points = pointsOf(notebook, ["lr=1e-4,5e-5", "name=1,a/b"], { out: "models/{point}" });
  assertEquals(points.map(({ name }) => name), [
    "lr=1e-4,name=1",
    "lr=1e-4,name=a_b",
    "lr=5e-5,name=1",
    "lr=5e-5,name=a_b",
  ]);
  assertEquals(points[0].parameters, { out: "models/lr=1e-4,name=1", lr: 1e-4, name: "1" });
  assertEquals(points[3].parameters.name, "a/b");
  const refused: [string[], Record<string, unknown>, string][] = [
    [["lr"], {}, 'Cannot read the grid "lr"'],
    [["lr=1,"], {}, "expected a parameter and its values"],
    [["lr=1,1"], {}, "a value is given twice"],
    [["lr=1", "lr=2"], {}, 'Cannot sweep over "lr"'],
    [["lr=1"], { lr: 2 }, 'Cannot sweep over "lr"'],
  ];
  for (const [grid, others, message] of refused) {
    assertThrows(() => pointsOf(notebook, grid, others), Error, message);
  }
});

Deno.test("two shards run all points, and a run without a shard only what failed, then writes the page", async () => {
  using temporary = new TemporaryDirectory();
  const at = (name: string) => join(temporary.path, name);
  await Deno.mkdir(at("ran"));
  // Each run leaves a file; one point fails until a file is there.
  const code = `Deno.writeTextFileSync("ran/" + lr + "-" + crypto.randomUUID(), "");
if (lr === 2 && !(() => { try { return Deno.statSync("fixed"); } catch { return false; } })()) throw new Error("not yet");
lr * 2`;
  await Deno.writeTextFile(at("book.ipynb"), bookOf(code));
  const sweep = (...more: string[]) =>
    tunebook(["sweep", at("book.ipynb"), "--grid", "lr=1,2", "--out", at("out"), ...more]);
  const ran = () => [...Deno.readDirSync(at("ran"))].map(({ name }) => name.split("-")[0]).sort();

  const first = await sweep("--shard", "1/2");
  assertEquals([first.code, ran()], [0, ["1"]], first.stderr);
  const second = await sweep("--shard", "2/2");
  assertEquals([second.code, ran()], [1, ["1", "2"]], second.stderr);
  assertStringIncludes(second.stderr, "not yet");
  assert(!await Deno.stat(at("out/index.html")).catch(() => false));

  await Deno.writeTextFile(at("fixed"), "");
  const point = { name: "lr=2", parameters: { lr: 2 } };
  {
    await using _ = await lockFolder(at("out/lr=2"), { verb: "run", work: "sweep" });
    const { state } = await runPoint(at("book.ipynb"), point, at("out/lr=2"));
    assertEquals(state, "busy");
  }
  const last = await sweep();
  assertEquals([last.code, ran()], [0, ["1", "2", "2"]], last.stderr);
  assertStringIncludes(last.stderr, "lr=1: finished");
  assertStringIncludes(last.stderr, "lr=2: ran");
  const page = await Deno.readTextFile(at("out/index.html"));
  assertStringIncludes(page, "book.ipynb at 2 points");
  assertStringIncludes(page, "lr=2");
  // Of another notebook it is not finished.
  const stopped = { signal: AbortSignal.abort() };
  const again = () => runPoint(at("book.ipynb"), point, at("out/lr=2"), stopped);
  assertEquals((await again()).state, "finished");
  await Deno.writeTextFile(at("book.ipynb"), bookOf(`${code} + 1`));
  assertEquals(await again(), { state: "failed", message: "it was stopped" });
});

Deno.test("the page of a sweep has every point: those that failed with the reason, each with its report", async () => {
  using temporary = new TemporaryDirectory();
  const at = (name: string) => join(temporary.path, name);
  await Deno.writeTextFile(at("book.ipynb"), bookOf('if (lr > 1) throw new Error("<too> large");'));
  const sweep = (grid: string) =>
    tunebook(["sweep", at("book.ipynb"), "--grid", grid, "--out", at("out")]);
  assertEquals((await sweep("lr=1,2")).code, 1);
  const page = await Deno.readTextFile(at("out/index.html"));
  for (
    const part of [
      "book.ipynb at 2 points",
      "1 of 2 points are finished",
      '<a href="lr%3D2/report.html">lr=2</a>: book.ipynb, cell 3, line 1: Error: &lt;too&gt; large',
      '<a href="lr%3D1/report.html">lr=1</a></li>',
    ]
  ) assertStringIncludes(page, part);
  await Deno.stat(at("out/lr=2/report.html"));

  assertEquals((await sweep("lr=3")).code, 1);
  assertStringIncludes(await Deno.readTextFile(at("out/index.html")), "0 of 1 points are finished");
});
