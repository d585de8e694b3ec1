/**
 * Where threads wait for one another.
 *
 * @module
 */

const ARRIVED = 0;
const GENERATION = 1;
/** Where in the shared memory it is 1 if a thread failed, otherwise 0. */
export const FAILED = 2;
/** Where the number of the last batch is that all threads are done with. */
export const DONE_TICKET = 3;

/** Checks before a thread goes to sleep; waking up costs about 20 µs, which is worth some spinning. */
const SPINS = 20_000;

/** Thrown in threads that wait for one that failed. */
export class BarrierBroken extends Error {}

/** A barrier over shared memory that can be used again and again. */
export class Barrier {
  readonly #state: Int32Array<SharedArrayBuffer>;
  readonly #threads: number;

  /**
   * @param memory 16 bytes or more of zeroed memory, the same for all threads.
   * @param threads How many threads meet.
   */
  constructor(memory: SharedArrayBuffer, threads: number) {
    this.#state = new Int32Array(memory);
    this.#threads = threads;
  }

  /**
   * Waits until all threads have called it.
   *
   * @throws {BarrierBroken} If one of them never will.
   */
  wait(): void {
    const state = this.#state;
    if (this.#threads === 1) return;
    const generation = Atomics.load(state, GENERATION);
    if (Atomics.add(state, ARRIVED, 1) === this.#threads - 1) {
      Atomics.store(state, ARRIVED, 0);
      Atomics.add(state, GENERATION, 1);
      Atomics.notify(state, GENERATION);
    } else {
      let spins = 0;
      while (Atomics.load(state, GENERATION) === generation) {
        if (++spins > SPINS) Atomics.wait(state, GENERATION, generation);
      }
    }
    if (Atomics.load(state, FAILED) === 1) throw new BarrierBroken();
  }

  /** Lets all that wait, now or later, throw. */
  break(): void {
    Atomics.store(this.#state, FAILED, 1);
    Atomics.add(this.#state, GENERATION, 1);
    Atomics.notify(this.#state, GENERATION);
  }
}
