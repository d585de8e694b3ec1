// nbgrader's metadata of older versions is read as "nbgrader update" writes it; nbgrader_test.ts compares.

import { assertEquals, assertThrows } from "@std/assert";
import { type GradeMetadata, readGradeMetadata } from "../../lib/grade/metadata.ts";
import { parseNotebook } from "../../lib/runtime/notebook.ts";

function read(nbgrader: unknown): GradeMetadata | undefined {
  const cell = {
    cell_type: "code",
    metadata: { nbgrader },
    source: "",
    outputs: [],
    execution_count: null,
  };
  const notebook = { nbformat: 4, nbformat_minor: 0, metadata: {}, cells: [cell] };
  return readGradeMetadata(parseNotebook(JSON.stringify(notebook)).cells[0]!);
}

const V3 = { schema_version: 3, grade: false, solution: false, locked: false };

Deno.test("metadata of the versions 0 to 2 is read", () => {
  assertEquals(read({ grade: true, grade_id: "a", points: "2.5" }), {
    ...V3,
    grade: true,
    grade_id: "a",
    points: 2.5,
  });
  assertEquals(read({ schema_version: 0, grade: true, grade_id: "a", points: "" })!.points, 0);
  assertEquals(read({ solution: true, grade_id: "a", points: "3" }), {
    ...V3,
    solution: true,
    grade_id: "a",
  });
  assertEquals(read({ grade: false, grade_id: "a" }), undefined);
  const checksum = "0".repeat(32);
  const old = { grade: false, solution: true, locked: false, grade_id: "a", checksum };
  for (const schema_version of [1, 2]) {
    assertEquals(read({ ...old, schema_version, other: 1 }), {
      ...V3,
      ...old,
      cell_type: "code",
    });
  }
});

Deno.test("metadata of newer versions, and what is none, is refused", () => {
  assertThrows(() => read({ ...V3, schema_version: 4 }), SyntaxError, "version 4: expected 3");
  assertThrows(() => read({ ...V3, other: 1 }), SyntaxError, "other");
  assertThrows(() => read("graded"), SyntaxError, "Cannot read nbgrader metadata");
  assertThrows(() => read(null), SyntaxError, "Cannot read nbgrader metadata");
});
