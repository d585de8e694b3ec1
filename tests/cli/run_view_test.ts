// What a run shows of a cell's output while it runs.

import { assert, assertStringIncludes } from "@std/assert";
import { RunView } from "../../lib/cli/run_view.ts";
import type { RunProgress } from "../../lib/runtime/runner.ts";

Deno.test("RunView shows the beginning of a line of output, however long it is", () => {
  const content = { name: "stdout", text: `begin ${"x".repeat(2 ** 20)}\n` };
  const output = { type: "output", cell: 1, message: { type: "stream", content } };
  const { writeSync } = Deno.stderr;
  let written = "";
  Deno.stderr.writeSync = (bytes) => {
    written += new TextDecoder().decode(bytes);
    return bytes.length;
  };
  try {
    const view = new RunView("book.ipynb", true);
    view.show({ type: "start", cells: 2 } as RunProgress);
    view.show(output as unknown as RunProgress);
    view.end();
  } finally {
    Deno.stderr.writeSync = writeSync;
  }
  assertStringIncludes(written, "│ begin xxx");
  assert(written.length < 1000, `${written.length} characters`);
});
