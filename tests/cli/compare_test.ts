// What `tunebook compare` reads of a training's folder and of an executed notebook.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { writeRunsPage } from "../../lib/cli/compare/page.ts";
import { readRun } from "../../lib/cli/compare/read_run.ts";
import { writeRecord } from "../../lib/pipeline/record.ts";
import { lossCurve } from "../../lib/show/mod.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";

Deno.test("a run is read from a training's folder", async () => {
  using temporary = new TemporaryDirectory();
  await writeRecord(temporary.path, {
    version: 1,
    base: "hf:openai-community/gpt2",
    trainings: [{
      mask: "prompt",
      maxLength: 128,
      seed: 7,
      examples: 9,
      data: "0123456789abcdef",
      steps: 2,
      totalSteps: 2,
      loss: 1.5,
      evaluation: { trainLoss: 1.25, validationLoss: 2 },
      device: "cpu",
      settings: { learningRate: 1e-4 },
    }],
  });
  const { settings, history } = await readRun(temporary.path);
  assertEquals(
    [settings.base, settings.learningRate, settings.adapter, settings.data],
    ["hf:openai-community/gpt2", 1e-4, "none", "0123456789ab"],
  );
  // Without a log only the end is known.
  assertEquals(history, [{
    step: 2,
    loss: 1.5,
    evaluation: { trainLoss: 1.25, validationLoss: 2 },
  }]);
  const steps = [{ step: 1, loss: 3 }, { step: 2, loss: 1.5 }];
  const log = steps.map((step) => `${JSON.stringify(step)}\n`).join("") + '{"step": 3, "lo';
  await Deno.writeTextFile(join(temporary.path, "steps.jsonl"), log);
  const run = await readRun(temporary.path);
  assertEquals(run.history, steps);
  const page = join(temporary.path, "page.html");
  await writeRunsPage(page, [{ ...run, name: "a" }, { ...run, name: "b" }]);
  const html = await Deno.readTextFile(page);
  assert(html.includes("learningRate") && !/<script/i.test(html));
});

Deno.test("a run is read from an executed notebook: parameters, scores, the last loss curve", async () => {
  using temporary = new TemporaryDirectory();
  const path = join(temporary.path, "book.ipynb");
  const steps = [
    { step: 1, loss: 3, evaluation: { validationLoss: 3.5 } },
    { step: 2, loss: 2 },
  ];
  const metric = { kind: "metric", metric: "rougeL", corpus: 0.5, interval: [0.25, 0.75] };
  const manifest = {
    tunebook: "0.1.0",
    deno: "2",
    v8: "1",
    typescript: "1",
    os: "linux",
    cores: 1,
    startedAt: "2026-01-01T00:00:00Z",
    notebook: { name: "book.ipynb", sha256: "ab".repeat(32) },
    parameters: { rank: 8 },
    provenance: [metric],
    cells: [],
  };
  const output = {
    output_type: "display_data",
    data: JSON.parse(JSON.stringify(lossCurve(steps).bundle)),
    metadata: {},
  };
  const cell = {
    cell_type: "code",
    id: "a",
    source: "",
    metadata: {},
    execution_count: 1,
    outputs: [output],
  };
  const notebook = {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { tunebook: manifest },
    cells: [cell],
  };
  await Deno.writeTextFile(path, JSON.stringify(notebook));
  const run = await readRun(path);
  assertEquals(run.settings, { notebook: "book.ipynb", code: "abababababab", rank: 8 });
  assertEquals(run.history, steps);
  assertEquals(run.scores, { rougeL: { corpus: 0.5, interval: [0.25, 0.75] } });

  await Deno.writeTextFile(path, JSON.stringify({ ...notebook, metadata: {} }));
  await assertRejects(() => readRun(path), TypeError, "it has no manifest");
  await assertRejects(() => readRun(temporary.path), TypeError, "it holds no record of a training");
  await assertRejects(
    () => readRun(join(temporary.path, "no")),
    Deno.errors.NotFound,
    "Cannot find",
  );
});
