/**
 * What the CPU device and its threads say to one another.
 *
 * @module
 */

import type { MatmulPrecision } from "./blas/blas.ts";
import type { Place } from "./packed_memory.ts";

/** Given to a thread when it starts. */
export interface ThreadOptions {
  /** Its index. */
  readonly thread: number;
  /** How many there are. */
  readonly threads: number;
  /** Memory of the barrier they share. */
  readonly barrierMemory: SharedArrayBuffer;
  /** The BLAS to open, if any. */
  readonly blasPath?: string;
  /** What it rounds matrices to before it multiplies them. */
  readonly matmulPrecision: MatmulPrecision;
}

/** One kernel. */
export interface RunCommand {
  readonly type: "run";
  readonly kernel: string;
  readonly buffers: Readonly<Record<string, number>>;
  readonly params: Readonly<Record<string, number>>;
}

/** Data of the host for a buffer. */
export interface WriteCommand {
  readonly type: "write";
  readonly buffer: number;
  readonly byteOffset: number;
  readonly data: SharedArrayBuffer;
}

/** One piece of work. */
export type Command = RunCommand | WriteCommand;

/** A piece of work after others. */
export type Scheduled<C extends Command> = C & {
  /** Whether threads meet before it; see `meetings.ts`. */
  readonly meets: boolean;
};

/** Memory that the threads do not know yet. */
export interface Created {
  /** Its number. */
  readonly id: number;
  /** The memory, or the one that it is a part of. */
  readonly memory: SharedArrayBuffer | WebAssembly.Memory;
  /** Which part. */
  readonly place?: Place;
}

/** Work for all threads, in order. */
export interface Batch {
  /** Its number, increasing. */
  readonly ticket: number;
  /** Memory that the commands use and the threads do not know yet. */
  readonly created: readonly Created[];
  /** What to do. */
  readonly commands: readonly Scheduled<Command>[];
  /** Whether thread 0 reports the time of each command. */
  readonly timed: boolean;
  /** Memory that no later command uses. */
  readonly dropped: readonly number[];
  /** Commands to remember by a number. */
  readonly recorded?: { readonly id: number; readonly commands: readonly Scheduled<RunCommand>[] };
  /** The number of remembered commands, which come after the others. */
  readonly run?: number;
  /** Remembered commands that never come again. */
  readonly forgotten?: number;
}

/** What thread 0 says when all are done with a batch, or any thread that failed. */
export interface Reply {
  /** The batch. */
  readonly ticket: number;
  /** Milliseconds that each command took, where that was asked. */
  readonly times?: readonly number[];
  /** Why it failed. */
  readonly error?: string;
}
