/**
 * The worker of `caller.ts`: keeps the connection to the grader, while the examiner's own thread waits for a reply.
 *
 * @module
 */

/// <reference lib="deno.worker" />

import type { FromWorker, ToWorker } from "./caller.ts";

const worker = self as unknown as DedicatedWorkerGlobalScope;
const waiting = new Map<number, Int32Array>();
const replies = new Map<number, { bytes: Uint8Array; state: Int32Array }>();
let connection: Deno.TcpConn | undefined;
let writing = Promise.resolve();

worker.onmessage = async ({ data }: MessageEvent<ToWorker>) => {
  if (data.type === "call") {
    waiting.set(data.call, data.state);
    write(data.line);
  } else if (data.type === "take") {
    const { bytes, state } = replies.get(data.call)!;
    replies.delete(data.call);
    data.bytes.set(bytes);
    wake(state, 2);
  } else {
    const { port, secret } = data.address;
    connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.setNoDelay();
    write(secret);
    say({ type: "connected" });
    await read(connection);
  }
};

function say(message: FromWorker): void {
  worker.postMessage(message);
}

function write(line: string): void {
  let bytes = new TextEncoder().encode(`${line}\n`);
  writing = writing.then(async () => {
    while (bytes.length > 0) bytes = bytes.subarray(await connection!.write(bytes));
  }).catch(lost);
}

/** The first reply to a call wakes the thread that waits for it; others are told. */
function take(line: string): void {
  const { call } = JSON.parse(line) as { call: number };
  const state = waiting.get(call);
  if (state === undefined) return say({ type: "late", line });
  waiting.delete(call);
  const bytes = new TextEncoder().encode(line);
  replies.set(call, { bytes, state });
  state[1] = bytes.length;
  wake(state, 1);
}

function wake(state: Int32Array, value: number): void {
  Atomics.store(state, 0, value);
  Atomics.notify(state, 0);
}

async function read(from: Deno.TcpConn): Promise<void> {
  try {
    let parts: string[] = [];
    for await (const text of from.readable.pipeThrough(new TextDecoderStream())) {
      const [first, ...rest] = text.split("\n");
      parts.push(first!);
      for (const next of rest) {
        take(parts.join(""));
        parts = [next];
      }
    }
  } catch {
    // The grader is gone.
  }
  lost();
}

/** Without a grader no reply comes: nobody waits for ever. */
function lost(): void {
  for (const call of waiting.keys()) {
    take(JSON.stringify({ call, fault: "the grader has gone" }));
  }
}
