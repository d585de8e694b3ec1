// The kernel "Deno (Tunebook)" as a client sees it: outputs in place, stops, ends, input, types.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { ZmtpConnection } from "../../../lib/runtime/zmtp.ts";
import { brief, executeContent, startKernel, TestClient } from "./client.ts";

/** How often a training is stopped. */
const STOPS = Number(Deno.env.get("TUNEBOOK_RUNS") ?? 10);

type Started = Awaited<ReturnType<typeof startKernel>>;

/** A test whose steps share a kernel. */
function kernelTest(
  name: string,
  steps: Record<string, (kernel: Started) => Promise<void>>,
  options?: Parameters<typeof startKernel>[0],
) {
  Deno.test(name, async (t) => {
    await using kernel = await startKernel(options);
    for (const [step, run] of Object.entries(steps)) {
      const sanitize = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };
      await t.step({ name: step, fn: () => run(kernel), ...sanitize });
    }
  });
}

const lines = (count: number) => Array.from({ length: count }, (_, i) => `${i}\n`).join("");

kernelTest("JupyterKernel outputs", {
  "the first cell loses nothing, and answers come in order": async ({ client }) => {
    const { reply, outputs } = await client.execute(
      "for (let i = 0; i < 200; i++) console.log(i); 'end'",
    );
    assertEquals(brief(outputs), [`stdout: ${lines(200)}`, '[1] "end"']);
    assertEquals([reply.content.status, reply.content.execution_count], ["ok", 1]);
    const of = client.published.filter((one) =>
      one.parentHeader.msg_id === reply.parentHeader.msg_id
    );
    const types = of.map(({ header, content }) => content.execution_state ?? header.msg_type);
    assertEquals([types[0], types[1], types.at(-1)], ["busy", "execute_input", "idle"]);
  },
  "201 messages, ten times in a row": async ({ client }) => {
    for (let i = 0; i < 10; i++) {
      const { outputs } = await client.execute("for (let i = 0; i < 201; i++) console.log(i);");
      assertEquals(brief(outputs), [`stdout: ${lines(201)}`]);
    }
  },
  "cells sent at once keep their outputs apart, mixed as they are": async ({ client }) => {
    const cells = Array.from(
      { length: 8 },
      (_, i) =>
        client.execute(`console.log("a${i}"); console.error("b${i}");
        await Deno.jupyter.display({ "text/plain": "c${i}" }, { raw: true });
        Deno.stdout.writeSync(new TextEncoder().encode("d${i}")); ${i}`),
    );
    for (const [i, { outputs, reply }] of (await Promise.all(cells)).entries()) {
      assertEquals(brief(outputs), [
        `stdout: a${i}\n`,
        `stderr: b${i}\n`,
        `display_data: c${i}`,
        `stdout: d${i}`,
        `[${reply.content.execution_count}] ${i}`,
      ]);
    }
  },
  "100,000 lines and 20 MB arrive whole": async ({ client }) => {
    const many = await client.execute("for (let i = 0; i < 100000; i++) console.log(i);");
    assert(brief(many.outputs)[0] === `stdout: ${lines(100_000)}`);
    const big = await client.execute(
      "await Deno.jupyter.display({ 'text/plain': 'é'.repeat(10e6) }, { raw: true });",
    );
    assert(brief(big.outputs)[0] === `display_data: ${"é".repeat(10e6)}`);
  },
  "values that print nothing elsewhere are shown": async ({ client }) => {
    for (const value of ["NaN", "null", "-0", "7n"]) {
      assertEquals(brief((await client.execute(value)).outputs)[0].split("] ")[1], value);
    }
    assertEquals((await client.execute("undefined")).outputs, []);
  },
  "displays, their updates and clear_output pass through": async ({ client }) => {
    const { outputs } = await client.execute(`
      await Deno.jupyter.display({ "text/plain": "x" }, { raw: true, display_id: "d" });
      await Deno.jupyter.display({ "text/plain": "y" }, { raw: true, display_id: "d", update: true });
      await Deno.jupyter.broadcast("clear_output", { wait: true });`);
    assertEquals(outputs.map(({ header }) => header.msg_type), [
      "display_data",
      "update_display_data",
      "clear_output",
    ]);
    assertEquals(outputs[1].content.transient, { display_id: "d" });
    assertEquals(outputs[2].content, { wait: true });
  },
  "comms pass through, with their buffers": async ({ client }) => {
    await client.execute(`await Deno.jupyter.broadcast("comm_open",
      { comm_id: "c", target_name: "t", data: { a: 1 } },
      { metadata: { m: 2 }, buffers: [Uint8Array.of(1, 2, 3)] });`);
    const open = await client.until(({ header }) => header.msg_type === "comm_open");
    assertEquals([open.content.data, open.metadata], [{ a: 1 }, { m: 2 }]);
    assertEquals(open.buffers.map((one) => [...one]), [[1, 2, 3]]);
    const info = await client.request("comm_info_request", {});
    assertEquals(info.reply.content.comms, { c: { target_name: "t" } });
    // The client's messages reach the cells as events.
    const heard = client.execute(`
      const { detail } = await new Promise((done) => addEventListener("comm_msg", done, { once: true }));
      [detail.content.data.b, ...detail.buffers[0]].join()`);
    const message = client.codec.create("comm_msg", { comm_id: "c", data: { b: 5 } });
    message.buffers = [Uint8Array.of(6, 7)];
    await new Promise((done) => setTimeout(done, 100));
    await client.connections.shell.send(client.codec.encode(message));
    assertMatch(brief((await heard).outputs)[0], /"5,6,7"$/);
    // What no cell takes, is closed.
    client.send("comm_open", { comm_id: "z", target_name: "none", data: {} });
    await client.until(({ header, content }) =>
      header.msg_type === "comm_close" && content.comm_id === "z"
    );
  },
  "a worker's lines are heard": async ({ client }) => {
    const { outputs } = await client.execute(`
      const worker = new Worker("data:text/javascript,for (let i = 0; i < 300; i++) " +
        "console.log('w'.repeat(100) + i); postMessage(0)", { type: "module" });
      await new Promise((done) => worker.onmessage = done);
      worker.terminate();`);
    const expected = Array.from({ length: 300 }, (_, i) => `${"w".repeat(100)}${i}\n`).join("");
    assertEquals(brief(outputs), [`stdout: ${expected}`]);
  },
  "prompt and confirm ask the client": async ({ client }) => {
    client.onInput = ({ prompt }) => prompt.startsWith("Name") ? "Ada" : "y";
    const { outputs } = await client.execute("prompt('Name?') + confirm('Sure?')");
    assertMatch(brief(outputs)[0], /"Adatrue"$/);
    const refused = await client.execute("prompt('Name?')", { content: { allow_stdin: false } });
    assertMatch(brief(refused.outputs).join(), /^$|null$/);
  },
  "user expressions are evaluated, and silent cells show nothing": async ({ client }) => {
    const { reply } = await client.execute("const u = 2;", {
      content: { user_expressions: { twice: "u * 2", bad: "nope" } },
    });
    const { twice, bad } = reply.content.user_expressions;
    assertEquals(twice, { status: "ok", data: { "text/plain": "4" }, metadata: {} });
    assertEquals([bad.status, bad.ename], ["error", "ReferenceError"]);
    const before = reply.content.execution_count;
    const silent = await client.execute("console.log(1); 5", {
      content: { silent: true, store_history: false },
    });
    assertEquals([silent.outputs, silent.reply.content.execution_count], [[], before]);
  },
});

kernelTest("JupyterKernel errors", {
  "a syntax error is an output and a reply, with line, column and caret": async ({ client }) => {
    const { reply, outputs } = await client.execute("globalThis.ran = 1;\nlet x = (1;");
    assertEquals(reply.content.status, "error");
    assertEquals(brief(outputs), [`SyntaxError: ${reply.content.evalue}`]);
    assertStringIncludes(reply.content.evalue, "(cell [1], line 2, column 11)");
    assertEquals(outputs[0].content.traceback.at(-1), "    |           ^");
    assertMatch(brief((await client.execute("typeof ran")).outputs)[0], /"undefined"/);
  },
  "cells that wait behind a failing one are given up, unless the client wants them": async (
    { client },
  ) => {
    const [failed, next] = await Promise.all([
      client.execute("await new Promise((f) => setTimeout(f, 100)); throw new Error('x')"),
      client.execute("1"),
    ]);
    assertEquals(brief(failed.outputs), ["Error: x"]);
    assertEquals([next.reply.content.status, next.outputs], ["aborted", []]);
    const [, kept] = await Promise.all([
      client.execute("throw new Error('x')", { content: { stop_on_error: false } }),
      client.execute("1"),
    ]);
    assertEquals(kept.reply.content.status, "ok");
  },
  "a timer that throws and a floating promise are told under their cell": async ({ client }) => {
    const timer = await client.execute(
      "setTimeout(() => { throw new Error('timer') }, 5); await new Promise((f) => setTimeout(f, 1000))",
    );
    assertEquals(brief(timer.outputs), ["Error: timer"]);
    const floating = await client.execute("void Promise.reject(new TypeError('floating'))");
    assertEquals(brief(floating.outputs), ["TypeError: floating"]);
    const { id } = client.send(
      "execute_request",
      executeContent("void setTimeout(() => { throw new Error('late') }, 500)"),
    );
    const late = await client.until(({ content }) => content.evalue === "late");
    assertEquals(late.parentHeader.msg_id, id);
  },
  "a timer that throws while another cell runs is told under its own, or where it is heard": async (
    { client },
  ) => {
    const run = async (cellId?: string) => {
      const started = await client.execute(
        `var go = Promise.withResolvers();
        void go.promise.then(() => setTimeout(() => { throw new Error("left") }));`,
        { cellId },
      );
      // The other cell runs until the error has been told: it waits as long as this file exists.
      const untold = await Deno.makeTempFile();
      const other = client.send(
        "execute_request",
        executeContent(
          `go.resolve();
          while (await Deno.stat(${JSON.stringify(untold)}).then(() => true, () => false)) {
            await new Promise((f) => setTimeout(f, 20));
          }`,
        ),
        { metadata: cellId === undefined ? {} : { cellId: "other" } },
      );
      const own = started.reply.parentHeader.msg_id!;
      await client.until(({ header, parentHeader }) =>
        header.msg_type === "error" && [own, other.id].includes(parentHeader.msg_id!)
      );
      await Deno.remove(untold);
      const reply = await other.reply;
      await other.idle;
      const errors = (id: string) =>
        brief(client.outputsOf(id)).filter((one) => /^Error/.test(one));
      return [errors(own), errors(other.id), reply.content.status];
    };
    assertEquals(await run("started"), [["Error: left"], [], "ok"]);
    // nbclient and its like listen to one cell at a time.
    assertEquals(await run(), [[], ["Error: left"], "error"]);
  },
  "an error of an earlier cell in the last moment of another is told before that ends": async (
    { client },
  ) => {
    await client.execute("var last = Promise.withResolvers();");
    await client.execute(
      "void last.promise.then(() => setTimeout(() => { throw new Error('left') }));",
    );
    // Its timer is due right after the one that throws.
    const other = await client.execute(
      "last.resolve(); await last.promise; await 0; await new Promise((f) => setTimeout(f));",
    );
    assertEquals(brief(other.outputs), ["Error: left"]);
  },
});

kernelTest("JupyterKernel interrupts", {
  "a busy loop, a pending await and a for await, with the state kept": async (
    { client, kernel },
  ) => {
    await client.execute("let kept = 0;");
    const endless = [
      "kept++; console.log('on'); while (true);",
      "kept++; console.log('on'); await new Promise(() => {});",
      "kept++; console.log('on'); for await (const _ of (async function* () { while (true) " +
      "{ await new Promise((f) => setTimeout(f, 5)); yield 1 } })());",
    ];
    for (const [index, code] of endless.entries()) {
      const cell = client.send("execute_request", executeContent(code));
      const waiting = client.send("execute_request", executeContent("'after'"));
      await client.until(({ header, parentHeader }) =>
        header.msg_type === "stream" && parentHeader.msg_id === cell.id
      );
      // By message, and as SIGINT does.
      if (index === 0) kernel.interrupt();
      else await client.request("interrupt_request", {}, { channel: "control" });
      const reply = await cell.reply;
      assertEquals([reply.content.status, reply.content.ename], ["error", "Stopped"]);
      assertEquals((await waiting.reply).content.status, "aborted");
    }
    assertMatch(brief((await client.execute("kept")).outputs)[0], /\] 3$/);
  },
  "a training many times, which never loses its model": async ({ client }) => {
    const stop = join(import.meta.dirname!, "../../../lib/stop.ts");
    await client.execute(`
      import { stopSignal } from ${JSON.stringify(stop)};
      const model = { steps: 0 };
      async function train() {
        const signal = stopSignal()!;
        console.log("training");
        while (!signal.aborted) { await new Promise((f) => setTimeout(f, 2)); model.steps++; }
        return "ended";
      }`);
    for (let i = 0; i < STOPS; i++) {
      const cell = client.send("execute_request", executeContent("await train()"));
      await client.until(({ header, parentHeader }) =>
        header.msg_type === "stream" && parentHeader.msg_id === cell.id
      );
      await client.request("interrupt_request", {}, { channel: "control" });
      assertEquals((await cell.reply).content.ename, "Stopped");
    }
    assertMatch(brief((await client.execute("model.steps > 0")).outputs)[0], /\] true$/);
  },
  "a second time, which does not wait for library code that was told to end": async (
    { client },
  ) => {
    const cell = client.send(
      "execute_request",
      executeContent("stopSignal(); console.log('on'); await new Promise(() => {})"),
    );
    await client.until(({ header, parentHeader }) =>
      header.msg_type === "stream" && parentHeader.msg_id === cell.id
    );
    const begin = performance.now();
    await client.request("interrupt_request", {}, { channel: "control" });
    await new Promise((done) => setTimeout(done, 100));
    await client.request("interrupt_request", {}, { channel: "control" });
    assertEquals((await cell.reply).content.ename, "Stopped");
    // It would have been given ten seconds.
    assert(performance.now() - begin < 9000);
    assertMatch(brief((await client.execute("model.steps > 0")).outputs)[0], /\] true$/);
  },
  "a prompt that waits": async ({ client }) => {
    const asked = Promise.withResolvers<void>();
    client.onInput = () => void asked.resolve() as undefined;
    const cell = client.send("execute_request", executeContent("prompt('Name?'); await 0;"));
    await asked.promise;
    await client.request("interrupt_request", {}, { channel: "control" });
    await cell.reply;
    assertMatch(brief((await client.execute("kept")).outputs)[0], /\] 3$/);
  },
  "what cannot be stopped ends the kernel, and says what is lost": async ({ client }) => {
    const cell = client.send(
      "execute_request",
      executeContent(
        "console.log('on'); while (true) { try { await new Promise(() => {}) } catch {} }",
      ),
    );
    await client.until(({ header, parentHeader }) =>
      header.msg_type === "stream" && parentHeader.msg_id === cell.id
    );
    await client.request("interrupt_request", {}, { channel: "control" });
    const { content } = await cell.reply;
    assertMatch(content.evalue, /could not be stopped.*kernel was ended; lost: .*kept/);
    assertEquals(brief((await client.execute("typeof kept")).outputs), ['[1] "undefined"']);
  },
});

kernelTest("JupyterKernel where the real kernel ends", {
  "Deno.exit() is told, and the next cell finds a new kernel": async ({ client }) => {
    const { outputs } = await client.execute("const q = 1; console.log('before'); Deno.exit(3)");
    assertEquals(brief(outputs), [
      "stdout: before\n",
      "KernelDied: The kernel was ended by Deno.exit(3) in cell [1]; lost: q",
    ]);
    assertEquals(brief((await client.execute("typeof q")).outputs), ['[1] "undefined"']);
  },
  "a kernel killed from outside is told at once, under the last cell": async ({ client, pid }) => {
    const { reply } = await client.execute("const gone = 1;");
    Deno.kill(pid(), "SIGKILL");
    const told = await client.until(({ content }) =>
      content.ename === "KernelDied" &&
      /while no cell ran/.test(content.evalue)
    );
    assertMatch(told.content.evalue, /by signal SIGKILL while no cell ran; lost: gone/);
    assertEquals(told.parentHeader.msg_id, reply.parentHeader.msg_id);
    const next = await client.execute("gone");
    assertMatch(brief(next.outputs)[0], /KernelDied: .*before cell/);
    assertEquals(brief((await client.execute("typeof gone")).outputs), ['[1] "undefined"']);
  },
  "out of memory is told": async ({ client }) => {
    const { outputs } = await client.execute(
      "const all = []; while (true) all.push([...'x'.repeat(1e4)])",
    );
    assertMatch(brief(outputs)[0], /KernelDied: The kernel ran out of memory in cell/);
  },
}, { session: { env: { DENO_V8_FLAGS: "--max-old-space-size=120" } } });

kernelTest("JupyterKernel other requests", {
  "kernel_info says the protocol, the language and whose kernel it is": async ({ client }) => {
    const { reply } = await client.request("kernel_info_request", {});
    const { protocol_version, implementation, language_info, status } = reply.content;
    assertEquals([protocol_version, implementation, status], ["5.3", "tunebook", "ok"]);
    assertEquals([language_info.name, language_info.file_extension], ["typescript", ".ts"]);
  },
  "is_complete tells whole, unfinished and wrong code": async ({ client }) => {
    const cases = { "1": "complete", "f(": "incomplete", "`a": "incomplete", "a b": "invalid" };
    for (const [code, status] of Object.entries(cases)) {
      const { reply } = await client.request("is_complete_request", { code });
      assertEquals([code, reply.content.status], [code, status]);
    }
    const { reply } = await client.request("is_complete_request", { code: "if (a) {" });
    assertEquals(reply.content.indent, "  ");
  },
  "history finds what was run": async ({ client }) => {
    for (const code of ["const h = 1", "h + 1", "h + 1"]) await client.execute(code);
    const find = async (request: Record<string, unknown>) =>
      (await client.request("history_request", { raw: true, ...request })).reply.content.history;
    assertEquals(await find({ hist_access_type: "tail", n: 1 }), [[0, 3, "h + 1"]]);
    assertEquals(await find({ hist_access_type: "range", session: 0, start: 1, stop: 2 }), [
      [0, 1, "const h = 1"],
    ]);
    assertEquals(
      await find({ hist_access_type: "search", pattern: "h ?*", unique: true, output: true }),
      [[0, 3, ["h + 1", null]]],
    );
  },
  "requests are answered while a cell runs, and the client is told that it still does": async (
    { client },
  ) => {
    const cell = client.send("execute_request", executeContent("console.log('on'); while (true);"));
    await client.until(({ parentHeader, header }) =>
      parentHeader.msg_id === cell.id && header.msg_type === "stream"
    );
    await client.request("kernel_info_request", {});
    await new Promise((done) => setTimeout(done, 100));
    const status = client.published.findLast(({ header }) => header.msg_type === "status")!;
    assertEquals([status.content.execution_state, status.parentHeader.msg_id], ["busy", cell.id]);
    await client.request("interrupt_request", {}, { channel: "control" });
    await cell.reply;
  },
  "a request that is not signed with the key is not heard": async ({ client, kernel }) => {
    const told: string[] = [];
    const { error } = console;
    console.error = (text: string) => told.push(text);
    const stranger = await TestClient.connect(kernel.ports, "another key");
    try {
      stranger.send("execute_request", executeContent("globalThis.stranger = 1"));
      stranger.connections.iopub.close();
      for (let i = 0; i < 100 && told.length === 0; i++) {
        await new Promise((done) => setTimeout(done, 20));
      }
      assertStringIncludes(told[0], "its signature does not match");
      assertMatch(brief((await client.execute("typeof stranger")).outputs)[0], /undefined/);
    } finally {
      console.error = error;
      stranger.close();
    }
  },
  "the heart beats": async ({ kernel }) => {
    using heart = await ZmtpConnection.connect({ port: kernel.ports.heartbeat, type: "REQ" });
    const beat = [new Uint8Array(), new TextEncoder().encode("ping")];
    await heart.send(beat);
    for await (const frames of heart) {
      assertEquals(frames, beat);
      break;
    }
  },
  "shutdown is answered, and ends the kernel": async ({ client, kernel }) => {
    const reply = client.send("shutdown_request", { restart: true }, { channel: "control" }).reply;
    assertEquals((await reply).content, { status: "ok", restart: true });
    await kernel.ended;
  },
});

Deno.test("JupyterKernel finds deno.json, and import.meta, from the notebook's place", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, "deno.json"), '{ "imports": { "mapped": "./m.ts" } }');
    await Deno.writeTextFile(join(folder, "m.ts"), "export const value: number = 1;");
    const path = join(folder, "book.ipynb");
    await using started = await startKernel({ session: { cwd: folder, path } });
    const { client } = started;
    const code =
      "import { value } from 'mapped'; [value, import.meta.filename, import.meta.dirname]";
    const shown = async () => brief((await client.execute(code)).outputs)[0].split("] ")[1];
    const place = `"${path}", "${folder}"`;
    assertStringIncludes((await shown()).replace(/\s+/g, " "), `1, ${place}`);
    // An edited module is reloaded.
    await Deno.writeTextFile(join(folder, "m.ts"), "export const value: number = 23456;");
    assertStringIncludes((await shown()).replace(/\s+/g, " "), `23456, ${place}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
