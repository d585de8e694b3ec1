/**
 * A training's claim on its folder of checkpoints: one training at a time writes there, of all processes and within
 * one.
 *
 * In a notebook a training may be left behind: its cell was interrupted in the middle of a loop, and nobody will ever
 * ask it for another step. So in one process the folder passes on from a training that computes nothing.
 *
 * @module
 */

import { resolve } from "@std/path/resolve";
import { type FolderLock, lockFolder } from "../folder_lock.ts";

/** How long a training that was stopped may take to end, in milliseconds. */
const STOP_TIME = 10_000;

/** The claims of this process by folder. */
const claims = new Map<string, FolderClaim>();

/** Folders are claimed one after another. */
let turn: Promise<unknown> = Promise.resolve();

/** A claim; disposing of it gives it up. */
export class FolderClaim implements AsyncDisposable {
  #working = true;
  readonly #folder: string;
  readonly #signal: AbortSignal | undefined;
  readonly #ended = Promise.withResolvers<void>();
  #lock: FolderLock | undefined;

  private constructor(folder: string, signal: AbortSignal | undefined, lock: FolderLock) {
    this.#folder = folder;
    this.#signal = signal;
    this.#lock = lock;
    claims.set(folder, this);
  }

  /**
   * Claims a folder.
   *
   * @param directory The folder, which need not exist.
   * @param signal What stops the training.
   * @returns The claim.
   * @throws {Deno.errors.Busy} If another training is under way there, naming its process and start.
   */
  static async take(directory: string, signal: AbortSignal | undefined): Promise<FolderClaim> {
    const taken = turn.then(() => FolderClaim.#take(directory, signal));
    turn = taken.catch(() => {});
    return await taken;
  }

  static async #take(directory: string, signal: AbortSignal | undefined): Promise<FolderClaim> {
    const folder = resolve(directory);
    const holder = claims.get(folder);
    const passed = holder && await holder.#pass();
    const lock = passed ?? await lockFolder(directory, { verb: "train", work: "training" });
    return new FolderClaim(folder, signal, lock);
  }

  /**
   * Says that the training computes a step or writes a checkpoint from now on.
   *
   * @throws {Deno.errors.Busy} If another training has taken the folder meanwhile.
   */
  work(): void {
    this.#working = true;
    if (claims.get(this.#folder) === this) return;
    throw new Deno.errors.Busy(
      `Cannot continue training in "${this.#folder}": another training of this process began there`,
    );
  }

  /** Says that the training waits to be asked for its next step. */
  rest(): void {
    this.#working = false;
  }

  /** Gives the folder up. */
  async [Symbol.asyncDispose](): Promise<void> {
    const lock = this.#lock;
    this.#lock = undefined;
    if (claims.get(this.#folder) === this) claims.delete(this.#folder);
    await lock?.[Symbol.asyncDispose]();
    this.#ended.resolve();
  }

  /** Passes the lock on to another training of this process; undefined if that has to ask for it. */
  async #pass(): Promise<FolderLock | undefined> {
    if (this.#working) {
      if (!this.#signal?.aborted) return undefined;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const patience = new Promise<void>((done) => timer = setTimeout(done, STOP_TIME));
      await Promise.race([this.#ended.promise, patience]);
      clearTimeout(timer);
    }
    const lock = this.#lock;
    this.#lock = undefined;
    return lock;
  }
}
