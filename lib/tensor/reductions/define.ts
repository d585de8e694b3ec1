/**
 * How a reduction is declared: how two elements are combined, and a formula of the gradient, from which
 * `deno task build` and `kernel.ts` make what runs on the CPU and on a GPU.
 *
 * @module
 */

import { assertKnownOptions, type OptionNames } from "../../options.ts";
import type { CompiledFormula } from "../elementwise/kernel.ts";
import { runFormula } from "../elementwise/run.ts";
import { namesIn } from "../formula/wgsl.ts";
import { toFloats } from "../ops/cast/cast.ts";
import type { ReductionOptions } from "../options.ts";
import { record } from "../recording.ts";
import { assertTensors } from "../shapes.ts";
import { formatShape, Tensor } from "../tensor.ts";
import type { ReductionFormulas } from "./kernel.ts";
import { readAxes, reduceAxes, sumTo } from "./reduce.ts";

/** A declaration of a reduction. */
export interface ReductionSpecification extends ReductionFormulas {
  /**
   * The gradient, in terms of an element `x`, the result `y`, its gradient `dy`, the `count` of elements that were
   * reduced, and how many `ties` with the result there are among them.
   */
  readonly gradient: string;
  /** How it is tested. */
  readonly test: {
    /** The same in Python, of `x`, `dim` and `keepdim`. */
    readonly torch: string;
  };
}

const specifications = new WeakMap<object, ReductionSpecification>();

/**
 * Tells how a reduction was declared.
 *
 * @param operation A function that {@linkcode defineReduction} made.
 * @returns The declaration; undefined for other functions.
 */
export function reductionOf(operation: object): ReductionSpecification | undefined {
  return specifications.get(operation);
}

/**
 * Lists the elementwise formulas of a reduction's gradient.
 *
 * @param specification The declaration.
 * @returns The gradient's, then the one that marks ties, where it is used.
 */
export function gradientFormulasOf(
  { name, gradient }: ReductionSpecification,
): [CompiledFormula, CompiledFormula?] {
  const ofInput = {
    kernel: `${name}.gradient.x`,
    compiled: `${name}_gradient_x`,
    formula: gradient,
    inputs: namesIn(gradient, ["x", "y", "dy", "ties"]),
    numbers: namesIn(gradient, ["count"]),
    accumulates: true,
  };
  if (!ofInput.inputs.includes("ties")) return [ofInput];
  return [ofInput, {
    kernel: `${name}.ties`,
    compiled: `${name}_ties`,
    formula: "select(0.0, 1.0, x == y)",
    inputs: ["x", "y"],
    numbers: [],
    accumulates: false,
  }];
}

const NAMES: OptionNames<ReductionOptions> = { axis: true, keepDims: true };

/**
 * Declares a reduction.
 *
 * @param specification Its formulas and its test.
 * @returns The function, which takes a tensor and options and records itself.
 */
export function defineReduction(
  specification: ReductionSpecification,
): (x: Tensor, options?: ReductionOptions) => Tensor {
  const { name, identity } = specification;
  const [ofInput, ofTies] = gradientFormulasOf(specification);
  const operation = (given: Tensor, options: ReductionOptions = {}): Tensor => {
    assertKnownOptions(name, options, NAMES);
    assertTensors(`take the ${name} of`, given);
    const x = toFloats(given);
    const axes = readAxes(name, x.shape, options.axis);
    const kept = x.shape.map((length, axis) => axes.includes(axis) ? 1 : length);
    const count = axes.reduce((product, axis) => product * x.shape[axis], 1);
    if (count === 0 && identity === undefined) {
      throw new RangeError(
        `Cannot take the ${name} of a tensor of shape ${formatShape(x.shape)}: ` +
          "it has no elements there",
      );
    }
    const whole = axes.length === 0
      ? reduceAxes(specification, x.alias([...x.shape, 1]), [x.shape.length])
      : reduceAxes(specification, x, axes);
    const y = whole.alias(
      options.keepDims ? kept : x.shape.filter((_, axis) => !axes.includes(axis)),
    );
    whole.dispose();
    return record(y, [x], (dy, store) => {
      const values = { x, y: y.alias(kept), dy: dy.alias(kept) };
      const { gradient, accumulate } = store.into(x);
      if (!ofTies) return runFormula(ofInput, values, gradient, accumulate, { count });
      const marks = Tensor.empty(x.device, x.shape);
      runFormula(ofTies, values, marks, 0);
      const ties = sumTo(marks, kept);
      runFormula(ofInput, { ...values, ties }, gradient, accumulate, { count });
    });
  };
  specifications.set(operation, specification);
  return operation;
}
