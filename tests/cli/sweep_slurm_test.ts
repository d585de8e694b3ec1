// A sweep by a real scheduler: an array job, of which each task runs a part of the points.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { SlurmCluster, slurmFault } from "../grade/slurm.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";
import { tunebook } from "./tunebook.ts";

const fault = slurmFault();
const CLI = fromFileUrl(import.meta.resolve("../../lib/cli.ts"));
const TASKS = 3;

/** A notebook that leaves a file each time it is run; one of its points fails until there is a file "fixed". */
const BOOK = JSON.stringify({
  nbformat: 4,
  nbformat_minor: 5,
  metadata: {},
  cells: [
    ["a", "let lr = 1e-3;\nlet rank = 0;", ["parameters"]],
    ["b", 'Deno.writeTextFileSync(`ran/${lr} ${rank} ${crypto.randomUUID()}`, "");', []],
    ["c", 'if (lr === 2 && rank === 8) Deno.statSync("fixed");\nlr * rank', []],
  ].map(([id, source, tags]) => (
    { cell_type: "code", id, source, metadata: { tags }, execution_count: null, outputs: [] }
  )),
});

Deno.test({
  name: "an array job on two nodes runs each point of a sweep once, and only what failed again" +
    (fault === undefined ? "" : ` (${fault})`),
  ignore: fault !== undefined,
  async fn() {
    using temporary = new TemporaryDirectory();
    const at = (name: string) => join(temporary.path, name);
    await Deno.mkdir(at("ran"));
    await Deno.writeTextFile(at("book.ipynb"), BOOK);
    const ran = () =>
      [...Deno.readDirSync(at("ran"))].map(({ name }) => name.split(" ", 2).join(" ")).sort();
    const points = ["1 4", "1 8", "2 4", "2 8"];
    const sweep = ["sweep", at("book.ipynb"), "--grid", "lr=1,2", "--grid", "rank=4,8"];
    sweep.push("--out", at("out"));
    const line = [
      ...[Deno.execPath(), "run", "-A", "--no-check", CLI, ...sweep],
      ...["--shard", `$SLURM_ARRAY_TASK_ID/${TASKS}`],
    ].join(" ");
    await using cluster = await SlurmCluster.start();

    const first = await cluster.array(TASKS, line);
    const said = first.tasks.map(({ output }) => output).join("\n");
    assert(first.code !== 0, "a point failed");
    assertEquals(new Set(first.tasks.map(({ node }) => node)), new Set(["node1", "node2"]));
    assertEquals(ran(), points, said);
    assertStringIncludes(said, "lr=2,rank=8: failed");
    assert(!await Deno.stat(at("out/index.html")).catch(() => false), "shards write no page");

    await Deno.writeTextFile(at("fixed"), "");
    const second = await cluster.array(TASKS, line);
    const saidAgain = second.tasks.map(({ output }) => output).join("\n");
    assertEquals([second.code, ran()], [0, [...points, "2 8"]], saidAgain);
    assertEquals(saidAgain.match(/: finished/g)?.length, 3, saidAgain);

    const whole = await tunebook(sweep);
    assertEquals([whole.code, ran()], [0, [...points, "2 8"]], whole.stderr);
    const page = await Deno.readTextFile(at("out/index.html"));
    for (const name of ["lr=1,rank=4", "lr=1,rank=8", "lr=2,rank=4", "lr=2,rank=8"]) {
      assertStringIncludes(page, name);
    }
  },
});
