// A timer that can be cancelled, so that nothing keeps the process alive for its sake.

/** A time that passes. */
export interface Timer {
  /** Settles when the time has passed; never where it is cancelled first. */
  passed: Promise<undefined>;
  cancel(): void;
}

/** Starts a timer of some milliseconds. */
export function startTimer(milliseconds: number): Timer {
  const { promise: passed, resolve } = Promise.withResolvers<undefined>();
  const id = setTimeout(() => resolve(undefined), milliseconds);
  return { passed, cancel: () => clearTimeout(id) };
}
