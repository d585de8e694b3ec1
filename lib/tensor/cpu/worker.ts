/**
 * A thread of the CPU device: runs batches of kernels in order, in step with the other threads.
 *
 * @module
 */

import { parentPort, workerData } from "node:worker_threads";
import { Barrier, BarrierBroken, DONE_TICKET } from "./barrier.ts";
import { openBlas } from "./blas/blas.ts";
import { Context } from "./context.ts";
import { kernels } from "./kernels.ts";
import { loadWasm } from "./load_wasm.ts";
import type { Batch, ThreadOptions } from "./protocol.ts";

const { thread, threads, barrierMemory, blasPath } = workerData as ThreadOptions;

const state = new Int32Array(barrierMemory);
const barrier = new Barrier(barrierMemory, threads);
const context = new Context(
  thread,
  threads,
  barrier,
  blasPath ? openBlas(blasPath) : undefined,
  await loadWasm("kernels.wasm"),
  await loadWasm("shared_kernels.wasm"),
);
const buffers = new Map<number, Float32Array>();

function run(batch: Batch): number[] | undefined {
  const times: number[] = [];
  for (const { id, memory, place } of batch.created) {
    buffers.set(
      id,
      memory instanceof WebAssembly.Memory
        ? context.viewPacked(memory, place!)
        : new Float32Array(memory),
    );
  }
  for (const command of batch.commands) {
    const begin = batch.timed ? performance.now() : 0;
    if (command.type === "write") {
      if (thread === 0) {
        const target = buffers.get(command.buffer)!;
        const at = target.byteOffset + command.byteOffset;
        new Uint8Array(target.buffer, at).set(new Uint8Array(command.data));
      }
    } else {
      const views: Record<string, Float32Array> = {};
      for (const name in command.buffers) views[name] = buffers.get(command.buffers[name])!;
      context.reset();
      const kernel = kernels[command.kernel];
      if (!kernel) throw new TypeError(`The CPU kernel "${command.kernel}" has no code`);
      try {
        kernel(context, views, command.params);
      } catch (error) {
        if (error instanceof BarrierBroken) throw error;
        throw new Error(`CPU kernel "${command.kernel}" failed: ${(error as Error).message}`);
      }
    }
    barrier.wait();
    if (batch.timed) times.push(performance.now() - begin);
  }
  for (const id of batch.dropped) buffers.delete(id);
  return batch.timed ? times : undefined;
}

parentPort!.on("message", (batch: Batch) => {
  try {
    const times = run(batch);
    if (thread !== 0) return;
    Atomics.store(state, DONE_TICKET, batch.ticket);
    Atomics.notify(state, DONE_TICKET);
    parentPort!.postMessage({ ticket: batch.ticket, times });
  } catch (error) {
    barrier.break();
    if (!(error instanceof BarrierBroken)) {
      parentPort!.postMessage({ ticket: batch.ticket, error: (error as Error).message });
    }
  }
});
