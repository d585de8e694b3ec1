/**
 * Enqueues reductions over dimensions of a tensor.
 *
 * @module
 */

import type { ReductionOptions } from "../options.ts";
import { formatShape, sizeOf, Tensor } from "../tensor.ts";
import { type ReductionFormulas, reductionKernel } from "./kernel.ts";
import { stridedCopy } from "../ops/strided_copy/strided_copy.ts";
import { sumFormulas } from "./sum_formulas.ts";

/**
 * Reduces dimensions to length 1. Not recorded.
 *
 * @param formulas What to compute.
 * @param x Any shape.
 * @param axes The dimensions, from 0, in ascending order.
 * @returns A tensor of the same number of dimensions.
 */
export function reduceAxes(
  formulas: ReductionFormulas,
  x: Tensor,
  axes: readonly number[],
): Tensor {
  let result = x;
  let end = axes.length;
  // Dimensions side by side are one; the last go first.
  while (end > 0) {
    let start = end - 1;
    while (start > 0 && axes[start - 1] === axes[start] - 1) start--;
    const { shape } = result;
    const [low, high] = [axes[start], axes[end - 1] + 1];
    const reduced = [...shape.slice(0, low), ...axes.slice(start, end).map(() => 1)];
    const y = Tensor.empty(x.device, [...reduced, ...shape.slice(high)]);
    if (y.size > 0) {
      const length = sizeOf(shape.slice(low, high));
      const seen = { outer: sizeOf(shape.slice(0, low)), length, inner: sizeOf(shape.slice(high)) };
      reduceInto(formulas, result, y, seen, length);
    }
    if (result !== x) result.dispose();
    result = y;
    end = start;
  }
  return result;
}

/** How a tensor is seen: `length` is reduced. */
interface Seen {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}

/** Reduces at once, or in parts where what makes one result is larger than a binding. */
function reduceInto(
  formulas: ReductionFormulas,
  x: Tensor,
  y: Tensor,
  seen: Seen,
  count: number,
): void {
  const { device } = x;
  const { outer, length, inner } = seen;
  // Half, since where a part begins must be aligned.
  const most = Math.floor(device.maxBindingSize / 2 / 4 / Math.max(inner, 1));
  if (length * inner * 4 <= device.maxBindingSize / 2 || length <= 1 || most < 2) {
    const buffers = { x: x.buffer, y: y.buffer };
    return device.run(reductionKernel(formulas), buffers, { ...seen, count });
  }
  const parts = Math.ceil(length / most);
  const totals = Tensor.empty(device, [outer, parts, inner]);
  const inTotals = [parts * inner, 1];
  for (let part = 0; part < parts; part++) {
    const first = part * most;
    const size = Math.min(most, length - first);
    const rows = Tensor.empty(device, [outer, size, inner]);
    const from = { offset: first * inner, strides: [length * inner, 1] };
    stridedCopy([outer, size * inner], x, from, rows, { strides: [size * inner, 1] });
    const total = Tensor.empty(device, [outer, inner]);
    reduceInto(formulas, rows, total, { outer, length: size, inner }, -1);
    const to = { offset: part * inner, strides: inTotals };
    stridedCopy([outer, inner], total, { strides: [inner, 1] }, totals, to);
    rows.dispose();
    total.dispose();
  }
  reduceInto(formulas, totals, y, { outer, length: parts, inner }, count);
  totals.dispose();
}

/**
 * Sums a tensor over the dimensions in which another was repeated to its shape: how gradients of repeated tensors are
 * made. Not recorded.
 *
 * @param x What to sum.
 * @param shape A shape that broadcasts to that of `x`.
 * @returns A tensor of this shape.
 */
export function sumTo(x: Tensor, shape: readonly number[]): Tensor {
  const axes: number[] = [];
  x.shape.forEach((length, axis) => {
    const own = shape[axis - (x.shape.length - shape.length)];
    if (own === undefined || (own === 1 && length !== 1)) axes.push(axis);
  });
  if (axes.length === 0) return x.alias(shape);
  const sums = reduceAxes(sumFormulas, x, axes);
  const result = sums.alias(shape);
  sums.dispose();
  return result;
}

/**
 * Reads a dimension's number.
 *
 * @param action What is being done, such as `"sum"`.
 * @param shape The tensor's shape.
 * @param axis The number; negative ones count from the end.
 * @returns The number from 0.
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If there is no such dimension.
 */
export function readAxis(action: string, shape: readonly number[], axis: number): number {
  const rank = shape.length;
  if (typeof axis !== "number") {
    throw new TypeError(
      `Cannot ${action} a tensor along axis ${JSON.stringify(axis)}: expected a number`,
    );
  }
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    const expected = rank === 0 ? "it has no dimensions" : `expected ${-rank} to ${rank - 1}`;
    throw new RangeError(
      `Cannot ${action} a tensor of shape ${formatShape(shape)} along axis ${axis}: ${expected}`,
    );
  }
  return axis < 0 ? axis + rank : axis;
}

/**
 * Reads the dimensions that a reduction's options name.
 *
 * @param action What is being done, such as `"sum"`.
 * @param shape The tensor's shape.
 * @param axis The option.
 * @returns Numbers from 0, in ascending order.
 * @throws {RangeError} If there is no such dimension, or one is named twice.
 */
export function readAxes(
  action: string,
  shape: readonly number[],
  axis: ReductionOptions["axis"],
): number[] {
  if (axis === undefined) return shape.map((_, i) => i);
  const axes = (Array.isArray(axis) ? axis : [axis])
    .map((one) => readAxis(action, shape, one)).sort((a, b) => a - b);
  const twice = axes.find((one, i) => one === axes[i + 1]);
  if (twice !== undefined) {
    throw new RangeError(`Cannot ${action} a tensor along axis ${twice} twice`);
  }
  return axes;
}
