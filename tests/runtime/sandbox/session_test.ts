// A session behind both walls: cells run one by one, and whatever they do ends as a result.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { sandboxFault } from "../../../lib/runtime/sandbox/outer.ts";
import { SandboxedSession } from "../../../lib/runtime/sandbox/session.ts";
import type { SessionMessage } from "../../../lib/runtime/session/types.ts";

const fault = await sandboxFault();
const needs = fault === undefined ? "" : ` (${fault})`;

function inSandbox(
  name: string,
  fn: (session: SandboxedSession, messages: SessionMessage[]) => Promise<void>,
) {
  Deno.test({
    name: `a sandboxed session ${name}${needs}`,
    ignore: fault !== undefined,
    async fn() {
      const messages: SessionMessage[] = [];
      await using session = await SandboxedSession.start({
        cwd: "/",
        path: "/book.ipynb",
        maxOutput: 1e6,
        onMessage: (message) => void messages.push(message),
      });
      await fn(session, messages);
    },
  });
}

inSandbox("keeps state between cells and passes messages both ways", async (session, messages) => {
  await session.execute(
    "const x = 20; addEventListener('comm_msg', (e) => heard = e.detail); let heard;",
  );
  await session.send("comm_msg", { a: 1 });
  const { status, outputs } = await session.execute(
    "while (!heard) await new Promise((done) => setTimeout(done, 5));\n" +
      "await Deno.jupyter.broadcast('mine', heard.content); x + 1",
  );
  assertEquals(status, "ok");
  assertMatch(JSON.stringify(outputs), /21/);
  assertEquals(messages.map(({ type, content }) => [type, content]), [["mine", { a: 1 }]]);
});

inSandbox("stops cells by time and by signal, and keeps the state", async (session) => {
  await session.execute("const kept = 1;");
  const late = await session.execute("await new Promise(() => {});", { timeout: 0.3 });
  assertEquals(late.status, "timeout");
  const stop = new AbortController();
  const running = session.execute("await new Promise(() => {});", { signal: stop.signal });
  stop.abort();
  assertEquals((await running).status, "stopped");
  assertEquals((await session.execute("kept")).status, "ok");
  assert(!session.ended);
});

inSandbox("has no network and sees no files of this machine", async (session) => {
  const { outputs } = await session.execute(
    "const tried = await Promise.allSettled([fetch('http://127.0.0.1:1'), Deno.readTextFile('/etc/passwd')," +
      "Deno.connect({ port: 22 })]); console.log(tried.map(({ status }) => status).join());",
  );
  assertMatch(JSON.stringify(outputs), /rejected,rejected,rejected/);
});

inSandbox("reports its end", async (session) => {
  const { status, error } = await session.execute("Deno.exit(3);");
  assertEquals(status, "died");
  assertMatch(error!.message, /Deno\.exit\(3\)/);
  assert(session.ended);
});

inSandbox("ends at its limit of output", async (session) => {
  const { status, error } = await session.execute("while (true) console.log('x'.repeat(1e5));");
  assertEquals([status, error!.name], ["died", "OutputLimit"]);
  assert(session.flooded);
});
