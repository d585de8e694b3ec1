// The code that runs inside the kernel before the first cell: it makes output reliable and cells
// stoppable.
//
// The stock kernel publishes output and status from two tasks that write to one socket: output is
// assigned to the cell that runs when it is sent, and a message larger than the socket's buffer can
// be interrupted by another. So output uses a channel of its own: lines of JSON, each marked by a
// record separator, written synchronously to the process's standard output, which the session
// reads. They arrive complete and in order, also from busy loops, and even if the process dies
// immediately afterwards. Commands arrive as lines on standard input.

import { hearChildren } from "./prelude/children.ts";
import { checkImports } from "./prelude/imports.ts";
import { watchModules } from "./prelude/modules.ts";
import { followWork } from "./prelude/owners.ts";
import { type TestResult, watchTests } from "./prelude/tests.ts";
import { hearWorkers, workerSource } from "./prelude/workers.ts";

/** The messages of the prelude to the session. */
export type PreludeMessage =
  | { type: "ready" }
  | { type: "output"; kind: string; content: Record<string, unknown> }
  /** An uncaught error in a timer, an event or a promise of the cell. */
  | { type: "uncaught"; error: ErrorDescription; cell?: number }
  /** Library code asked for the stop signal, so it will end by itself. */
  | { type: "signal_taken" }
  /** A stop has arrived and the event loop turns. */
  | { type: "stopping"; cell: number }
  /** No timer is pending, or the time limit for waiting is over. */
  | { type: "settled"; pending: number }
  /** A package was imported by a specifier without a version. */
  | { type: "package"; specifier: string; version: string }
  | { type: "exit"; code: number }
  /** All output of the cell has been written. */
  | { type: "end"; token: string; error?: ErrorDescription; tests?: TestResult[] };

/** An error in a message to the session. */
export interface ErrorDescription {
  name: string;
  message: string;
  stack: string;
  /** The chain of causes, outermost first, each as text with its own stack. */
  causes: string[];
  /** The cell's line whose top-level await failed with the error, if one did. */
  line?: number;
}

/** Starts a line of the prelude's; the rest of the line is JSON, which has no control characters. */
export const RECORD = "\x1e";

/** The global that rewritten cells call. */
export const KERNEL_GLOBAL = "__tunebook__";

/** What a stop throws in the cell, by name. */
export const STOPPED = "Stopped";

/** Options of {@linkcode preludeSource}. */
export interface PreludeOptions {
  /** The notebook's URL, for `import.meta` in cells. */
  url: string;
  /** How long a stop waits for library code that took the signal, in milliseconds. */
  grace: number;
  /** URLs of this library's entry points, by name, for cells without a deno.json that maps them. */
  library: Readonly<Record<string, string>>;
}

/** The prelude's JavaScript. */
export function preludeSource({ library, ...options }: PreludeOptions): string {
  const constants = { record: RECORD, global: KERNEL_GLOBAL, stopped: STOPPED };
  const parts = [
    `(${install.toString()})(${JSON.stringify({ ...options, ...constants })})`,
    `(${watchModules.toString()})(${KERNEL_GLOBAL}, ${JSON.stringify(library)})`,
    `(${followWork.toString()})(${KERNEL_GLOBAL})`,
    `(${checkImports.toString()})(${KERNEL_GLOBAL})`,
    `(${watchTests.toString()})(${KERNEL_GLOBAL})`,
    `(${hearChildren.toString()})(${KERNEL_GLOBAL})`,
    `(${hearWorkers.toString()})(${JSON.stringify(workerSource(RECORD))})`,
  ];
  return parts.join(";\n") + ";void 0";
}

/** Runs inside the kernel: it may use nothing from outside its own body. */
// deno-lint-ignore no-explicit-any
function install(options: any) {
  // deno-lint-ignore no-explicit-any
  const D = Deno as any;
  const encoder = new TextEncoder();
  const nativeBroadcast = D.jupyter.broadcast;
  const nativeExit = Deno.exit;
  const nativeTimeout = setTimeout;

  // Standard output of the process, not Deno.stdout, which the kernel has redirected.
  let pipe: Deno.FsFile | undefined;
  try {
    pipe = Deno.openSync("/dev/stdout", { write: true });
  } catch {
    // On Windows the kernel's own channel is used.
  }
  function emit(message: PreludeMessage) {
    // Half a surrogate pair is not a character: files that hold one cannot be written as UTF-8.
    // JSON names it by an escape, whose backslash is not escaped itself.
    const text = JSON.stringify(message).replace(
      /\\(?:\\|u[dD][89a-fA-F][0-9a-fA-F]{2})/g,
      (escape) => escape === "\\\\" ? escape : "\ufffd",
    );
    if (pipe === undefined) {
      nativeBroadcast("tunebook", message);
      return;
    }
    const bytes = encoder.encode(`${options.record}${text}\n`);
    try {
      for (let done = 0; done < bytes.length;) done += pipe.writeSync(bytes.subarray(done));
    } catch {
      // The session has gone; the end of standard input will end this process.
    }
  }
  const output = (kind: string, content: Record<string, unknown>) =>
    emit({ type: "output", kind, content });
  const stream = (name: string, text: string) => {
    if (text.length > 0) output("stream", { name, text });
  };

  // ---- What people write ----
  const print = (text: string, level: number) => stream(level > 1 ? "stderr" : "stdout", text);
  const own = new D[D.internal].Console(print);
  // The kernel runs without colours, so that values are legible everywhere. Colours requested by
  // code are kept.
  for (const name of ["log", "info", "debug", "warn", "error"]) {
    const plain = own[name];
    own[name] = (...args: unknown[]) => plain(...coloured(args));
  }
  /** Converts `%c` styles in arguments of console methods to terminal escapes. */
  function coloured(args: unknown[]): unknown[] {
    const [format, ...values] = args;
    if (typeof format !== "string" || !format.includes("%c")) return args;
    const internal = D[D.internal];
    const kept: unknown[] = [];
    let at = 0, before: unknown = null;
    const text = format.replace(/%(.)/g, (directive, kind) => {
      if (kind === "%") return directive;
      const value = values[at++];
      if (kind !== "c") {
        kept.push(value);
        return directive;
      }
      const style = internal.parseCss(String(value));
      const escapes = internal.cssToAnsi(style, before);
      before = style;
      return escapes;
    });
    const end = before === null ? "" : "\x1b[0m";
    return [text + end, ...kept, ...values.slice(at)];
  }
  Object.assign(console, own);
  for (const name of ["stdout", "stderr"] as const) {
    const decoder = new TextDecoder();
    const writeSync = (bytes: Uint8Array) => {
      stream(name, decoder.decode(bytes, { stream: true }));
      return bytes.length;
    };
    const writable = new WritableStream<Uint8Array>({ write: (bytes) => void writeSync(bytes) });
    Object.defineProperties(D[name], {
      writeSync: { value: writeSync, configurable: true, writable: true },
      write: {
        value: (bytes: Uint8Array) => Promise.resolve(writeSync(bytes)),
        configurable: true,
        writable: true,
      },
      writable: { value: writable, configurable: true },
    });
    // deno-lint-ignore no-explicit-any
    const node = (globalThis as any).process?.[name];
    if (node !== undefined) {
      // deno-lint-ignore no-explicit-any
      node.write = (chunk: string | Uint8Array, encoding?: any, done?: any) => {
        stream(name, typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true }));
        const callback = typeof encoding === "function" ? encoding : done;
        if (typeof callback === "function") queueMicrotask(() => callback());
        return true;
      };
    }
  }

  // ---- What people display ----
  D.jupyter.broadcast = async (
    kind: string,
    content: Record<string, unknown>,
    // deno-lint-ignore no-explicit-any
    extra: any = {},
  ) => {
    if (kind.startsWith("comm_") || extra.buffers?.length > 0) {
      return await nativeBroadcast(kind, content, extra);
    }
    output(kind, content);
  };
  // deno-lint-ignore no-explicit-any
  D.jupyter.display = async (value: any, settings: any = {}) => {
    const raw = settings.raw && typeof value === "object" && value !== null &&
      !Array.isArray(value);
    const data = raw ? value : await D.jupyter.format(value);
    const transient = settings.display_id ? { display_id: settings.display_id } : {};
    const kind = settings.update ? "update_display_data" : "display_data";
    output(kind, { data, metadata: settings.metadata ?? {}, transient });
  };
  async function result(value: unknown) {
    if (value === undefined) return;
    const data = await race(D.jupyter.format(value));
    if (data) output("execute_result", { data, metadata: {} });
  }

  // ---- What goes wrong ----
  // The error whose stack was asked for last is the one that ended the cell: the kernel reads it.
  let lastError: Error | undefined;
  const rawStacks = new WeakMap<Error, string>();
  /** The cells and the line after which each begins, in the kernel's numbering. */
  const cells: { start: number; label: string }[] = [];
  let lastThrown: { value: unknown; stack: string } | undefined;
  // The stack of an awaited promise's error may not include the cell.
  let lastRejection: { error: unknown; line: number } | undefined;
  // deno-lint-ignore no-explicit-any
  (Error as any).prepareStackTrace = (error: Error, sites: any[]) => {
    lastError = error;
    let header = "Error";
    try {
      // Values without a type of their own, such as that of console.trace(), print only "[object
      // Object]".
      header = error instanceof Error ? String(error) : Error.prototype.toString.call(error);
    } catch {
      // An error whose name or message throws.
    }
    const stack = [header, ...sites.map((site) => `    at ${site}`)].join("\n");
    rawStacks.set(error, stack);
    // Line numbers of the kernel's reprinted code mean nothing to readers; the session maps them to
    // the cell's.
    return stack.replace(/<anonymous>:(\d+):\d+(?=\)?$)/gm, (place, line) => {
      const cell = cells.findLast(({ start }) => start < Number(line));
      return cell?.label ?? place;
    });
  };
  const rawStack = (error: Error) => {
    const shown = String(error.stack ?? "");
    return rawStacks.get(error) ?? shown;
  };
  const lineOf = (value: unknown) =>
    lastRejection !== undefined && lastRejection.error === value ? lastRejection.line : undefined;
  function describe(value: unknown): ErrorDescription {
    if (!(value instanceof Error)) {
      const text = typeof value === "string" ? value : Deno.inspect(value, { depth: 4 });
      const stack = lastThrown !== undefined && lastThrown.value === value ? lastThrown.stack : "";
      return { name: "Uncaught", message: text, stack, causes: [], line: lineOf(value) };
    }
    const causes: string[] = [];
    const seen = new Set<unknown>([value]);
    for (let cause = value.cause; cause !== undefined && !seen.has(cause);) {
      seen.add(cause);
      causes.push(cause instanceof Error ? rawStack(cause) : Deno.inspect(cause));
      cause = cause instanceof Error ? cause.cause : undefined;
    }
    if (value instanceof AggregateError) {
      causes.push(
        ...value.errors.slice(0, 10).map((error) =>
          error instanceof Error ? rawStack(error) : Deno.inspect(error)
        ),
      );
    }
    return {
      name: String(value.name),
      message: String(value.message),
      stack: rawStack(value),
      causes,
      line: lineOf(value),
    };
  }
  // Left alone, an error in a timer or an event listener makes the kernel hang. Errors that a
  // cell's own listeners have handled are not reported; they run after these.
  function unlessHandled(event: Event, tell: () => void) {
    event.preventDefault();
    let handled = false;
    event.preventDefault = () => void (handled = true);
    queueMicrotask(() => {
      if (!handled) tell();
    });
  }
  globalThis.addEventListener("unhandledrejection", (event) => {
    const cell = kernel.ownerOf(event.reason);
    unlessHandled(event, () => {
      if (event.reason instanceof Stopped) return;
      emit({ type: "uncaught", error: describe(event.reason), cell });
    });
  });
  globalThis.addEventListener("error", (event) => {
    const { error } = event;
    const cell = kernel.ownerOf(error);
    unlessHandled(
      event,
      () => emit({ type: "uncaught", error: describe(error ?? event.message), cell }),
    );
  });
  const exit = (code?: number) => {
    emit({ type: "exit", code: code ?? Deno.exitCode });
    return nativeExit(code);
  };
  Deno.exit = exit;
  // deno-lint-ignore no-explicit-any
  const nodeProcess = (globalThis as any).process;
  if (nodeProcess !== undefined) nodeProcess.exit = exit;

  // ---- Stop ----
  class Stopped extends Error {
    constructor() {
      super("The cell was stopped");
      this.name = options.stopped;
    }
  }
  let cell = 0;
  /** A cell whose stop came before the cell itself. */
  let stoppedEarly = 0;
  let controller = new AbortController();
  let stopping: Stopped | undefined;
  let taken = false;
  let breath = performance.now();
  const pending = new Set<(reason: Stopped) => void>();

  /** @param lines The number of blank lines before the cell, which identifies it. */
  function begin(number: number, lines: string, label: string) {
    cell = number;
    // Line numbers start again after very many.
    if (lines.length <= (cells.at(-1)?.start ?? 0)) cells.length = 0;
    cells.push({ start: lines.length, label });
    controller = new AbortController();
    stopping = undefined;
    taken = false;
    breath = performance.now();
    pending.clear();
    kernel.value = undefined;
    kernel.onBegin();
    kernel.enter(number);
    lastError = lastThrown = lastRejection = undefined;
    if (stoppedEarly === number) stop(number);
  }
  function stop(number: number) {
    if (number > cell) stoppedEarly = number;
    if (number !== cell) return;
    emit({ type: "stopping", cell });
    const again = stopping !== undefined;
    const reason = stopping ??= new Stopped();
    const settle = () => {
      if (number !== cell) return;
      for (const reject of pending) reject(reason);
      pending.clear();
    };
    controller.abort(reason);
    // Library code that listens ends by itself, and its result is kept; everything else is
    // abandoned.
    if (taken && !again) nativeTimeout(settle, options.grace);
    else settle();
  }
  /**
   * Lets the event loop turn occasionally; otherwise a cell with only settled promises could not be
   * stopped.
   */
  async function breathe() {
    if (performance.now() - breath < 50) return;
    await new Promise((done) => nativeTimeout(done, 0));
    breath = performance.now();
  }
  /** The promise for a top-level `await x`: x, or the stop. */
  async function race(value: unknown, line = 0) {
    const work = (async () => await value)();
    work.catch(() => {});
    await breathe();
    if (stopping !== undefined) throw stopping;
    return await new Promise((resolve, reject) => {
      pending.add(reject);
      const settled = () => pending.delete(reject);
      work.then((result) => (settled(), resolve(result)), (error) => {
        settled();
        if (line > 0) lastRejection = { error, line };
        reject(error);
      });
    });
  }
  /** The iterable for a top-level `for await (… of x)`. */
  // deno-lint-ignore no-explicit-any
  function iterate(iterable: any, line: number) {
    const inner = (iterable[Symbol.asyncIterator] ?? iterable[Symbol.iterator]).call(iterable);
    return {
      [Symbol.asyncIterator]() {
        return this;
      },
      async next() {
        try {
          // A synchronous iterator may yield promises, which for await awaits.
          const step = await race(inner.next(), line);
          // deno-lint-ignore no-explicit-any
          const { done, value } = step as any;
          return { done, value: iterable[Symbol.asyncIterator] ? value : await race(value, line) };
        } catch (error) {
          if (error === stopping) {
            // Its finally blocks run, but a generator that hangs is not waited for.
            const closing = Promise.resolve(inner.return?.()).catch(() => {});
            await Promise.race([closing, new Promise((done) => nativeTimeout(done, 500))]);
          }
          throw error;
        }
      },
      async return(value: unknown) {
        await inner.return?.(value);
        return { done: true, value };
      },
    };
  }
  Object.defineProperty(globalThis, Symbol.for("tunebook.signal"), {
    configurable: true,
    get() {
      if (!taken) emit({ type: "signal_taken" });
      taken = true;
      return controller.signal;
    },
  });

  /** Waits for pending timers, whose output would be lost with the kernel. */
  async function settleTimers(milliseconds: number) {
    const end = performance.now() + milliseconds;
    while (kernel.pendingTimers() > 0 && performance.now() < end) {
      await new Promise((done) => nativeTimeout(done, 10));
    }
    emit({ type: "settled", pending: kernel.pendingTimers() });
  }

  // ---- The session's side ----
  // deno-lint-ignore no-explicit-any
  function hearComm({ type, content, metadata, buffers }: any) {
    const detail = {
      content,
      metadata,
      // deno-lint-ignore no-explicit-any
      buffers: buffers.map((buffer: string) => (Uint8Array as any).fromBase64(buffer)),
    };
    const event = new CustomEvent(type, { detail, cancelable: true });
    if (globalThis.dispatchEvent(event) && type === "comm_open") {
      nativeBroadcast("comm_close", { comm_id: content.comm_id, data: {} });
    }
  }
  // A terminal also sends Ctrl-C to this process, which would end it; the session decides instead.
  Deno.addSignalListener("SIGINT", () => {});
  (async () => {
    let rest = "";
    for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const command = line.split(" ", 1)[0];
        const argument = line.slice(command.length + 1);
        if (command === "stop") stop(Number(argument));
        else if (command === "settle") settleTimers(Number(argument));
        else if (command === "comm") hearComm(JSON.parse(argument));
      }
    }
    // The session is gone, perhaps killed, so this kernel cannot be used any more.
    nativeExit(0);
  })();

  const file = options.url.startsWith("file:");
  const filename = file ? decodeURIComponent(new URL(options.url).pathname) : undefined;
  const kernel = {
    begin,
    /** The value of the last statement of a cell that does not end with an expression. */
    value: undefined as unknown,
    /** Called before each cell runs; see `watchModules`. */
    onBegin: () => {},
    /** Prints to the cell that runs; see `hearChildren`. */
    print: stream,
    describe,
    /** A module, if it has the exports that a cell asks for; see `checkImports`. */
    exportsOf: (module: Record<string, unknown>) => module,
    /** A module that is being loaded, with a better error if there is none. */
    found: (loading: Promise<unknown>) => loading,
    /** How the tests that the cell has registered ended; see `watchTests`. */
    takeTests: (): TestResult[] => [],
    notePackage: (specifier: string, version: string) =>
      emit({ type: "package", specifier, version }),
    /** How many timers are pending; see `followWork`. */
    pendingTimers: () => 0,
    /** Assigns work started from now on to the cell; see `followWork`. */
    enter: (_cell: number) => {},
    ownerOf: (_error: unknown): number | undefined => undefined,
    race,
    iterate,
    result,
    thrown(value: unknown) {
      if (!(value instanceof Error)) {
        const stack = rawStack(new Error()).split("\n").slice(2).join("\n");
        lastThrown = { value, stack };
      }
      return value;
    },
    /**
     * Called in a separate request after each cell, so that everything the cell wrote comes first.
     */
    end(token: string, failed: boolean) {
      let error: ErrorDescription | undefined;
      if (failed) {
        if (lastThrown !== undefined) {
          error = describe(lastThrown.value);
        } else if (lastRejection !== undefined && !(lastRejection.error instanceof Error)) {
          error = describe(lastRejection.error);
        } else if (lastError !== undefined) error = describe(lastError);
      }
      emit({ type: "end", token, error, tests: kernel.takeTests() });
      nativeBroadcast("tunebook_end", { token });
    },
    meta: {
      url: options.url,
      main: false,
      filename,
      dirname: filename?.replace(/[/\\][^/\\]*$/, ""),
      resolve: (specifier: string) => new URL(specifier, options.url).href,
    },
  };
  Object.defineProperty(globalThis, options.global, { value: kernel, configurable: true });
  emit({ type: "ready" });
}
