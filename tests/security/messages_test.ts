// What a kernel sends is data: nonsense costs its cell a sentence, too much ends the run, and what is
// written of it can always be read again.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { formatNotebook, parseNotebook } from "../../lib/runtime/notebook.ts";
import { runNotebook } from "../../lib/runtime/runner.ts";
import { renderReport } from "../../lib/runtime/report/mod.ts";
import { code, notebookOf } from "../runtime/report/sample.ts";

/** Nonsense: what a cell broadcasts, and what the sentence about it says. */
const NONSENSE: [string, string][] = [
  ['"stream", { name: { a: 1 }, text: { b: 2 } }', "name: expected string, got an object"],
  ['"stream", {}', "name: expected string, got nothing"],
  ['"stream", null', "got null"],
  ['"stream", { name: "stdout", text: 5 }', "text: expected string, got 5"],
  ['"error", { ename: "E", evalue: "v", traceback: "string" }', "traceback"],
  ['"error", { ename: "E", evalue: "v", traceback: [1] }', "traceback[0]"],
  ['"display_data", { data: "abc", metadata: {} }', "data"],
  ['"display_data", { data: { "text/html": 5 }, metadata: {} }', 'data["text/html"]'],
  ['"display_data", { data: {}, metadata: 5 }', "metadata"],
  ['"update_display_data", { data: {}, transient: "x" }', "transient"],
  ['"clear_output", { wait: "soon" }', "wait"],
  [
    '"display_data", { data: { "application/vnd.tunebook.provenance+json": [1] } }',
    "expected a record",
  ],
  [
    '"display_data", { data: { "application/json": JSON.parse("[".repeat(5000) + "]".repeat(5000)) } }',
    "nested deeper than",
  ],
];

Deno.test("a cell that broadcasts nonsense fails by itself, in one sentence, and the run continues", async () => {
  const cells = NONSENSE.flatMap(([message]) => [
    code(`Deno.jupyter.broadcast(${message});`),
    code('console.log("continues");'),
  ]);
  const { notebook, failures = [] } = await runNotebook(notebookOf(...cells), {
    name: "nonsense.ipynb",
    allowErrors: true,
  });
  const again = parseNotebook(formatNotebook(notebook));
  await renderReport(again);
  for (const [i, [message, said]] of NONSENSE.entries()) {
    const failure = failures.find(({ cell }) => cell === 2 * i + 1)!;
    assert(failure, message);
    assertStringIncludes(failure.summary, `nonsense.ipynb, cell ${2 * i + 1}`);
    assertStringIncludes(failure.message, said);
    assertEquals(failure.message.includes("\n"), false);
    const next = again.cells[2 * i + 1];
    assertEquals(next.cell_type === "code" && next.outputs[0]?.output_type, "stream");
  }
  assertEquals(failures.length, NONSENSE.length);
});

Deno.test("a line that passes itself off as the prelude's harms nobody", async () => {
  const forged = ["null", "5", '"x"', "[]", "{}", '{"type":"end"}', '{"type":"uncaught"}']
    .concat('{"type":"uncaught","error":{}}', '{"type":"output","kind":"stream","content":null}')
    .concat('{"type":"exit","code":"x"}', '{"type":"__proto__"}', "{");
  const { notebook, ok } = await runNotebook(
    notebookOf(
      code(`const out = Deno.openSync("/dev/stdout", { write: true });
for (const line of ${
        JSON.stringify(forged)
      }) out.writeSync(new TextEncoder().encode("\\x1e" + line + "\\n"));`),
      code('console.log("continues");'),
    ),
    { allowErrors: true },
  );
  assertEquals(ok, false); // the stream of null is nonsense
  const last = notebook.cells[1];
  assertEquals(last.cell_type === "code" && last.outputs.length, 1);
  parseNotebook(formatNotebook(notebook));
});

const MOST = 2 ** 20;

/** Floods: each writes far more than a MiB, or what takes far more in memory or in a file. */
const FLOODS: Record<string, string> = {
  "prints": 'for (;;) console.log("x".repeat(1e5));',
  "one print": 'console.log("x".repeat(5e7));',
  "many empty lines": 'for (;;) console.log("\\n".repeat(1000));',
  "records for the manifest":
    'for (;;) Deno.jupyter.broadcast("display_data", { data: { "application/vnd.tunebook.provenance+json": { kind: "x", v: "z".repeat(1e5) } } });',
  "errors nobody caught":
    'for (;;) { Promise.reject(new Error("x".repeat(1e4))); await new Promise((done) => setTimeout(done, 0)); }',
  "small displays": 'for (;;) Deno.jupyter.broadcast("display_data", { data: {} });',
  "messages of comms":
    'for (;;) await Deno.jupyter.broadcast("comm_msg", { comm_id: "x", data: "z".repeat(1e5) });',
  "a buffer":
    'await Deno.jupyter.broadcast("comm_msg", { comm_id: "x" }, { buffers: [new Uint8Array(3e6)] }); await new Promise(() => {});',
  "messages of no known type": 'for (;;) Deno.jupyter.broadcast("x", { v: "z".repeat(1e5) });',
  "displays that are cleared":
    'for (;;) { Deno.jupyter.broadcast("display_data", { data: { "text/plain": "x".repeat(1e5) } }); Deno.jupyter.broadcast("clear_output", {}); }',
  "deep data that indentation makes large":
    'let deep = [1]; for (let i = 0; i < 150; i++) deep = [deep]; for (;;) Deno.jupyter.broadcast("display_data", { data: { "application/json": Array(1000).fill(deep) } });',
  "marks of lines that never end":
    'const out = Deno.openSync("/dev/stdout", { write: true }); const marks = new TextEncoder().encode("\\x1e".repeat(65536)); for (;;) out.writeSync(marks);',
  "native text":
    'const out = Deno.openSync("/dev/stdout", { write: true }); const text = new Uint8Array(65536).fill(1); for (;;) out.writeSync(text);',
};

for (const [what, source] of Object.entries(FLOODS)) {
  Deno.test(`a notebook that writes too much output is stopped: ${what}`, async () => {
    const before = Deno.memoryUsage().rss;
    const { notebook, failure } = await runNotebook(
      notebookOf(code('console.log("before");'), code(source), code('console.log("after");')),
      { maxOutput: MOST, allowErrors: true, totalTimeout: 60 },
    );
    assertEquals(
      failure?.message,
      "The notebook wrote more than 1 MiB of output and was stopped; later output is left out",
    );
    const text = formatNotebook(notebook);
    assert(text.length < 2 * MOST, `the notebook that is written has ${text.length} bytes`);
    const [first, second, third] = parseNotebook(text).cells;
    assertEquals(first.cell_type === "code" && first.outputs.length, 1);
    const said = second.cell_type === "code" ? second.outputs.at(-1) : undefined;
    assertEquals(said?.output_type === "error" && said.ename, "OutputLimit");
    assertEquals(third.cell_type === "code" && third.outputs.length, 0);
    assert(Deno.memoryUsage().rss - before < 400 * 2 ** 20);
  });
}
