/**
 * The examiner's end of its line to the grader: a call blocks the thread until its reply is there, so that a test calls
 * the student's functions as its notebook does. A worker keeps the connection.
 *
 * @module
 */

import type { LineAddress } from "./line.ts";
import type { Reply } from "./messages.ts";

/** What the worker is told. */
export type ToWorker =
  | { readonly type: "connect"; readonly address: LineAddress }
  /** Sends a line; `state` is 1 when its reply has come, of as many bytes as the second place says. */
  | {
    readonly type: "call";
    readonly call: number;
    readonly line: string;
    readonly state: Int32Array;
  }
  /** Copies the reply; then `state` is 2. */
  | { readonly type: "take"; readonly call: number; readonly bytes: Uint8Array };

/** What the worker says: that it is connected, or what came for no call that still waits. */
export type FromWorker = { readonly type: "connected" } | {
  readonly type: "late";
  readonly line: string;
};

/** The line, from the examiner's side. */
export class Caller {
  readonly #worker: Worker;
  readonly #onLate: (reply: Reply) => void;
  readonly #connected = Promise.withResolvers<void>();

  private constructor(onLate: (reply: Reply) => void) {
    this.#onLate = onLate;
    this.#worker = new Worker(new URL("./caller_worker.ts", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.type === "connected") this.#connected.resolve();
      else this.#onLate(JSON.parse(data.line));
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#connected.reject(new Error(`Cannot reach the grader: ${event.message}`));
    };
  }

  /**
   * Connects.
   *
   * @param address Where the grader listens.
   * @param onLate Takes the replies that come after a call's first: the results of promises.
   */
  static async connect(address: LineAddress, onLate: (reply: Reply) => void): Promise<Caller> {
    const caller = new Caller(onLate);
    caller.#tell({ type: "connect", address });
    await caller.#connected.promise;
    return caller;
  }

  /**
   * Sends a call, and blocks until its reply is there. The grader answers every call, in time.
   *
   * @param call The call's number.
   * @param content What to send.
   */
  call(call: number, content: Record<string, unknown>): Reply {
    const state = new Int32Array(new SharedArrayBuffer(8));
    this.#tell({ type: "call", call, line: JSON.stringify(content), state });
    Atomics.wait(state, 0, 0);
    const bytes = new Uint8Array(new SharedArrayBuffer(state[1]!));
    this.#tell({ type: "take", call, bytes });
    Atomics.wait(state, 0, 1);
    // The decoder takes no shared memory.
    return JSON.parse(new TextDecoder().decode(bytes.slice()));
  }

  #tell(message: ToWorker): void {
    this.#worker.postMessage(message);
  }
}
