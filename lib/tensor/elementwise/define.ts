/**
 * How an elementwise operation is declared: its formula and those of its gradients, from which `deno task build` and
 * `kernel.ts` make what runs on the CPU and on a GPU, and tests what PyTorch is asked for.
 *
 * @module
 */

import { kindOf } from "../../kind_of.ts";
import { broadcastShapes } from "../broadcast.ts";
import { constantOn } from "../constants.ts";
import type { Device } from "../device.ts";
import { namesIn } from "../formula/wgsl.ts";
import { toFloats } from "../ops/cast/cast.ts";
import { sumTo } from "../reductions/reduce.ts";
import { record } from "../recording.ts";
import { howToMake } from "../shapes.ts";
import { type Gradients, type Operand, Tensor } from "../tensor.ts";
import type { CompiledFormula } from "./kernel.ts";
import { runFormula } from "./run.ts";

/** How tests try an operation. */
export interface ElementwiseTest<Input extends string = string> {
  /** The same in Python, in terms of the inputs, `torch` and `F` (`torch.nn.functional`). */
  readonly torch: string;
  /** Between which numbers inputs are drawn; from −3 to 3 where not named. */
  readonly domain?: Partial<Readonly<Record<Input, readonly [number, number]>>>;
  /** Numbers that each input is tried with besides; zero, infinite ones and NaN where not named. */
  readonly special?: readonly number[];
}

/** A declaration of an elementwise operation. */
export interface ElementwiseSpecification<Input extends string = string> {
  /** The name of the function. */
  readonly name: string;
  /** The inputs' names, in the function's order. */
  readonly inputs: readonly Input[];
  /** The result's formula, in terms of the inputs; `formula/wgsl.ts` tells what a formula is. */
  readonly forward: string;
  /**
   * Formulas of the inputs' gradients, in terms of the inputs, of the result `y` and of its gradient `dy`. An input that
   * has none here has no gradient.
   */
  readonly gradients: Partial<Readonly<Record<NoInfer<Input>, string>>>;
  /** How it is tested. */
  readonly test: ElementwiseTest<NoInfer<Input>>;
}

/**
 * Lists the formulas of an operation, the result's first.
 *
 * @param specification The declaration.
 * @returns What is to be compiled.
 */
export function formulasOf(specification: ElementwiseSpecification): CompiledFormula[] {
  const { name, inputs, forward, gradients } = specification;
  const own: CompiledFormula = {
    kernel: `${name}.forward`,
    compiled: `${name}_forward`,
    formula: forward,
    inputs: namesIn(forward, inputs),
    numbers: [],
    accumulates: false,
  };
  const ofInputs = inputs.filter((input) => gradients[input]).map((input) => ({
    kernel: `${name}.gradient.${input}`,
    compiled: `${name}_gradient_${input}`,
    formula: gradients[input]!,
    inputs: namesIn(gradients[input]!, [...inputs, "y", "dy"]),
    numbers: [],
    accumulates: true,
  }));
  return [own, ...ofInputs];
}

/** Operations by function, for the registry. */
const specifications = new WeakMap<object, ElementwiseSpecification>();

/**
 * Tells how an operation was declared.
 *
 * @param operation A function that {@linkcode defineElementwise} made.
 * @returns The declaration; undefined for other functions.
 */
export function specificationOf(operation: object): ElementwiseSpecification | undefined {
  return specifications.get(operation);
}

/**
 * Declares an elementwise operation.
 *
 * @param specification Its formulas and its test.
 * @returns The function, which takes the inputs in order, broadcasts them and records itself.
 */
export function defineElementwise<const Input extends string>(
  specification: ElementwiseSpecification<Input>,
): (...inputs: Operand[]) => Tensor {
  const [forward, ...gradients] = formulasOf(specification as ElementwiseSpecification);
  const { name, inputs: names } = specification;
  const differentiable = gradients.map((gradient) => ({
    gradient,
    input: names.findIndex((input) => gradient.kernel === `${name}.gradient.${input}`),
  }));
  const operation = (...operands: Operand[]): Tensor => {
    const inputs = toTensors(name, operands, names.length);
    const shape = broadcastShapes(name, inputs.map((input) => input.shape));
    const y = Tensor.empty(inputs[0].device, shape);
    const values: Record<string, Tensor> = {};
    names.forEach((input, i) => values[input] = inputs[i]);
    runFormula(forward, values, y, 0);
    const learning = differentiable.map(({ input }) => inputs[input]);
    return record(y, learning, (dy, store) => {
      learning.forEach((input, i) => {
        if (!store.wants(input)) return;
        passGradient(differentiable[i].gradient, { ...values, y, dy }, input, store);
      });
    });
  };
  specifications.set(operation, specification as ElementwiseSpecification);
  return operation;
}

/** Adds an input's gradient, summed over the dimensions in which it was repeated. */
function passGradient(
  formula: CompiledFormula,
  values: Readonly<Record<string, Tensor>>,
  input: Tensor,
  store: Gradients,
): void {
  const { dy } = values;
  const repeated = input.shape.join() !== dy.shape.join();
  if (formula.formula === "dy") {
    store.pass(input, repeated ? sumTo(dy, input.shape) : dy);
  } else if (repeated) {
    const whole = Tensor.empty(dy.device, dy.shape);
    runFormula(formula, values, whole, 0);
    store.pass(input, sumTo(whole, input.shape));
  } else {
    const { gradient, accumulate } = store.into(input);
    runFormula(formula, values, gradient, accumulate);
  }
}

/** Makes tensors of numbers, and floats of integers. */
function toTensors(name: string, operands: readonly Operand[], count: number): Tensor[] {
  const action = () => `Cannot compute "${name}" of`;
  if (operands.length !== count) {
    const plural = operands.length === 1 ? "" : "s";
    throw new TypeError(`${action()} ${operands.length} operand${plural}: expected ${count}`);
  }
  let device: Device | undefined;
  for (const operand of operands) {
    if (operand instanceof Tensor) {
      device ??= operand.device;
      if (operand.device === device) continue;
      throw new TypeError(
        `${action()} tensors on "${device.name}" and "${operand.device.name}": expected one device`,
      );
    }
    if (typeof operand === "number") continue;
    throw new TypeError(
      `${action()} ${kindOf(operand)}: expected a tensor or a number${howToMake(operand)}`,
    );
  }
  if (!device) throw new TypeError(`${action()} numbers only: expected a tensor${howToMake(0)}`);
  const tensors: Tensor[] = [];
  for (const operand of operands) {
    tensors.push(
      typeof operand === "number" ? constantOn(device, operand) : toFloats(operand),
    );
  }
  return tensors;
}
