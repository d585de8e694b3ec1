// Comparing outputs, cells and manifests of two runs.

import { assert, assertEquals } from "@std/assert";
import { compareManifests } from "../../../lib/runtime/compare/manifests.ts";
import {
  compareNotebooks,
  type NotebookTolerance,
} from "../../../lib/runtime/compare/notebooks.ts";
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
});

/** What a cell of these outputs comes to. */
function compared(before: Output[], after: Output[], tolerance: NotebookTolerance = EXACT) {
  const [{ verdict, excuse }] = compareNotebooks(
    notebookOf(code("x", before, { id: "x", execution_count: 1 })),
    notebookOf(code("x", after, { id: "x", execution_count: 1 })),
    tolerance,
  );
  return excuse ?? verdict;
}

Deno.test("compareNotebooks() excuses the Jupyter kernel's notes where it is told to, and names them", () => {
  const note: Output = {
    output_type: "display_data",
    data: { "text/plain": "Stale: x has changed since, in cell [2]" },
    metadata: { tunebook: { note: true } },
  };
  assertEquals(compared([note, stream("a")], [stream("a")]), "differs");
  assertEquals(
    compared([note, stream("a")], [stream("a")], { relative: 0, notes: true }),
    "only a note of the Jupyter kernel's differs",
  );
});

Deno.test("compareNotebooks() excuses text that the screen no longer shows, and nothing that it shows", () => {
  assertEquals(
    compared([stream("10%\r50%\r100%\n")], [stream("100%\n")]),
    "only text that was overwritten differs",
  );
  // A shorter rewrite leaves the rest of the line.
  assertEquals(compared([stream("0.99 at last\r0.51\n")], [stream("0.51\n")]), "differs");
  assertEquals(compared([stream("\x1b]0;0.99\x07a")], [stream("a")]), "differs");
});

Deno.test("compareNotebooks() excuses colours, blanks at the end and the order of keys, and names them", () => {
  const looks = "only colours of text, blanks at its end or the order of keys differ";
  const json = (value: unknown) => [display({ "application/json": value })];
  for (const tolerance of [EXACT, NEAR]) {
    assertEquals(compared([stream("\x1b[8mnot\x1b[0m 1")], [stream("not 1")], tolerance), looks);
    assertEquals(compared([stream("a \n\n")], [stream("a")], tolerance), looks);
    assertEquals(compared(json({ a: 1, b: 2 }), json({ b: 2, a: 1 }), tolerance), looks);
    assertEquals(compared(json([1000, 0.51]), json([1000, 0.99]), tolerance), "differs");
    assertEquals(compared([stream("1 2\n3 4")], [stream("1\n2 3 4")], tolerance), "differs");
    assertEquals(compared([stream("1\n0")], [stream("1 0")], tolerance), "differs");
  }
});

Deno.test("compareOutputs() measures a drawing by its own units, and by the smallest of several", () => {
  const at = (y: number, before = "", attributes = 'width="10000" viewBox="0 0 10 10"') => [
    display({ "text/html": `${before}<svg ${attributes}><rect y="${y}"/></svg>` }),
  ];
  const large = '<svg width="9999"></svg>';
  assertEquals(compareOutputs(at(2), at(2.005), NEAR), undefined);
  assertEquals(typeof compareOutputs(at(2), at(9), NEAR), "string");
  assertEquals(typeof compareOutputs(at(2, large), at(9, large), NEAR), "string");
  assertEquals(
    typeof compareOutputs(at(2, large, 'width="20"'), at(9, large, 'width="20"'), NEAR),
    "string",
  );
});

Deno.test("compareNotebooks() compares tracebacks, and excuses another folder of the same file", () => {
  const failed = (line: string): Output[] => [
    { output_type: "error", ename: "Error", evalue: "no", traceback: ["Error: no", line] },
  ];
  const here = failed("    at f (file:///home/me/book/helper.ts:3:4)");
  assertEquals(
    compared(here, failed("    at f (file:///tmp/x/helper.ts:3:4)")),
    "only the folder that a traceback names differs",
  );
  assertEquals(compared(here, failed("    at f (file:///home/me/book/helper.ts:3:5)")), "differs");
  assertEquals(compared(here, failed("final accuracy: 0.99")), "differs");
});

Deno.test("compareNotebooks() sees outputs of cells without code, and two cells of one id", () => {
  assertEquals(
    compareNotebooks(
      notebookOf(code("", [stream("0.99")], { id: "a" }), code("", [], { id: "b" })),
      notebookOf(code("", [], { id: "a" }), code("", [], { id: "b" })),
      EXACT,
    ).map(({ verdict }) => verdict),
    ["differs"],
  );
  const twice = (text: string) =>
    notebookOf(
      code("1", [stream(text)], { id: "a", execution_count: 1 }),
      code("2", [], { id: "a", execution_count: 2 }),
    );
  assertEquals(
    compareNotebooks(twice("0.99"), twice("0.51"), EXACT).map(({ verdict }) => verdict),
    ["differs", "same"],
  );
});

Deno.test("compareOutputs() takes no infinity for near anything", () => {
  assertEquals(typeof compareOutputs([stream("1e999")], [stream("0.51")], NEAR), "string");
  const figure = (
    y: unknown[],
  ) => [display({ "application/vnd.plotly.v1+json": { data: [{ y }] } })];
  assertEquals(typeof compareOutputs(figure([1, Infinity]), figure([1, 2]), NEAR), "string");
  assertEquals(
    typeof compareOutputs(figure([1, 9, Infinity]), figure([1, 2, Infinity]), NEAR),
    "string",
  );
});

Deno.test("compareOutputs() compares the drawing beside a figure: text by words, places by the drawing's size", () => {
  const drawn = (
    svg: string,
  ) => [display({ "text/html": `<svg width="760" height="300">${svg}</svg>` })];
  const before = drawn(
    '<path d="M0,1L100,200" stroke="#00ff00" opacity="0.2"/><text y="15">acc 0.51</text>',
  );
  const near = (svg: string) => compareOutputs(before, drawn(svg), NEAR) === undefined;
  assertEquals(
    [
      near(
        '<path d="M0,1.2L100,200.4" stroke="#00ff00" opacity="0.2"/><text y="15.1">acc 0.51</text>',
      ),
      near('<path d="M0,1L100,209" stroke="#00ff00" opacity="0.2"/><text y="15">acc 0.51</text>'),
      near('<path d="M0,1L100,200" stroke="#00ff00" opacity="0.6"/><text y="15">acc 0.51</text>'),
      near('<path d="M0,1L100,200" stroke="#01ff00" opacity="0.2"/><text y="15">acc 0.51</text>'),
      near('<path d="M0,1L100,200" stroke="#00ff00" opacity="0.2"/><text y="15">acc 0.99</text>'),
    ],
    [true, false, false, false, false],
  );
  const picture = (text: string) => [
    display({
      "text/html": `<img class="tb-picture" src="data:image/svg+xml,${
        encodeURIComponent(`<svg><text>${text}</text></svg>`)
      }">`,
    }),
    display({ "text/html": `<img src="data:image/png;base64,AA12345A">` }),
  ];
  assertEquals(compareOutputs(picture("0.51"), picture("0.5102"), NEAR), undefined);
  assertEquals(typeof compareOutputs(picture("0.51"), picture("0.99"), NEAR), "string");
  const bytes = (
    digits: string,
  ) => [display({ "text/html": `<img src="data:image/png;base64,AA${digits}A">` })];
  assertEquals(typeof compareOutputs(bytes("12345"), bytes("12346"), NEAR), "string");
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
  assertEquals(compareOutputs([figure([1, 0])], [figure([1, 5e-7])], NEAR), undefined);
  assertEquals(
    typeof compareOutputs([figure([1000, 0.51])], [figure([1000, 0.99])], NEAR),
    "string",
  );
  assertEquals(typeof compareOutputs([figure([1, 0])], [figure([1, 0], "y")], NEAR), "string");
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
      { kind: "package", source: "zod", version: "4.0.0" },
      { kind: "package", source: "ollama", version: "0.6.0" },
    ],
  };
  const after = structuredClone(before);
  // Packages are loaded in no order.
  after.provenance = after.provenance.toReversed();
  after.startedAt = "2030-01-01T00:00:00Z";
  after.cells[0].seconds = 9;
  assertEquals(compareManifests(before, after), []);
  // An older report has no hash of its model.
  const older = structuredClone(before);
  delete older.provenance[1].sha256;
  assertEquals(compareManifests(older, after), []);
  after.cells[0].sha256 = "2";
  after.modules = { "helper.ts": "2" };
  after.parameters = { epochs: 2 };
  after.provenance = [
    { kind: "data", source: "some.json", sha256: "2", entries: 4 },
    { kind: "model", name: "nano", sha256: "2" },
    { kind: "device", blas: "OpenBLAS", blasCore: "SkylakeX" },
    { kind: "training", seed: 2 },
    { kind: "package", source: "ollama", version: "0.6.1" },
    { kind: "package", source: "zod", version: "4.0.0" },
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
    { kind: "settings", text: 'package "ollama": version "0.6.1" instead of "0.6.0"' },
    { kind: "versions", text: `V8 16 instead of ${before.v8}` },
    {
      kind: "machine",
      text: `${after.cores} logical processors instead of ${before.cores}`,
    },
  ]);
});

Deno.test("comparing markup takes time in proportion to it, however it is broken", () => {
  for (const piece of ["<", "<a ", "<!--", "a", "<a b", "<a b='", '<a b="', "a<", "< "]) {
    const took = (length: number) => {
      const text = piece.repeat(length / piece.length);
      const began = performance.now();
      compareOutputs(
        [display({ "text/html": text })],
        [display({ "text/html": `${text}1` })],
        NEAR,
      );
      return performance.now() - began;
    };
    took(1000);
    // With time by the square this would take minutes.
    const seconds = took(1_000_000) / 1000;
    assert(seconds < 20, `${piece}: ${seconds} s`);
  }
});
