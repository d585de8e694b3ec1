// Stops a running cell by the mildest means that works.

import type { Message } from "../messages.ts";
import { startTimer } from "../timer.ts";
import type { KernelLink } from "./link.ts";
import { STOP } from "./stop_times.ts";

/** What may stop a cell. */
export interface StopCauses {
  /** Stops the cell. */
  signal?: AbortSignal;
  /** Seconds after which the cell is stopped. */
  timeout?: number;
  /** Called with the reason when the stop begins. */
  onStop: (cause: "stopped" | "timeout") => void;
}

/**
 * Waits for a cell's reply, and stops the cell when told.
 *
 * @param link The kernel.
 * @param cell The prelude's number for the cell.
 * @param reply The cell's reply.
 * @returns The reply; undefined if the kernel ended.
 */
export async function supervise(
  link: KernelLink,
  cell: number,
  reply: Promise<Message>,
  { signal, timeout, onStop }: StopCauses,
): Promise<Message | undefined> {
  const stop = Promise.withResolvers<"stopped" | "timeout">();
  const onAbort = () => stop.resolve("stopped");
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = timeout === undefined ? undefined : startTimer(timeout * 1000);
  timer?.passed.then(() => stop.resolve("timeout"));
  try {
    const first = await Promise.race([
      reply,
      link.kernel.exited.then(() => undefined),
      stop.promise,
    ]);
    if (typeof first !== "string") return first;
    onStop(first);
    return await stopCell(link, cell, reply);
  } finally {
    signal?.removeEventListener("abort", onAbort);
    timer?.cancel();
  }
}

/** Stops the running cell; the last resort is to end the kernel. */
async function stopCell(
  link: KernelLink,
  cell: number,
  reply: Promise<Message>,
): Promise<Message | undefined> {
  const { kernel } = link;
  const within = async (milliseconds: number) => (await link.within(reply, milliseconds))?.value;
  const heard = Promise.race([reply, link.waitFor(`stopping ${cell}`)]);
  const before = await kernel.cpuSeconds();
  await kernel.tell(`stop ${cell}`);
  let first = await link.within(heard, link.signalTaken ? STOP.busyLibrary : STOP.busy);
  if (first === undefined && !kernel.ended) {
    // A kernel that does not run either is short of processor time on a loaded machine: wait,
    // because interrupting a pending await would lose all state.
    const after = await kernel.cpuSeconds();
    const idle = before !== undefined && after !== undefined && after - before < 0.05;
    if (idle) first = await link.within(heard, STOP.starved);
  }
  if (first !== undefined && "header" in first.value) return first.value;
  if (first !== undefined) {
    // The event loop turns, so awaits are being abandoned.
    const ended = await within(STOP.settle + (link.signalTaken ? STOP.grace : 0));
    if (ended !== undefined) return ended;
  }
  if (!kernel.ended) {
    // JavaScript runs without pausing. (With a pending await this would hang the kernel for good.)
    await kernel.interrupt();
    const ended = await within(STOP.settle);
    if (ended !== undefined) return ended;
  }
  kernel.kill();
  await kernel.exited;
  return undefined;
}
