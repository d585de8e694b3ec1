// A kernel process: starts the real `deno jupyter --kernel`, connects to it, and makes sure that it
// ends.

import { join } from "@std/path/join";
import { makeOwnTempDir } from "../own_temp.ts";
import { type Message, MessageCodec } from "./messages.ts";
import { startTimer } from "./timer.ts";
import { ZmtpConnection } from "./zmtp.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

/** How a kernel's process ended. */
export interface KernelExit {
  /** The exit code. */
  code: number;
  /** The signal that ended it, such as `"SIGKILL"`, or null. */
  signal: string | null;
  /** The last lines that the process wrote to its standard error. */
  stderr: string;
}

/** A command that starts a kernel's process. */
export interface KernelCommand {
  /** The program. */
  program: string;
  /** Its arguments. */
  args: string[];
  /** Its working directory; by default that of this process. */
  cwd?: string;
  /** Its environment variables. */
  env: Record<string, string>;
  /** Whether the process does not inherit this process's environment. */
  clearEnv?: boolean;
}

/** Puts a kernel into a sandbox. */
export type KernelLauncher = (
  /** The command that would start the kernel without a sandbox. */
  command: KernelCommand,
  /** The folder that holds the connection file, which the kernel must be able to read. */
  connectionFolder: string,
) => KernelCommand;

/** How to start a kernel. */
export interface KernelOptions {
  /** Changes the command that starts the process, so that it runs in a sandbox. */
  launcher?: KernelLauncher;
  /** The kernel's working directory; deno.json is searched from here upwards. */
  cwd?: string;
  /** Environment variables in addition to those of this process. */
  env?: Record<string, string>;
  /** How long to wait for the kernel to listen, in milliseconds; 30,000 by default. */
  startTimeout?: number;
  /** The most bytes that a message from it may have; 1 GiB by default. */
  maxMessage?: number;
  /** Receives what the process, or a child of it, writes to standard output and standard error. */
  onProcessOutput?: (name: "stdout" | "stderr", text: string) => void;
}

/** The names of {@linkcode KernelOptions}. */
export const KERNEL_OPTIONS: OptionNames<KernelOptions> = {
  launcher: true,
  cwd: true,
  env: true,
  startTimeout: true,
  onProcessOutput: true,
  maxMessage: true,
};

/** @internal */
type Channel = "shell" | "control" | "iopub" | "stdin";
const CHANNELS = ["shell", "control", "iopub", "stdin"] as const;
const STDERR_KEPT = 16_384;

/** The receiver of what the process writes. */
interface OutputListener {
  take: KernelOptions["onProcessOutput"];
}

/** A running kernel and the connections to its channels. */
export class Kernel {
  /** Settles when the process has ended, for any reason. */
  readonly exited: Promise<KernelExit>;
  /** The process's id. */
  readonly pid: number;
  #process: Deno.ChildProcess;
  #stdin: WritableStreamDefaultWriter<Uint8Array>;
  #codec: MessageCodec;
  #connections: Record<Channel, ZmtpConnection>;
  #ended = false;
  #launched: boolean;
  #listener: OutputListener;

  private constructor(
    process: Deno.ChildProcess,
    listener: OutputListener,
    launched: boolean,
    stdin: WritableStreamDefaultWriter<Uint8Array>,
    exited: Promise<KernelExit>,
    codec: MessageCodec,
    connections: Record<Channel, ZmtpConnection>,
  ) {
    this.#process = process;
    this.#listener = listener;
    this.#launched = launched;
    this.pid = process.pid;
    this.#stdin = stdin;
    this.exited = exited;
    this.#codec = codec;
    this.#connections = connections;
    exited.then(() => {
      this.#ended = true;
      for (const channel of CHANNELS) connections[channel].close();
    });
  }

  /**
   * Starts a kernel and connects to it.
   *
   * @param options Where and how.
   * @returns The kernel; its iopub channel may not deliver messages yet (see `Session`).
   * @throws {Error} If the kernel ends or does not listen in time.
   */
  static async start(options: KernelOptions = {}): Promise<Kernel> {
    assertKnownOptions("start a kernel", options, KERNEL_OPTIONS);
    for (let attempt = 1;; attempt++) {
      try {
        return await Kernel.#startOnce(options);
      } catch (error) {
        // Another program may take a port after it was chosen and before the kernel listens.
        if (attempt === 3 || !/AddrInUse|address in use/i.test(String(error))) throw error;
      }
    }
  }

  static async #startOnce(options: KernelOptions): Promise<Kernel> {
    const folder = await makeOwnTempDir("tunebook-kernel-");
    let process: Deno.ChildProcess | undefined;
    try {
      const key = crypto.randomUUID();
      const [shell, control, iopub, stdin, hb] = freePorts(5);
      const ports = { shell, control, iopub, stdin };
      const file = join(folder, "connection.json");
      const connection = {
        ip: "127.0.0.1",
        transport: "tcp",
        signature_scheme: "hmac-sha256",
        key,
        hb_port: hb,
        ...Object.fromEntries(CHANNELS.map((channel) => [`${channel}_port`, ports[channel]])),
      };
      await Deno.writeTextFile(file, JSON.stringify(connection), { mode: 0o600 });
      const plain: KernelCommand = {
        program: Deno.execPath(),
        args: ["jupyter", "--kernel", "--conn", file],
        cwd: options.cwd,
        env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...options.env },
      };
      const { program, ...command } = options.launcher?.(plain, folder) ?? plain;
      process = new Deno.Command(program, {
        ...command,
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const writer = process.stdin.getWriter();
      writer.closed.catch(() => {});
      const listener = { take: options.onProcessOutput };
      const exited = watch(process, listener);
      const codec = new MessageCodec(key);
      const connections = await connectAll(ports, codec.session, exited, options);
      return new Kernel(
        process,
        listener,
        options.launcher !== undefined,
        writer,
        exited,
        codec,
        connections,
      );
    } catch (error) {
      killProcess(process);
      throw error;
    } finally {
      // The kernel has read the file by now, and the key should not stay on disk.
      await Deno.remove(folder, { recursive: true }).catch(() => {});
    }
  }

  /** Replaces the receiver of what the process writes. */
  set onProcessOutput(take: KernelOptions["onProcessOutput"]) {
    this.#listener.take = take;
  }

  /** Whether the process has ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Sends a request on a channel. Replies carry its id as `parentHeader.msg_id`. */
  async send(
    channel: "shell" | "control" | "stdin",
    type: string,
    content: Record<string, unknown>,
  ): Promise<string> {
    const message = this.#codec.create(type, content);
    await this.#connections[channel].send(this.#codec.encode(message));
    return message.header.msg_id;
  }

  /** The messages that arrive on a channel until the kernel ends. Each channel has one reader. */
  async *messages(channel: Channel): AsyncGenerator<Message, void, undefined> {
    for await (const frames of this.#connections[channel]) yield this.#codec.decode(frames);
  }

  /** Writes a line to the process's standard input, which the prelude reads. */
  async tell(line: string): Promise<void> {
    await this.#stdin.write(new TextEncoder().encode(line + "\n")).catch(() => {});
  }

  /**
   * Sends the protocol's interrupt. It ends running JavaScript, but makes a pending await hang
   * forever.
   */
  async interrupt(): Promise<void> {
    await this.send("control", "interrupt_request", {}).catch(() => {});
  }

  /**
   * The processor time that the process has used, in seconds; undefined where the system does not
   * report it.
   */
  async cpuSeconds(): Promise<number | undefined> {
    // In a sandbox the process is not the kernel but its parent.
    if (this.#launched) return undefined;
    try {
      const stat = await Deno.readTextFile(`/proc/${this.pid}/stat`);
      // After the name in parentheses; utime and stime, in hundredths of a second on every Linux.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return (Number(fields[11]) + Number(fields[12])) / 100;
    } catch {
      return undefined;
    }
  }

  /** Kills the process. */
  kill(): void {
    if (!this.#ended) killProcess(this.#process);
  }

  /** Kills the process and waits until it has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.exited;
  }
}

function killProcess(process: Deno.ChildProcess | undefined) {
  try {
    process?.kill("SIGKILL");
  } catch {
    // It has already ended.
  }
}

/** Ports that were free a moment ago. All are held until the last is found, so that they differ. */
function freePorts(count: number): number[] {
  const listeners = Array.from(
    { length: count },
    () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  );
  const ports = listeners.map((listener) => listener.addr.port);
  for (const listener of listeners) listener.close();
  return ports;
}

/** Reads the process's output to the end and reports how the process ended. */
async function watch(
  process: Deno.ChildProcess,
  listener: OutputListener,
): Promise<KernelExit> {
  let tail = "";
  const read = async (name: "stdout" | "stderr") => {
    for await (const text of process[name].pipeThrough(new TextDecoderStream())) {
      if (name === "stderr") tail = (tail + text).slice(-STDERR_KEPT);
      listener.take?.(name, text);
    }
  };
  const reading = Promise.all([read("stdout"), read("stderr")]).catch(() => {});
  const status = await process.status;
  // A child that outlives the kernel may keep the pipes open, so do not wait for it.
  const timer = startTimer(200);
  await Promise.race([reading, timer.passed]);
  timer.cancel();
  return { code: status.code, signal: status.signal, stderr: tail };
}

/**
 * What a connection meets before the kernel listens. It hangs up where it takes a channel's port and
 * then ends, because another program has the next one's.
 */
const NOT_YET = [
  Deno.errors.ConnectionRefused,
  Deno.errors.ConnectionReset,
  Deno.errors.BrokenPipe,
  Deno.errors.UnexpectedEof,
];

/** Why a process ended, out of all that it has written: no downloads, no warnings, no backtrace. */
export function startFault(stderr: string): string {
  const lines = stderr.replace(/\n\s*Stack backtrace:[\s\S]*$/, "").split("\n")
    .filter((line) => line.trim() !== "" && !/^\s*(?:Download|Warning|Initialize)\b/.test(line));
  // The innermost reason comes last.
  const reasons = lines.map((line) =>
    line.replace(/^\s*\d+:\s*/, "").replace(/^error:\s*/, "").trim()
  );
  return reasons.at(-1)?.replace(/\.$/, "") ?? "it gave no reason";
}

async function connectAll(
  ports: Record<Channel, number>,
  identity: string,
  exited: Promise<KernelExit>,
  { startTimeout: timeout = 30_000, maxMessage }: KernelOptions,
): Promise<Record<Channel, ZmtpConnection>> {
  let exit: KernelExit | undefined;
  exited.then((value) => exit = value);
  const deadline = Date.now() + timeout;
  const open: Partial<Record<Channel, ZmtpConnection>> = {};
  try {
    for (const channel of CHANNELS) {
      // shell and stdin share the identity, because input requests are routed by it.
      const type = channel === "iopub" ? "SUB" : "DEALER";
      while (open[channel] === undefined) {
        if (exit !== undefined) {
          throw new Error(
            `Cannot start the Deno kernel: it ended with code ${exit.code}: ${
              startFault(exit.stderr)
            }`,
          );
        }
        if (Date.now() > deadline) {
          throw new Error(`Cannot start the Deno kernel: it does not listen after ${timeout} ms`);
        }
        try {
          const port = ports[channel];
          open[channel] = await ZmtpConnection.connect({ port, type, identity, maxMessage });
        } catch (error) {
          if (!NOT_YET.some((type) => error instanceof type)) throw error;
          await startTimer(10).passed;
        }
      }
    }
    return open as Record<Channel, ZmtpConnection>;
  } catch (error) {
    for (const channel of CHANNELS) open[channel]?.close();
    throw error;
  }
}
