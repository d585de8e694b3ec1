// `mpirun -n N tunebook run`: rank 0 runs the notebook, and its trainings use the others.

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { delay } from "@std/async/delay";
import { assertShareable } from "../../lib/cli/notebook_ranks.ts";
import { parseNotebook } from "../../lib/runtime/mod.ts";
import { SlurmCluster, slurmFault } from "../grade/slurm.ts";
import {
  COMMAND,
  ENVIRONMENT,
  type Job,
  type Launcher,
  MISSED_WITHIN,
  mpich,
  openMpi,
  processOf,
  startRanks,
} from "../mpi.ts";
import { assertClose } from "../support.ts";
import { tunebook, Workshop } from "./tunebook.ts";

let workshop: Workshop | undefined;
const open = async () => workshop ??= await Workshop.open();

const load = (place: Workshop) =>
  `import { loadDataset, loadModel } from "tunebook";
const model = await loadModel(${JSON.stringify(place.file("model"))});
const entries = await loadDataset(${JSON.stringify(place.file("data.json"))});`;

const TRAINING =
  `const options = { batchSize: 8, learningRate: 1e-3, validation: entries.slice(0, 5) };
for await (const step of model.train(entries, options)) {
  console.log(step.loss, step.gradientNorm);
  if (step.step === 2) break;
}`;

/** Code cells, of which the third fails as it should. */
const WHOLE = [
  TRAINING,
  `throw new Error("a cell may fail");`,
  `console.log((await model.train(entries, options).finish()).loss);`,
];

/** More steps than anybody waits for. */
const ENDLESS = [
  `for await (const { step } of model.train(entries, { batchSize: 8, epochs: 10_000, evalEvery: 0 })) {
  if (step % 10 === 1) console.log("step", step);
}`,
];

/** Writes a notebook; gives the arguments that run it. */
async function running(name: string, cells: readonly string[]): Promise<string[]> {
  const place = await open();
  const notebook = await place.write(`${name}.ipynb`, {
    ...{ nbformat: 4, nbformat_minor: 5, metadata: {} },
    cells: [load(place), ...cells].map((source, at) => ({
      ...{ cell_type: "code", id: `cell${at}`, execution_count: null, outputs: [], source },
      metadata: /^throw/.test(source) ? { tags: ["raises-exception"] } : {},
    })),
  });
  const written = [
    "--output",
    place.file(`${name}.out.ipynb`),
    "--html",
    place.file(`${name}.html`),
  ];
  return ["run", notebook, ...written];
}

/** What an executed notebook shows, and what was recorded. */
async function resultOf(name: string) {
  const place = await open();
  const { cells, metadata } = parseNotebook(
    await Deno.readTextFile(place.file(`${name}.out.ipynb`)),
  );
  const outputs = cells.flatMap((cell) => cell.cell_type === "code" ? cell.outputs : []);
  const said = outputs.map((output) => {
    if (output.output_type === "stream") return output.text;
    return output.output_type === "error" ? `${output.ename}: ${output.evalue}` : "";
  }).join("");
  const { provenance } = metadata.tunebook as { provenance: Record<string, unknown>[] };
  const html = await Deno.readTextFile(place.file(`${name}.html`)).catch(() => "");
  return { said, html, ranks: provenance.find(({ kind }) => kind === "ranks") };
}

const numbersIn = (text: string) =>
  [...text.matchAll(/\d+\.\d+/g)].map(([number]) => Number(number));

function testWith(launcher: Launcher, name: string, fn: () => Promise<void>): void {
  Deno.test({ name: `${launcher.label}: ${name}${launcher.needs}`, ignore: !launcher.found, fn });
}

/** Waits until the notebook has taken a step, or the job has ended. */
async function untilStep({ ended, stderr }: Pick<Job, "ended" | "stderr">): Promise<void> {
  let over = false;
  ended.then(() => over = true);
  while (!over && !/step \d/.test(stderr())) await delay(20);
}

let alone: Promise<string> | undefined;

/** What the whole notebook shows in one process. */
function runAlone(): Promise<string> {
  return alone ??= (async () => {
    const { code, stderr } = await tunebook(await running("alone", WHOLE), ENVIRONMENT);
    assertEquals(code, 0, stderr);
    return (await resultOf("alone")).said;
  })();
}

for (const [launcher, ranks] of [[openMpi, 2], [mpich, 3]] as const) {
  testWith(launcher, `${ranks} ranks run a notebook as one process does`, async () => {
    const name = `whole${ranks}`;
    const { code, stderr } = await startRanks(launcher, ranks, await running(name, WHOLE)).ended;
    assertEquals(code, 0, stderr);
    const nodes = `"${Deno.hostname()}" (${ranks})`;
    assertStringIncludes(stderr, `${ranks} ranks on ${nodes}`);
    assertEquals(stderr.match(/Ran 4 cells/g)?.length, 1, "rank 0 speaks for all");
    const { said, html, ranks: recorded } = await resultOf(name);
    assertStringIncludes(said, "a cell may fail");
    assertClose(numbersIn(said), numbersIn(await runAlone()), { relative: 1e-6 });
    assertEquals([recorded?.size, recorded?.hosts], [ranks, nodes]);
    const [, footer] = html.split('id="nb-how"');
    assertStringIncludes(footer, nodes.replaceAll('"', "&quot;"));
  });
}

testWith(mpich, "Ctrl-C stops the notebook, whose outputs are kept, and all ranks", async () => {
  const place = await open();
  const job = startRanks(mpich, 2, await running("stopped", ENDLESS));
  await untilStep(job);
  job.process.kill("SIGINT");
  await job.ended;
  const { said, html } = await resultOf("stopped");
  assertStringIncludes(said, "step 1\n");
  assertStringIncludes(said, "Stopped: Cell 2 was stopped");
  assert(html.includes("Cell 2 was stopped"));
  assertEquals(await processOf(mpich, 1, place.path).catch(() => "none"), "none");
});

testWith(openMpi, "a rank that is killed ends the notebook", async () => {
  const place = await open();
  const job = startRanks(openMpi, 2, await running("killed", ENDLESS));
  await untilStep(job);
  Deno.kill(await processOf(openMpi, 1, place.path), "SIGKILL");
  const began = performance.now();
  const { code } = await job.ended;
  assert(code !== 0);
  assert(performance.now() - began < MISSED_WITHIN);
  assertEquals(await processOf(openMpi, 0, place.path).catch(() => "none"), "none");
});

Deno.test("several notebooks, or a sandbox, are not shared among ranks", () => {
  const launch = { launcher: "mpirun", rank: 0, size: 2, family: undefined };
  assertThrows(
    () => assertShareable(launch, true, false),
    TypeError,
    "several notebooks in 2 ranks",
  );
  assertThrows(() => assertShareable(launch, false, true), TypeError, "a notebook in a sandbox");
});

const slurm = slurmFault() ?? (mpich.found ? undefined : `needs MPICH${mpich.needs}`);

Deno.test({
  name: `srun runs a notebook, which shows why a rank is missing${slurm ? ` (${slurm})` : ""}`,
  ignore: slurm !== undefined,
  async fn() {
    const place = await open();
    await using cluster = await SlurmCluster.start();
    const { code, stderr } = await cluster.step(
      [...COMMAND, ...await running("slurm", WHOLE)],
      ENVIRONMENT,
    );
    assertEquals(code, 0, stderr);
    const whole = await resultOf("slurm");
    assertClose(numbersIn(whole.said), numbersIn(await runAlone()), { relative: 1e-6 });
    // Without srun's --kill-on-bad-exit, the ranks themselves end.
    const command = [...COMMAND, ...await running("slurm-killed", ENDLESS)];
    const ended = cluster.step(command, ENVIRONMENT, { killsOnBadExit: false });
    await until(async () => (await resultOf("slurm-killed").catch(() => undefined)) !== undefined);
    Deno.kill(await processOf(mpich, 1, place.path), "SIGKILL");
    const began = performance.now();
    const killed = await ended;
    assert(killed.code !== 0);
    assert(performance.now() - began < MISSED_WITHIN, killed.stderr);
    const { said, html } = await resultOf("slurm-killed");
    assertStringIncludes(said, `rank 1, on "${Deno.hostname()}", has ended; it was killed`);
    assert(html.includes("has ended; it was killed"));
  },
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!await isSo()) await delay(50);
}

Deno.test("the folder of these tests is removed", async () => {
  await workshop?.[Symbol.asyncDispose]();
});
