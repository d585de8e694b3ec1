/**
 * Copies rows into a larger tensor, in place: how keys and values enter a cache.
 *
 * @module
 */

import { defineKernel } from "../../device.ts";
import { formatShape, type Tensor } from "../../tensor.ts";
import { fold, rowParts } from "../../webgpu/plans.ts";
import wgsl from "./copy_rows.wgsl" with { type: "text" };

export const copyRowsKernel = defineKernel({
  name: "copyRows",
  buffers: { x: "read", y: "update" },
  params: { size: "u32", offset: "u32" },
  webgpu: {
    source: wgsl,
    uniforms: { start: "u32" },
    plan(input) {
      const { params: { size, offset }, offsetAlignment, maxBindingSize } = input;
      // The target's binding begins up to an alignment before what is written.
      const limits = { offsetAlignment, maxBindingSize: maxBindingSize - offsetAlignment };
      return rowParts(size, { x: 1 }, limits).map(({ first, count, ranges }) => {
        const begin = (offset + first) * 4;
        const skipped = begin % offsetAlignment;
        return {
          params: { size: count },
          uniforms: { start: skipped / 4 },
          ranges: { ...ranges, y: { offset: begin - skipped, size: skipped + count * 4 } },
          workgroups: fold(Math.ceil(count / 256)),
        };
      });
    },
  },
});

/**
 * Copies all rows of one tensor to consecutive rows of another. Not recorded.
 *
 * @param target (R, C), overwritten in part.
 * @param source (r, C).
 * @param firstRow The row of the target where the first goes.
 * @throws {TypeError} If the widths differ.
 * @throws {RangeError} If the rows do not fit.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { copyRows, tensor, zeros } from "tunebook/tensor";
 *
 * const target = zeros([3, 2]);
 * copyRows(target, tensor([[1, 2]]), 1);
 * assertEquals([...await target.data()], [0, 0, 1, 2, 0, 0]);
 * ```
 */
export function copyRows(target: Tensor, source: Tensor, firstRow: number): void {
  if (target.width !== source.width) {
    throw new TypeError(
      `Cannot copy rows of shape ${formatShape(source.shape)} into ${formatShape(target.shape)}: ` +
        "widths must be equal",
    );
  }
  if (firstRow < 0 || firstRow + source.rows > target.rows) {
    throw new RangeError(
      `Cannot copy ${source.rows} rows to row ${firstRow} of a tensor with ${target.rows} rows`,
    );
  }
  target.device.run(
    copyRowsKernel,
    { x: source.buffer, y: target.buffer },
    { size: source.size, offset: firstRow * target.width },
  );
}
