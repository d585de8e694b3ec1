// How patient a stop is.

/** How long the steps of a stop may take, in milliseconds. */
export const STOP = {
  /** Library code that took the signal may end by itself this long, then its await is given up. */
  grace: 10_000,
  /** An event loop that does not turn for this long is busy: running JavaScript is interrupted. */
  busy: 1000,
  /** How much longer a kernel gets that uses little processor time meanwhile. */
  starved: 10_000,
  /** As `busy`, where library code took the signal: it is in the middle of a step. */
  busyLibrary: 30_000,
  /** From the end of what was waited for to the cell's end. */
  settle: 1500,
} as const;
