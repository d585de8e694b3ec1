// Calls a function no more often than people can look.

/** Calls a function at most once in a while; the last call is not lost. */
export class Throttle {
  readonly #run: () => void;
  readonly #gap: number;
  readonly #now: () => number;
  readonly #trailing: boolean;
  #last = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param run What to call.
   * @param options `gap`: milliseconds between two calls; `now`: the clock; `trailing`: whether a
   *   call that comes too early is made up for by a timer.
   */
  constructor(run: () => void, options: { gap: number; now: () => number; trailing: boolean }) {
    this.#run = run;
    this.#gap = options.gap;
    this.#now = options.now;
    this.#trailing = options.trailing;
  }

  /** Calls now, or, too soon after the last call, once the gap is over. */
  call(): void {
    // The clock is asked each time: in a loop that never rests no timer fires.
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
    // A process that is done need not wait for a picture.
    unref(this.#timer);
  }

  /** Drops a call that is still to come. */
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
