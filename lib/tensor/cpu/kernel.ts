/**
 * The CPU side of a kernel. Every thread runs every kernel of the queue in order and does its own share; the threads
 * meet at a barrier after each, so a kernel only has to be right about who writes what.
 *
 * @module
 */

import type { Context } from "./context.ts";

/**
 * One thread's part of a kernel.
 *
 * @param context The thread: its share, its WASM kernels and their memory, BLAS.
 * @param buffers Tensors' memory, shared by all threads. Integer tensors are viewed by {@linkcode ints}.
 * @param params The kernel's scalars.
 */
export type CpuKernel = (
  context: Context,
  buffers: Record<string, Float32Array>,
  params: Record<string, number>,
) => void;

/**
 * Views a buffer as integers.
 *
 * @param buffer Memory of an `i32` tensor.
 * @returns The same memory.
 */
export function ints(buffer: Float32Array): Int32Array {
  return new Int32Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
