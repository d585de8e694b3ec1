/**
 * A thread of the CPU device: runs batches of kernels in order, in step with the other threads.
 *
 * @module
 */

import { parentPort, workerData } from "node:worker_threads";
import { Barrier, BarrierBroken, DONE_TICKET } from "./barrier.ts";
import { openBlas } from "./blas/open.ts";
import { Context } from "./context.ts";
import type { CpuKernel } from "./kernel.ts";
import { kernels } from "./kernels.ts";
import { loadWasm } from "./load_wasm.ts";
import type { Batch, RunCommand, Scheduled, ThreadOptions } from "./protocol.ts";

const { thread, threads, barrierMemory, blasPath, matmulPrecision } = workerData as ThreadOptions;

// Batches may come while the kernels are loaded, from a server, say; one that nobody listens for is lost.
const early: Batch[] = [];
let listen = (batch: Batch): void => void early.push(batch);
parentPort!.on("message", (batch: Batch) => listen(batch));

const state = new Int32Array(barrierMemory);
const barrier = new Barrier(barrierMemory, threads);
const context = new Context(
  thread,
  threads,
  barrier,
  blasPath ? openBlas(blasPath, matmulPrecision) : undefined,
  await loadWasm("kernels.wasm"),
  await loadWasm("shared_kernels.wasm"),
);
const buffers = new Map<number, Float32Array>();

/** A kernel with its memory. */
interface Ready {
  readonly name: string;
  readonly run: CpuKernel;
  readonly views: Record<string, Float32Array>;
  readonly params: Readonly<Record<string, number>>;
  /** Whether threads meet before it. */
  readonly meets: boolean;
}

/** Remembered commands by their number. */
const recorded = new Map<number, readonly Ready[]>();

function ready({ kernel, buffers: used, params, meets }: Scheduled<RunCommand>): Ready {
  const views: Record<string, Float32Array> = {};
  for (const name in used) views[name] = buffers.get(used[name])!;
  return { name: kernel, run: kernels[kernel], views, params, meets };
}

function runKernel({ name, run, views, params }: Ready): void {
  context.reset();
  try {
    run(context, views, params);
  } catch (error) {
    if (error instanceof BarrierBroken) throw error;
    throw new Error(`CPU kernel "${name}" failed: ${(error as Error).message}`);
  }
}

function run(batch: Batch): number[] | undefined {
  const times: number[] = [];
  const step = (meets: boolean, body: () => void) => {
    if (!batch.timed) {
      if (meets) barrier.wait();
      return body();
    }
    const begin = performance.now();
    body();
    barrier.wait();
    times.push(performance.now() - begin);
  };
  for (const { id, memory, place } of batch.created) {
    buffers.set(
      id,
      memory instanceof WebAssembly.Memory
        ? context.viewPacked(memory, place!)
        : new Float32Array(memory),
    );
  }
  for (const command of batch.commands) {
    step(command.meets, () => {
      if (command.type === "run") return runKernel(ready(command));
      if (thread !== 0) return;
      const target = buffers.get(command.buffer)!;
      const at = target.byteOffset + command.byteOffset;
      new Uint8Array(target.buffer, at).set(new Uint8Array(command.data));
    });
  }
  if (batch.commands.length > 0) barrier.wait();
  if (batch.recorded) recorded.set(batch.recorded.id, batch.recorded.commands.map(ready));
  if (batch.run !== undefined) {
    for (const kernel of recorded.get(batch.run)!) step(kernel.meets, () => runKernel(kernel));
    barrier.wait();
  }
  if (batch.forgotten !== undefined) recorded.delete(batch.forgotten);
  for (const id of batch.dropped) buffers.delete(id);
  return batch.timed ? times : undefined;
}

listen = (batch) => {
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
};
early.forEach(listen);
