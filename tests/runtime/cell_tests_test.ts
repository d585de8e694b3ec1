// Tests that cells register with `Deno.test`: what fails under `deno test` fails here, steps and sanitizers included.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { Session } from "../../lib/runtime/session.ts";
import { completeTests } from "../../lib/runtime/session/test_report.ts";

/** Tests, and what the message about each says; empty where it passes. */
const TESTS: [string, string][] = [
  [`Deno.test("passes", () => {});`, ""],
  [`Deno.test("leaves what nobody asked about", () => { Deno.openSync("/dev/null"); });`, ""],
  [`Deno.test.ignore("not run", () => { throw 1; });`, ""],
  [`Deno.test("throws", () => { throw new TypeError("no"); });`, "no"],
  [
    `Deno.test("a step fails", async (t) => void await t.step("one", () => { throw new TypeError("no"); }));`,
    'step "one": TypeError: no',
  ],
  [
    `Deno.test("a step in a step fails", (t) => t.step("one", async (t) => void await t.step("two", () => { throw 5; })));`,
    'step "one ... two": 5',
  ],
  [
    `Deno.test({ name: "leaves a timer", sanitizeOps: true, fn: () => { setInterval(() => {}, 1e6); } });`,
    "Leaks detected:",
  ],
  [
    `Deno.test({ name: "leaves a file open", sanitizeResources: true, fn: () => { Deno.openSync("/dev/null"); } });`,
    "Leaks detected:",
  ],
  [`Deno.test("exits", () => { Deno.exit(3); });`, "attempted to exit with exit code: 3"],
  // The last: Deno 2.9.6 crashes in a test after it.
  [
    `Deno.test("a step is not awaited", (t) => { t.step("one", () => new Promise((done) => setTimeout(done, 5))); });`,
    'step "one": Didn\'t complete before parent',
  ],
];

Deno.test("a test of a cell fails where it fails under deno test", async () => {
  await using session = await Session.start();
  // Of several with one name, the one that fails.
  const step = `async (t) => { await t.step("x", () => { throw 5; }); }`;
  const { tests } = await session.execute(
    `Deno.test("same", () => {}); Deno.test("same", ${step}); Deno.test("same", () => {});`,
  );
  assertEquals(tests?.map(({ error }) => error?.message), [undefined, 'step "x": 5', undefined]);
  for (const [code, message] of TESTS) {
    const { status, tests = [], error } = await session.execute(`${code} Deno.exitCode = 0;`);
    assertEquals(status, message === "" ? "ok" : "error", code);
    assertStringIncludes(tests.map(({ error }) => error?.message ?? "").join(), message, code);
    assertEquals(error?.name, message === "" ? undefined : "TestError", code);
  }
});

Deno.test("failures that the kernel counts and nobody names are failures", () => {
  const [passed, more] = completeTests(
    [{ name: "a", seconds: 0 }],
    "a ... ok (1ms)\n\nFAILED | 1 passed | 2 failed (3ms)\n",
  );
  assertEquals(passed.error, undefined);
  assertEquals(more.error?.message, "The kernel counts 2 more failed tests");
});
