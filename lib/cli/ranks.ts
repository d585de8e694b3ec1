// A command as one of several ranks: rank 0 speaks for all, and a rank that fails ends all with its reason.

import { delay } from "@std/async/delay";
import { joinRanks, type MpiCommunicator } from "../mpi/mod.ts";
import { VERSION } from "../runtime/library.ts";
import { assertSameFacts, describeHosts } from "../train/ranks.ts";
import { INTERRUPTED, Interrupted } from "./interrupt.ts";
import { muteProgress } from "./progress.ts";

/**
 * How long other ranks wait before they report, in milliseconds: where all fail alike, rank 0 has ended them by then.
 */
const PRECEDENCE = 1000;

/**
 * Runs a command's work in this process, or in each of the ranks that a launcher started. Of these only rank 0 writes to
 * the terminal. An error in one of them ends all.
 *
 * @param verb What is done, for messages.
 * @param options The command's options, which must be the same in all ranks.
 * @param work The work; it gets the ranks, if there are several.
 */
export async function withRanks(
  verb: string,
  options: object,
  work: (ranks: MpiCommunicator | undefined) => Promise<void>,
): Promise<void> {
  const ranks = await joinRanks();
  if (!ranks) return await work(undefined);
  const report = console.error;
  if (ranks.rank > 0) mute();
  let told = false;
  ranks.failed.then((reason) => told = reason.told);
  const failed = ranks.failed.then((reason) => Promise.reject(reason));
  const together = async () => {
    const versions = { tunebook: VERSION, deno: Deno.version.deno, mpi: ranks.library };
    await assertSameFacts(ranks, verb, { ...versions, ...options });
    console.error(describeRanks(ranks));
    if (ranks.unwatched.length > 0) {
      console.error(
        `Note: ranks ${ranks.unwatched.join(", ")} cannot connect to "${
          ranks.hosts[0]
        }": if one of them is killed, ` +
          "only the launcher can end the others",
      );
    }
    await work(ranks);
    await ranks[Symbol.asyncDispose]();
  };
  try {
    await Promise.race([together(), failed]);
  } catch (error) {
    if (error instanceof Interrupted) ranks.abort(INTERRUPTED);
    if (ranks.rank > 0) await delay(PRECEDENCE);
    const message = describeFailure(error, ranks);
    if (Deno.env.get("TUNEBOOK_DEBUG")) report(error);
    if (!told) report(`error: ${message}`);
    await ranks.fail(message);
    ranks.abort(1);
  }
}

/** Leaves the terminal to rank 0. */
export function mute(): void {
  for (const name of ["log", "error", "warn", "info"] as const) console[name] = () => {};
  muteProgress();
}

/** An error's message, with the rank in which it was thrown. */
export function describeFailure(error: unknown, { rank, size, hosts }: MpiCommunicator): string {
  const message = error instanceof Error ? error.message : String(error);
  return `${message} (rank ${rank} of ${size}, on "${hosts[rank]}")`;
}

/** Such as `4 ranks on "a" (2), "b" (2), Open MPI v4.1.4, 8 threads each`. */
function describeRanks(ranks: MpiCommunicator): string {
  const { size, library } = ranks;
  const threads = Deno.env.get("TUNEBOOK_THREADS");
  return `${size} ranks on ${describeHosts(ranks)}, ${library}, ${threads} thread${
    threads === "1" ? "" : "s"
  } on the CPU in rank 0`;
}
