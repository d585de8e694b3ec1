/**
 * The CPU side of a kernel. Every thread runs every kernel of the queue in order and does its own share; the threads
 * meet at a barrier after each, so a kernel only has to be right about who writes what.
 *
 * @module
 */

import type { Kernel } from "../device.ts";
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

/** A kernel's CPU code, by the kernel's name. */
export interface CpuImplementation {
  /** The kernel's name. */
  readonly kernel: string;
  /** A thread's part of it. */
  readonly run: CpuKernel;
}

/** A kernel of any buffers and parameters. */
// deno-lint-ignore no-explicit-any
type AnyKernel = Kernel<any, any, string>;

/** A kernel's buffers, as a thread sees them. */
export type BuffersOf<K extends AnyKernel> = {
  readonly [name in keyof K["buffers"]]: Float32Array;
};

/** A kernel's scalars. */
export type ParamsOf<K extends AnyKernel> = { readonly [name in keyof K["params"]]: number };

/**
 * Gives a kernel its CPU code. The kernel's definition says which buffers and parameters there are: to ask for another is
 * a compile error.
 *
 * @param kernel The kernel's name.
 * @param run A thread's part of it.
 * @returns What `deno task build` lists in `kernels.ts`.
 */
export function implement<K extends AnyKernel>(
  kernel: K["name"],
  run: (context: Context, buffers: BuffersOf<K>, params: ParamsOf<K>) => void,
): CpuImplementation {
  return { kernel, run: run as CpuKernel };
}

/**
 * Views a buffer as integers.
 *
 * @param buffer Memory of an `i32` tensor.
 * @returns The same memory.
 */
export function ints(buffer: Float32Array): Int32Array {
  return new Int32Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
