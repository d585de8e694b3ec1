// Whatever ends a training, --resume continues to the bits that an undisturbed one comes to.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { delay } from "@std/async/delay";
import { Random } from "../../lib/random.ts";
import { blasNeed } from "../devices.ts";
import { start, tunebook, Workshop } from "./tunebook.ts";

/** 30 steps with evaluations, samples and many checkpoints. */
const OPTIONS = [
  ...["--batch-size", "4", "--epochs", "6", "--lr", "1e-3", "--eval-every", "4"],
  ...["--eval-iters", "1", "--checkpoint-every", "2"],
];
const STEPS = 30;

const variants: {
  label: string;
  env: Record<string, string>;
  need: string | undefined;
  /** How often it is killed between its first step and its last. */
  rounds: number;
}[] = [
  {
    label: "BLAS",
    env: {},
    need: blasNeed,
    rounds: 4,
  },
  { label: "WebAssembly", env: { TUNEBOOK_BLAS: "none" }, need: undefined, rounds: 2 },
];

/** What a training left: its log but for the time that steps took, the hash of its weights, and all its files. */
async function outcome(workshop: Workshop, out: string) {
  const steps = await workshop.steps(out, "steps.jsonl");
  const weights = await Deno.readFile(workshop.file(out, "model.safetensors"));
  return {
    log: steps.map(({ seconds: _, ...rest }) => rest),
    weights: new Uint8Array(await crypto.subtle.digest("SHA-256", weights)).toHex(),
    files: (await Array.fromAsync(Deno.readDir(workshop.file(out)), ({ name }) => name)).sort(),
  };
}

const exists = (path: string) => Deno.stat(path).then(() => true, () => false);

async function countLines(path: string): Promise<number> {
  return (await Deno.readTextFile(path).catch(() => "")).split("\n").length - 1;
}

/** Waits until something is so, or the process has ended. */
async function until(condition: () => Promise<boolean>, process: Deno.ChildProcess) {
  let ended = false;
  process.status.then(() => ended = true);
  while (!ended && !await condition()) await delay(2);
}

for (const { label, env, need, rounds } of variants) {
  Deno.test({
    name: `tunebook train, killed at random moments and resumed, comes to the same bits [${label}${
      need ? `; ${need}` : ""
    }]`,
    ignore: need !== undefined,
    async fn() {
      await using workshop = await Workshop.open();
      const [whole, killed] = ["whole", "killed"].map((out) =>
        workshop.training("--out", workshop.file(out), ...OPTIONS)
      );
      // The speed of this machine, so that kills come in time on a fast one and not all too early on a slow one.
      const began = performance.now();
      const undisturbed = start(whole, env);
      await until(
        async () => await countLines(workshop.file("whole", "steps.jsonl")) > 0,
        undisturbed,
      );
      const firstStep = performance.now() - began;
      const { code, stderr } = await undisturbed.output();
      assertEquals(code, 0, new TextDecoder().decode(stderr));
      const laterSteps = (performance.now() - began - firstStep) / (STEPS - 1);
      const expected = await outcome(workshop, "whole");
      assertEquals(expected.log.length, STEPS);

      const random = new Random(20240611);
      const logPath = workshop.file("killed", "steps.jsonl");
      let kills = 0;
      /** Runs until `moment` has come, and kills. */
      const runAndKill = async (moment: (process: Deno.ChildProcess) => Promise<void>) => {
        const process = start([...killed, "--resume"], env);
        await moment(process);
        try {
          process.kill("SIGKILL");
        } catch {
          // It has ended by itself.
        }
        const { signal } = await process.output();
        if (signal === "SIGKILL") kills++;
      };
      await runAndKill(() => delay(random.float() * firstStep)); // anywhere, before it trains most likely
      for (let round = 0; round < rounds; round++) {
        // Some more steps than lead from one checkpoint to the next, and some moment in the step after.
        await runAndKill(async (process) => {
          const from = await countLines(logPath);
          // A resumed log is shortened to its checkpoint first, so lines from there on are new ones.
          const more = 1 + random.integer(4);
          let seen = from;
          await until(async () => {
            const now = await countLines(logPath);
            if (now < seen) seen = now;
            return now >= seen + more;
          }, process);
          await delay(random.float() * laterSteps);
        });
      }
      // While the finished model is being put in its place.
      await runAndKill((process) =>
        until(() => exists(workshop.file("killed", "config.json")), process)
      );
      const last = await tunebook([...killed, "--resume"], env);
      assertEquals(last.code, 0, last.stderr);
      assert(kills >= rounds, `only ${kills} kills came before the end`);
      const { log: lines, ...rest } = await outcome(workshop, "killed");
      const { log: expectedLines, ...expectedRest } = expected;
      assertEquals(rest, expectedRest);
      assertEquals(lines, expectedLines);
    },
  });
}

Deno.test("tunebook train stops on Ctrl-C with a checkpoint, and continues with --resume", async () => {
  await using workshop = await Workshop.open();
  const [whole, stopped] = ["whole", "stopped"].map((out) => [
    ...workshop.training("--out", workshop.file(out), ...OPTIONS),
    ...["--eval-every", "0", "--checkpoint-every", "50"],
  ]);
  const undisturbed = tunebook(whole);
  const process = start(stopped);
  await until(async () => await countLines(workshop.file("stopped", "steps.jsonl")) >= 2, process);
  process.kill("SIGINT");
  const { code, stdout, stderr: bytes } = await process.output();
  const stderr = new TextDecoder().decode(bytes);
  assertEquals([code, stdout.length], [130, 0], stderr);
  assertStringIncludes(stderr, "Stopping after this step; press Ctrl-C again to end at once\n");
  const [, step] = /^Stopped after step (\d+) of \d+; saved "(.*)"$/m.exec(stderr)!;
  assertStringIncludes(stderr, "To continue, run the same command with --resume\n");
  assertEquals(await countLines(workshop.file("stopped", "steps.jsonl")), Number(step));
  assert(await exists(workshop.file("stopped", "checkpoint", `step-${step.padStart(6, "0")}`)));

  // None of these continues, or changes anything.
  const anew = await tunebook(stopped);
  const other = await tunebook([...stopped, "--resume", "--lr", "0.5", "--seed", "1"]);
  const threads = await tunebook([...stopped, "--resume"], { TUNEBOOK_THREADS: "1" });
  const variable = blasNeed
    ? undefined
    : await tunebook([...stopped, "--resume"], { OMP_OF_A_TEST: "1" });
  assertEquals([anew.code, other.code, threads.code], [1, 1, 1]);
  assertStringIncludes(
    anew.stderr,
    "it holds a checkpoint of a training; give --resume to continue",
  );
  assertStringIncludes(other.stderr, "(seed was 123, is 1; learningRate was 0.001, is 0.5)\n");
  assertStringIncludes(threads.stderr, "--other-bits continues anyway\n");
  assertStringIncludes(threads.stderr, "to the same bits: threads was 2, is 1\n");
  if (variable) {
    assertStringIncludes(variable.stderr, 'to the same bits: OMP_OF_A_TEST was not set, is "1"\n');
  }

  const resumed = await tunebook([...stopped, "--resume"]);
  assertEquals(resumed.code, 0, resumed.stderr);
  assertStringIncludes(resumed.stderr, `Resumed after step ${step}\n`);
  assertEquals((await undisturbed).code, 0);
  assertEquals(await outcome(workshop, "stopped"), await outcome(workshop, "whole"));
});

Deno.test("tunebook train --resume --other-bits continues with other threads", async () => {
  await using workshop = await Workshop.open();
  const args = [
    ...workshop.training("--out", workshop.file("out"), ...OPTIONS),
    ...["--eval-every", "0"],
  ];
  const process = start(args);
  await until(async () => await countLines(workshop.file("out", "steps.jsonl")) >= 3, process);
  process.kill("SIGKILL");
  await process.output();
  const { code, stderr } = await tunebook([...args, "--resume", "--other-bits"], {
    TUNEBOOK_THREADS: "1",
  });
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, "CPU, 1 thread, ");
  assertEquals((await workshop.steps("out", "steps.jsonl")).map(({ step }) => step).at(-1), STEPS);
});
