// The clock of time limits: it stands while a process waits for a processor, and only then.

import { assert, assertGreater, assertLess } from "@std/assert";
import { delay } from "@std/async/delay";
import { ProcessorClock } from "../../lib/grade/autograde/processor_time.ts";
import { Gate } from "../../lib/grade/autograde/alone.ts";
import { assertEquals } from "@std/assert";

const linux = Deno.build.os === "linux";

/** Runs busy processes on one processor, and gives the clock's time of the first against the wall's. */
async function besides(others: number, code: string): Promise<{ wall: number; counted: number }> {
  const start = () =>
    new Deno.Command("taskset", { args: ["-c", "0", "sh", "-c", code], stdout: "null" }).spawn();
  const processes = Array.from({ length: 1 + others }, start);
  try {
    const started = performance.now();
    const clock = new ProcessorClock(() => [processes[0]!.pid]);
    await delay(1500);
    const counted = clock.now;
    return { wall: (performance.now() - started) / 1000, counted };
  } finally {
    for (const process of processes) {
      process.kill("SIGKILL");
      await process.status;
    }
  }
}

Deno.test({
  name: "time in which others have the processor does not count",
  ignore: !linux,
  async fn() {
    const { wall, counted } = await besides(3, "while :; do :; done");
    assertLess(counted, 0.6 * wall);
    assertGreater(counted, 0);
  },
});

Deno.test({
  name: "time in which a process sleeps counts",
  ignore: !linux,
  async fn() {
    const { wall, counted } = await besides(1, "exec sleep 60");
    assertGreater(counted, 0.9 * wall);
  },
});

Deno.test("a timer of the clock is over, and can be stopped", async () => {
  const clock = new ProcessorClock(() => []);
  const over = Promise.withResolvers<number>();
  const started = clock.now;
  using _timer = clock.timer(0.1, () => over.resolve(clock.now));
  clock.timer(0.05, () => over.reject(new Error("stopped")))[Symbol.dispose]();
  assert(await over.promise - started >= 0.1);
});

Deno.test("what wants to be alone runs beside nothing, and all runs", async () => {
  const gate = new Gate();
  const running = new Set<string>();
  const seen: string[] = [];
  const work = (name: string) => async () => {
    running.add(name);
    await delay(5);
    seen.push([...running].sort().join(""));
    await delay(5);
    running.delete(name);
    if (name === "x") throw new Error("x");
  };
  const all = await Promise.allSettled([
    gate.share(work("a")),
    gate.share(work("b")),
    gate.alone(work("x")),
    gate.share(work("c")),
    gate.alone(work("Y")),
    gate.share(work("d")),
  ]);
  assertEquals(all.map(({ status }) => status), [
    ...["fulfilled", "fulfilled", "rejected", "fulfilled", "fulfilled", "fulfilled"],
  ]);
  assertEquals(seen.filter((names) => names.includes("x")), ["x"]);
  assertEquals(seen.filter((names) => names.includes("Y")), ["Y"]);
  assertEquals(seen[0], "ab");
  assertEquals(seen.length, 6);
});
