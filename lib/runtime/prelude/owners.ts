// The part of the prelude that knows which cell started background work: an uncaught error is shown
// under that cell, while another may be running.

/** Runs inside the kernel: it may use nothing from outside its own body. */
export function followWork(
  kernel: {
    enter: (cell: number) => void;
    ownerOf: (error: unknown) => number | undefined;
    pendingTimers: () => number;
  },
): void {
  // deno-lint-ignore no-explicit-any
  const G = globalThis as any;
  const { AsyncLocalStorage } = G.process.getBuiltinModule("node:async_hooks");
  const owner = new AsyncLocalStorage();
  // The event of an error in a timer comes when the timer's own context has been left.
  let thrown: { error: unknown; cell: number } | undefined;
  kernel.enter = (cell) => {
    owner.enterWith(cell);
    thrown = undefined;
  };
  kernel.ownerOf = (error) =>
    thrown !== undefined && thrown.error === error ? thrown.cell : owner.getStore();

  // Timers that have not fired and that keep a process alive.
  const pending = new Map<number, { hasRef?: () => boolean }>();
  kernel.pendingTimers = () =>
    pending.values().filter((timer) => timer.hasRef?.() ?? true).toArray().length;
  for (const name of ["clearTimeout", "clearInterval"]) {
    G[name] = new Proxy(G[name], {
      apply(native, self, args) {
        pending.delete(Number(args[0]));
        return Reflect.apply(native, self, args);
      },
    });
  }
  for (const name of ["setTimeout", "setInterval"]) {
    G[name] = new Proxy(G[name], {
      apply(native, self, [callback, ...rest]) {
        if (typeof callback !== "function") return Reflect.apply(native, self, [callback, ...rest]);
        let id = 0;
        const heard = function (this: unknown, ...args: unknown[]) {
          if (name === "setTimeout") pending.delete(id);
          try {
            return Reflect.apply(callback, this, args);
          } catch (error) {
            thrown = { error, cell: owner.getStore() };
            throw error;
          }
        };
        const timer = Reflect.apply(native, self, [heard, ...rest]) as { hasRef?: () => boolean };
        pending.set(id = Number(timer), timer);
        return timer;
      },
    });
  }
}
