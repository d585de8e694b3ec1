// Notebooks of a stranger who wants to read, write or reach what is not theirs, run in the sandbox.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import type { Notebook } from "../../../lib/runtime/notebook.ts";
import { runNotebook, type RunResult } from "../../../lib/runtime/runner.ts";
import { sandboxFault } from "../../../lib/runtime/sandbox/outer.ts";
import type { SandboxOptions } from "../../../lib/runtime/sandbox/walls.ts";
import { code, notebookOf } from "../report/sample.ts";

const fault = await sandboxFault();
const needs = fault === undefined ? "" : ` (${fault})`;

/** What is to be kept: a secret in a file, in the environment and behind a port of this machine. */
class Treasury implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "tunebook-treasury-" });
  readonly secret = crypto.randomUUID();
  visits = 0;
  #server: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    Deno.writeTextFileSync(this.file, this.secret);
    Deno.mkdirSync(join(this.folder, "work"));
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
      this.visits++;
      return new Response(this.secret);
    });
  }

  get file() {
    return join(this.folder, "secret.txt");
  }

  get port() {
    return this.#server.addr.port;
  }

  async run(source: string | string[], more: SandboxOptions & { totalTimeout?: number } = {}) {
    const { totalTimeout = 60, ...sandbox } = more;
    const cells = [source].flat().map((text) => code(text));
    const notebook: Notebook = notebookOf(...cells);
    return await runNotebook(notebook, {
      cwd: join(this.folder, "work"),
      name: "hostile.ipynb",
      sandbox,
      totalTimeout,
      allowErrors: true,
    });
  }

  async [Symbol.asyncDispose]() {
    await this.#server.shutdown();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** All output of a run, as one text. */
const said = ({ notebook }: Pick<RunResult, "notebook">) =>
  JSON.stringify(notebook.cells.map((cell) => cell.cell_type === "code" ? cell.outputs : []));

/** How many attempts were refused. */
const refusals = (result: RunResult) => said(result).match(/REFUSED/g)?.length ?? 0;

/** Tries each expression; tells which came through, and how the others failed. */
const trying = (attempts: string[]) =>
  attempts.map((attempt) =>
    `try { console.log("THR" + "OUGH", await (${attempt})); } catch (error) { console.log("REFUSED", String(error)); }`
  ).join("\n");

function sandboxTest(name: string, test: (treasury: Treasury) => Promise<void>) {
  Deno.test({
    name: `runNotebook() in a sandbox ${name}${needs}`,
    ignore: fault !== undefined,
    async fn() {
      await using treasury = new Treasury();
      await test(treasury);
      assertEquals(treasury.visits, 0);
      assertEquals(await Deno.readTextFile(treasury.file), treasury.secret);
    },
  });
}

sandboxTest("runs a good notebook, with files of its own that are gone afterwards", async (t) => {
  const { ok, notebook, failure, manifest } = await t.run([
    "let x = 20;",
    'await Deno.writeTextFile("note.txt", `${x}`); Number(await Deno.readTextFile("note.txt")) + 22',
    'import { Random } from "tunebook"; new Random(1) instanceof Random',
  ]);
  assert(ok, failure?.summary);
  assertStringIncludes(said({ notebook }), '"42"');
  assertEquals(manifest.cells.length, 3);
  assertEquals([...Deno.readDirSync(join(t.folder, "work"))], []);
});

sandboxTest("reads no file that is not named, links and devices included", async (t) => {
  const result = await t.run(trying([
    `Deno.readTextFile(${JSON.stringify(t.file)})`,
    `Deno.readTextFile("../secret.txt")`,
    `(await import("node:fs")).readFileSync(${JSON.stringify(t.file)}, "utf8")`,
    `(Deno.symlinkSync(${JSON.stringify(t.file)}, "link"), Deno.readTextFile("link"))`,
    `Deno.readTextFile("/etc/passwd")`,
    `Deno.readTextFile("/proc/1/root${t.file}")`,
    `import("file://${t.file}", { with: { type: "text" } })`,
    `Deno.readFile("/dev/mem")`,
    `Array.fromAsync(Deno.readDir(${JSON.stringify(`${Deno.env.get("HOME")}/.ssh`)}))`,
  ]));
  assertEquals(said(result).includes(t.secret), false);
  assertEquals(said(result).includes("THROUGH"), false, said(result));
  assertEquals(refusals(result), 9);
});

sandboxTest("sees no variable of the environment and no other process", async (t) => {
  Deno.env.set("TUNEBOOK_TREASURE", t.secret);
  try {
    const result = await t.run(
      `console.log(JSON.stringify(Deno.env.toObject()));
for (const entry of Deno.readDirSync("/proc")) {
  if (!/^\\d+$/.test(entry.name)) continue;
  console.log("process", entry.name);
  for (const file of ["environ", "cmdline"]) {
    try { console.log(entry.name, Deno.readTextFileSync(\`/proc/\${entry.name}/\${file}\`)); } catch { /* not ours */ }
  }
}`,
    );
    assert(result.ok, result.failure?.summary);
    assertEquals(said(result).includes(t.secret), false);
    // What holds the kernel, and the kernel.
    assertEquals([...said(result).matchAll(/process (\d+)/g)].map(([, id]) => id), ["1", "2"]);
  } finally {
    Deno.env.delete("TUNEBOOK_TREASURE");
  }
});

sandboxTest("reaches no network, no port and no socket of this machine", async (t) => {
  const result = await t.run(trying([
    `(await fetch("http://127.0.0.1:${t.port}/")).text()`,
    `Deno.connect({ hostname: "127.0.0.1", port: ${t.port} })`,
    `Deno.connect({ hostname: "1.1.1.1", port: 53 })`,
    `Deno.resolveDns("example.com", "A", { nameServer: { ipAddr: "8.8.8.8" } })`,
    `Deno.connect({ transport: "unix", path: "/run/systemd/private" })`,
    `Deno.connect({ transport: "unix", path: "/var/run/docker.sock" })`,
    `import("https://example.com/x.ts")`,
    `new Promise((done, fail) => { const s = new WebSocket("ws://127.0.0.1:${t.port}"); s.onopen = () => done("open"); s.onerror = () => fail(new Error("closed")); })`,
  ]));
  assertEquals(said(result).includes("THROUGH"), false, said(result));
  assertEquals(refusals(result), 8);
});

sandboxTest("writes nothing outside, and not to what it may read", async (t) => {
  const book = join(t.folder, "data.txt");
  await Deno.writeTextFile(book, "data");
  const result = await t.run(
    // A path that is not named may be written, but in a world of its own.
    `console.log("may read", await Deno.readTextFile(${JSON.stringify(book)}));
await Deno.writeTextFile(${JSON.stringify(t.file)}, "changed").catch(() => {});\n` + trying([
      `Deno.writeTextFile(${JSON.stringify(book)}, "changed").then(() => "wrote")`,
      `Deno.remove(${JSON.stringify(book)}).then(() => "removed")`,
      `Deno.writeTextFile("/usr/bin/evil", "x").then(() => "wrote")`,
      `Deno.writeTextFile("/dev/evil", "x").then(() => "wrote")`,
    ]),
    { read: [book] },
  );
  assertStringIncludes(said(result), "may read data");
  assertEquals(said(result).includes("THROUGH"), false, said(result));
  assertEquals(await Deno.readTextFile(book), "data");
});

sandboxTest("starts no process, by Deno or by native code", async (t) => {
  const result = await t.run(
    `const libc = Deno.dlopen("libc.so.6", {
  fork: { parameters: [], result: "i32" }, system: { parameters: ["buffer"], result: "i32" },
  unshare: { parameters: ["i32"], result: "i32" }, ptrace: { parameters: ["i32", "i32"], result: "i32" },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
}).symbols;
console.log("fork", libc.fork(), "unshare", libc.unshare(0x10000000), "ptrace", libc.ptrace(0, 0));
console.log("vsock", libc.socket(40, 1, 0), "inet", libc.socket(2, 1, 0) > 0);
console.log("system", libc.system(new TextEncoder().encode("echo THROUGH\\0")));
` +
      trying([
        `new Deno.Command("/usr/bin/id").output()`,
        `new Deno.Command(Deno.execPath(), { args: ["--version"] }).output()`,
      ]),
  );
  const text = said(result);
  assertStringIncludes(text, "fork -1 unshare -1 ptrace -1");
  assertStringIncludes(text, "vsock -1 inet true");
  assertEquals(/system 0/.test(text), false);
  assertEquals(refusals(result), 2);
  assertEquals(text.includes("THROUGH"), false, text);
});

sandboxTest("gets no more memory than its limit, on the heap or off it", async (t) => {
  const fill = (buffer: string) =>
    `{ const kept = [];
try { while (kept.length < 40) kept.push(new Uint8Array(${buffer}).fill(1)); console.log("THR" + "OUGH"); }
catch (error) { console.log("REFUSED", String(error), kept.length < 12); } }`;
  const result = await t.run([
    fill("new ArrayBuffer(1e8)") + " await new Promise((done) => setTimeout(done, 100));",
    fill("new SharedArrayBuffer(1e8)"),
    `const kept = []; while (kept.length < 4000) kept.push(new Array(1e6).fill(0.5)); console.log("THR" + "OUGH");`,
  ], { memory: 768 });
  assertEquals(said(result).includes("THROUGH"), false, said(result));
  assertEquals(
    said(result).match(/REFUSED RangeError: Array buffer allocation failed true/g)?.length,
    2,
  );
  assertMatch(result.failure!.message, /kernel (ran out of memory|was ended)/);
});

sandboxTest("fills no more disk than its limit", async (t) => {
  const result = await t.run(
    `const block = new Uint8Array(1e6);
for (const place of ["./full", "/tmp/full", "/dev/shm/full"]) {
  let n = 0;
  try {
    using file = Deno.openSync(place, { write: true, create: true });
    while (n < 200) { file.writeSync(block); n++; }
    console.log("THR" + "OUGH", place);
  } catch (error) { console.log("REFUSED", n < 70, String(error)); }
}`,
    { disk: 64 },
  );
  assertEquals(said(result).includes("THROUGH"), false, said(result));
  assertEquals(said(result).match(/REFUSED true/g)?.length, 3);
});

sandboxTest("ends in time, whatever runs", async (t) => {
  const started = performance.now();
  const result = await t.run("while (true) {}", { totalTimeout: 2 });
  assertEquals(result.failure?.name, "TimeoutError");
  assertMatch(result.failure!.message, /limit of 2 s/);
  assert(performance.now() - started < 30_000);
});

sandboxTest("cannot speak for the runner, or drown it", async (t) => {
  const forged = await t.run(
    `const out = Deno.openSync("/dev/stdout", { write: true });
out.writeSync(new TextEncoder().encode('{"type":"result","result":{"ok":true,"forged":1}}\\n'));
out.writeSync(new TextEncoder().encode('\\x1e{"type":"end","token":"x"}\\n'));
throw new Error("fails");`,
  );
  assertEquals([forged.ok, forged.failure?.message], [false, "fails"]);
  const flood = await t.run(`while (true) console.log("x".repeat(1e6));`, { totalTimeout: 40 });
  assertEquals(flood.ok, false);
  assertMatch(flood.failure!.message, /more than 32 MiB/);
});
