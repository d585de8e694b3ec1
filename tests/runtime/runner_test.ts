// Running whole notebooks: order, tags, limits, what is written when a cell fails.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { delay } from "@std/async/delay";
import { join } from "@std/path";
import { type CodeCell, type Notebook, readNotebook } from "../../lib/runtime/notebook.ts";
import { runNotebook, type RunProgress } from "../../lib/runtime/runner.ts";

function book(...cells: (string | [string, string])[]): Notebook {
  return {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {},
    cells: cells.map((cell, index) => ({
      cell_type: "code",
      id: `c${index + 1}`,
      metadata: Array.isArray(cell) ? { tags: [cell[1]] } : {},
      source: Array.isArray(cell) ? cell[0] : cell,
      execution_count: 9,
      outputs: [{ output_type: "stream", name: "stdout", text: "stale" }],
    })),
  };
}

function shown(notebook: Notebook): string[] {
  return (notebook.cells as CodeCell[]).map((cell) =>
    cell.outputs.map((output) => {
      if (output.output_type === "stream") return output.text;
      if (output.output_type === "error") return `${output.ename}: ${output.evalue}`;
      return output.data["text/plain"];
    }).join("|")
  );
}

Deno.test("runNotebook() runs cells in order, with parameters, and writes a manifest", async () => {
  const given = book(["let epochs = 1;", "parameters"], "epochs * 2", "");
  const events: RunProgress[] = [];
  const { notebook, manifest, ok } = await runNotebook(given, {
    name: "b.ipynb",
    parameters: { epochs: 21 },
    onProgress: (event) => events.push(event),
  });
  assert(ok);
  assertEquals(shown(notebook), ["", "", "42", ""]);
  assertEquals((notebook.cells as CodeCell[]).map((c) => c.execution_count), [1, 2, 3, null]);
  assertEquals(manifest.parameters, { epochs: 21 });
  assertEquals(manifest.cells.map((cell) => cell.id), ["c1", "injected-parameters", "c2"]);
  assertEquals(manifest.notebook.name, "b.ipynb");
  assertMatch(manifest.notebook.sha256, /^[0-9a-f]{64}$/);
  assertEquals(notebook.metadata.tunebook, manifest);
  assertEquals(notebook.metadata.language_info?.name, "typescript");
  assertEquals(given.cells[0].metadata, { tags: ["parameters"] });
  assertEquals((given.cells[0] as CodeCell).outputs.length, 1);
  assertEquals(events.map((event) => event.type), [
    "start",
    ...["cell", "cell-end", "cell", "cell-end", "cell", "output", "cell-end"],
    "cell-end",
  ]);
  // The hash is of code and text: outputs and counts do not count.
  const again = await runNotebook(book(["let epochs = 1;", "parameters"], "epochs * 2", ""), {
    name: "other.ipynb",
  });
  assertEquals(again.manifest.notebook.sha256, manifest.notebook.sha256);
});

Deno.test("runNotebook() stops at a failing cell, names it, and writes what there is", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "in.ipynb");
    const output = join(folder, "out", "out.ipynb");
    const { formatNotebook } = await import("../../lib/runtime/notebook.ts");
    await Deno.writeTextFile(
      path,
      formatNotebook(book("1", "console.log('half');\n\nJSON.parse('{')", "'never'")),
    );
    const { ok, failure } = await runNotebook(path, { output });
    assertEquals(ok, false);
    assertEquals([failure?.cell, failure?.id, failure?.line], [2, "c2", 3]);
    assertMatch(
      failure!.summary,
      /^in\.ipynb, cell 2, line 3: SyntaxError: Expected property name/,
    );
    const written = await readNotebook(output);
    assertEquals(shown(written).map((text) => text.slice(0, 18)), [
      "1",
      "half\n|SyntaxError:",
      "",
    ]);
    assertEquals((written.cells[2] as CodeCell).execution_count, null);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("runNotebook() writes what a cell has shown so far while it runs", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const output = join(folder, "out.ipynb");
    const gate = join(folder, "gate");
    await Deno.writeTextFile(gate, "");
    // The cell lasts as long as the file exists.
    const running = runNotebook(
      book(
        "'before'",
        `console.log("so far");
        while (await Deno.stat(${JSON.stringify(gate)}).then(() => true, () => false)) {
          await new Promise((f) => setTimeout(f, 20));
        }
        console.log("at last");`,
      ),
      { output },
    );
    const written = async () => shown(await readNotebook(output).catch(() => book()));
    while ((await written())[1] !== "so far\n") await delay(50);
    assertEquals(await written(), ['"before"', "so far\n"]);
    await Deno.remove(gate);
    const { ok, notebook } = await running;
    assertEquals([ok, shown(notebook)[1]], [true, "so far\nat last\n"]);
    assertEquals(await written(), shown(notebook));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("runNotebook() honours skip, raises-exception and allowErrors", async () => {
  const cells: (string | [string, string])[] = [
    ["throw new Error('expected')", "raises-exception"],
    ["throw new Error('skipped')", "skip"],
    "let x = ;",
    "'after'",
  ];
  const strict = await runNotebook(book(...cells));
  assertEquals(strict.failure?.cell, 3);
  assertMatch(strict.failure!.summary, /^notebook, cell 3, line 1: SyntaxError: Unexpected token/);
  assertEquals(shown(strict.notebook)[3], "");
  const lenient = await runNotebook(book(...cells), { allowErrors: true });
  assertEquals([lenient.ok, lenient.failure?.cell], [false, 3]);
  assertEquals(shown(lenient.notebook)[0], "Error: expected");
  assertEquals(shown(lenient.notebook)[1], "");
  assertEquals(shown(lenient.notebook)[3], '"after"');
});

Deno.test("runNotebook() stops a cell after its time limit", async () => {
  const { failure, notebook } = await runNotebook(
    book("console.log('begun'); await new Promise(() => {})"),
    { timeout: 0.5 },
  );
  assertEquals(failure?.name, "TimeoutError");
  assertMatch(shown(notebook)[0], /^begun\n\|TimeoutError: Cell 1 ran longer/);
});

Deno.test("runNotebook() stopped by its signal keeps what was done, and goes no further", async () => {
  const controller = new AbortController();
  const { ok, failure, notebook } = await runNotebook(
    book("'first'", "console.log('second'); await new Promise(() => {})", "'third'"),
    {
      signal: controller.signal,
      allowErrors: true,
      onProgress(event) {
        if (event.type === "output" && event.cell === 2) controller.abort();
      },
    },
  );
  assertEquals([ok, failure?.cell, failure?.name], [false, 2, "Stopped"]);
  assertEquals(shown(notebook), ['"first"', "second\n|Stopped: Cell 2 was stopped", ""]);
});

Deno.test("runNotebook() counts an error of work that a cell left behind", async () => {
  const { ok, failure, notebook } = await runNotebook(book(
    "void setTimeout(() => { throw new Error('left') }, 100)",
    "await new Promise((f) => setTimeout(f, 400)); 'continued'",
  ));
  assertEquals(ok, false);
  assertEquals([failure?.message, failure?.cell], ["left", 1]);
  assertEquals(shown(notebook), ["Error: left", '"continued"']);
});

Deno.test("runNotebook() ends though a worker is left running, and shows what it has printed", async () => {
  const busy = "data:text/javascript,console.log('working'); postMessage(0); while (true);";
  const { ok, notebook } = await runNotebook(book(
    `const worker = new Worker(${JSON.stringify(busy)}, { type: "module" });
await new Promise((done) => worker.onmessage = () => done());`,
    "'after'",
  ));
  assert(ok);
  assertEquals(shown(notebook), ["working\n", '"after"']);
});

const RUNS = Number(Deno.env.get("TUNEBOOK_RUNS") ?? 2);

Deno.test(`runNotebook() puts every output in its place, ${RUNS} times`, async () => {
  const lines = (count: number) => Array.from({ length: count }, (_, i) => `${i}\n`).join("");
  for (let run = 0; run < RUNS; run++) {
    const { notebook } = await runNotebook(book(
      "for (let i = 0; i < 200; i++) console.log(i); 'end'",
      "for (let i = 0; i < 201; i++) console.log(i);",
      `console.log("a"); await Deno.jupyter.display({ "text/plain": "b" }, { raw: true });
console.error("c"); Deno.stdout.writeSync(new TextEncoder().encode("d")); 42`,
      "NaN",
      [
        "setTimeout(() => { throw new Error('timer') }, 5); await new Promise((f) => setTimeout(f, 50))",
        "raises-exception",
      ],
    ));
    assertEquals(shown(notebook), [
      `${lines(200)}|"end"`,
      lines(201),
      "a\n|b|c\n|d|42",
      "NaN",
      "Error: timer",
    ]);
  }
});

Deno.test("runNotebook() reports a kernel that ended, and continues with a new one if told", async () => {
  const { failure, notebook } = await runNotebook(book("let a = 1;", "Deno.exit(4)", "typeof a"), {
    allowErrors: true,
  });
  assertEquals(failure?.message, "The kernel was ended by Deno.exit(4) in cell 2; lost: a");
  assertEquals(shown(notebook)[2], '"undefined"');
});

Deno.test("runNotebook() refuses a wrong parameter before anything runs", async () => {
  await assertRejects(
    () => runNotebook(book(["let lr = 1;", "parameters"]), { parameters: { lt: 2 } }),
    RangeError,
    'did you mean "lr"?',
  );
});
