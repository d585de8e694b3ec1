// How library code learns that the person pressed stop. A leaf: it imports nothing.

/**
 * The signal that is aborted when the running notebook cell is stopped.
 *
 * Long-running library code asks for it when a call begins, looks at it between steps, and ends
 * early, with its objects usable, when it is aborted. Asking also tells the runtime that somebody
 * listens: a stop then waits for the call to end by itself (10 s) before it gives the call up.
 *
 * The runtime keeps the signal in `globalThis[Symbol.for("tunebook.signal")]`; each cell has its own.
 *
 * @returns The running cell's signal; undefined outside a Tunebook kernel.
 */
export function stopSignal(): AbortSignal | undefined {
  return (globalThis as unknown as Record<symbol, AbortSignal | undefined>)[
    Symbol.for("tunebook.signal")
  ];
}
