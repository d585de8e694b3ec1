/**
 * Errors of a GPU arrive late and one by one; here they become one clear Error, that of the first.
 *
 * @module
 */

/** How long the news that a GPU is lost may take after the first error. */
const NEWS_MILLISECONDS = 2000;

/** Kernels that an error names at most. */
const MOST_NAMED = 6;

/** What went wrong with a GPU first, if anything did. */
export class Faults {
  readonly #device: GPUDevice;
  readonly #name: string;
  readonly #pending = new Set<Promise<void>>();
  #first: Error | undefined;
  #lastSent: readonly string[] = [];
  #gone = false;
  #failure = watchable();

  /**
   * @param device The GPU.
   * @param name Its name for messages.
   */
  constructor(device: GPUDevice, name: string) {
    this.#device = device;
    this.#name = name;
    device.lost.then(({ message }) => {
      this.#gone = true;
      this.fail(`it was lost (${oneLine(message)})${this.#whatRan()}`);
    });
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.fail(oneLine((event as GPUUncapturedErrorEvent).error.message));
    });
  }

  /** Rejects once something went wrong, for work that would never end. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  /** Whether the GPU can no longer be used. */
  get hasFailed(): boolean {
    return this.#first !== undefined;
  }

  /**
   * Remembers what the GPU does now, to be named if it is lost.
   *
   * @param kernels Names of kernels, the last one last.
   */
  sent(kernels: readonly string[]): void {
    if (kernels.length > 0) this.#lastSent = kernels;
  }

  /** The kernels that were sent last, the last few of them. */
  #whatRan(): string {
    const last = [...new Set(this.#lastSent.toReversed())].slice(0, MOST_NAMED).reverse();
    if (last.length === 0) return "";
    return `; the last kernels that it was sent are ${last.map((name) => `"${name}"`).join(", ")}`;
  }

  /**
   * Throws what explains an error of the GPU's: the news that it is lost may come after the error.
   *
   * @param error The error, which is thrown in the end if nothing explains it.
   */
  async explain(error: Error): Promise<never> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, NEWS_MILLISECONDS);
    await Promise.race([this.failed.catch(() => {}), late]);
    clearTimeout(timer);
    this.fail(oneLine(error.message) + this.#whatRan());
    throw this.#first;
  }

  /** Throws what went wrong, if anything did. */
  throwIfFailed(): void {
    if (this.#first) throw this.#first;
  }

  /** Waits for the news of all that was watched so far, and throws what went wrong. */
  async settle(): Promise<void> {
    await Promise.all(this.#pending);
    this.throwIfFailed();
  }

  /**
   * Remembers that something went wrong.
   *
   * @param reason What did, in words that follow "Cannot continue with the GPU …: ".
   */
  fail(reason: string): void {
    if (this.#first) return;
    this.#first = new Error(`Cannot continue with the GPU "${this.#name}": ${reason}`);
    this.#failure.reject(this.#first);
  }

  /**
   * Waits for the news of all that was watched so far and forgets what went wrong, after a trial that may fail.
   *
   * @throws {Error} If the GPU is lost or closed: nothing works any more.
   */
  async forgive(): Promise<void> {
    await Promise.all(this.#pending);
    if (this.#gone) this.throwIfFailed();
    if (!this.#first) return;
    this.#first = undefined;
    this.#failure = watchable();
  }

  /** Marks the GPU as closed, which is not a fault but ends its use. */
  close(): void {
    this.#gone = true;
    this.#first ??= new Error(`The WebGPU device "${this.#name}" is closed`);
    this.#failure.reject(this.#first);
  }

  /**
   * Does something and watches for errors it causes.
   *
   * @param doing What is done, in words that come before the GPU's own.
   * @param act What to do.
   * @returns What that returned.
   */
  watch<T>(doing: () => string, act: () => T): T {
    this.#device.pushErrorScope("out-of-memory");
    this.#device.pushErrorScope("validation");
    this.#device.pushErrorScope("internal");
    try {
      return act();
    } finally {
      for (let i = 0; i < 3; i++) {
        const pending: Promise<void> = this.#device.popErrorScope().then((error) => {
          if (!error) return;
          const what = error instanceof GPUOutOfMemoryError ? "it is out of memory" : "";
          this.fail(`${doing()}: ${[what, oneLine(error.message)].filter(Boolean).join(": ")}`);
        }, () => {}).finally(() => this.#pending.delete(pending));
        this.#pending.add(pending);
      }
    }
  }
}

/** A promise that rejects when told; those who wait for it report why. */
function watchable(): PromiseWithResolvers<never> {
  const made = Promise.withResolvers<never>();
  made.promise.catch(() => {});
  return made;
}

function oneLine(message: string): string {
  return message.trim().replaceAll(/\s*\n\s*/g, " ");
}
