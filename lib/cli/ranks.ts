// A command as one of several ranks: rank 0 speaks for all, and a rank that fails ends all with its reason.

import { delay } from "@std/async/delay";
import { joinRanks, type MpiCommunicator } from "../mpi/mod.ts";
import { VERSION } from "../runtime/library.ts";
import { assertSameFacts } from "../train/ranks.ts";
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
  if (ranks.rank > 0) {
    for (const name of ["log", "error", "warn", "info"] as const) console[name] = () => {};
    muteProgress();
  }
  try {
    const versions = { tunebook: VERSION, deno: Deno.version.deno, mpi: ranks.library };
    await assertSameFacts(ranks, verb, { ...versions, ...options });
    console.error(describeRanks(ranks));
    await work(ranks);
    await ranks[Symbol.asyncDispose]();
  } catch (error) {
    if (error instanceof Interrupted) ranks.abort(INTERRUPTED);
    if (ranks.rank > 0) await delay(PRECEDENCE);
    const message = error instanceof Error ? error.message : String(error);
    const where = `rank ${ranks.rank} of ${ranks.size}, on "${ranks.hosts[ranks.rank]}"`;
    if (Deno.env.get("TUNEBOOK_DEBUG")) report(error);
    report(`error: ${message} (${where})`);
    ranks.abort(1);
  }
}

/** Such as `4 ranks on "a" (2) and "b" (2), Open MPI v4.1.4, 8 threads each`. */
function describeRanks({ size, hosts, library }: MpiCommunicator): string {
  const nodes = Array.from(
    Map.groupBy(hosts, (host) => host),
    ([host, ranks]) => `"${host}" (${ranks.length})`,
  );
  const threads = Deno.env.get("TUNEBOOK_THREADS");
  return `${size} ranks on ${nodes.join(", ")}, ${library}, ${threads} thread${
    threads === "1" ? "" : "s"
  } on the CPU in rank 0`;
}
