/**
 * Copies rows into a larger tensor, in place: how keys and values enter a cache.
 *
 * @module
 */

import { defineKernel } from "../../device.ts";
import { type Columns, columnsOf } from "../../columns.ts";
import { formatShape, type Tensor } from "../../tensor.ts";
import { fold, rowParts } from "../../webgpu/plans.ts";
import wgsl from "./copy_rows.wgsl" with { type: "text" };

/**
 * Copies `size` elements in rows of `width` to y, from element `offset` on. A row of x begins `xWidth` elements after the one
 * before, and what is copied of it `xFirst` elements later.
 */
export const copyRowsKernel = defineKernel({
  name: "copyRows",
  buffers: { x: "read", y: "update" },
  params: { size: "u32", offset: "u32", width: "u32", xWidth: "u32", xFirst: "u32" },
  webgpu: {
    source: wgsl,
    uniforms: { start: "u32" },
    plan(input) {
      const { params: { size, offset, width, xWidth }, offsetAlignment, maxBindingSize } = input;
      // The target's binding begins up to an alignment before what is written.
      const limits = { offsetAlignment, maxBindingSize: maxBindingSize - offsetAlignment };
      // Rows that lie one after another may be parted anywhere.
      const unit = width === xWidth ? 1 : width;
      const widths = { x: width === xWidth ? 1 : xWidth };
      return rowParts(size / unit, widths, limits).map(({ first, count, ranges }) => {
        const begin = (offset + first * unit) * 4;
        // A target that fits is shown whole: the next row then needs no other bind group.
        const skipped = input.byteLengths.y <= maxBindingSize ? begin : begin % offsetAlignment;
        const elements = count * unit;
        return {
          params: { size: elements },
          uniforms: { start: skipped / 4 },
          ranges: { ...ranges, y: { offset: begin - skipped, size: skipped + elements * 4 } },
          workgroups: fold(Math.ceil(elements / 256)),
        };
      });
    },
  },
});

/**
 * Copies all rows of one tensor, or of some of its columns, to consecutive rows of another. Not recorded.
 *
 * @param target (R, C), overwritten in part.
 * @param source (r, C): a tensor, or {@linkcode columns} of one.
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
export function copyRows(target: Tensor, source: Tensor | Columns, firstRow: number): void {
  const { of, first, width } = columnsOf(source);
  const { rows } = of;
  if (target.width !== width) {
    throw new TypeError(
      `Cannot copy rows of shape ${formatShape([rows, width])} into ${
        formatShape(target.shape)
      }: ` +
        "widths must be equal",
    );
  }
  if (firstRow < 0 || firstRow + rows > target.rows) {
    throw new RangeError(
      `Cannot copy ${rows} rows to row ${firstRow} of a tensor with ${target.rows} rows`,
    );
  }
  target.device.run(
    copyRowsKernel,
    { x: of.buffer, y: target.buffer },
    { size: rows * width, offset: firstRow * width, width, xWidth: of.width, xFirst: first },
  );
}
