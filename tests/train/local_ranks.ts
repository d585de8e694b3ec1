// Ranks within one process: each is a function that runs beside the others, and what they say goes through memory.

import type { Communicator } from "../../lib/train/mod.ts";

/** Runs a function once for each rank, at the same time; returns what each gave. */
export async function asRanks<T>(
  size: number,
  run: (communicator: Communicator) => Promise<T>,
): Promise<T[]> {
  const rounds: unknown[][] = [];
  const waiting: (() => void)[] = [];
  const exchange = async (rank: number, at: number, own: unknown): Promise<unknown[]> => {
    const round = rounds[at] ??= [];
    round[rank] = own;
    if (Object.keys(round).length === size) waiting.splice(0).forEach((go) => go());
    while (Object.keys(round).length < size) await new Promise<void>((go) => waiting.push(go));
    return round;
  };
  const ranks = Array.from({ length: size }, (_, rank): Communicator => {
    let at = 0;
    let turn: Promise<unknown> = Promise.resolve();
    const all = <V>(own: V): Promise<V[]> => {
      const next = turn.then(() => exchange(rank, at++, own));
      turn = next;
      return next as Promise<V[]>;
    };
    return {
      rank,
      size,
      hosts: Array.from({ length: size }, () => "here"),
      spent: { bytes: 0, seconds: 0, waiting: 0 },
      async sum(values) {
        const given = await all(values.slice());
        for (let i = 0; i < values.length; i++) {
          values[i] = given.reduce((sum, one) => sum + one[i], 0);
        }
      },
      async gather(values) {
        return (await all([...values])).map((one) => Float64Array.from(one));
      },
      gatherText: (text) => all(text),
      async broadcastText(text) {
        return (await all(text))[0];
      },
      async broadcast(values) {
        values.set((await all(values.slice()))[0]);
      },
    };
  });
  return await Promise.all(ranks.map(run));
}
