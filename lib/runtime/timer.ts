// A timer that can be cancelled, so that it does not keep the process alive.

/** A running timer. */
export interface Timer {
  /** Settles when the time has passed; never if it is cancelled first. */
  passed: Promise<undefined>;
  cancel(): void;
}

/** Starts a timer. */
export function startTimer(milliseconds: number): Timer {
  const { promise: passed, resolve } = Promise.withResolvers<undefined>();
  const id = setTimeout(() => resolve(undefined), milliseconds);
  return { passed, cancel: () => clearTimeout(id) };
}
