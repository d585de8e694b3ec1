/**
 * A {@linkcode Communicator} made of MPI: {@linkcode joinRanks}.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import type { Communicator, SumStatistics } from "./communicator.ts";
import { findPlace, type Place, shareOfCores } from "./cores.ts";
import { findMpi } from "./find.ts";
import { findLaunch, type Launch } from "./launch.ts";
import type { Bytes, MpiLibrary, Request } from "./library.ts";
import { type RankFailure, RankWatch } from "./watch.ts";

/** Milliseconds between two looks at what other ranks do: the rest of the time belongs to computation. */
const LOOK = 1;

/** Bytes of one broadcast, since MPI counts in 32 bits. */
const MOST_BYTES = 1 << 28;

// MPI can be initialised once per process, but this module may be loaded twice, by two addresses.
const JOINED = Symbol.for("tunebook.joined");
const shared = globalThis as unknown as { [JOINED]?: Promise<MpiCommunicator> };

/**
 * Joins the other ranks, if a launcher started several: `mpirun -n N` or `srun`. Sets `TUNEBOOK_THREADS` to this rank's
 * share of the node's cores, unless it is set; so join before a device is picked.
 *
 * @returns The communicator; undefined if this process is alone. Dispose of it when all is done.
 * @throws {TypeError} If the launcher's MPI is not there.
 * @throws {Error} If MPI cannot be initialised, or finds another number of ranks than the launcher started.
 *
 * @example A script that trains alone, or under `mpirun -n 4 deno run -A script.ts` with three others
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { loadModel } from "tunebook";
 * import { joinRanks } from "tunebook/train";
 *
 * await using communicator = await joinRanks();
 * const model = await loadModel("nano", { device: "cpu" });
 * const entries = [{ instruction: "Name a colour.", input: "", output: "Blue." }];
 * const step = await model.train(entries, { ...(communicator && { communicator }) }).finish();
 * assertEquals([communicator?.size ?? 1, step?.step], [1, 1]);
 * ```
 */
export async function joinRanks(): Promise<MpiCommunicator | undefined> {
  const launch = findLaunch();
  if (!launch) return undefined;
  return await (shared[JOINED] ??= MpiCommunicator.join(launch));
}

/** Ranks that MPI connects. */
export class MpiCommunicator implements Communicator, AsyncDisposable {
  readonly rank: number;
  readonly size: number;
  readonly spent: SumStatistics = { bytes: 0, seconds: 0, waiting: 0 };
  /** The library, with its version. */
  readonly library: string;
  readonly #mpi: MpiLibrary;
  #places: readonly Place[] = [];
  /** The end of the last call: MPI is called one at a time. */
  #last: Promise<unknown> = Promise.resolve();
  #scratch = new Uint8Array(0);
  #watch: RankWatch | undefined;
  #failed: Promise<RankFailure> = new Promise(() => {});
  #failure: RankFailure | undefined;
  /** Ends the wait for the call under way. */
  #giveUp: (reason: RankFailure) => void = () => {};
  #ended = false;

  private constructor(mpi: MpiLibrary) {
    this.#mpi = mpi;
    this.library = mpi.version;
    this.rank = mpi.rank;
    this.size = mpi.size;
  }

  /** @ignore Use {@linkcode joinRanks}. */
  static async join(launch: Launch): Promise<MpiCommunicator> {
    const mpi = findMpi(launch);
    mpi.initialize();
    const self = new MpiCommunicator(mpi);
    if (self.size !== launch.size) {
      throw new Error(
        `Cannot join the ${launch.size} processes that ${launch.launcher} started: ${mpi.version} finds ` +
          `${self.size}; expected the library of this launcher, which TUNEBOOK_MPI may name`,
      );
    }
    const places = await self.gatherText(JSON.stringify(findPlace()));
    self.#places = places.map((text) => JSON.parse(text));
    self.#watch = await RankWatch.open(self);
    self.#failed = self.#watch.failed;
    self.#failed.then((error) => {
      self.#failure = error;
      self.#giveUp(error);
    });
    if (Deno.env.get("TUNEBOOK_THREADS") === undefined) {
      Deno.env.set("TUNEBOOK_THREADS", String(shareOfCores(self.#places, self.rank)));
    }
    return self;
  }

  get hosts(): readonly string[] {
    return this.#places.map(({ host }) => host);
  }

  /** Ranks whose end is noticed by the launcher only, because they cannot connect to rank 0. */
  get unwatched(): readonly number[] {
    return this.#watch?.unwatched ?? [];
  }

  /** Fulfilled with the reason if another rank ends before its work is done; calls that wait for it are rejected. */
  get failed(): Promise<RankFailure> {
    return this.#failed;
  }

  async sum(values: Float32Array<ArrayBuffer>): Promise<void> {
    await this.#inTurn(() => this.#sum(values));
  }

  async #sum(values: Float32Array<ArrayBuffer>): Promise<void> {
    const began = performance.now();
    const { size } = this;
    const slice = Math.ceil(values.length / size);
    // Each rank adds one slice of all ranks' values, and sends the sums to all.
    const padded = slice * size;
    const [own, received] = this.#memory(padded * 4, padded * 4);
    const floats = new Float32Array(own.buffer, own.byteOffset, padded);
    floats.set(values);
    floats.fill(0, values.length);
    // A rank that waits leaves its cores to those that still compute; the transfer itself runs at full speed in a thread.
    await this.#until(this.#mpi.startBarrier());
    this.spent.waiting += (performance.now() - began) / 1000;
    await this.#mpi.alltoall(own, received, size);
    const parts = new Float32Array(received.buffer, received.byteOffset, padded);
    for (let i = 0; i < slice; i++) {
      let sum = 0;
      for (let at = i; at < padded; at += slice) sum += parts[at];
      floats[i] = sum;
    }
    await this.#mpi.allgather(own.subarray(0, slice * 4), received);
    values.set(parts.subarray(0, values.length));
    this.spent.bytes += 2 * (size - 1) * slice * 4;
    this.spent.seconds += (performance.now() - began) / 1000;
  }

  async gather(values: readonly number[]): Promise<Float64Array[]> {
    const own = Float64Array.from(values);
    const all = await this.#inTurn(() => this.#gather(new Uint8Array(own.buffer)));
    return all.map((bytes) => new Float64Array(bytes.slice().buffer));
  }

  async gatherText(text: string): Promise<string[]> {
    const bytes = new TextEncoder().encode(text);
    return await this.#inTurn(async () => {
      const lengths = await this.#gather(new Uint8Array(Int32Array.of(bytes.length).buffer));
      const counts = lengths.map((one) => new Int32Array(one.slice().buffer)[0]);
      const own = new Uint8Array(Math.max(...counts));
      own.set(bytes);
      const all = await this.#gather(own);
      return all.map((one, rank) => new TextDecoder().decode(one.subarray(0, counts[rank])));
    });
  }

  async broadcastText(text: string): Promise<string> {
    const given = new TextEncoder().encode(this.rank === 0 ? text : "");
    return await this.#inTurn(async () => {
      const [length] = await this.#gather(new Uint8Array(Float64Array.of(given.length).buffer));
      const bytes = new Uint8Array(new Float64Array(length.slice().buffer)[0]);
      bytes.set(given);
      await this.#broadcast(bytes);
      return new TextDecoder().decode(bytes);
    });
  }

  async broadcast(values: Float32Array<ArrayBuffer>): Promise<void> {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    await this.#inTurn(async () => {
      await this.#until(this.#mpi.startBarrier());
      await this.#broadcast(bytes);
    });
  }

  async #broadcast(bytes: Bytes): Promise<void> {
    for (let at = 0; at < bytes.length; at += MOST_BYTES) {
      await this.#mpi.broadcast(bytes.subarray(at, at + MOST_BYTES));
    }
  }

  /**
   * Tells the other ranks why this one fails, as the reason of their own failure.
   *
   * @param reason What happened, and where.
   */
  async fail(reason: string): Promise<void> {
    await this.#watch?.fail(reason);
  }

  /**
   * Ends all ranks at once, this one included.
   *
   * @param code The exit code.
   */
  abort(code: number): never {
    this.#watch?.[Symbol.dispose]();
    // Where a rank is missing, a call may never return, and all have been told.
    if (!this.#ended && !this.#failure) this.#mpi.abort(code);
    Deno.exit(code);
  }

  /** Waits until all ranks are done, and ends the use of MPI. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#inTurn(async () => {
      await this.#watch?.end();
      await this.#until(this.#mpi.startBarrier());
    });
    this.#mpi.finalize();
  }

  /** Collects everybody's bytes, of which there are few and from each as many. */
  async #gather(own: Bytes): Promise<Bytes[]> {
    const all = new Uint8Array(own.length * this.size);
    await this.#until(this.#mpi.startAllgather(own, all));
    return Array.from(
      { length: this.size },
      (_, rank) => all.subarray(rank * own.length, (rank + 1) * own.length),
    );
  }

  /** Looks now and then whether something has ended. */
  async #until(request: Request): Promise<void> {
    while (!request.done()) {
      if (this.#failure) throw this.#failure;
      await delay(LOOK);
    }
  }

  async #inTurn<T>(call: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => {
      if (this.#failure) throw this.#failure;
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      this.#giveUp = reject;
      call().then(resolve, reject);
      return promise;
    });
    this.#last = turn.catch(() => {});
    return await turn;
  }

  /** Two arrays of scratch memory, which stays the same so that networks can keep it registered. */
  #memory(first: number, second: number): [Bytes, Bytes] {
    if (this.#scratch.length < first + second) this.#scratch = new Uint8Array(first + second);
    return [this.#scratch.subarray(0, first), this.#scratch.subarray(first, first + second)];
  }
}
