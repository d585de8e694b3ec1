// What a sandbox refuses is told with the option that would allow it.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { sandboxHints } from "../../lib/cli/sandbox_hint.ts";
import { runNotebook } from "../../lib/runtime/runner.ts";
import { sandboxFault } from "../../lib/runtime/sandbox/outer.ts";
import { code, notebookOf } from "../runtime/report/sample.ts";

const fault = await sandboxFault();

/** What a cell does that the sandbox refuses, and what names the way out. */
const REFUSED: [string, string][] = [
  ['Deno.readTextFileSync("/root/x.txt")', "--allow-read"],
  ['import fs from "node:fs"; fs.readFileSync("/root/x.txt")', "--allow-read"],
  ['await import("./helper.ts")', "--allow-read"],
  ['Deno.writeTextFileSync("/usr/x.txt", "")', "--allow-write"],
  ['await new Deno.Command("ls").output()', "starts no programs"],
  ['await fetch("https://example.org")', "no network"],
  ['await Deno.connect({ hostname: "192.0.2.1", port: 80 })', "no network"],
  ['await import("npm:tunebook-does-not-exist@1.0.0")', "deno cache"],
  ['await Deno.connect({ transport: "unix", path: "/tmp/x" })', "no sockets but its own"],
  [
    'for (let i = 0; i < 200; i++) Deno.writeFileSync("/tmp/" + i, new Uint8Array(1 << 20))',
    "--disk",
  ],
  ["for (const kept = [];;) kept.push(new Uint8Array(64 << 20).fill(1))", "--memory"],
];

Deno.test({
  name: `a sandbox's refusal names the option that allows it${fault ? ` (${fault})` : ""}`,
  ignore: fault !== undefined,
  async fn() {
    const cells = REFUSED.map(([source]) => code(source));
    const { failures = [] } = await runNotebook(notebookOf(...cells), {
      sandbox: { memory: 256, disk: 64 },
      allowErrors: true,
      totalTimeout: 60,
    });
    assertEquals(failures.map(({ cell }) => cell), REFUSED.map((_, i) => i + 1));
    for (const [i, [source, named]] of REFUSED.entries()) {
      const [hint] = sandboxHints([failures[i]]);
      assertStringIncludes(hint ?? "no hint", named, `${source}: ${failures[i].message}`);
    }
  },
});

Deno.test("hints name each kind once, with its cells", () => {
  const missing = { name: "NotFound", message: "No such file or directory (os error 2)" };
  assertEquals(
    sandboxHints([
      { cell: 1, ...missing },
      { cell: 2, name: "Error", message: "of its own" },
      { cell: 5, ...missing },
    ]),
    ["the sandbox sees only files that --allow-read names (cell 1, 5)"],
  );
  const late = { name: "TimeoutError", message: "The notebook ran longer than its limit of 5 s" };
  assertStringIncludes(sandboxHints([{ cell: 1, ...late }])[0], "--total-timeout");
});
