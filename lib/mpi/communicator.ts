/**
 * What ranks say to each other.
 *
 * @module
 */

/** What a rank spent in sums. */
export interface SumStatistics {
  /** Bytes that it sent to other ranks. */
  bytes: number;
  /** Seconds in which a sum was under way, waiting for other ranks included. */
  seconds: number;
  /** Of these, seconds of waiting until all ranks had arrived. */
  waiting: number;
}

/**
 * Processes that compute together. Each calls the same methods in the same order.
 *
 * Results are the same bits in all ranks, and in each run with as many ranks.
 */
export interface Communicator {
  /** The number of this process, from 0. */
  readonly rank: number;
  /** How many there are. */
  readonly size: number;
  /** The node of each rank, for messages. */
  readonly hosts: readonly string[];
  /** What sums cost so far. */
  readonly spent: Readonly<SumStatistics>;
  /** Replaces each element by its sum over all ranks, added in the order of ranks in double precision. */
  sum(values: Float32Array<ArrayBuffer>): Promise<void>;
  /** Every rank's numbers, by rank; all give equally many. */
  gather(values: readonly number[]): Promise<Float64Array[]>;
  /** Every rank's text, by rank. */
  gatherText(text: string): Promise<string[]>;
  /** Rank 0's text, in all ranks. */
  broadcastText(text: string): Promise<string>;
  /** Overwrites elements with rank 0's. */
  broadcast(values: Float32Array<ArrayBuffer>): Promise<void>;
}
