import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { findPython } from "../support.ts";
import type { Case } from "./cases.ts";
import { lossesAgree } from "./cases/training.ts";
import { type Contestant, measure, type Measured, median, ratio } from "./harness.ts";
import { describeMachine, takeOwnBlasSettings } from "./machine.ts";
import { runCase } from "./run_case.ts";
import { replaceTable } from "./table.ts";
import { asksForIntel } from "./weights.ts";

/** A program of a few lines that answers with what `body` makes of its `n`-th run. */
function contestant(name: string, body: string): Contestant {
  const script = String.raw`
    let n = 0, text = "";
    for await (const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      for (let end; (end = text.indexOf("\n")) >= 0; text = text.slice(end + 1)) {
        const request = JSON.parse(text.slice(0, end));
        console.log(request.do === "prepare"
          ? JSON.stringify({ ready: "asked for " + request.size })
          : JSON.stringify((${body})(n++)));
      }
    }`;
  return { name, command: [Deno.execPath(), "eval", script] };
}

Deno.test("median() takes the middle, or the mean of the middle two", () => {
  assertEquals(median([3, 1, 2]), 2);
  assertEquals(median([4, 1, 3, 2]), 2.5);
  assertThrows(() => median([]), RangeError);
});

Deno.test("ratio() is the median over rounds, so that a large batch on both sides does not count", () => {
  const measured = (...seconds: number[]): Measured => ({
    name: "any",
    about: "",
    runs: seconds.map((seconds) => ({ seconds })),
    median: median(seconds),
    best: Math.min(...seconds),
  });
  assertEquals(ratio(measured(1, 4, 30), measured(2, 10, 40)), 0.5);
});

Deno.test("measure() has programs take turns and leaves warm-ups out", async () => {
  const order: string[] = [];
  const measured = await measure(
    [
      contestant("a", "(n) => ({ seconds: [9, 3, 1, 2][n] })"),
      contestant("b", "(n) => ({ seconds: 10 + n })"),
    ],
    { case: "any", size: 7 },
    { rounds: 3, onRun: (name, round) => order.push(`${name}${round}`) },
  );
  assertEquals(order, ["a0", "b0", "a1", "b1", "a2", "b2"]);
  assertEquals(measured.map(({ median, best }) => [median, best]), [[2, 1], [12, 11]]);
  assertEquals(measured[0].about, "asked for 7");
});

Deno.test("measure() names the program that fails", async () => {
  const broken = contestant("broken", '() => ({ error: "out of paper" })');
  await assertRejects(
    () => measure([broken], { case: "any" }, { rounds: 1 }),
    Error,
    '"broken" failed: out of paper',
  );
  const gone = { name: "gone", command: [Deno.execPath(), "eval", "0"] };
  await assertRejects(() => measure([gone], { case: "any" }, { rounds: 1 }), Error, '"gone"');
});

Deno.test("lossesAgree() is for equal losses up to rounding, round by round", () => {
  const measured = (...losses: (number | null)[]): Measured => ({
    name: "any",
    about: "",
    runs: losses.map((loss) => ({ seconds: 1, loss })),
    median: 1,
    best: 1,
  });
  const agree = (mine: (number | null)[], its: (number | null)[]) =>
    lossesAgree(measured(...mine), measured(...its));
  assertEquals(agree([4, 2], [4, 2.0001]), {
    text: "losses differ by at most 5.0e-5, relative",
    holds: true,
  });
  assertEquals(agree([4, 2], [2, 4]).holds, false);
  assertEquals(agree([4, 2], [4, 2.01]).holds, false);
  assertEquals(agree([4, NaN], [4, 2]).holds, false);
  assertEquals(agree([4, 2], [4, null]).holds, false);
});

Deno.test("runCase() names the bars that are missed and programs that disagree", async () => {
  const one = (
    { limit, holds, names = ["a", "b"] }: { limit: number; holds: boolean; names?: string[] },
  ): Case => ({
    title: "Case",
    prepare: { case: "any" },
    contestants: names.map((name) => contestant(name, "() => ({ seconds: 2 })")),
    rounds: 1,
    rate: () => "",
    bars: (of) => [{ what: "A to b", value: ratio(of("a"), of("b")), kind: "at most", limit }],
    agreement: (of) => ({ text: `${of("b").runs[0].seconds} s`, holds }),
  });
  const good = await runCase(one({ limit: 1, holds: true }));
  assertEquals(good.missed, []);
  assertEquals(good.bars, ["| A to b | 1.00× | ≤ 1× | yes |"]);
  assertEquals(good.programs[0], "| Case | a | 2.00 s | 2.00 s | 1 |  |  | 2 s |");
  const bad = await runCase(one({ limit: 0.5, holds: false }));
  assertEquals(bad.missed, ["A to b", "Case: 2 s"]);
  assertEquals(bad.bars, ["| A to b | 1.00× | ≤ 0.5× | **no** |"]);
  assertEquals(bad.programs[0], "| Case | a | 2.00 s | 2.00 s | 1 |  |  | **2 s** |");
  // without its other program neither can be told
  const alone = await runCase(one({ limit: 0.5, holds: false, names: ["a"] }));
  assertEquals([alone.bars, alone.missed], [[], []]);
});

const torch = findPython("torch");

Deno.test({
  name: `asksForIntel() is not content with a library that is not there${torch.needs}`,
  ignore: !torch.found,
  async fn() {
    assertEquals(await asksForIntel(torch.path, {}), false);
    assertEquals(await asksForIntel(torch.path, { LD_PRELOAD: "/nowhere/intel.so" }), false);
  },
});

Deno.test("replaceTable() changes what is between the marks only", () => {
  const readme = "a\n<!-- begin table -->\nold\n<!-- end table -->\nz\n";
  assertEquals(
    replaceTable(readme, "new"),
    "a\n<!-- begin table -->\n\nnew\n\n<!-- end table -->\nz\n",
  );
  assertThrows(() => replaceTable("no marks", "new"), SyntaxError, "Cannot place the table");
});

Deno.test("takeOwnBlasSettings() keeps other processors' kernels out of what is measured, and says so", async () => {
  const names = ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"];
  const before = names.map((name) => Deno.env.get(name));
  try {
    Deno.env.set("OPENBLAS_CORETYPE", "Prescott");
    Deno.env.delete("OPENBLAS_L2_SIZE");
    assertEquals(takeOwnBlasSettings(), ["OPENBLAS_CORETYPE=Prescott"]);
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "console.log(Deno.env.get('OPENBLAS_CORETYPE'))"],
    }).output();
    assertEquals(new TextDecoder().decode(stdout).trim(), "undefined");
    assertStringIncludes(
      await describeMachine([], undefined, ["OPENBLAS_CORETYPE=Prescott"]),
      "BLAS by this machine's own settings (without OPENBLAS_CORETYPE=Prescott)",
    );
  } finally {
    for (const [i, name] of names.entries()) {
      if (before[i] !== undefined) Deno.env.set(name, before[i]);
    }
  }
});
