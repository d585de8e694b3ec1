/**
 * Splits rows into blocks of columns, as a joint projection into its queries, keys and values.
 *
 * @module
 */

import { defineKernel } from "../../device.ts";
import { type Columns, columnsOf, isWhole } from "../../columns.ts";
import { record } from "../../recording.ts";
import { assertTensors } from "../../shapes.ts";
import { formatShape, Tensor } from "../../tensor.ts";
import { fold, overRows } from "../../webgpu/plans.ts";
import backwardWgsl from "./backward.wgsl" with { type: "text" };
import forwardWgsl from "./forward.wgsl" with { type: "text" };
import { fill } from "../fill/fill.ts";

/** y = x[:, offset : offset + columns]. */
export const forwardKernel = defineKernel({
  name: "split.forward",
  buffers: { x: "read", y: "write" },
  params: { rows: "u32", width: "u32", offset: "u32", columns: "u32" },
  webgpu: overRows({
    source: forwardWgsl,
    rows: ({ rows }) => rows,
    widths: ({ width, columns }) => ({ x: width, y: columns }),
    dispatch: ({ count }, { params }) => ({
      params: { rows: count },
      workgroups: fold(Math.ceil(count * params.columns / 256)),
    }),
  }),
});

/** dx[:, offset : offset + columns] += dy. */
export const backwardKernel = defineKernel({
  name: "split.backward",
  buffers: { dy: "read", dx: "update" },
  params: { rows: "u32", width: "u32", offset: "u32", columns: "u32" },
  webgpu: overRows({
    source: backwardWgsl,
    rows: ({ rows }) => rows,
    widths: ({ width, columns }) => ({ dy: columns, dx: width }),
    dispatch: ({ count }, { params }) => ({
      params: { rows: count },
      workgroups: fold(Math.ceil(count * params.columns / 256)),
    }),
  }),
});

/**
 * Splits a tensor along its last dimension.
 *
 * @param x (…, C).
 * @param widths How many columns each part takes; they add up to C.
 * @returns The parts, (…, widths[i]).
 * @throws {TypeError} If the widths do not add up.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { split, tensor } from "tunebook/tensor";
 *
 * const [a, b] = split(tensor([[1, 2, 3]]), [1, 2]);
 * assertEquals([a.shape, b.shape], [[1, 1], [1, 2]]);
 * ```
 */
export function split(x: Tensor, widths: readonly number[]): Tensor[] {
  assertTensors("split", x);
  const { rows, width } = x;
  if (widths.reduce((sum, columns) => sum + columns, 0) !== width) {
    throw new TypeError(
      `Cannot split a tensor of shape ${formatShape(x.shape)} into widths ${widths.join(", ")}: ` +
        `they must add up to ${width}`,
    );
  }
  let next = 0;
  return widths.map((columns) => {
    const offset = next;
    next += columns;
    const y = Tensor.empty(x.device, [...x.shape.slice(0, -1), columns]);
    const params = { rows, width, offset, columns };
    x.device.run(forwardKernel, { x: x.buffer, y: y.buffer }, params);
    return record(y, [x], (dy, gradients) => {
      const { gradient, accumulate } = gradients.into(x);
      if (!accumulate) fill(gradient, 0);
      x.device.run(backwardKernel, { dy: dy.buffer, dx: gradient.buffer }, params);
    });
  });
}

/**
 * Makes a tensor of columns, for operations that cannot read them where they are.
 *
 * @param input A tensor, or columns of one.
 * @returns The tensor itself if it is one, otherwise a copy of the columns.
 */
export function copyColumns(input: Tensor | Columns): Tensor {
  const columns = columnsOf(input);
  const { of, first, width } = columns;
  if (isWhole(columns)) return of;
  const widths = [first, width, of.width - first - width].filter((width) => width > 0);
  return split(of, widths)[first > 0 ? 1 : 0];
}
