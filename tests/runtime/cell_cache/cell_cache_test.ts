// Results of cells that are kept from run to run: what is restored, what is replayed, and why.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { partsOf, reachedNames } from "../../../lib/runtime/cell_cache/names.ts";
import { mark, Packer, Unpacker } from "../../../lib/runtime/cell_cache/pack.ts";
import type { CodeCell, Notebook } from "../../../lib/runtime/notebook.ts";
import { runNotebook, type RunOptions } from "../../../lib/runtime/runner.ts";
import { code, notebookOf } from "../report/sample.ts";

const LIBRARY = fromFileUrl(import.meta.resolve("../../../"));

/** A folder with a notebook that logs which cells run. */
class Bench implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "tunebook-cache-" });

  /** Runs cells; `[source]` is tagged `cache`. */
  async run(cells: (string | [string])[], options: RunOptions = {}) {
    const notebook: Notebook = notebookOf(
      ...cells.map((cell, i) =>
        code(Array.isArray(cell) ? cell[0] : cell, [], {
          id: `c${i + 1}`,
          metadata: { tags: i === 0 ? ["parameters"] : Array.isArray(cell) ? ["cache"] : [] },
        })
      ),
    );
    const said: string[] = [];
    const result = await runNotebook(notebook, {
      cwd: this.folder,
      name: "book.ipynb",
      cacheFolder: join(this.folder, "kept"),
      ...options,
      onProgress(event) {
        options.onProgress?.(event);
        if (event.type === "cell-end" && event.cache !== undefined) said.push(event.cache);
      },
    });
    const texts = (result.notebook.cells as CodeCell[]).map((cell) =>
      cell.outputs.map((output) =>
        output.output_type === "stream"
          ? output.text.trim()
          : output.output_type === "error"
          ? output.evalue
          : String(output.data["text/plain"])
      ).join("|")
    );
    return { ...result, said, last: texts.at(-1), texts };
  }

  async [Symbol.asyncDispose]() {
    await Deno.remove(this.folder, { recursive: true });
  }
}

Deno.test("partsOf() tells what is run again from what is restored", () => {
  const { definitions, variables, defined } = partsOf(
    'import { a } from "m";\nconst f = (x) => x, n = 1, { p, q: [r] } = a();\nlet s;\nfunction g() {}\nclass K {}\nn + 1;',
  );
  assertEquals([...variables], [["n", "const"], ["p", "const"], ["r", "const"], ["s", "let"]]);
  assertEquals([...defined].sort(), ["K", "a", "f", "g"]);
  assertEquals(
    definitions,
    'import { a } from "m";\nconst f = (x) => x;\nfunction g() {}\nclass K {}\n',
  );
});

Deno.test("reachedNames() follows functions to what they may change", () => {
  const earlier = [
    "let count = 0, other = 1;",
    "function bump() { count++ }",
    "const bumpTwice = () => { bump(); bump() };",
  ];
  assertEquals([...reachedNames("bumpTwice(); const mine = 1;", earlier)], [["count", true]]);
  assertEquals([...reachedNames("let count = 2;", earlier)], []);
});

Deno.test("Packer and Unpacker keep shared parts, cycles and every plain type", async () => {
  const shared = { n: 1 };
  const cycle: unknown[] = [shared];
  cycle.push(cycle);
  const value = {
    shared,
    cycle,
    map: new Map<unknown, unknown>([[shared, new Set([2n, NaN, -0])]]),
    floats: new Float32Array([1, 2]),
    date: new Date(5),
    sparse: [, 1],
  };
  const { serialize, deserialize } = await import("node:v8");
  const bytes = serialize(await new Packer("nowhere").pack(value));
  const again = await new Unpacker("nowhere").unpack(deserialize(bytes)) as typeof value;
  assertEquals(again, value);
  assert(again.cycle[1] === again.cycle && again.cycle[0] === again.shared);
  assert(again.map.has(again.shared));
  for (const bad of [() => 1, Symbol("x"), { deep: [new (class Odd {})()] }, Promise.resolve()]) {
    let message = "";
    await new Packer("nowhere").pack(bad).catch((error) => message = error.message);
    assertStringIncludes(message, "it is, or holds, ");
  }
});

Deno.test("Unpacker fills what was changed in place, and creates again what replaced it", async () => {
  const state = () => {
    const rows = [1], map = new Map([["a", { n: 1 }]]), floats = new Float32Array(2);
    return { table: { rows }, map, floats, old: [0] };
  };
  const ran = state();
  const before = mark(ran);
  ran.table.rows.push(2);
  ran.map.get("a")!.n = 5;
  ran.floats[1] = 7;
  ran.old = [...ran.old, 1];
  const packer = new Packer("nowhere", before);
  const { serialize, deserialize } = await import("node:v8");
  const bytes = serialize([await packer.pack({ ...ran }), packer.paths]);
  const [values, paths] = deserialize(bytes);

  const now = state();
  const held = { rows: now.table.rows, inner: now.map.get("a")!, floats: now.floats, old: now.old };
  const again = await new Unpacker("nowhere", paths, mark(now)).unpack(values) as typeof now;
  assertEquals(again, ran);
  assert(again.table.rows === held.rows && again.map.get("a") === held.inner);
  assert(again.floats === held.floats && again.old !== held.old);
  assertEquals(held.old, [0]);
});

const LOG = 'Deno.writeTextFileSync("log", "x", { append: true });';

Deno.test("runNotebook() with resume restores cells tagged cache, and replays them where something changed", async () => {
  await using bench = new Bench();
  await Deno.writeTextFile(join(bench.folder, "helper.ts"), "export const two = 2;");
  await Deno.writeTextFile(join(bench.folder, "data.json"), "1");
  const cells = (factor = "3"): (string | [string])[] => [
    "let scale = 1;",
    "const list = [1]; let count = 0; function bump() { count++ } const alias = list;",
    [`${LOG}
import { two } from "./helper.ts";
await Deno.jupyter.broadcast("display_data", { metadata: {}, transient: {}, data: {
  "application/vnd.tunebook.provenance+json": { kind: "data", source: "data.json" } } });
bump();
list.push(${factor} * two);
const square = (x) => x * x;
class Odd {}
const odd = new Odd();
let kept = { list, when: new Date(0), floats: new Float32Array([1.5]) };
console.log("computed");`],
    "square(count + scale) + alias[1] + kept.floats[0] + Number(kept.list === alias) + two",
  ];
  const log = async () => (await Deno.readTextFile(join(bench.folder, "log"))).length;
  const first = await bench.run(cells());
  assertEquals(
    [first.ok, first.last, first.said],
    [true, "14.5", ["kept"]],
    first.failure?.summary,
  );
  const second = await bench.run(cells(), { resume: true });
  assertEquals([second.last, second.texts, await log()], ["14.5", first.texts, 1]);
  assertEquals(second.said, ["restored: kept, list, count"]);
  assertEquals(second.manifest.cells.map(({ restored }) => restored), [
    ...[undefined, undefined, true, undefined],
  ]);
  assertEquals(second.manifest.provenance, first.manifest.provenance);

  const replays = async (options: RunOptions, expected: string, why: string, factor?: string) => {
    const before = await log();
    const result = await bench.run(cells(factor), { resume: true, ...options });
    assertEquals([result.last, await log()], [expected, before + 1]);
    assertStringIncludes(result.said[0], `replayed: ${why}`);
  };
  const changed = "something that it follows from has changed";
  await replays({}, "18.5", changed, "5");
  await replays({ parameters: { scale: 2 } }, "19.5", changed);
  await Deno.writeTextFile(join(bench.folder, "data.json"), "2");
  await replays({ parameters: { scale: 2 } }, "19.5", "data that it read have changed");
  await Deno.writeTextFile(join(bench.folder, "helper.ts"), "export const two = 4;");
  await replays({ parameters: { scale: 2 } }, "27.5", changed);
});

Deno.test("runNotebook() keeps no cell whose result cannot be kept, and says why", async () => {
  await using bench = new Bench();
  const cells: (string | [string])[] = [
    "",
    "class Odd { n = 1 } const odd = new Odd();",
    ["odd.n++; const made = new Odd();"],
    ["const unused = new Odd(); const n = 1;"],
    "odd.n + n",
  ];
  for (const resume of [false, true]) {
    const { last, said } = await bench.run(cells, { resume });
    assertEquals(last, "3");
    assertStringIncludes(said[0], 'not kept: "odd": it is, or holds, an instance of Odd');
    assertEquals(said[1], resume ? "restored: n" : "kept");
  }
  const failed = await bench.run(["", ["const x = 1; throw new Error('no')"]]);
  assertEquals(failed.said, ["not kept: it did not end well"]);
});

Deno.test("runNotebook() with resume restores tensors and trained models, and continues a training", async () => {
  await using bench = new Bench();
  const log = join(bench.folder, "log");
  const cells = (): (string | [string])[] => [
    "let steps = 12;",
    `import { encodeExamples, gpt2Tokenizer, Gpt2, pick, sft, Tensor } from "tunebook";
const device = await pick({ device: "cpu" });
const model = Gpt2.create(device, { vocabularySize: 50257, contextLength: 128, width: 8, layers: 1, heads: 2 }, { seed: 1 });
const same = model;
const entries = Array.from({ length: 8 }, (_, i) => ({ instruction: "Repeat.", input: "cat " + i, output: "cat " + i }));
const examples = encodeExamples(entries, gpt2Tokenizer());
const sum = async () => (await same.head.data()).reduce((a, b) => a + b).toFixed(6);`,
    [`Deno.writeTextFileSync(${JSON.stringify(log)}, "x", { append: true });
const losses = [];
const training = sft(model, { examples, batchSize: 2, learningRate: 1e-2, epochs: 3, maxSteps: steps });
for await (const { step, loss } of training) {
  losses.push(loss);
  if (step === 4) await training.save();
  if (step === 6 && Deno.env.has("STOP")) throw new Error("stopped");
}
const resumedFrom = training.resumedFrom?.replace(/.*\\//, "");
const probe = Tensor.from(device, [1, 2, 3]).keep();`],
    "[await sum(), losses.length, losses.at(-1).toFixed(6), resumedFrom, ...await probe.data()].join()",
  ];
  const env = { TUNEBOOK_THREADS: "1", TUNEBOOK_BLAS: "none" };
  const plain = await bench.run(cells(), { env, cwd: LIBRARY });
  assert(plain.ok, plain.failure?.summary);
  assertEquals(plain.said, ["kept"]);
  const restored = await bench.run(cells(), { env, cwd: LIBRARY, resume: true });
  assertEquals(restored.last, plain.last);
  assertStringIncludes(restored.said[0], "restored: losses, resumedFrom, probe");
  assertEquals(await Deno.readTextFile(log), "x");

  const elsewhere = { cwd: LIBRARY, cacheFolder: join(bench.folder, "elsewhere") };
  const stopped = await bench.run(cells(), { env: { ...env, STOP: "1" }, ...elsewhere });
  assertEquals(stopped.failure?.message, "stopped");
  const on = await bench.run(cells(), { env, ...elsewhere, resume: true });
  assert(on.ok, on.failure?.summary);
  const [sum, count, loss, from] = on.last!.replaceAll('"', "").split(",");
  const expected = plain.last!.replaceAll('"', "").split(",");
  assertEquals([sum, loss], [expected[0], expected[2]]);
  assertEquals([count, expected[1], from], ["8", "12", "step-000004"]);
});
