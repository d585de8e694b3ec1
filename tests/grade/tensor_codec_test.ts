// Tensors cross between tests and students' code, as the command has it.

import { assertEquals, assertThrows } from "@std/assert";
import { gradeSubmission } from "../../lib/grade/autograde.ts";
import { codecsFor } from "../../lib/grade/grader.ts";
import { releaseNotebook } from "../../lib/grade/release.ts";
import { codecs } from "../../lib/cli/grade/tensor_codec.ts";
import { CODECS } from "../../lib/cli/grade/grading.ts";
import { sandboxFault } from "../../lib/runtime/sandbox/outer.ts";
import { tensor } from "../../lib/tensor/mod.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { answer, book, locked, test } from "./book.ts";

const fault = await sandboxFault();
const needs = fault === undefined ? "" : `, without a sandbox (${fault})`;

Deno.test(`tensors are passed to students' functions, and come back${needs}`, async () => {
  const solution =
    "const twice = (x: Tensor) => x.mul(2);\nconst weights = tensor([[1, 2], [3, 4]]);";
  const release = releaseNotebook(book(
    [
      "code",
      'import { assertEquals } from "@std/assert";\nimport { Tensor, tensor } from "tunebook/tensor";',
      locked("setup"),
    ],
    ["code", solution, answer("twice")],
    [
      "code",
      "const y = await twice(tensor([[1, -2, 3]]));\n" +
      "assertEquals(y instanceof Tensor, true);\n" +
      "assertEquals([y.shape, [...await y.data()]], [[1, 3], [2, -4, 6]]);\n" +
      "assertEquals([...await weights.sum().data()], [10]);",
      test("test_twice"),
    ],
  ));
  assertEquals(codecsFor(release, CODECS), CODECS);
  const submission = structuredClone(release.notebook);
  submission.cells[1]!.source = solution;
  const { verdicts } = await gradeSubmission(release, submission, {
    codecs: CODECS,
    sandbox: fault === undefined,
  });
  assertEquals(verdicts.map(({ status, message }) => [status, message]), [["passed", undefined]]);
});

Deno.test("what a student's process sends as a tensor is checked", async () => {
  const [codec] = codecs;
  const device = new CpuDevice({ threads: 1, blas: false });
  const x = tensor([[1, 2, 3]], { device });
  const sent = codec!.encode(x);
  assertEquals(codec!.test(x), true);
  assertEquals(codec!.test({ shape: [1], data: [1] }), false);
  assertEquals(await (codec!.decode(sent) as typeof x).data(), Float32Array.of(1, 2, 3));
  for (
    const parts of [
      undefined,
      null,
      7,
      { shape: [2], data: [1, 2] },
      { shape: [3], data: new Float32Array(2) },
      { shape: [-1, -2], data: new Float32Array(2) },
      { shape: [1.5], data: new Float32Array(1) },
      { shape: "2", data: new Float32Array(2) },
      { shape: { length: 1, 0: 2 }, data: new Float32Array(2) },
    ]
  ) {
    assertThrows(() => codec!.decode(parts), TypeError, "a tensor has a shape");
  }
  device.close();
});

Deno.test("codecs are loaded only where a notebook imports a module", () => {
  const of = (source: string) => codecsFor(releaseNotebook(book(["code", source])), ["x"]);
  assertEquals(of('import { assertEquals } from "@std/assert";'), []);
  assertEquals(of("const x = 1; // import nothing"), []);
  assertEquals(of('import { tensor } from "tunebook";'), ["x"]);
  assertEquals(of('const { tensor } = await import("tunebook");'), ["x"]);
  assertEquals(of("import 'npm:mathjs';"), ["x"]);
});
