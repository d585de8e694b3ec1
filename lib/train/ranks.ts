/**
 * What a training says to the other ranks that share its batches.
 *
 * @module
 */

import { encodeHex } from "@std/encoding";
import type { Communicator } from "../mpi/mod.ts";
import type { Tensor } from "../tensor/mod.ts";

/**
 * The reason of a training that ends because another rank was asked to stop.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { StoppedByRank } from "tunebook/train";
 *
 * assertEquals(new StoppedByRank(2).message, "Stopped by rank 2");
 * ```
 */
export class StoppedByRank extends Error {
  /** Its name. */
  override name = "StoppedByRank";
  /** The rank that was asked. */
  readonly rank: number;

  /**
   * Says which rank it was.
   *
   * @param rank The rank that was asked.
   */
  constructor(rank: number) {
    super(`Stopped by rank ${rank}`);
    this.rank = rank;
  }
}

/**
 * Ends the work of all ranks if any was asked to.
 *
 * @param communicator The ranks; this process alone if undefined.
 * @param signal What asks this one.
 * @throws The signal's reason, or {@linkcode StoppedByRank} where only others were asked.
 */
export async function stopTogether(
  communicator: Communicator | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (!communicator) return signal?.throwIfAborted();
  const asked = await communicator.gather([Number(signal?.aborted ?? false)]);
  assertNotStopped(asked.map(([one]) => one), signal);
}

/**
 * Throws if any rank was asked to stop.
 *
 * @param asked 1 for each rank that was, else 0.
 * @param signal What asks this one.
 */
export function assertNotStopped(asked: readonly number[], signal: AbortSignal | undefined): void {
  const first = asked.indexOf(1);
  if (first < 0) return;
  throw signal?.aborted ? signal.reason : new StoppedByRank(first);
}

/**
 * Checks that all ranks begin with the same facts. All fail alike where they do not.
 *
 * @param communicator The ranks.
 * @param what What they would do together, after "Cannot".
 * @param facts Plain values by name.
 * @throws {RangeError} If a rank's facts are not rank 0's, naming rank, node and the facts.
 */
export async function assertSameFacts(
  communicator: Communicator,
  what: string,
  facts: Readonly<Record<string, unknown>>,
): Promise<void> {
  const all = (await communicator.gatherText(JSON.stringify(facts))).map((text) =>
    JSON.parse(text) as Record<string, unknown>
  );
  const [first] = all;
  const others = all.flatMap((one, rank) => {
    const names = new Set([...Object.keys(first), ...Object.keys(one)]);
    const different = [...names].filter((name) => say(first[name]) !== say(one[name]))
      .map((name) => `${name} is ${say(one[name])} instead of ${say(first[name])}`);
    const where = `rank ${rank} on "${communicator.hosts[rank]}"`;
    return different.length > 0 ? [`${where}: ${different.join(", ")}`] : [];
  });
  if (others.length === 0) return;
  throw new RangeError(
    `Cannot ${what} with ranks that differ from rank 0: ${others.join("; ")}`,
  );
}

const say = (value: unknown) => JSON.stringify(value) ?? "not set";

/**
 * Gives rank 0's values of tensors to all ranks.
 *
 * @param communicator The ranks.
 * @param tensors The tensors, of the same shapes in the same order in all ranks.
 */
export async function broadcastTensors(
  communicator: Communicator,
  tensors: Iterable<Tensor>,
): Promise<void> {
  for (const tensor of tensors) {
    const values = communicator.rank === 0 ? await tensor.data() : new Float32Array(tensor.size);
    await communicator.broadcast(values);
    if (communicator.rank !== 0) tensor.assign(values);
  }
}

/**
 * Identifies the values of tensors.
 *
 * @param tensors The tensors by name.
 * @returns SHA-256 over names and bits.
 */
export async function hashTensors(tensors: ReadonlyMap<string, Tensor>): Promise<string> {
  const lines: string[] = [];
  for (const [name, tensor] of tensors) {
    const digest = await crypto.subtle.digest("SHA-256", await tensor.data());
    lines.push(`${name} ${encodeHex(digest)}`);
  }
  const text = new TextEncoder().encode(lines.join("\n"));
  return encodeHex(await crypto.subtle.digest("SHA-256", text));
}
