// The part of the prelude for child processes: output that they inherit is treated like the cell's
// own output, which the stock kernel's pipe loses. Standard input, the kernel's channel for
// commands, is empty for cells and for children.

/** Runs inside the kernel: it may use nothing from outside its own body. */
export function hearChildren(
  kernel: { print: (name: "stdout" | "stderr", text: string) => void },
): void {
  type Name = "stdout" | "stderr";
  const names: Name[] = ["stdout", "stderr"];
  // deno-lint-ignore no-explicit-any
  const G = globalThis as any;
  const { process } = G;
  const { Readable } = process.getBuiltinModule("node:stream");

  // ---- Standard input ----
  Object.defineProperties(Deno.stdin, {
    read: { value: () => Promise.resolve(null), configurable: true },
    readSync: { value: () => null, configurable: true },
    readable: {
      value: new ReadableStream({ start: (controller) => controller.close() }),
      configurable: true,
    },
    isTerminal: { value: () => false, configurable: true },
    setRaw: { value: () => {}, configurable: true },
  });
  const stdin = Object.assign(Readable.from([]), { fd: 0, isTTY: false });
  Object.defineProperty(process, "stdin", { get: () => stdin, configurable: true });

  // ---- Deno.Command ----
  const NativeCommand = Deno.Command;
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const notPiped = (name: Name) => ({
    get() {
      throw new TypeError(`Cannot get '${name}': '${name}' is not piped`);
    },
    configurable: true,
  });
  /** Options without inherited streams, and the names of those that were inherited. */
  function piped(options: Deno.CommandOptions, usual: "piped" | "inherit") {
    const changed: Deno.CommandOptions = { ...options };
    if ((options.stdin ?? (usual === "inherit" ? usual : "null")) === "inherit") {
      changed.stdin = "null";
    }
    const heard = names.filter((name) => (options[name] ?? usual) === "inherit");
    for (const name of heard) changed[name] = "piped";
    return { changed, heard };
  }
  function told(output: Deno.CommandOutput, heard: Name[]) {
    for (const name of heard) {
      kernel.print(name, decode(output[name]));
      Object.defineProperty(output, name, notPiped(name));
    }
    return output;
  }
  async function forward(readable: ReadableStream<Uint8Array>, name: Name) {
    const decoder = new TextDecoder();
    for await (const bytes of readable) kernel.print(name, decoder.decode(bytes, { stream: true }));
  }
  class Command {
    #program: string | URL;
    #options: Deno.CommandOptions;

    constructor(program: string | URL, options: Deno.CommandOptions = {}) {
      new NativeCommand(program, options); // refuses what is wrong
      this.#program = program;
      this.#options = options;
    }

    outputSync() {
      const { changed, heard } = piped(this.#options, "piped");
      return told(new NativeCommand(this.#program, changed).outputSync(), heard);
    }

    async output() {
      const { changed, heard } = piped(this.#options, "piped");
      return told(await new NativeCommand(this.#program, changed).output(), heard);
    }

    spawn() {
      const { changed, heard } = piped(this.#options, "inherit");
      const child = new NativeCommand(this.#program, changed).spawn();
      const { status } = child;
      const ends = heard.map((name) => forward(child[name], name).catch(() => {}));
      for (const name of heard) Object.defineProperty(child, name, notPiped(name));
      // Code that awaits the child gets its output.
      const ended = Promise.all([status, ...ends]).then(() => status);
      Object.defineProperty(child, "status", { value: ended, configurable: true });
      return child;
    }
  }
  Deno.Command = Command as unknown as typeof Deno.Command;
  const command = (program: string | URL, given?: unknown, more?: Deno.CommandOptions) => {
    const [args, options] = read(given, more);
    return new Command(program, Array.isArray(given) ? { ...options, args } : options);
  };
  Object.assign(Deno, {
    // deno-lint-ignore no-explicit-any
    spawn: (...args: [any, any, any]) => command(...args).spawn(),
    // deno-lint-ignore no-explicit-any
    spawnAndWait: (...args: [any, any, any]) => command(...args).output(),
    // deno-lint-ignore no-explicit-any
    spawnAndWaitSync: (...args: [any, any, any]) => command(...args).outputSync(),
  });

  // ---- node:child_process ----
  const children = process.getBuiltinModule("node:child_process");
  const { spawn, spawnSync, execSync, execFileSync, fork } = children;
  // deno-lint-ignore no-explicit-any
  type Options = any;
  /** The first three entries of `stdio`, with pipes for inherited streams, and their names. */
  function unshared(stdio: unknown) {
    const list: unknown[] = Array.isArray(stdio) ? [...stdio] : Array(3).fill(stdio ?? "pipe");
    const inherits = (at: number) =>
      [at, "inherit", process[["stdin", "stdout", "stderr"][at]]].includes(list[at]);
    const heard = names.filter((_, at) => inherits(at + 1));
    if (inherits(0)) list[0] = "ignore";
    for (const name of heard) list[names.indexOf(name) + 1] = "pipe";
    return { stdio: list, heard };
  }
  /** Arguments as Node takes them: both the list and the options may be left out. */
  function read(args: unknown, options: Options): [string[], Options] {
    return Array.isArray(args) ? [args, options ?? {}] : [[], args ?? options ?? {}];
  }
  function heardSpawn(file: string, given?: unknown, more?: Options) {
    const [args, options] = read(given, more);
    const { stdio, heard } = unshared(options.stdio);
    return follow(spawn(file, args, { ...options, stdio }), heard);
  }
  function follow(child: Options, heard: Name[]) {
    for (const name of heard) {
      const decoder = new TextDecoder();
      child[name]?.on(
        "data",
        (chunk: Uint8Array) => kernel.print(name, decoder.decode(chunk, { stream: true })),
      );
      child[name] = null;
    }
    return child;
  }
  function heardSpawnSync(file: string, given?: unknown, more?: Options) {
    const [args, options] = read(given, more);
    const { stdio, heard } = unshared(options.stdio);
    const result = spawnSync(file, args, {
      ...options,
      stdio,
      // Inherited output has no limit.
      maxBuffer: heard.length > 0 ? Infinity : options.maxBuffer,
    });
    for (const name of heard) {
      const text = result[name];
      if (text) kernel.print(name, typeof text === "string" ? text : decode(text));
      result[name] = null;
      if (result.output) result.output[names.indexOf(name) + 1] = null;
    }
    return result;
  }
  /** As Node: standard error is inherited unless `stdio` says otherwise. */
  function checked(command: string, file: string, args: string[], options: Options) {
    const stdio = options.stdio ?? ["pipe", "pipe", "inherit"];
    const result = heardSpawnSync(file, args, { ...options, stdio });
    if (result.error) throw result.error;
    if (result.status === 0) return result.stdout;
    throw Object.assign(new Error(`Command failed: ${command}`), result);
  }
  children.spawn = heardSpawn;
  children.spawnSync = heardSpawnSync;
  children.execSync = (command: string, options: Options = {}) =>
    checked(command, command, [], { ...options, shell: options.shell ?? true });
  children.execFileSync = (file: string, given?: unknown, more?: Options) => {
    const [args, options] = read(given, more);
    return checked([file, ...args].join(" "), file, args, options);
  };
  children.fork = (file: string, given?: unknown, more?: Options) => {
    const [args, options] = read(given, more);
    if (options.silent || options.stdio) return fork(file, args, options);
    return follow(fork(file, args, { ...options, silent: true }), names);
  };
  for (const [name, native] of Object.entries({ spawn, spawnSync, execSync, execFileSync, fork })) {
    Object.defineProperty(children[name], "name", { value: native.name });
  }
  process.getBuiltinModule("node:module").syncBuiltinESMExports();
}
