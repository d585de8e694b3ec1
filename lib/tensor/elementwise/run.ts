/**
 * Computes formulas of tensors.
 *
 * @module
 */

import { joinDimensions, stridesIn } from "../broadcast.ts";
import type { Tensor } from "../tensor.ts";
import { elementwiseKernel, RESULT, walkParams } from "./kernel.ts";

/** What a formula is compiled for. */
export interface CompiledFormula {
  /** The kernel's name. */
  readonly kernel: string;
  /** Name of the compiled function. */
  readonly compiled: string;
  readonly formula: string;
  /** Tensors that the formula uses. */
  readonly inputs: readonly string[];
  /** Numbers that the formula uses. */
  readonly numbers: readonly string[];
  readonly accumulates: boolean;
}

/**
 * Computes a formula of tensors that are broadcast to the result's shape.
 *
 * @param formula The formula.
 * @param values Tensors and numbers by name; those that it does not use are ignored.
 * @param result Where the elements go.
 * @param accumulate 1 to add to what is there.
 * @param numbers Values of its numbers.
 */
export function runFormula(
  formula: CompiledFormula,
  values: Readonly<Record<string, Tensor>>,
  result: Tensor,
  accumulate: 0 | 1,
  numbers: Readonly<Record<string, number>> = {},
): void {
  const { size, shape, device } = result;
  if (size === 0) return;
  const { inputs } = formula;
  const walk = joinDimensions({
    lengths: shape,
    strides: inputs.map((input) => stridesIn(values[input].shape, shape)),
  });
  const kernel = elementwiseKernel({
    ...formula,
    name: formula.kernel,
    rank: walk.lengths.length,
  });
  const buffers: Record<string, Tensor["buffer"]> = {};
  for (const input of inputs) buffers[input] = values[input].buffer;
  device.run(kernel, { ...buffers, [RESULT]: result.buffer }, {
    size,
    ...(formula.accumulates ? { accumulate } : {}),
    ...numbers,
    ...walkParams(inputs, walk),
  });
}
