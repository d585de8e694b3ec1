// Output that the stock kernel loses: of child processes, of timers after the last cell, of odd text.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Output } from "../../lib/runtime/notebook.ts";
import { runNotebook } from "../../lib/runtime/runner.ts";
import { Session } from "../../lib/runtime/session.ts";
import { code, notebookOf } from "./report/sample.ts";

/** Outputs in short: streams by name and text, others by their plain text. */
function brief(outputs: Output[]): string[] {
  return outputs.map((output) =>
    output.output_type === "stream"
      ? `${output.name}: ${output.text}`
      : output.output_type === "error"
      ? `${output.ename}: ${output.evalue}`
      : String(output.data["text/plain"] ?? output.data["text/html"])
  );
}

Deno.test("a session keeps what the kernel or its children would lose", async (t) => {
  // In a folder of its own: what a cell imports must not enter this project's lock file.
  const cwd = await Deno.makeTempDir({ prefix: "tunebook-lost-" });
  await using _folder = { [Symbol.asyncDispose]: () => Deno.remove(cwd, { recursive: true }) };
  await using session = await Session.start({ cwd });
  const shows = (name: string, source: string, expected: string[]) =>
    t.step(name, async () => {
      assertEquals(brief((await session.execute(source)).outputs), expected);
    });
  await shows(
    "Deno.Command that inherits",
    `new Deno.Command("sh", { args: ["-c", "echo a; echo b >&2"], stdout: "inherit", stderr: "inherit" })
      .outputSync().code`,
    ["stdout: a\n", "stderr: b\n", "0"],
  );
  await shows(
    "spawn() inherits by default, and its status comes after its output",
    `const child = new Deno.Command("sh", { args: ["-c", "echo a; cat; echo b"] }).spawn();
     (await child.status).code`,
    ["stdout: a\nb\n", "0"],
  );
  await shows(
    "what is piped is the caller's",
    `new TextDecoder().decode(new Deno.Command("echo", { args: ["a"] }).outputSync().stdout).trim()`,
    ['"a"'],
  );
  await shows(
    "node:child_process",
    `import { execSync, spawn, spawnSync } from "node:child_process";
     spawnSync("sh", ["-c", "echo a; echo b >&2"], { stdio: "inherit" });
     execSync("echo c", { stdio: "inherit" });
     await new Promise((done) => spawn("echo", ["d"], { stdio: "inherit" }).on("close", done));
     execSync("echo e").toString().trim()`,
    ["stdout: a\n", "stderr: b\n", "stdout: c\nd\n", '"e"'],
  );
  await shows(
    "standard input is at its end",
    `[await Deno.stdin.read(new Uint8Array(8)), Deno.stdin.readSync(new Uint8Array(8))]`,
    ["[ null, null ]"],
  );
  await t.step("a cell can be stopped after it has read from standard input", async () => {
    const stop = new AbortController();
    const running = session.execute(
      `await Deno.stdin.read(new Uint8Array(8)); console.log("read"); await new Promise(() => {})`,
      { signal: stop.signal, onOutput: () => stop.abort() },
    );
    assertEquals((await running).status, "stopped");
  });
  await shows("console.trace()", `console.trace("here")`, [
    "stderr: Trace: here\n    at cell 7\n",
  ]);
  await shows(
    "colours by %c",
    `console.log("%cred%c plain %s", "color: red", "", "x")`,
    ["stdout: \x1b[31mred\x1b[39m plain x\x1b[0m\n"],
  );
  await shows(
    "half a surrogate pair becomes a replacement character, an escape of one stays",
    `await Deno.jupyter.display({ "text/plain": "a\\ud800 \\\\ud800" }, { raw: true })`,
    ["a\ufffd \\ud800"],
  );
  await shows(
    "a rejection that the notebook handles is not an error",
    `addEventListener("unhandledrejection", (event) => {
       event.preventDefault();
       console.log("handled", event.reason);
     });
     Promise.reject(7);
     await new Promise((done) => setTimeout(done, 0));`,
    ["stdout: handled 7\n"],
  );
  await shows(
    "a CommonJS package that requires an ES module",
    `import sniff from "npm:html-encoding-sniffer@7.0.0"; typeof sniff`,
    ['"function"'],
  );
});

Deno.test("a session says which name or file of an import does not exist", async () => {
  const cwd = await Deno.makeTempDir({ prefix: "tunebook-imports-" });
  try {
    await Deno.writeTextFile(
      `${cwd}/helper.ts`,
      "export const readCsv = 1; export interface Options { a: 1 } export class Table {}",
    );
    await using session = await Session.start({ cwd });
    const message = async (code: string) => (await session.execute(code)).error?.message;
    const from = 'from "./helper.ts"';
    assertEquals(
      await message(`import { readCvs } ${from}`),
      'Cannot import "readCvs" from "./helper.ts": the module has no such export; did you mean "readCsv"?',
    );
    assertEquals(
      await message(`import helper ${from}`),
      'Cannot import its default export from "./helper.ts": the module has no such export; ' +
        "it exports Table, readCsv",
    );
    assertEquals(
      await message(`import { Tabel } ${from}; new Tabel()`),
      'Cannot import "Tabel" from "./helper.ts": the module has no such export; did you mean "Table"?',
    );
    // Types have no export when the kernel runs them.
    assertEquals(
      await message(`import { Options, Table } ${from}; let o: Options; Table`),
      undefined,
    );
    assertMatch((await message('import "./helpr.ts"'))!, /; did you mean "helper.ts"\?$/);
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
});

Deno.test("runNotebook() waits for timers after the last cell, and says which it has not waited for", async () => {
  const late = notebookOf(code(`setTimeout(() => console.log("late"), 50);`));
  const { notebook, warnings } = await runNotebook(late, { name: "late.ipynb" });
  const [cell] = notebook.cells;
  assertStringIncludes(JSON.stringify(cell), String.raw`"late\n"`);
  assertEquals(warnings, undefined);
  const endless = notebookOf(code(`setInterval(() => {}, 1000);`));
  const ran = await runNotebook(endless, { name: "endless.ipynb" });
  assertEquals(ran.ok, true);
  assertMatch(ran.warnings![0], /^1 timer was still pending 2 s after the last cell of endless/);
});
