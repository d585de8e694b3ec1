/**
 * What has to run alone waits for the rest, and the rest for it.
 *
 * @module
 */

/** Work that shares the machine, and work that wants it alone. */
export class Gate {
  readonly #running = new Set<Promise<unknown>>();
  /** The last work that wants to be alone, until it has ended. */
  #last?: Promise<unknown>;

  /** Runs work beside other such work, but not beside work that runs alone. */
  async share<T>(work: () => Promise<T>): Promise<T> {
    while (this.#last !== undefined) await this.#last;
    const done = work();
    const ended = done.catch(() => {}).then(() => void this.#running.delete(ended));
    this.#running.add(ended);
    return await done;
  }

  /** Runs work while no other work of this gate runs. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    const done = Promise.resolve(this.#last).then(() => Promise.all(this.#running)).then(work);
    const ended = this.#last = done.catch(() => {}).then(() => {
      if (this.#last === ended) this.#last = undefined;
    });
    return await done;
  }
}

/** The gate of all gradings in this process. */
export const GATE: Gate = new Gate();
