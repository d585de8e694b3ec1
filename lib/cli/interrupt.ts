// Ctrl-C: the first asks the work to stop cleanly, the second ends the process.

/** What {@linkcode onInterrupt} gives back. */
export interface Interrupt extends Disposable {
  /** Aborted by the first Ctrl-C. */
  signal: AbortSignal;
}

/**
 * Listens for Ctrl-C and, where the system has it, for the request to terminate.
 *
 * @param say Is called once, when the first arrives: say what is being done about it.
 * @returns The signal for the work; dispose it when the work is done.
 */
export function onInterrupt(say: () => void): Interrupt {
  const controller = new AbortController();
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  const listener = () => {
    // 130 is what shells give for a program ended by Ctrl-C.
    if (controller.signal.aborted) Deno.exit(130);
    say();
    controller.abort();
  };
  for (const signal of signals) Deno.addSignalListener(signal, listener);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const signal of signals) Deno.removeSignalListener(signal, listener);
    },
  };
}
