// A session with the real Deno kernel: nothing lost, stops that keep the state, clear ends.

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { join } from "@std/path";
import type { ExecuteResult } from "../../lib/runtime/session.ts";
import { Session } from "../../lib/runtime/session.ts";
import type { ErrorOutput, Output } from "../../lib/runtime/notebook.ts";

/** Outputs in short: text of streams with their name, text/plain of displays, errors. */
function brief({ outputs }: { outputs: Output[] }): string[] {
  return outputs.map((output) => {
    switch (output.output_type) {
      case "stream":
        return `${output.name}: ${output.text}`;
      case "display_data":
        return `display: ${output.data["text/plain"]}`;
      case "execute_result":
        return `[${output.execution_count}] ${output.data["text/plain"]}`;
      case "error":
        return `${output.ename}: ${output.evalue}`;
    }
  });
}

/** A test whose steps share a session. */
function sessionTest(
  name: string,
  steps: Record<string, (session: Session) => Promise<void>>,
  env?: Record<string, string>,
) {
  Deno.test(name, async (t) => {
    await using session = await Session.start({ env });
    for (const [step, run] of Object.entries(steps)) {
      // The whole test is checked for leaks; between steps the session is in use.
      const sanitize = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };
      await t.step({ name: step, fn: () => run(session), ...sanitize });
    }
  });
}

/** Waits for what comes by itself, however loaded the machine is. */
async function until(condition: () => boolean) {
  for (let i = 0; i < 400 && !condition(); i++) await new Promise((done) => setTimeout(done, 50));
}

function alive(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch {
    return false;
  }
}

const lines = (count: number) => Array.from({ length: count }, (_, i) => `${i}\n`).join("");

Deno.test("Session loses nothing of a first cell, right after its start", async () => {
  for (let i = 0; i < 3; i++) {
    await using session = await Session.start();
    const result = await session.execute("for (let i = 0; i < 200; i++) console.log(i); 'end'");
    assertEquals(brief(result), [`stdout: ${lines(200)}`, '[1] "end"']);
  }
});

sessionTest("Session.execute() outputs", {
  "201 messages come in order, 50 times in a row": async (session) => {
    for (let i = 0; i < 50; i++) {
      const result = await session.execute("for (let i = 0; i < 201; i++) console.log(i);");
      assertEquals(brief(result), [`stdout: ${lines(201)}`]);
    }
  },
  "100,000 lines come in order": async (session) => {
    const result = await session.execute("for (let i = 0; i < 100000; i++) console.log(i);");
    assert(brief(result)[0] === `stdout: ${lines(100_000)}`);
  },
  "20 MB in one message come whole, and the next cell is not disturbed": async (session) => {
    const result = await session.execute(
      "await Deno.jupyter.display({ 'text/plain': 'é'.repeat(10e6) }, { raw: true }); 1",
    );
    assert(brief(result)[0] === `display: ${"é".repeat(10e6)}`);
    assertEquals(brief(await session.execute("2"))[0].slice(-1), "2");
  },
  "streams, displays and results keep their order": async (session) => {
    const result = await session.execute(`
      console.log("a"); console.error("b"); console.log("c");
      Deno.stdout.writeSync(new TextEncoder().encode("d"));
      process.stdout.write("e");
      await Deno.jupyter.display({ "text/plain": "f" }, { raw: true });
      console.log("g");
      ({ h: 1 })`);
    const [, ...rest] = brief(result).toReversed();
    assertEquals(rest.toReversed(), [
      "stdout: a\n",
      "stderr: b\n",
      "stdout: c\nde",
      "display: f",
      "stdout: g\n",
    ]);
    assertMatch(brief(result).at(-1)!, /^\[\d+\] \{ h: 1 \}$/);
  },
  "values that the stock kernel hides are shown": async (session) => {
    for (const value of ["null", "NaN", "-0", "5n", "0", '""', "false", "[ null ]", "Infinity"]) {
      assertEquals(brief(await session.execute(value))[0].replace(/^\[\d+\] /, ""), value);
    }
    assertEquals(brief(await session.execute("undefined")), []);
    assertEquals(brief(await session.execute("{ a: 1 }"))[0].slice(-8), "{ a: 1 }");
  },
  "displays are updated and cleared": async (session) => {
    const first = await session.execute(
      "await Deno.jupyter.display({ 'text/plain': 'old' }, { raw: true, display_id: 'x' })",
    );
    await session.execute(
      "await Deno.jupyter.display({ 'text/plain': 'new' }, " +
        "{ raw: true, display_id: 'x', update: true })",
    );
    assertEquals(brief(first), ["display: new"]);
    const cleared = await session.execute(
      "console.log(1); await Deno.jupyter.broadcast('clear_output', { wait: true }); console.log(2)",
    );
    assertEquals(brief(cleared), ["stdout: 2\n"]);
  },
  "provenance goes to the manifest, not to the outputs": async (session) => {
    const result = await session.execute(`await Deno.jupyter.broadcast("display_data", {
      data: { "application/vnd.tunebook.provenance+json": { kind: "seed", value: 7 } },
      metadata: {}, transient: {} });`);
    assertEquals(result.outputs, []);
    assertEquals(result.provenance, [{ kind: "seed", value: 7 }]);
  },
  "output arrives while the cell runs, from a busy loop too": async (session) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let ended = false;
    const running = session.execute(
      "console.log('now'); { const end = Date.now() + 1000; while (Date.now() < end); }",
      { onOutput: () => resolve() },
    ).then(() => ended = true);
    await promise;
    assertEquals(ended, false);
    await running;
  },
  "workers print, made from a file's, a data: or a blob: address, revoked too": async (session) => {
    const result = await session.execute(`
      const say = (name) => "console.log('" + name + "'); postMessage(0)";
      const heard = (worker) => new Promise((done) => worker.onmessage = () => done(worker.terminate()));
      const module = { type: "module" };
      await heard(new Worker("data:text/javascript," + say("data"), module));
      const url = URL.createObjectURL(new Blob(["const b: string = '';" + say("blob")], { type: "text/typescript" }));
      const worker = new Worker(url, module);
      URL.revokeObjectURL(url);
      await heard(worker);`);
    assertEquals([result.status, ...brief(result)], ["ok", "stdout: data\nblob\n"]);
  },
  "threads of node:worker_threads print, made from files and code, and keep what they know": async (
    session,
  ) => {
    const folder = await Deno.makeTempDir();
    try {
      const path = join(folder, "thread.mjs");
      await Deno.writeTextFile(
        path,
        `import { parentPort, workerData } from "node:worker_threads";
console.log(workerData, import.meta.filename === process.argv[1]);
parentPort.postMessage(0);`,
      );
      const result = await session.execute(`
        import { Worker as Thread } from "node:worker_threads";
        const told = (thread, event) => new Promise((done) => thread.on(event, done));
        await told(new Thread(${JSON.stringify(path)}, { workerData: "given" }), "message");
        await told(new Thread("console.log('code')", { eval: true }), "exit");
        const none = new Thread(${JSON.stringify(join(folder, "none.mjs"))});
        (await told(none, "error")).message.split(",")[0];`);
      assertEquals(brief(result)[0], "stdout: given true\ncode\n");
      assertStringIncludes(brief(result)[1], `Cannot find module '${folder}/none.mjs'`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
  "late output goes to the cell that left the work behind": async (session) => {
    const result = await session.execute("void setTimeout(() => console.log('late'), 1000)");
    await until(() => result.outputs.length > 0);
    assertEquals(brief(result), ["stdout: late\n"]);
  },
  "names may be declared again, modules imported, and import.meta read": async (session) => {
    await session.execute("const a: number = 1; import { basename } from 'node:path';");
    const result = await session.execute(
      "const a: string = basename('/x/y'); enum E { A }; a + E[0] + typeof import.meta.dirname",
    );
    assertEquals(brief(result)[0].replace(/^\[\d+\] /, ""), '"yAstring"');
  },
  "calls wait for each other": async (session) => {
    const results = await Promise.all(
      [3, 2, 1].map((n) => session.execute(`await new Promise((f) => setTimeout(f, ${n}0)); ${n}`)),
    );
    assertEquals(results.map((one) => brief(one)[0].slice(-1)), ["3", "2", "1"]);
    const counts = results.map((one) => one.executionCount!);
    assertEquals(counts, counts.toSorted((a, b) => a - b));
  },
});

sessionTest("Session.execute() errors", {
  "a syntax error has line, column and caret, and runs nothing": async (session) => {
    const result = await session.execute("globalThis.ran = 1;\n\tlet x = (1;", { label: "cell 7" });
    assertEquals([result.status, result.executionCount], ["error", null]);
    assertEquals([result.error?.line, result.error?.column], [2, 12]);
    const error = result.outputs[0] as ErrorOutput;
    assertEquals(error.ename, "SyntaxError");
    assertStringIncludes(error.evalue, "(cell 7, line 2, column 12)");
    assertEquals(error.traceback.slice(-2), ["> 2 | \tlet x = (1;", "    | \t          ^"]);
    assertMatch(brief(await session.execute("typeof ran"))[0], /"undefined"$/);
  },
  "an error names cell, line and column, through blank lines, types and templates": async (
    session,
  ) => {
    const source = `// A comment
interface Shape { rows: number }

const shapes: Shape[] = [{ rows: 1 }, { rows: 2 }];

function fail(shape: Shape): never {

  const text = \`two
lines\`;
  throw new RangeError("no " +
    shape.rows, { cause: new Error("why") })
}

for (const shape of shapes) {
  // another
  fail(shape)
}`;
    const { error } = await session.execute(source, { label: "cell A" });
    assertEquals([error?.name, error?.message], ["RangeError", "no 1"]);
    assertEquals([error?.line, error?.column], [10, 9]);
    assertEquals(error?.traceback.slice(0, 4), [
      "RangeError: no 1",
      "    at fail (cell A:10:9)",
      "    at cell A:16:3",
      "Caused by: Error: why",
    ]);
    // Called from another cell, the line is the call's.
    const later = await session.execute("\n\n  fail({ rows: 5 })", { label: "cell B" });
    assertEquals([later.error?.line, later.error?.column], [3, 3]);
    assertEquals(later.error?.traceback.slice(1, 3), [
      "    at fail (cell A:10:9)",
      "    at cell B:3:3",
    ]);
  },
  "an error that an await brings has the await's line": async (session) => {
    await session.execute(
      "async function later() { await new Promise((f) => setTimeout(f, 5)); throw new Error('l') }",
    );
    assertEquals((await session.execute("\n\n\nawait later()")).error?.line, 4);
    const { error } = await session.execute("\nawait Promise.reject({ code: 3 })", {
      label: "cell C",
    });
    assertEquals(error, {
      name: "Uncaught",
      message: "{ code: 3 }",
      line: 2,
      traceback: [
        "Uncaught: { code: 3 }",
        "    at cell C:2",
        "",
        "  1 |",
        "> 2 | await Promise.reject({ code: 3 })",
      ],
    });
  },
  "what is thrown need not be an error": async (session) => {
    const { error } = await session.execute("\nfunction f() {\n  throw { a: 1 };\n}\nf()");
    assertEquals([error?.name, error?.message, error?.line], ["Uncaught", "{ a: 1 }", 3]);
    assertEquals((await session.execute("throw 'text'")).error?.message, "text");
  },
  "a stack that a cell prints names cells": async (session) => {
    await session.execute("function make() { return new Error('shown') }", { label: "cell M" });
    const result = await session.execute("\nconsole.log(make().stack)", { label: "cell N" });
    const [, first, second] = brief(result)[0].split("\n");
    assertEquals([first, second], ["    at make (cell M)", "    at cell N"]);
    // The same error, thrown after it was printed, still has its line.
    const thrown = await session.execute("\n\nconst e = make();\nconsole.log(e);\nthrow e");
    assertEquals(thrown.error?.line, 3);
  },
  "outputs from before the error stay before it": async (session) => {
    const result = await session.execute("console.log(1); console.log(2); throw new Error('x')");
    assertEquals(brief(result), ["stdout: 1\n2\n", "Error: x"]);
  },
  "errors in timers and promises are reported under the cell, and hang nothing": async (
    session,
  ) => {
    const timer = await session.execute(
      "setTimeout(() => { throw new Error('timer') }, 5);\nawait new Promise((f) => setTimeout(f, 50))",
    );
    assertEquals([timer.status, timer.error?.line], ["error", 1]);
    assertEquals(brief(timer), ["Error: timer"]);
    const promise = await session.execute("void Promise.reject(new TypeError('floating'))");
    assertEquals(brief(promise), ["TypeError: floating"]);
    const late = await session.execute("void setTimeout(() => { throw new Error('late') }, 1000)");
    assertEquals(late.status, "ok");
    await until(() => late.outputs.length > 0);
    assertEquals(brief(late), ["Error: late"]);
    assertMatch(brief(await session.execute("'alive'"))[0], /alive/);
  },
  "an error that nobody catches is shown while the cell still waits, and stays after a stop":
    async (
      session,
    ) => {
      const controller = new AbortController();
      const result = await session.execute(
        "setTimeout(() => { throw new Error('tick') }, 5);\nawait new Promise(() => {})",
        { signal: controller.signal, onOutput: () => controller.abort(), timeout: 20 },
      );
      assertEquals(result.status, "stopped");
      assertEquals(brief(result)[0], "Error: tick");
      assertMatch(brief(result)[1], /^Stopped: Cell \d+ was stopped$/);
    },
  "an error that nobody catches is told under the cell that started it, while another runs": async (
    session,
  ) => {
    const started = await session.execute(`var go = Promise.withResolvers();
function later(n) { throw new Error("in " + n) }
void go.promise.then(() => setTimeout(later, 0, 1));
void (async () => { await go.promise; later(2) })();`);
    // The function is an earlier cell's, the timer is its own.
    const other = await session.execute(
      "go.resolve(); setTimeout(later, 50, 3);\nawait new Promise((f) => setTimeout(f, 400)); 'whole'",
      { label: "cell O" },
    );
    await until(() => started.outputs.length >= 2); // told late on a busy machine
    // Which comes first, the timer or the notice of the rejection, is the engine's business.
    assertEquals(brief(started).sort(), ["Error: in 1", "Error: in 2"]);
    assertEquals([other.status, other.error?.message], ["error", "in 3"]);
    assertEquals(brief(other).length, 2);
    assertMatch(brief(other)[1], /"whole"$/);
  },
  "a nest too deep for any parser is a syntax error": async (session) => {
    const result = await session.execute("[".repeat(50_000));
    assertEquals([result.status, result.error?.name], ["error", "SyntaxError"]);
  },
});

async function stopped(session: Session, code: string, after = 300): Promise<ExecuteResult> {
  return await session.execute(code, { timeout: after / 1000 });
}

sessionTest("Session.execute() stops", {
  "a busy loop, its state kept": async (session) => {
    const result = await stopped(session, "let busy = 0; while (true) busy++;");
    assertEquals(result.status, "timeout");
    assertStringIncludes(result.error!.message, "ran longer than its limit of 0.3 s");
    assertMatch(brief(await session.execute("busy > 0"))[0], /true$/);
  },
  "a pending await": async (session) => {
    await session.execute("let kept = 1;");
    const result = await stopped(session, "kept++; await new Promise(() => {}); kept++");
    assertEquals(result.status, "timeout");
    assert(result.seconds < 5, `it took ${result.seconds} s`);
    assertMatch(brief(await session.execute("kept"))[0], /2$/);
  },
  "a for await, whose generator's finally blocks run": async (session) => {
    const result = await stopped(
      session,
      `let steps = 0;
       async function* train() {
         try {
           while (true) { await new Promise((f) => setTimeout(f, 5)); yield steps++; }
         } finally { console.log("closed"); }
       }
       for await (const step of train()) {}`,
      1500,
    );
    assertEquals(result.status, "timeout");
    assertEquals(brief(result)[0], "stdout: closed\n");
    assertMatch(brief(await session.execute("steps > 0"))[0], /true$/);
  },
  "a loop over settled promises": async (session) => {
    assertEquals((await stopped(session, "while (true) await 0;")).status, "timeout");
  },
  "a long call that honours the signal, whose result is kept": async (session) => {
    const path = join(import.meta.dirname!, "../../lib/stop.ts");
    await session.execute(`
      import { stopSignal } from ${JSON.stringify(path)};
      async function train() {
        const signal = stopSignal()!;
        let steps = 0;
        while (!signal.aborted) { 
          await new Promise((f) => setTimeout(f, 20));
          if (++steps === 3) console.log("three steps");
        }
        // The end of the step that was under way when the stop came.
        await new Promise((f) => setTimeout(f, 300));
        return { steps, whole: true };
      }`);
    const controller = new AbortController();
    const result = await session.execute("const model = await train();\nconsole.log('after')", {
      signal: controller.signal,
      onOutput: () => controller.abort(),
    });
    assertEquals(result.status, "stopped");
    assertMatch(brief(await session.execute("model.whole && model.steps > 0"))[0], /true$/);
    // The next cell has a signal of its own.
    assertMatch(brief(await session.execute("stopSignal()!.aborted"))[0], /false$/);
  },
  "nothing where the signal was aborted before": async (session) => {
    const result = await session.execute("globalThis.ran = 1", { signal: AbortSignal.abort() });
    assertEquals([result.status, result.executionCount], ["stopped", null]);
    assertMatch(brief(await session.execute("typeof ran"))[0], /"undefined"$/);
  },
  "a cell that is stopped as it is sent, with the state kept": async (session) => {
    for (let i = 0; i < 5; i++) {
      const stop = new AbortController();
      const running = session.execute("kept++; await new Promise(() => {});", {
        signal: stop.signal,
      });
      stop.abort();
      assertEquals((await running).status, "stopped");
      assertEquals((await session.execute("typeof kept")).status, "ok");
    }
    assertMatch(brief(await session.execute("typeof kept"))[0], /number/);
  },
  "what cannot be stopped, by ending the kernel and saying what is lost": async (session) => {
    await session.execute("const precious = 1;");
    const result = await stopped(
      session,
      "while (true) { try { await new Promise(() => {}) } catch {} }",
    );
    assertEquals([result.status, result.error?.name], ["timeout", "TimeoutError"]);
    assertMatch(result.error!.message, /could not be stopped.*kernel was ended; lost: .*precious/);
    // The next cell finds a new kernel.
    assertMatch(brief(await session.execute("typeof precious"))[0], /^\[1\] "undefined"$/);
  },
});

sessionTest("Session.execute() where the kernel ends", {
  "Deno.exit() is told with its code, and output before it is kept": async (session) => {
    const result = await session.execute("const q = 1; console.log('before'); Deno.exit(3)");
    assertEquals(result.status, "died");
    assertEquals(brief(result), [
      "stdout: before\n",
      "KernelDied: The kernel was ended by Deno.exit(3) in cell 1; lost: q",
    ]);
  },
  "a kernel killed from outside is reported, and the cell's output is kept": async (
    session,
  ) => {
    await session.execute("1");
    const running = session.execute("console.log('begun'); await new Promise(() => {})", {
      onOutput: ({ type }) => type === "stream" && Deno.kill(session.pid, "SIGKILL"),
    });
    const result = await running;
    assertEquals(brief(result)[0], "stdout: begun\n");
    assertMatch(brief(result)[1], /^KernelDied: The kernel was ended by signal SIGKILL in cell/);
  },
  "a kernel killed between cells is told by the next": async (session) => {
    await session.execute("let lostOne = 1;");
    const { pid } = session;
    Deno.kill(pid, "SIGKILL");
    await until(() => !alive(pid));
    await new Promise((done) => setTimeout(done, 400));
    const result = await session.execute("lostOne");
    assertEquals([result.status, result.executionCount], ["died", null]);
    assertMatch(result.error!.message, /signal SIGKILL before cell \d+; lost: lostOne$/);
    assertMatch(brief(await session.execute("'new'"))[0], /^\[1\] "new"$/);
  },
  "a Ctrl-C of the terminal leaves the kernel to the session": async (session) => {
    const running = session.execute(
      "console.log(1); await new Promise((f) => setTimeout(f, 500)); 'survived'",
      { onOutput: () => Deno.kill(session.pid, "SIGINT") },
    );
    assertMatch(brief(await running)[1], /survived/);
  },
});

sessionTest("Session.execute() out of memory", {
  "it is told": async (session) => {
    const result = await session.execute(
      "const all = []; while (true) all.push([...'x'.repeat(1e4)])",
    );
    assertEquals(result.status, "died");
    assertStringIncludes(result.error!.message, "The kernel ran out of memory in cell 1");
  },
}, { DENO_V8_FLAGS: "--max-old-space-size=120" });

Deno.test("Session.close() ends a running cell and refuses more", async () => {
  const session = await Session.start();
  const running = session.execute("console.log(1); await new Promise(() => {})", {
    onOutput: () => session.close(),
  });
  const result = await running;
  assertEquals(result.status, "died");
  assertStringIncludes(result.error!.message, "The session was closed in cell 1");
  await assertRejects(() => session.execute("1"), Error, "Cannot use the session: it is closed");
});

Deno.test("Session.restart() forgets all", async () => {
  await using session = await Session.start();
  await session.execute("let a = 1;");
  assertEquals(session.names, ["a"]);
  await session.restart();
  assertEquals(session.names, []);
  assertEquals(brief(await session.execute("typeof a")), ['[1] "undefined"']);
});

Deno.test("Session finds deno.json from its working directory, and relative imports", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, "deno.json"), '{ "imports": { "mapped": "./m.ts" } }');
    await Deno.writeTextFile(join(folder, "m.ts"), "export const value: number = 42;");
    await Deno.mkdir(join(folder, "books"));
    await using session = await Session.start({ cwd: join(folder, "books") });
    const result = await session.execute(
      "import { value } from 'mapped'; import * as m from '../m.ts'; value + m.value",
    );
    assertEquals(brief(result), ["[1] 84"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("Session's kernel ends when its starter is killed", async () => {
  const module = new URL("../../lib/runtime/session.ts", import.meta.url).href;
  const code = `import { Session } from ${JSON.stringify(module)};
    const session = await Session.start();
    console.log(session.pid);
    await session.execute("await new Promise(() => {})");`;
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(path, code);
  try {
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--config", config, path],
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const pid = Number((await reader.read()).value);
    assert(pid > 0);
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    await until(() => !alive(pid));
    assertEquals(alive(pid), false);
  } finally {
    await Deno.remove(path);
  }
});
