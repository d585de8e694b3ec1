// Saves a notebook while it runs, so that a run that is killed loses the last seconds at most.

/** Milliseconds from an output to the save that has it, at least. */
const WAIT = 5000;
/** How many times as long as a save the pause before the next is, at least. */
const PAUSES = 20;

/** Saves one at a time. */
export class Saver {
  readonly #write: () => Promise<void>;
  #last: Promise<void> = Promise.resolve();
  #wait = WAIT;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param write Saves what there is; it is never called while it is under way. */
  constructor(write: () => Promise<void>) {
    this.#write = write;
  }

  /**
   * Saves what there is now, after a save that is under way. Nothing is saved after it until this object is asked again.
   *
   * @throws {Error} If it cannot be saved.
   */
  save(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const saved = this.#last.then(async () => {
      const before = performance.now();
      await this.#write();
      this.#wait = Math.max(WAIT, PAUSES * (performance.now() - before));
    });
    this.#last = saved.catch(() => {});
    return saved;
  }

  /** Saves in some seconds what there is by then. */
  saveSoon(): void {
    // If this save fails, the one after the cell does too, and throws.
    this.#timer ??= setTimeout(() => this.save().catch(() => {}), this.#wait);
  }
}
