/**
 * Computes formulas of tensors.
 *
 * @module
 */

import { equalShapes, joinDimensions, stridesIn } from "../broadcast.ts";
import type { Tensor } from "../tensor.ts";
import { type CompiledFormula, elementwiseKernel, RESULT, walkParams } from "./kernel.ts";

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
  // Nothing is repeated in most cases: then all elements are one dimension.
  const dense = inputs.every((input) => equalShapes(values[input].shape, shape));
  const walk = dense ? undefined : joinDimensions({
    lengths: shape,
    strides: inputs.map((input) => stridesIn(values[input].shape, shape)),
  });
  const walked = walk ? walkParams(inputs, walk) : denseParams(formula);
  const buffers: Record<string, Tensor["buffer"]> = {};
  for (const input of inputs) buffers[input] = values[input].buffer;
  buffers[RESULT] = result.buffer;
  const params: Record<string, number> = { ...walked, size, ...numbers };
  if (formula.accumulates) params.accumulate = accumulate;
  device.run(elementwiseKernel(formula, walk?.lengths.length ?? 1), buffers, params);
}

/** Parameters of walks over one dimension, by formula: small operations take as long as the names of these. */
const paramsOfDense = new WeakMap<CompiledFormula, Readonly<Record<string, number>>>();

function denseParams(formula: CompiledFormula): Readonly<Record<string, number>> {
  let params = paramsOfDense.get(formula);
  if (!params) {
    const strides = formula.inputs.map(() => [1]);
    paramsOfDense.set(formula, params = walkParams(formula.inputs, { lengths: [], strides }));
  }
  return params;
}
