/**
 * Plans that several ops share; see `program.ts`.
 *
 * @module
 */

import type { Dispatch, PlanInput, Program } from "./program.ts";

/** WebGPU guarantees this many workgroups a dimension. */
export const MAX_WORKGROUPS = 65_535;

/**
 * Folds a number of workgroups into two dimensions where one is not enough.
 *
 * @param count How many workgroups are needed.
 * @returns Counts along x and y whose product is at least `count`. The kernel's index is
 * `id.x + id.y * num_workgroups.x * workgroupSize` and must be checked.
 */
export function fold(count: number): [number, number] {
  if (count <= MAX_WORKGROUPS) return [Math.max(count, 1), 1];
  const y = Math.ceil(count / MAX_WORKGROUPS);
  return [Math.ceil(count / y), y];
}

/**
 * A program with one thread an element, 256 threads a workgroup. Buffers larger than a binding are seen in parts.
 *
 * @param options The WGSL, the parameter that holds the number of elements, and the buffers that have that many.
 * @returns The program.
 */
export function elementwise<B extends string, P extends string>(
  options: {
    source: string;
    entryPoint?: string;
    size: P;
    buffers: readonly B[];
  },
): Program<B, P> {
  const { source, entryPoint, size, buffers } = options;
  return {
    source,
    entryPoint,
    plan({ params, maxBindingSize, offsetAlignment }: PlanInput<B, P>): Dispatch<B, P>[] {
      const total = params[size];
      const part = Math.floor(maxBindingSize / offsetAlignment) * (offsetAlignment / 4);
      const dispatches: Dispatch<B, P>[] = [];
      for (let first = 0; first < total || first === 0; first += part) {
        const count = Math.min(part, total - first);
        const ranges: Partial<Record<B, { offset: number; size: number }>> = {};
        for (const name of buffers) ranges[name] = { offset: first * 4, size: count * 4 };
        const counted: Partial<Record<P, number>> = {};
        counted[size] = count;
        dispatches.push({ params: counted, ranges, workgroups: fold(Math.ceil(count / 256)) });
      }
      return dispatches;
    },
  };
}
