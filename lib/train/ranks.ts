/**
 * What a training says to the other ranks that share its batches.
 *
 * @module
 */

import { encodeHex } from "@std/encoding/hex";
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

/** The reason of a training that ends because rank 0 has left its loop. */
export class LeftByRank0 extends Error {
  /** Its name. */
  override name = "LeftByRank0";
  /** Says so. */
  constructor() {
    super("Rank 0 has left the loop");
  }
}

/** What a rank answers when all ask each other whether to continue. */
const CONTINUE = 0, STOP = 1, LEAVE = 2;

/** Errors that all ranks threw at the same place; of values that are not objects, the last one. */
const agreed = new WeakSet<object>();
let agreedValue: unknown;

/**
 * Marks an error that all ranks throw at the same place, so that they can continue with something else.
 *
 * @param error The error.
 * @returns The same.
 */
export function agree<T>(error: T): T {
  if (isObject(error)) agreed.add(error);
  else agreedValue = error;
  return error;
}

/**
 * Whether an error is one that all ranks threw at the same place.
 *
 * @param error The error.
 */
export function isAgreed(error: unknown): boolean {
  return isObject(error) ? agreed.has(error) : error !== undefined && error === agreedValue;
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/**
 * Lets other ranks leave the loop in which this one, rank 0, takes no step.
 *
 * @param communicator The ranks; the others call {@linkcode stopTogether}.
 */
export async function leaveTogether(communicator: Communicator): Promise<void> {
  await communicator.gather([LEAVE]);
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
  const asked = await communicator.gather([signal?.aborted ? STOP : CONTINUE]);
  assertNotStopped(asked.map(([one]) => one), signal);
}

/**
 * Throws if any rank was asked to stop, or rank 0 has left.
 *
 * @param asked For each rank 1 if it was, 2 if it has left, else 0.
 * @param signal What asks this one.
 */
export function assertNotStopped(asked: readonly number[], signal: AbortSignal | undefined): void {
  if (asked[0] === LEAVE) throw new LeftByRank0();
  const first = asked.indexOf(STOP);
  if (first < 0) return;
  throw agree(signal?.aborted ? signal.reason : new StoppedByRank(first));
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
  throw agree(
    new RangeError(`Cannot ${what} with ranks that differ from rank 0: ${others.join("; ")}`),
  );
}

/**
 * Names the nodes.
 *
 * @param communicator The ranks.
 * @returns Such as `"a" (2), "b" (2)`, with the ranks of each.
 */
export function describeHosts({ hosts }: Pick<Communicator, "hosts">): string {
  const nodes = Map.groupBy(hosts, (host) => host);
  return Array.from(nodes, ([host, ranks]) => `"${host}" (${ranks.length})`).join(", ");
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
