// The whole suite's rooms, and its last line.

import { assertEquals } from "@std/assert";
import { allRooms, environmentOfLane, readSummary, summarize, testFiles } from "./all.ts";

Deno.test("every test file is in one room", () => {
  const paths = allRooms().flatMap(([, paths]) => paths);
  for (const file of testFiles()) {
    const held = paths.filter((path) => file === path || file.startsWith(`${path}/`));
    assertEquals(held.length, 1, file);
  }
  assertEquals(allRooms().at(0), ["tests/grade", ["tests/grade"]]);
  assertEquals(allRooms().find(([name]) => name === "lib"), ["lib", ["lib"]]);
});

Deno.test("readSummary() reads what deno test says last, and nothing else", () => {
  assertEquals(readSummary("ok | 28 passed | 0 failed (580ms)"), { passed: 28, failed: 0 });
  assertEquals(
    readSummary(
      "FAILED | 1 passed (2 steps) | 3 failed (1 step) | 4 ignored | 5 filtered out (1m2s)",
    ),
    { "passed": 1, "passed steps": 2, "failed": 3, "failed steps": 1, "ignored": 4, "filtered": 5 },
  );
  assertEquals(readSummary("a test | 3 passed ... ok (3ms)"), undefined);
});

Deno.test("summarize() adds up, and a room that ended otherwise is a failure", () => {
  const well = { room: "a", counts: { passed: 2, "passed steps": 1, failed: 0 }, errors: [] };
  const skips = { room: "b", counts: { passed: 1, failed: 0, ignored: 3 }, errors: [] };
  const died = { room: "c", fault: "was ended by SIGABRT", errors: [] };
  assertEquals(
    summarize([well, skips], 61),
    "ok | 3 passed (1 step) | 0 failed | 3 ignored (1m1s)",
  );
  assertEquals(summarize([well, died], 59.7), "FAILED | 2 passed (1 step) | 0 failed (1m0s)");
});

Deno.test({
  name:
    "a room asks for WebGPU without EGL, whose library ends processes in which threads end late",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const script = `await navigator.gpu.requestAdapter();
      console.log(Deno.readTextFileSync("/proc/self/maps").includes("libEGL"));`;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", script],
      env: environmentOfLane(),
      stderr: "null",
    }).output();
    assertEquals(new TextDecoder().decode(stdout).trim(), "false");
  },
});
