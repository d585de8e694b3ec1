// `mpirun -n N tunebook train`: the steps of one process, and one end for all.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { delay } from "@std/async/delay";
import { SlurmCluster, slurmFault } from "../grade/slurm.ts";
import {
  COMMAND,
  ENVIRONMENT,
  type Job,
  type Launcher,
  MISSED_WITHIN,
  mpich,
  openMpi,
  openMpi5,
  processOf,
  startRanks,
} from "../mpi.ts";
import { webGpuNeed } from "../devices.ts";
import { assertClose } from "../support.ts";
import { tunebook, Workshop } from "./tunebook.ts";

/** Six steps, the last of each epoch with fewer examples than there may be ranks. */
const OPTIONS = [
  ...["--batch-size", "8", "--epochs", "2", "--lr", "1e-3", "--eval-every", "3"],
  ...["--eval-iters", "2", "--checkpoint-every", "100"],
];
/** More steps than anybody waits for. */
const ENDLESS = [...OPTIONS, "--epochs", "2000", "--eval-every", "0"];

let workshop: Workshop | undefined;
const open = async () => workshop ??= await Workshop.open();

/** What each step computed. */
async function losses(out: string): Promise<number[]> {
  const steps = await (await open()).steps(out, "steps.jsonl");
  return steps.flatMap(({ loss, gradientNorm }) => [loss, gradientNorm]);
}

let alone: Promise<number[]> | undefined;

/** The same training in one process. */
function trainAlone(): Promise<number[]> {
  return alone ??= (async () => {
    const place = await open();
    const args = place.training("--out", place.file("alone"), ...OPTIONS);
    const { code, stderr } = await tunebook(args, { TUNEBOOK_BLAS: "none", TUNEBOOK_THREADS: "1" });
    assertEquals(code, 0, stderr);
    return await losses("alone");
  })();
}

function testWith(launcher: Launcher, name: string, fn: () => Promise<void>): void {
  Deno.test({ name: `${launcher.label}: ${name}${launcher.needs}`, ignore: !launcher.found, fn });
}

/** Waits until a log has a step, or the job has ended. */
async function untilStep({ ended }: Pick<Job, "ended">, out: string): Promise<void> {
  const place = await open();
  let over = false;
  ended.then(() => over = true);
  while (!over) {
    const text = await Deno.readTextFile(place.file(out, "steps.jsonl")).catch(() => "");
    if (text.includes("\n")) return;
    await delay(20);
  }
}

for (const [launcher, ranks] of [[openMpi, 2], [openMpi5, 4], [mpich, 3]] as const) {
  testWith(launcher, `${ranks} ranks train as one process does`, async () => {
    const place = await open();
    const out = `whole-${ranks}`;
    const args = place.training("--out", place.file(out), ...OPTIONS, "--json");
    const { code, stdout, stderr } = await startRanks(launcher, ranks, args).ended;
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, `${ranks} ranks on "${Deno.hostname()}" (${ranks})`);
    if (launcher === openMpi5) assertStringIncludes(stderr, "Open MPI v5");
    assertEquals(stderr.match(/Saved/g)?.length, 1, "rank 0 speaks for all");
    assertEquals(JSON.parse(stdout).steps, (await losses(out)).length / 2);
    const expected = await trainAlone();
    for (const [i, value] of (await losses(out)).entries()) {
      assertClose([value], [expected[i]], { relative: 1e-6 }, `${i}`);
    }
  });
}

Deno.test({
  name: `MPICH: ranks train on a GPU each, or on a software one${
    mpich.found ? webGpuNeed ? ` (${webGpuNeed})` : "" : mpich.needs
  }`,
  ignore: !mpich.found || webGpuNeed !== undefined,
  async fn() {
    const place = await open();
    const more = ["--device", "webgpu", "--steps", "2", "--eval-every", "0"];
    const args = place.training("--out", place.file("gpu"), ...OPTIONS, ...more);
    const { code, stderr } = await startRanks(mpich, 2, args).ended;
    assertEquals(code, 0, stderr);
    const expected = await trainAlone();
    for (const [i, value] of (await losses("gpu")).entries()) {
      assertClose([value], [expected[i]], { relative: 1e-5 }, `${i}`);
    }
  },
});

// Open MPI gives processes a second to end after Ctrl-C, or waits as long as it is told to, even if they have ended.
testWith(mpich, "Ctrl-C leaves a checkpoint, and --resume continues to the same bits", async () => {
  const place = await open();
  const args = place.training("--out", place.file("stopped"), ...ENDLESS, "--seed", "5");
  const job = startRanks(mpich, 2, args);
  await untilStep(job, "stopped");
  job.process.kill("SIGINT");
  const { stderr } = await job.ended;
  assertStringIncludes(stderr, "To continue, run the same command with --resume");
  const taken = (await losses("stopped")).length / 2;
  // With another number of ranks the bits would be others.
  const other = await tunebook([...args, "--resume"], {
    TUNEBOOK_BLAS: "none",
    TUNEBOOK_THREADS: "1",
  });
  assertEquals(other.code, 1);
  assertStringIncludes(other.stderr, "ranks was 2, is not set");
  const steps = `${taken + 2}`;
  const resumed = await startRanks(mpich, 2, [...args, "--resume", "--steps", steps]).ended;
  assertEquals(resumed.code, 0, resumed.stderr);
  assertStringIncludes(resumed.stderr, `Resumed after step ${taken}`);
  const whole = place.training("--out", place.file("unstopped"), ...ENDLESS, "--seed", "5");
  const undisturbed = await startRanks(mpich, 2, [...whole, "--steps", steps]).ended;
  assertEquals(undisturbed.code, 0, undisturbed.stderr);
  const [a, b] = await Promise.all(
    ["stopped", "unstopped"].map((out) => Deno.readFile(place.file(out, "model.safetensors"))),
  );
  assertEquals(a, b);
});

testWith(openMpi, "SIGUSR1, which mpirun passes on, leaves a checkpoint", async () => {
  const place = await open();
  const job = startRanks(openMpi, 2, place.training("--out", place.file("signalled"), ...ENDLESS));
  await untilStep(job, "signalled");
  job.process.kill("SIGUSR1");
  const { stderr } = await job.ended;
  assertStringIncludes(stderr, "To continue, run the same command with --resume");
});

testWith(mpich, "a rank that is killed ends all", async () => {
  const place = await open();
  const job = startRanks(mpich, 2, place.training("--out", place.file("killed"), ...ENDLESS));
  await untilStep(job, "killed");
  Deno.kill(await processOf(mpich, 1, place.path), "SIGKILL");
  const began = performance.now();
  const { code } = await job.ended;
  assert(code !== 0);
  assert(performance.now() - began < MISSED_WITHIN);
  assertEquals(await processOf(mpich, 0, place.path).catch(() => "none"), "none");
});

testWith(openMpi, "ranks with other options end all with the reason", async () => {
  const place = await open();
  const args = place.training("--out", place.file("other"), ...OPTIONS);
  const { code, stderr } = await startRanks(openMpi, 2, args, [...args, "--lr", "2e-3"]).ended;
  assert(code !== 0);
  assertStringIncludes(
    stderr,
    `Cannot train with ranks that differ from rank 0: rank 1 on "${Deno.hostname()}": lr is 0.002 instead of 0.001`,
  );
});

const slurm = slurmFault() ?? (mpich.found ? undefined : `needs MPICH${mpich.needs}`);

Deno.test({
  name: `srun starts ranks on two nodes, which end together${slurm ? ` (${slurm})` : ""}`,
  ignore: slurm !== undefined,
  async fn() {
    const place = await open();
    await using cluster = await SlurmCluster.start();
    const args = place.training("--out", place.file("slurm"), ...OPTIONS);
    const { code, stderr } = await cluster.step([...COMMAND, ...args], ENVIRONMENT);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, "2 ranks on");
    const expected = await trainAlone();
    for (const [i, value] of (await losses("slurm")).entries()) {
      assertClose([value], [expected[i]], { relative: 1e-6 }, `${i}`);
    }
    // Rank 1 is killed as for want of memory. Without srun's --kill-on-bad-exit, the ranks themselves end.
    const endless = place.training("--out", place.file("slurm-killed"), ...ENDLESS);
    const command = [...COMMAND, ...endless];
    const ended = cluster.step(command, ENVIRONMENT, { killsOnBadExit: false });
    await untilStep({ ended }, "slurm-killed");
    Deno.kill(await processOf(mpich, 1, place.path), "SIGKILL");
    const began = performance.now();
    const killed = await ended;
    assert(killed.code !== 0);
    assert(performance.now() - began < MISSED_WITHIN, killed.stderr);
    assertStringIncludes(
      killed.stderr,
      `rank 1, on "${Deno.hostname()}", has ended; it was killed`,
    );
  },
});

Deno.test("the folder of these tests is removed", async () => {
  await workshop?.[Symbol.asyncDispose]();
});
