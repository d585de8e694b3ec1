// The time limits of a stop.

/** How long the steps of a stop may take, in milliseconds. */
export const STOP = {
  /**
   * How long library code with the signal may take to end by itself before its await is abandoned.
   */
  grace: 10_000,
  /** An event loop that does not turn for this long is busy: running JavaScript is interrupted. */
  busy: 1000,
  /** The additional time for a kernel that uses little processor time meanwhile. */
  starved: 10_000,
  /** Like `busy`, if library code has the signal: it is in the middle of a step. */
  busyLibrary: 30_000,
  /** From the end of the awaited work to the end of the cell. */
  settle: 1500,
} as const;
