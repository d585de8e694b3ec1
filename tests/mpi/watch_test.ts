// Ranks notice that another one has ended.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type RankFailure, RankWatch } from "../../lib/mpi/watch.ts";
import { asRanks } from "../train/local_ranks.ts";

/** The reason to end; a process has work while it waits. */
async function failureOf(watch: RankWatch): Promise<RankFailure> {
  const work = setInterval(() => {}, 1000);
  const reason = await watch.failed;
  clearInterval(work);
  return reason;
}

Deno.test("a rank whose connection closes is missed by all, and rank 0 passes on who it was", async () => {
  const found = await asRanks(3, async (communicator) => {
    const watch = await RankWatch.open(communicator);
    assertEquals(watch.unwatched, []);
    if (communicator.rank === 1) return watch[Symbol.dispose]();
    const reason = await failureOf(watch);
    watch[Symbol.dispose]();
    return reason;
  });
  for (const rank of [0, 2]) {
    const reason = found[rank]!;
    assertStringIncludes(reason.message, 'rank 1, on "here", has ended');
    // Rank 0 has noticed it first, and says so for all.
    assertEquals(reason.told, rank === 2);
  }
});

Deno.test("a rank that fails gives all its reason, and one that is done is not missed", async () => {
  const found = await asRanks(4, async (communicator) => {
    using watch = await RankWatch.open(communicator);
    if (communicator.rank === 1) return void await watch.end();
    if (communicator.rank === 2) return void await watch.fail("no memory left (rank 2)");
    return await failureOf(watch);
  });
  for (const rank of [0, 3]) {
    const reason = found[rank]!;
    assertEquals(reason.message, "Cannot continue with the other ranks: no memory left (rank 2)");
    assert(reason.told);
  }
});
