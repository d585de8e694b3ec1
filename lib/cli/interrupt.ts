// Ctrl-C: the first asks the work to stop cleanly, the second ends the process.

/** Why work ended that was stopped by Ctrl-C. */
export class Interrupted extends Error {
  override name = "Interrupted";
  /** Says what every command says. */
  constructor() {
    super("Stopped by Ctrl-C");
  }
}

/** The exit code that shells give for a program ended by Ctrl-C. */
export const INTERRUPTED = 130;

/** What {@linkcode onInterrupt} gives back. */
export interface Interrupt extends Disposable {
  /** Aborted by the first Ctrl-C, for the reason {@linkcode Interrupted}. */
  signal: AbortSignal;
}

/**
 * Listens for Ctrl-C and, where the system has it, for the request to terminate and the end of the
 * terminal.
 *
 * @param say Is called once, when the first arrives: say what is being done about it.
 * @returns The signal for the work; dispose it when the work is done.
 */
export function onInterrupt(say: () => void): Interrupt {
  const controller = new AbortController();
  // A terminal that is closed sends SIGHUP.
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT"]
    : ["SIGINT", "SIGTERM", "SIGHUP"];
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
