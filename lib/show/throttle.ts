// Limits how often a function is called.

/** Calls a function at most once per interval; the last call is not lost. */
export class Throttle {
  readonly #run: () => void;
  readonly #gap: number;
  readonly #now: () => number;
  readonly #trailing: boolean;
  #last = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param run The function.
   * @param options `gap`: milliseconds between two calls; `now`: the clock; `trailing`: whether a
   * timer makes up for a call that comes too early.
   */
  constructor(run: () => void, options: { gap: number; now: () => number; trailing: boolean }) {
    this.#run = run;
    this.#gap = options.gap;
    this.#now = options.now;
    this.#trailing = options.trailing;
  }

  /** Calls the function now or, if the last call was too recent, after the gap. */
  call(): void {
    // The clock is read each time, because no timer fires in a busy loop.
    const wait = this.#last + this.#gap - this.#now();
    if (wait <= 0) return this.#fire();
    if (!this.#trailing || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      try {
        this.#fire();
      } catch {
        // An exception in a timer would hang the Jupyter kernel's cell.
      }
    }, wait);
    // The timer does not keep the process alive.
    unref(this.#timer);
  }

  /** Cancels a pending call. */
  cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #fire(): void {
    this.cancel();
    this.#last = this.#now();
    this.#run();
  }
}

function unref(timer: unknown): void {
  if (typeof timer === "number") Deno.unrefTimer(timer);
  else (timer as { unref(): void }).unref();
}
