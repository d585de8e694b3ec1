/**
 * Operations that are declared by formulas, as methods of tensors. Written by `deno task build` from the functions of
 * `elementwise/` and `reductions/`.
 *
 * @module
 */

import type { ReductionOptions } from "./options.ts";

/** Operations as methods: each is the function of the same name, with the tensor as its first argument. */
export interface FormulaMethods<Tensor> {
  /**
   * Takes the absolute value of every element. At 0 the gradient is 0.
   *
   * @returns A tensor of the same shape.
   */
  abs(): Tensor;
  /**
   * Adds two tensors, element by element.
   * The tensor itself is `a`.
   *
   * @param b A shape that broadcasts with it, or a number.
   * @returns A tensor of the shape that both are broadcast to.
   * @throws {TypeError} If the shapes do not broadcast, or no operand is a tensor.
   */
  add(b: Tensor | number): Tensor;
  /**
   * Divides a tensor by another, element by element.
   * The tensor itself is `a`.
   *
   * @param b A shape that broadcasts with it, or a number.
   * @returns A tensor of the shape that both are broadcast to.
   * @throws {TypeError} If the shapes do not broadcast, or no operand is a tensor.
   */
  div(b: Tensor | number): Tensor;
  /**
   * Tells which elements are equal: 1 where they are, 0 where not. There is no gradient.
   * The tensor itself is `a`.
   *
   * @param b A shape that broadcasts with it, or a number.
   * @returns A tensor of the shape that both are broadcast to.
   * @throws {TypeError} If the shapes do not broadcast, or no operand is a tensor.
   */
  equal(b: Tensor | number): Tensor;
  /**
   * Raises e to every element.
   *
   * @returns A tensor of the same shape.
   */
  exp(): Tensor;
  /**
   * Applies GELU, computed exactly, to every element.
   *
   * @returns A tensor of the same shape.
   */
  geluErf(): Tensor;
  /**
   * Tells which elements are greater: 1 where they are, 0 where not. There is no gradient.
   * The tensor itself is `a`.
   *
   * @param b A shape that broadcasts with it, or a number.
   * @returns A tensor of the shape that both are broadcast to.
   * @throws {TypeError} If the shapes do not broadcast, or no operand is a tensor.
   */
  greater(b: Tensor | number): Tensor;
  /**
   * Tells which elements are greater or equal: 1 where they are, 0 where not. There is no gradient.
   * The tensor itself is `a`.
   *
   * @param b A shape that broadcasts with it, or a number.
   * @returns A tensor of the shape that both are broadcast to.
   * @throws {TypeError} If the shapes do not broadcast, or no operand is a tensor.
   */
  greaterEqual(b: Tensor | number): Tensor;
  /**
   * Tells which elements are less: 1 where they are, 0 where not. There is no gradient.
   * The tensor itself is `a`.
   *
   * @param b A shape that broadcasts with it, or a number.
   * @returns A tensor of the shape that both are broadcast to.
   * @throws {TypeError} If the shapes do not broadcast, or no operand is a tensor.
   */
  less(b: Tensor | number): Tensor;
  /**
   * Tells which elements are less or equal: 1 where they are, 0 where not. There is no gradient.
   * The tensor itself is `a`.
   *
   * @param b A shape that broadcasts with it, or a number.
   * @returns A tensor of the shape that both are broadcast to.
   * @throws {TypeError} If the shapes do not broadcast, or no operand is a tensor.
   */
  lessEqual(b: Tensor | number): Tensor;
  /**
   * Takes the natural logarithm of every element; NaN of negative ones.
   *
   * @returns A tensor of the same shape.
   */
  log(): Tensor;
  /**
   * Applies the logarithm of the logistic function to every element, without overflow.
   *
   * @returns A tensor of the same shape.
   */
  logSigmoid(): Tensor;
  /**
   * Takes the larger of two elements; NaN where one is NaN. Where both are equal, each has half of the gradient.
   * The tensor itself is `a`.
   *
   * @param b A shape that broadcasts with it, or a number.
   * @returns A tensor of the shape that both are broadcast to.
   * @throws {TypeError} If the shapes do not broadcast, or no operand is a tensor.
   */
  maximum(b: Tensor | number): Tensor;
  /**
   * Takes the smaller of two elements; NaN where one is NaN. Where both are equal, each has half of the gradient.
   * The tensor itself is `a`.
   *
   * @param b A shape that broadcasts with it, or a number.
   * @returns A tensor of the shape that both are broadcast to.
   * @throws {TypeError} If the shapes do not broadcast, or no operand is a tensor.
   */
  minimum(b: Tensor | number): Tensor;
  /**
   * Multiplies two tensors, element by element. For the product of matrices there is `matmul`.
   * The tensor itself is `a`.
   *
   * @param b A shape that broadcasts with it, or a number.
   * @returns A tensor of the shape that both are broadcast to.
   * @throws {TypeError} If the shapes do not broadcast, or no operand is a tensor.
   */
  mul(b: Tensor | number): Tensor;
  /**
   * Negates every element.
   *
   * @returns A tensor of the same shape.
   */
  neg(): Tensor;
  /**
   * Tells which elements differ: 1 where they do, 0 where not. There is no gradient.
   * The tensor itself is `a`.
   *
   * @param b A shape that broadcasts with it, or a number.
   * @returns A tensor of the shape that both are broadcast to.
   * @throws {TypeError} If the shapes do not broadcast, or no operand is a tensor.
   */
  notEqual(b: Tensor | number): Tensor;
  /**
   * Raises elements to a power. A negative number has whole powers only; others are NaN.
   * The tensor itself is `a`.
   *
   * @param b A shape that broadcasts with it, or a number.
   * @returns A tensor of the shape that both are broadcast to.
   * @throws {TypeError} If the shapes do not broadcast, or no operand is a tensor.
   */
  pow(b: Tensor | number): Tensor;
  /**
   * Sets negative elements to 0. At 0 the gradient is 0.
   *
   * @returns A tensor of the same shape.
   */
  relu(): Tensor;
  /**
   * Applies the logistic function to every element.
   *
   * @returns A tensor of the same shape.
   */
  sigmoid(): Tensor;
  /**
   * Multiplies every element by its logistic function.
   *
   * @returns A tensor of the same shape.
   */
  silu(): Tensor;
  /**
   * Takes the square root of every element; NaN of negative ones.
   *
   * @returns A tensor of the same shape.
   */
  sqrt(): Tensor;
  /**
   * Subtracts a tensor from another, element by element.
   * The tensor itself is `a`.
   *
   * @param b A shape that broadcasts with it, or a number.
   * @returns A tensor of the shape that both are broadcast to.
   * @throws {TypeError} If the shapes do not broadcast, or no operand is a tensor.
   */
  sub(b: Tensor | number): Tensor;
  /**
   * Applies the hyperbolic tangent to every element.
   *
   * @returns A tensor of the same shape.
   */
  tanh(): Tensor;
  /**
   * Chooses elements from one tensor or another.
   * The tensor itself is `condition`.
   *
   * @param a What is taken where it is true: a tensor or a number.
   * @param b What is taken where it is false: a tensor or a number.
   * @returns A tensor of the shape that all are broadcast to.
   * @throws {TypeError} If the shapes do not broadcast, or no operand is a tensor.
   */
  where(a: Tensor | number, b: Tensor | number): Tensor;
  /**
   * Takes the largest element; NaN where one is NaN. Equal largest ones share the gradient, as in `torch.amax`.
   * The tensor itself is `x`.
   *
   * @param options Which dimensions, all by default, and whether they stay.
   * @returns A tensor without these dimensions, or with length 1 there.
   * @throws {RangeError} If there is no such dimension, or there is nothing to choose from.
   */
  max(options?: ReductionOptions): Tensor;
  /**
   * Takes the mean of elements; NaN where there are none.
   * The tensor itself is `x`.
   *
   * @param options Which dimensions, all by default, and whether they stay.
   * @returns A tensor without these dimensions, or with length 1 there.
   * @throws {RangeError} If there is no such dimension.
   */
  mean(options?: ReductionOptions): Tensor;
  /**
   * Takes the smallest element; NaN where one is NaN. Equal smallest ones share the gradient, as in `torch.amin`.
   * The tensor itself is `x`.
   *
   * @param options Which dimensions, all by default, and whether they stay.
   * @returns A tensor without these dimensions, or with length 1 there.
   * @throws {RangeError} If there is no such dimension, or there is nothing to choose from.
   */
  min(options?: ReductionOptions): Tensor;
  /**
   * Adds up elements.
   * The tensor itself is `x`.
   *
   * @param options Which dimensions, all by default, and whether they stay.
   * @returns A tensor without these dimensions, or with length 1 there.
   * @throws {RangeError} If there is no such dimension.
   */
  sum(options?: ReductionOptions): Tensor;
}
