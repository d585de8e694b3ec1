/**
 * The Euclidean norm of many tensors taken together, such as all gradients of a model.
 *
 * @module
 */

import { defineKernel, type Kernel } from "../../device.ts";
import { Tensor } from "../../tensor.ts";
import { fold, rowParts } from "../../webgpu/plans.ts";
import { oneSetSource, SeveralKernel } from "../../webgpu/several.ts";
import sumOverGroup from "../../webgpu/wgsl/sum_over_group.wgsl" with { type: "text" };
import wgsl from "./global_norm.wgsl" with { type: "text" };

/** Elements summed into one partial result. Fixed, so that the bits do not depend on threads or workgroups. */
export const BLOCK = 65_536;

const buffers = { x: "read", partials: "update" } as const;

/** partials[offset + b] = Σ x² over block b. */
export const partialsKernel = defineKernel({
  name: "globalNorm.partials",
  buffers,
  params: { size: "u32", offset: "u32" },
  webgpu: {
    source: oneSetSource(buffers, [sumOverGroup, wgsl]),
    plan(input) {
      const { size, offset } = input.params;
      const blocks = Math.ceil(size / BLOCK);
      return rowParts(blocks, { x: BLOCK }, input).map(({ first, count, ranges: { x } }) => {
        const elements = Math.min(count * BLOCK, size - first * BLOCK);
        return {
          params: { size: elements, offset: offset + first },
          ranges: { x: { offset: x!.offset, size: Math.max(elements * 4, 16) } },
          workgroups: fold(count),
        };
      });
    },
  },
});

const severalKernel = new SeveralKernel({
  one: partialsKernel as unknown as Kernel,
  wgsl: [sumOverGroup, wgsl],
  each: ["x"],
  eachParams: ["size", "offset"],
  elementsPerGroup: BLOCK,
});

/**
 * Enqueues the sums of squares of several tensors and waits for their norm.
 *
 * @param tensors Any shapes, on one device; at least one.
 * @returns √Σx² over all elements, summed over blocks in double precision.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { globalNorm, tensor } from "tunebook/tensor";
 *
 * assertEquals(await globalNorm([tensor([3]), tensor([4])]), 5);
 * ```
 */
export async function globalNorm(tensors: readonly Tensor[]): Promise<number> {
  let total = 0;
  const sets = tensors.map(({ buffer, size }) => {
    const offset = total;
    total += Math.ceil(size / BLOCK);
    return { buffers: { x: buffer }, params: { size, offset } };
  });
  const { device } = tensors[0];
  const partials = Tensor.empty(device, [total]).keep();
  try {
    severalKernel.run(device, sets, { buffers: { partials: partials.buffer }, params: {} });
    return Math.sqrt((await partials.data()).reduce((sum, value) => sum + value, 0));
  } finally {
    partials.dispose();
  }
}
