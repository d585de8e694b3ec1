/**
 * Looks rows up in a table; its gradient adds rows back to the table.
 *
 * @module
 */

import { defineKernel } from "../../device.ts";
import { inputTensor } from "../../input.ts";
import { isPacked } from "../../packed.ts";
import { record } from "../../recording.ts";
import { assertTensors } from "../../shapes.ts";
import { formatShape, Tensor } from "../../tensor.ts";
import { fold, rowParts } from "../../webgpu/plans.ts";
import backwardWgsl from "./backward.wgsl" with { type: "text" };
import forwardWgsl from "./forward.wgsl" with { type: "text" };
import { dequantizeInto } from "../dequantize/dequantize.ts";
import { fill } from "../fill/fill.ts";

/** y[t] = table[ids[t]]. The table may be larger than one binding. */
export const forwardKernel = defineKernel({
  name: "embedding.forward",
  buffers: { table: "read", ids: "read", y: "write" },
  params: { tokens: "u32", width: "u32", vocabularySize: "u32" },
  webgpu: {
    source: forwardWgsl,
    uniforms: { firstRow: "u32", rowCount: "u32", firstToken: "u32" },
    plan(input) {
      const { tokens, width, vocabularySize } = input.params;
      const tables = rowParts(vocabularySize, { table: width }, input);
      return rowParts(tokens, { y: width }, input).flatMap((part) =>
        tables.map((rows) => ({
          params: { tokens: part.count },
          uniforms: { firstRow: rows.first, rowCount: rows.count, firstToken: part.first },
          ranges: { ...rows.ranges, ...part.ranges },
          workgroups: fold(Math.ceil(part.count * width / 256)),
        }))
      );
    },
  },
});

/**
 * dTable[rows[u]] += Σ dy[order[i]] for i from starts[u] to starts[u + 1], in that order. Sorting by row on the host
 * makes this free of atomics, so that it gives the same bits each time.
 */
export const backwardKernel = defineKernel({
  name: "embedding.backward",
  buffers: { rows: "read", starts: "read", order: "read", dy: "read", dTable: "update" },
  params: { unique: "u32", width: "u32", vocabularySize: "u32" },
  webgpu: {
    source: backwardWgsl,
    uniforms: { firstRow: "u32", rowCount: "u32", firstToken: "u32", tokenCount: "u32" },
    plan(input) {
      const { unique, width, vocabularySize } = input.params;
      const tokens = Math.floor(input.byteLengths.dy / (width * 4)); // or more: the pool rounds up
      const tables = rowParts(vocabularySize, { dTable: width }, input);
      return rowParts(tokens, { dy: width }, input).flatMap((part) =>
        tables.map((rows) => ({
          uniforms: {
            firstRow: rows.first,
            rowCount: rows.count,
            firstToken: part.first,
            tokenCount: part.count,
          },
          ranges: { ...rows.ranges, ...part.ranges },
          workgroups: fold(Math.ceil(unique * width / 256)),
        }))
      );
    },
  },
});

/**
 * Looks up rows of a table.
 *
 * @param table (V, C); it may be packed, and then only these rows are widened.
 * @param ids Row numbers, T of them, each from 0 to V − 1.
 * @returns (T, C).
 * @throws {TypeError} If the table does not have two dimensions.
 * @throws {RangeError} If an id is outside the table.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { embedding, tensor } from "tunebook/tensor";
 *
 * const table = tensor([[1, 2], [3, 4], [5, 6]]);
 * assertEquals([...await embedding(table, Int32Array.of(2, 0)).data()], [5, 6, 1, 2]);
 * ```
 */
export function embedding(table: Tensor, ids: Int32Array): Tensor {
  assertTensors("look up rows of", table);
  if (table.shape.length !== 2) {
    throw new TypeError(
      `Cannot look up rows in a tensor of shape ${formatShape(table.shape)}: expected (V, C)`,
    );
  }
  const [vocabularySize, width] = table.shape;
  const outside = ids.findIndex((id) => id < 0 || id >= vocabularySize);
  if (outside >= 0) {
    throw new RangeError(
      `Cannot look up id ${ids[outside]} at position ${outside}: ` +
        `the table has rows 0 to ${vocabularySize - 1}`,
    );
  }
  const { device } = table;
  const tokens = ids.length;
  const idTensor = inputTensor(device, () => ids);
  const y = Tensor.empty(device, [tokens, width]);
  if (isPacked(table.dtype)) {
    dequantizeInto(y, table, { rows: tokens, ids: idTensor });
    idTensor.dispose();
    return y;
  }
  device.run(
    forwardKernel,
    { table: table.buffer, ids: idTensor.buffer, y: y.buffer },
    { tokens, width, vocabularySize },
  );
  idTensor.dispose();
  return record(y, [table], (dy, gradients) => {
    const { gradient, accumulate } = gradients.into(table);
    if (!accumulate) fill(gradient, 0);
    const { rows, starts, order } = groupByRow(ids);
    const [rowsTensor, startsTensor, orderTensor] = [rows, starts, order].map((indices) =>
      Tensor.from(device, indices)
    );
    device.run(
      backwardKernel,
      {
        rows: rowsTensor.buffer,
        starts: startsTensor.buffer,
        order: orderTensor.buffer,
        dy: dy.buffer,
        dTable: gradient.buffer,
      },
      { unique: rows.length, width, vocabularySize },
    );
  });
}

/** Groups positions by id: ascending rows, where each one's positions start in `order`, and the positions. */
function groupByRow(
  ids: Int32Array,
): { rows: Int32Array; starts: Int32Array; order: Int32Array } {
  const order = Int32Array.from(ids.keys()).sort((a, b) => ids[a] - ids[b] || a - b);
  const rows: number[] = [];
  const starts: number[] = [];
  order.forEach((position, i) => {
    if (i > 0 && ids[position] === rows.at(-1)) return;
    rows.push(ids[position]);
    starts.push(i);
  });
  starts.push(order.length);
  return { rows: Int32Array.from(rows), starts: Int32Array.from(starts), order };
}
