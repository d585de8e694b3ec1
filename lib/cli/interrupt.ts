// Ctrl-C: the first asks the work to stop cleanly, the second ends the process.

/** The reason of work stopped by Ctrl-C. */
export class Interrupted extends Error {
  override name = "Interrupted";
  /** The message of all commands. */
  constructor() {
    super("Stopped by Ctrl-C");
  }
}

/** The exit code of shells for a program ended by Ctrl-C. */
export const INTERRUPTED = 130;

/** The signal that every launcher of ranks passes on to them, without ending them itself. */
export const FORWARDED = "SIGUSR1";

/** The result of {@linkcode onInterrupt}. */
export interface Interrupt extends Disposable {
  /** Aborted by the first Ctrl-C, with the reason {@linkcode Interrupted}. */
  signal: AbortSignal;
}

/**
 * Listens for Ctrl-C and, if the system supports them, for SIGTERM and SIGHUP.
 *
 * @param say Called once, at the first signal, to tell the user what happens.
 * @param more Other signals that ask for the same.
 * @returns The signal for the work; dispose it when the work is done.
 */
export function onInterrupt(say: () => void, more: readonly Deno.Signal[] = []): Interrupt {
  const controller = new AbortController();
  // A terminal that is closed sends SIGHUP.
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT"]
    : ["SIGINT", "SIGTERM", "SIGHUP", ...more];
  const listener = () => {
    if (controller.signal.aborted) Deno.exit(INTERRUPTED);
    say();
    controller.abort(new Interrupted());
  };
  for (const signal of signals) Deno.addSignalListener(signal, listener);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const signal of signals) Deno.removeSignalListener(signal, listener);
    },
  };
}
