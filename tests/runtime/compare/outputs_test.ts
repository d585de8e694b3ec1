// Comparing outputs, cells and manifests of two runs.

import { assertEquals } from "@std/assert";
import { compareManifests } from "../../../lib/runtime/compare/manifests.ts";
import { compareNotebooks } from "../../../lib/runtime/compare/notebooks.ts";
import { compareOutputs } from "../../../lib/runtime/compare/outputs.ts";
import type { Manifest } from "../../../lib/runtime/manifest.ts";
import type { Output } from "../../../lib/runtime/notebook.ts";
import {
  code,
  display,
  notebookOf,
  sampleManifest,
  sampleNotebook,
  stream,
} from "../report/sample.ts";

const EXACT = { relative: 0 };
const NEAR = { relative: 1e-3 };

function figure(y: number[], html = "x"): Output {
  return display({
    "application/vnd.plotly.v1+json": { data: [{ y }], layout: {} },
    "text/html": html,
  });
}

Deno.test("compareOutputs() takes the same for the same, however streams were cut", () => {
  const before = [stream("a\nb"), stream("c\n"), stream("", "stderr")];
  assertEquals(compareOutputs(before, [stream("a\nbc\n")], EXACT), undefined);
  assertEquals(compareOutputs([stream("10%\r50%\r100%\n")], [stream("100%\n")], EXACT), undefined);
  assertEquals(compareOutputs([stream("\x1b[31mred\x1b[0m")], [stream("red")], EXACT), undefined);
});

Deno.test("compareOutputs() leaves the Jupyter kernel's notes on cells out", () => {
  const note: Output = {
    output_type: "display_data",
    data: { "text/plain": "Stale: x has changed since, in cell [2]" },
    metadata: { tunebook: { note: true } },
  };
  assertEquals(compareOutputs([note, stream("a")], [stream("a")], EXACT), undefined);
});

Deno.test("compareOutputs() names the first line that differs", () => {
  assertEquals(
    compareOutputs([stream("same\nloss 1.5\n")], [stream("same\nloss 1.25\n")], NEAR),
    '"loss 1.25" instead of "loss 1.5"',
  );
  assertEquals(compareOutputs([stream("a")], [], EXACT), 'text on stdout ("a") is missing');
  assertEquals(
    compareOutputs([stream("a")], [stream("a"), stream("b", "stderr")], EXACT),
    'output 2: text on stderr ("b") that was not there before',
  );
});

Deno.test("compareOutputs() lets numbers be near where it is told to, and words never", () => {
  const before = [stream("loss 2.0001 of 3 batches")];
  const after = [stream("loss 2.0002 of 3 batches")];
  assertEquals(compareOutputs(before, after, NEAR), undefined);
  assertEquals(typeof compareOutputs(before, after, EXACT), "string");
  assertEquals(
    typeof compareOutputs(before, [stream("loss 2.0001 of 4 batches")], NEAR),
    "string",
  );
  assertEquals(
    typeof compareOutputs(before, [stream("cost 2.0001 of 3 batches")], NEAR),
    "string",
  );
});

Deno.test("compareOutputs() compares a figure by its data, points by the curve's size", () => {
  assertEquals(compareOutputs([figure([1, 0])], [figure([1, 0.0005], "y")], NEAR), undefined);
  assertEquals(
    compareOutputs([figure([1, 0])], [figure([1, 0.1])], NEAR),
    "the figure's data[0].y[1]: 0.1 instead of 0",
  );
  assertEquals(
    compareOutputs([figure([1, 0])], [figure([1])], NEAR),
    "the figure's data[0].y: 1 items instead of 2",
  );
});

Deno.test("compareNotebooks() excuses cells of timing, and finds cells added and removed", () => {
  const before = notebookOf(
    code("tick()", [stream("1")], { id: "a", metadata: { tags: ["timing"] } }),
    code("x", [stream("1")], { id: "b" }),
    code("gone", [], { id: "c" }),
  );
  const after = notebookOf(
    code("tick()", [stream("2")], { id: "a", metadata: { tags: ["timing"] } }),
    code("x", [stream("2")], { id: "b" }),
    code("new", [], { id: "d" }),
  );
  assertEquals(compareNotebooks(before, after, EXACT).map(({ id, verdict }) => [id, verdict]), [
    ["a", "excused"],
    ["b", "differs"],
    ["d", "added"],
    ["c", "removed"],
  ]);
});

Deno.test("compareManifests() names what changed, and nothing of times", () => {
  const before: Manifest = {
    ...sampleManifest(sampleNotebook()),
    cells: [{ id: "a", executionCount: 1, seconds: 1, sha256: "1" }],
    modules: { "helper.ts": "1" },
    parameters: { epochs: 1 },
    provenance: [
      { kind: "data", source: "some.json", sha256: "1", entries: 4 },
      { kind: "model", name: "nano", sha256: "1" },
      { kind: "device", blas: "OpenBLAS", blasCore: "Haswell", OPENBLAS_CORETYPE: "Haswell" },
      { kind: "training", seed: 1 },
    ],
  };
  const after = structuredClone(before);
  after.startedAt = "2030-01-01T00:00:00Z";
  after.cells[0].seconds = 9;
  assertEquals(compareManifests(before, after), []);
  after.cells[0].sha256 = "2";
  after.modules = { "helper.ts": "2" };
  after.parameters = { epochs: 2 };
  after.provenance = [
    { kind: "data", source: "some.json", sha256: "2", entries: 4 },
    { kind: "model", name: "nano", sha256: "2" },
    { kind: "device", blas: "OpenBLAS", blasCore: "SkylakeX" },
    { kind: "training", seed: 2 },
  ];
  after.v8 = "16";
  after.cores = before.cores + 1;
  assertEquals(compareManifests(before, after), [
    { kind: "code", text: 'the code of cell "a" (number 1 to run)' },
    { kind: "code", text: 'module "helper.ts"' },
    { kind: "parameters", text: 'parameter "epochs": 2 instead of 1' },
    { kind: "data", text: 'the content of data "some.json"' },
    { kind: "weights", text: 'the content of model "nano"' },
    { kind: "machine", text: 'device: blasCore "SkylakeX" instead of "Haswell"' },
    { kind: "machine", text: 'device: OPENBLAS_CORETYPE nothing instead of "Haswell"' },
    { kind: "settings", text: "training: seed 2 instead of 1" },
    { kind: "versions", text: `V8 16 instead of ${before.v8}` },
    {
      kind: "machine",
      text: `${after.cores} logical processors instead of ${before.cores}`,
    },
  ]);
});
