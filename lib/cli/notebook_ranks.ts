// `mpirun -n N tunebook run`: the notebook's kernel is rank 0, and the other ranks take part in its trainings.

import { delay } from "@std/async/delay";
import type { Launch } from "../mpi/mod.ts";
import { VERSION } from "../runtime/library.ts";
import type { Prepared } from "../runtime/runner.ts";
import type { Session } from "../runtime/session.ts";
import { FORWARDED, onInterrupt } from "./interrupt.ts";

/** What all ranks must have alike. */
const VERSIONS = { tunebook: VERSION };

/** How long rank 0 may take to write what the notebook has shown when another rank fails, in milliseconds. */
const LAST_WORDS = 5000;

/** How long the kernel may take to release the other ranks, in seconds. */
const RELEASE = 10;

/**
 * Refuses what ranks cannot share.
 *
 * @param launch How the ranks were started.
 * @param several Whether there are several notebooks.
 * @param sandbox Whether the notebook runs in a sandbox.
 * @throws {TypeError} If it is one of these.
 */
export function assertShareable(launch: Launch, several: boolean, sandbox: boolean): void {
  const cannot = `Cannot run ${several ? "several notebooks" : "a notebook in a sandbox"} in ` +
    `${launch.size} ranks`;
  if (several) throw new TypeError(`${cannot}: expected one, or TUNEBOOK_MPI=none`);
  if (sandbox) throw new TypeError(`${cannot}: it would reach them through its walls`);
}

/**
 * Lets a session's kernel join the other ranks, before the first cell.
 *
 * @param session The session.
 * @returns What releases them.
 */
export async function joinInKernel(session: Session): Promise<Prepared> {
  const housekeep = (call: string, timeout?: number) =>
    session.execute(`await (await import("tunebook/train")).${call};\nvoid 0;`, {
      ...{ label: "joining ranks", silent: true, timeout },
    });
  const { error, provenance } = await housekeep(`leadRanks(${JSON.stringify(VERSIONS)})`);
  if (error) {
    throw new Error(`Cannot join the other ranks in the notebook's kernel: ${error.message}`);
  }
  for (const { kind, size, hosts, mpi } of provenance) {
    if (kind === "ranks") console.error(`${size} ranks on ${hosts}, ${mpi}`);
  }
  return {
    provenance,
    async [Symbol.asyncDispose]() {
      const { error } = await housekeep("releaseRanks()", RELEASE);
      if (error) console.error(`warning: The other ranks end by themselves: ${error.message}`);
    },
  };
}

/** Takes part in the trainings of the notebook that rank 0 runs, until it ends. */
export async function followNotebook(): Promise<void> {
  const [{ joinRanks }, { compareVersions, followRanks }, { sft }, { describeFailure, mute }] =
    await Promise.all([
      import("../mpi/mod.ts"),
      import("../train/notebook_ranks.ts"),
      import("../train/sft.ts"),
      import("./ranks.ts"),
    ]);
  const ranks = (await joinRanks())!;
  const report = console.error;
  mute();
  // Rank 0 stops for all; a signal that reaches this rank only is passed on with the next step.
  using interrupt = onInterrupt(() => {}, [FORWARDED]);
  const { signal } = interrupt;
  let told = false;
  ranks.failed.then((reason) => told = reason.told);
  const failed = ranks.failed.then((reason) => Promise.reject(reason));
  const follow = async () => {
    await compareVersions(ranks, VERSIONS);
    await followRanks(ranks, async (network, options) => {
      using training = sft(network, { ...options, signal });
      for await (const _ of training);
    });
    await ranks[Symbol.asyncDispose]();
  };
  try {
    await Promise.race([follow(), failed]);
  } catch (error) {
    const message = describeFailure(error, ranks);
    if (Deno.env.get("TUNEBOOK_DEBUG")) report(error);
    if (!told) report(`error: ${message}`);
    await ranks.fail(message);
    // The cell under way fails with this message, and rank 0 writes the notebook before all end.
    await delay(LAST_WORDS);
    Deno.exit(1);
  }
}
