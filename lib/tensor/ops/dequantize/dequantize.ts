/**
 * Widens packed weights to float32: a range of rows and columns, or rows by number, into memory that exists. Products
 * and look-ups with packed matrices are made of it, a part at a time, so that no wide copy of a weight exists.
 *
 * @module
 */

import { defineKernel } from "../../device.ts";
import { isPacked, PACKED_FORMATS, packedBytes, packedRowBytes } from "../../packed.ts";
import { formatShape, Tensor } from "../../tensor.ts";
import { fold, rowParts } from "../../webgpu/plans.ts";
import wgsl from "./dequantize.wgsl" with { type: "text" };

/**
 * y[t] = columns `firstColumn` … of the packed row firstRow + t, or ids[t] where `hasIds` is 1, for `rows` of them.
 * `kind` is the format's number; `scales` is the same memory as `packed`, and `scalesAt` the byte where they begin.
 */
export const dequantizeKernel = defineKernel({
  name: "dequantize",
  buffers: { packed: "read", scales: "read", ids: "read", y: "write" },
  params: {
    kind: "u32",
    rows: "u32",
    firstRow: "u32",
    tableRows: "u32",
    width: "u32",
    firstColumn: "u32",
    columns: "u32",
    hasIds: "u32",
    scalesAt: "u32",
  },
  webgpu: {
    source: wgsl,
    uniforms: { skip: "u32", partFirst: "u32", partRows: "u32", firstOut: "u32", rowBytes: "u32" },
    plan(input) {
      const { kind, rows, firstRow, tableRows, width, columns, hasIds, scalesAt } = input.params;
      const names = Object.keys(PACKED_FORMATS).filter(isPacked);
      const type = names.find((name) => PACKED_FORMATS[name].id === kind)!;
      const rowBytes = packedRowBytes(type, width);
      const scalesBytes = packedBytes(type, tableRows, width).total - scalesAt;
      const { maxBindingSize, offsetAlignment } = input;
      const [first, last] = hasIds ? [0, tableRows] : [firstRow, firstRow + rows];
      const step = Math.floor((maxBindingSize - offsetAlignment) / rowBytes);
      if (step < 1) {
        throw new RangeError(
          `Cannot widen rows of ${rowBytes} bytes: a kernel sees at most ${maxBindingSize} at once`,
        );
      }
      return rowParts(rows, { y: columns }, input).flatMap((out) => {
        const dispatches = [];
        for (let partFirst = first; partFirst < last; partFirst += step) {
          const partRows = Math.min(step, last - partFirst);
          const start = partFirst * rowBytes;
          const offset = start - start % offsetAlignment;
          const size = Math.ceil((start - offset + partRows * rowBytes) / 16) * 16;
          dispatches.push({
            params: { rows: out.count },
            uniforms: { skip: start - offset, partFirst, partRows, firstOut: out.first, rowBytes },
            ranges: {
              ...out.ranges,
              packed: { offset, size },
              ids: { offset: 0, size: hasIds ? Math.max(rows * 4, 16) : 16 },
              scales: { offset: scalesAt, size: scalesAt > 0 ? scalesBytes : 16 },
            },
            workgroups: fold(Math.ceil(out.count * columns / 256)),
          });
        }
        return dispatches;
      });
    },
  },
});

/** Which part of a packed matrix is widened. */
export interface DequantizeOptions {
  /** How many rows: as many as there are ids, if there are. */
  readonly rows: number;
  /** The first of them; 0 by default. */
  readonly firstRow?: number;
  /** Numbers of the rows, (rows), instead of consecutive ones. They must be within the matrix. */
  readonly ids?: Tensor;
  /** The first column, at a block's beginning; 0 by default. */
  readonly firstColumn?: number;
  /** How many columns, whole blocks; all by default. */
  readonly columns?: number;
}

/**
 * Widens a part of a packed matrix into a tensor that exists. Not recorded.
 *
 * @param y (rows, columns), or larger.
 * @param packed A matrix in one of the storage types of `packed.ts`.
 * @param options Which part.
 * @throws {TypeError} If it is not packed, or the columns are not whole blocks.
 * @throws {RangeError} If the part is outside the matrix, or does not fit `y`.
 */
export function dequantizeInto(y: Tensor, packed: Tensor, options: DequantizeOptions): void {
  const { dtype, width, rows: tableRows, device } = packed;
  const { rows, firstRow = 0, ids, firstColumn = 0, columns = width } = options;
  if (!isPacked(dtype)) {
    throw new TypeError(`Cannot widen a tensor of type "${dtype}": it is not packed`);
  }
  const { blockElements, id } = PACKED_FORMATS[dtype];
  if (firstColumn % blockElements !== 0 || columns % blockElements !== 0) {
    throw new TypeError(
      `Cannot widen ${columns} columns from ${firstColumn} on of "${dtype}": ` +
        `expected multiples of ${blockElements}`,
    );
  }
  const inside = firstColumn + columns <= width && (ids ? rows <= ids.size : true) &&
    firstRow + (ids ? 0 : rows) <= tableRows;
  if (!inside || rows * columns > y.size) {
    throw new RangeError(
      `Cannot widen ${rows} rows from ${firstRow} on and ${columns} columns from ${firstColumn} on ` +
        `of a matrix of shape ${formatShape(packed.shape)} into one of ${formatShape(y.shape)}`,
    );
  }
  if (rows === 0) return;
  device.run(
    dequantizeKernel,
    {
      packed: packed.buffer,
      scales: packed.buffer,
      ids: (ids ?? packed).buffer,
      y: y.buffer,
    },
    {
      kind: id,
      rows,
      firstRow,
      tableRows,
      width,
      firstColumn,
      columns,
      hasIds: Number(ids !== undefined),
      scalesAt: packedBytes(dtype, tableRows, width).scalesAt,
    },
  );
}

/**
 * Makes a float32 copy of a packed tensor. Not recorded.
 *
 * @param packed In one of the storage types of `packed.ts`.
 * @returns A tensor of the same shape.
 * @throws {TypeError} If it is not packed.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { dequantize, packNf4, pick, Tensor } from "tunebook/tensor";
 *
 * const device = await pick({ device: "cpu" });
 * const values = Float32Array.from({ length: 64 }, (_, i) => i % 2 === 0 ? 1 : -1);
 * const packed = Tensor.pack(device, packNf4(values, 1, 64, "nf4"), [1, 64], "nf4");
 * assertEquals(dequantize(packed).dtype, "f32");
 * device.close();
 * ```
 */
export function dequantize(packed: Tensor): Tensor {
  const y = Tensor.empty(packed.device, packed.shape);
  dequantizeInto(y, packed, { rows: packed.rows });
  return y;
}
