// A session's link to one kernel process: installs the prelude, matches requests with their
// replies, and passes on everything that arrives in order.

import { Kernel, type KernelExit, type KernelLauncher, startFault } from "../kernel.ts";
import type { Message } from "../messages.ts";
import { PipeReader } from "../pipe_reader.ts";
import { type PreludeMessage, preludeSource } from "../prelude.ts";
import { kernelImports } from "../standalone.ts";
import { startTimer } from "../timer.ts";
import { MessageTooLarge } from "../zmtp.ts";
import { readPreludeMessage } from "./door.ts";
import { STOP } from "./stop_times.ts";

/** Options and callbacks of a link. */
export interface LinkOptions {
  /** The kernel's working directory. */
  cwd?: string;
  /** Environment variables for the kernel, in addition to those of this process. */
  env?: Record<string, string>;
  /** Changes the command that starts the kernel. */
  launcher?: KernelLauncher;
  /** A kernel that has been started already. */
  kernel?: Promise<Kernel>;
  /** Code that the kernel runs once it is ready, before any cell. */
  lock?: string;
  /** The most bytes that one message may have. */
  maxMessage?: number;
  /** The notebook's URL, for `import.meta` in cells. */
  url: string;
  /** Called with the prelude's messages that have no waiting caller. */
  onPrelude: (message: PreludeMessage) => void;
  /** Called with messages on iopub, which bypass the prelude. */
  onIopub: (message: Message) => void;
  /** Called with output of native code on the process's standard output. */
  onText: (text: string) => void;
  /** Called with the number of bytes that have arrived, before they are checked. */
  onBytes: (count: number) => void;
  /** Called when the kernel has ended. */
  onExit: () => void;
  /** Answers the kernel's `prompt` and `confirm`. */
  onInput: (request: { prompt: string; password: boolean }) => Promise<string>;
}

/** A kernel that is ready for cells. */
export class KernelLink {
  readonly kernel: Kernel;
  /** The kernel's `language_info`. */
  languageInfo: Record<string, unknown> = {};
  /** How the kernel ended, once it has. */
  exit?: KernelExit;
  /** The code of the `Deno.exit()` that a cell has called. */
  exitCode?: number;
  /** Whether library code of the running cell asked for the stop signal. */
  signalTaken = false;
  #options: LinkOptions;
  #ready = false;
  #replies = new Map<string, (message: Message) => void>();
  #waiting = new Map<string, (message: PreludeMessage) => void>();

  private constructor(kernel: Kernel, options: LinkOptions) {
    this.kernel = kernel;
    this.#options = options;
    kernel.exited.then((exit) => {
      this.exit = exit;
      if (this.#ready) options.onExit();
    });
  }

  /**
   * Starts a kernel and makes it ready.
   *
   * @throws {Error} If the kernel cannot be started, or does not answer.
   */
  static async start(options: LinkOptions): Promise<KernelLink> {
    const kernel = await (options.kernel ??
      Kernel.start({
        cwd: options.cwd,
        env: options.env,
        launcher: options.launcher,
        maxMessage: options.maxMessage,
      }));
    const ready = new KernelLink(kernel, options);
    const pipe = new PipeReader((message) => ready.take(message), options.onText);
    kernel.onProcessOutput = (name, text) => {
      options.onBytes(text.length);
      if (name === "stdout") pipe.push(text);
    };
    try {
      await ready.#prepare();
      ready.#ready = true;
      return ready;
    } catch (error) {
      await kernel[Symbol.asyncDispose]();
      const { message } = error as Error;
      throw new Error(`Cannot start the Deno kernel: ${message}`, { cause: error });
    }
  }

  async #prepare() {
    const heard = Promise.withResolvers<void>();
    this.#readIopub(heard.resolve);
    this.#readShell();
    this.#readStdin();
    const ready = this.waitFor("ready");
    const source = preludeSource({
      url: this.#options.url,
      grace: STOP.grace,
      library: await kernelImports(this.#options.cwd ?? Deno.cwd()),
    });
    await this.#until(this.request("execute_request", executeContent(source, true)), 30_000);
    await this.#until(ready, 5000);
    if (this.#options.lock !== undefined) {
      const locked = this.request("execute_request", executeContent(this.#options.lock, true));
      const { content } = await this.#until(locked, 30_000);
      if (content.status !== "ok") throw new Error(`it cannot be locked: ${content.evalue}`);
    }
    // Until something arrives, the kernel may not know yet that this side has subscribed.
    while (true) {
      const info = await this.#until(this.request("kernel_info_request", {}), 5000);
      this.languageInfo = info.content.language_info ?? {};
      if (await this.within(heard.promise, 20)) break;
    }
  }

  /** Sends a request on the shell channel; settles with its reply, or never. */
  request(type: string, content: Record<string, unknown>): Promise<Message> {
    const { promise, resolve } = Promise.withResolvers<Message>();
    this.kernel.send("shell", type, content).then(
      (id) => this.#replies.set(id, resolve),
      () => {}, // The kernel has ended; callers that wait are notified.
    );
    return promise;
  }

  /** The prelude's next message of a kind: `"ready"`, `"stopping N"`, `"end TOKEN"`, `"native TOKEN"`. */
  waitFor(key: string): Promise<PreludeMessage> {
    const { promise, resolve } = Promise.withResolvers<PreludeMessage>();
    this.#waiting.set(key, resolve);
    return promise;
  }

  /** Awaits a promise; undefined if the kernel ends or the time is over first. */
  async within<T>(promise: Promise<T>, milliseconds: number): Promise<{ value: T } | undefined> {
    const timer = startTimer(milliseconds);
    try {
      return await Promise.race([
        promise.then((value) => ({ value })),
        this.kernel.exited.then(() => undefined),
        timer.passed,
      ]);
    } finally {
      timer.cancel();
    }
  }

  /** Waits until all output of a cell has arrived; undefined if the kernel ends first. */
  async drain(failed: boolean): Promise<PreludeMessage | undefined> {
    const token = crypto.randomUUID();
    const end = this.waitFor(`end ${token}`);
    const native = this.waitFor(`native ${token}`);
    const call = `__tunebook__.end(${JSON.stringify(token)}, ${failed});void 0`;
    const reply = this.request("execute_request", executeContent(call, true));
    // A kernel that has finished a cell and does not answer this cannot be recovered.
    const all = await this.within(Promise.all([end, native, reply]), 30_000);
    if (all !== undefined) return all.value[0];
    if (!this.kernel.ended) {
      this.kernel.kill();
      await this.kernel.exited;
    }
    return undefined;
  }

  /** Awaits a promise; throws if the kernel ends or the time is over first. */
  async #until<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
    const settled = await this.within(promise, milliseconds);
    if (settled === undefined) {
      throw new Error(
        this.exit === undefined
          ? `it does not answer within ${milliseconds} ms`
          : `it ended with code ${this.exit.code}: ${startFault(this.exit.stderr)}`,
      );
    }
    return settled.value;
  }

  async #readIopub(heard: () => void) {
    await this.#read("iopub", (message) => {
      heard();
      const { msg_type: type } = message.header;
      // If the prelude found no pipe, its messages arrive here.
      if (type === "tunebook") this.take(message.content);
      else if (type === "tunebook_end") this.#resolve(`native ${message.content.token}`);
      else this.#options.onIopub(message);
    });
  }

  async #readShell() {
    await this.#read("shell", (message) => {
      const id = message.parentHeader.msg_id ?? "";
      this.#replies.get(id)?.(message);
      this.#replies.delete(id);
    });
  }

  async #readStdin() {
    await this.#read("stdin", async (message) => {
      if (message.header.msg_type !== "input_request") return;
      const { prompt = "", password = false } = message.content;
      const value = await this.#options.onInput({ prompt, password });
      await this.kernel.send("stdin", "input_reply", { status: "ok", value }).catch(() => {});
    });
  }

  async #read(channel: "iopub" | "shell" | "stdin", take: (message: Message) => void) {
    try {
      for await (const message of this.kernel.messages(channel)) {
        this.#options.onBytes(sizeOf(message));
        take(message);
      }
    } catch (error) {
      if (error instanceof MessageTooLarge) this.#options.onBytes(Infinity);
      // The stream is corrupt: replies will be missing, and the kernel will be ended.
      this.kernel.kill();
    }
  }

  /** Handles a message of the prelude, or one that claims to be. */
  take(given: unknown): void {
    const message = readPreludeMessage(given);
    if (message === undefined) return;
    switch (message.type) {
      case "signal_taken":
        this.signalTaken = true;
        break;
      case "exit":
        this.exitCode = message.code;
        break;
      case "stopping":
        this.#resolve(`stopping ${message.cell}`, message);
        break;
      case "end":
        this.#resolve(`end ${message.token}`, message);
        break;
      case "settled":
      case "ready":
        this.#resolve(message.type, message);
        break;
      default:
        this.#options.onPrelude(message);
    }
  }

  #resolve(key: string, message: PreludeMessage = { type: "ready" }) {
    this.#waiting.get(key)?.(message);
    this.#waiting.delete(key);
  }
}

/** The size of a message in bytes. */
function sizeOf({ bytes, buffers }: Message): number {
  return buffers.reduce((sum, buffer) => sum + buffer.length, bytes);
}

/** The content of an `execute_request`. */
export function executeContent(
  code: string,
  silent: boolean,
  allowStdin = false,
): Record<string, unknown> {
  return {
    code,
    silent,
    store_history: !silent,
    user_expressions: {},
    allow_stdin: allowStdin,
    stop_on_error: false,
  };
}
