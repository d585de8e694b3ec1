/**
 * Reverse-mode differentiation: {@linkcode backward} walks the tape from a loss to the parameters, and
 * {@linkcode recompute} keeps parts of it short.
 *
 * @module
 */

import { kindOf } from "../kind_of.ts";
import { scaleInto } from "./ops/scale/scale.ts";
import { noGrad, withGrad } from "./recording.ts";
import { scope } from "./scope.ts";
import { assertTensors } from "./shapes.ts";
import { formatShape, type Gradients, Tensor } from "./tensor.ts";

/**
 * Computes the gradient of a scalar with respect to every parameter it depends on, into their `grad`, adding to what
 * is there. The tape is used up, and memory of intermediate results made in a {@linkcode scope} returns to the pool
 * as soon as it is no longer needed.
 *
 * @param loss A tensor with one element.
 * @throws {TypeError} If it has more elements, or depends on no parameter.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { backward, tensor } from "tunebook/tensor";
 *
 * const x = tensor([1, 2, 3]);
 * x.requiresGrad = true;
 * backward(x.mul(x).sum());
 * assertEquals([...await x.grad!.data()], [2, 4, 6]);
 * ```
 */
export function backward(loss: Tensor): void {
  assertScalar(loss);
  if (!loss.node) {
    throw new TypeError(
      "Cannot differentiate a tensor that depends on no parameter: expected one with requiresGrad",
    );
  }
  noGrad(() => propagate(loss, Tensor.from(loss.device, new Float32Array([1]), loss.shape).keep()));
}

/**
 * Functions whose results' gradients {@linkcode grad} computes.
 *
 * @internal
 */
type Differentiable<Arguments extends Tensor[]> = (...inputs: Arguments) => Tensor;

/**
 * One gradient, or one for each argument.
 *
 * @internal
 */
type GradientsOf<Arguments extends Tensor[]> = Arguments extends [Tensor] ? Tensor
  : { [I in keyof Arguments]: Tensor };

/**
 * Makes a function that computes gradients: those of a function's result with respect to its arguments. Parameters that
 * the function uses besides keep the gradients that they have.
 *
 * @param f A function of tensors that gives a tensor with one element.
 * @returns A function of the same arguments. It gives the gradient, or an array of them where there are several arguments.
 * @throws {TypeError} If the result has more elements; when it is called.
 * @example d(x²)/dx = 2x
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { grad, tensor } from "tunebook/tensor";
 *
 * const slope = grad((x) => x.mul(x).sum());
 * assertEquals([...await slope(tensor([1, 2, 3])).data()], [2, 4, 6]);
 * ```
 */
export function grad(f: (x: Tensor) => Tensor): (x: Tensor) => Tensor;
/** Gradients with respect to several arguments. */
export function grad<Arguments extends Tensor[]>(
  f: (...inputs: Arguments) => Tensor,
): (...inputs: Arguments) => { [I in keyof Arguments]: Tensor };
export function grad(
  f: (...inputs: Tensor[]) => Tensor,
): (...inputs: Tensor[]) => Tensor | Tensor[] {
  assertFunction("differentiate", f);
  return (...inputs) => {
    assertTensors("differentiate with respect to", ...inputs);
    const gradients = scope(() => {
      const leaves = inputs.map((input) => {
        const leaf = input.alias();
        leaf.requiresGrad = true;
        return leaf;
      });
      const result = withGrad(() => f(...leaves));
      assertScalar(result);
      if (leaves.includes(result)) return leaves.map((leaf) => onesLike(leaf, leaf === result));
      if (result.node) {
        const first = Tensor.from(result.device, [1], result.shape).keep();
        noGrad(() => propagate(result, first, new Set(leaves)));
      }
      return leaves.map((leaf) => leaf.grad ?? onesLike(leaf, false));
    });
    return gradients.length === 1 ? gradients[0] : gradients;
  };
}

/** Ones, or zeros. */
function onesLike({ device, shape, size }: Tensor, one: boolean): Tensor {
  return Tensor.from(device, new Float32Array(size).fill(one ? 1 : 0), shape);
}

function assertFunction(action: string, given: unknown): void {
  if (typeof given === "function") return;
  throw new TypeError(`Cannot ${action} ${kindOf(given)}: expected a function of tensors`);
}

function assertScalar(loss: Tensor): void {
  assertTensors("differentiate", loss);
  if (loss.size === 1) return;
  throw new TypeError(
    `Cannot differentiate a tensor of shape ${
      formatShape(loss.shape)
    }: expected one element, such as sum() or mean() give`,
  );
}

/**
 * Walks the tape from a tensor with the gradient of it, which is used up.
 *
 * @param root Where to begin.
 * @param gradient Its gradient.
 * @param leaves The parameters whose gradients are wanted; all by default.
 */
function propagate(root: Tensor, gradient: Tensor, leaves?: ReadonlySet<Tensor>): void {
  const gradients = new GradientStore(leaves);
  gradients.set(root, gradient);
  for (const tensor of topologicalOrder(root).reverse()) {
    const upstream = gradients.take(tensor);
    if (upstream) {
      scope(() => tensor.node!.gradient(upstream, gradients));
      upstream.dispose();
    }
    tensor.node = undefined;
    // Its consumers' gradient functions and its own have been enqueued: nobody reads it any more.
    if (tensor !== root && tensor.scope) tensor.dispose();
  }
  gradients.dispose();
}

/**
 * Runs a part of a model, and keeps of it only inputs and result for the gradients, for which it runs once more: less
 * memory and a third more time, and the same bits.
 *
 * Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016; known as activation or gradient checkpointing.
 *
 * @param part A function of its inputs and of parameters. It must compute the same each time, so seeds of what is
 * random are drawn outside of it.
 * @param inputs Its inputs. Other results of ops that it uses get no gradients.
 * @returns The part's result.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { backward, recompute, tensor } from "tunebook/tensor";
 *
 * const x = tensor([0.5, 1]);
 * x.requiresGrad = true;
 * backward(recompute((x) => x.mul(x).exp(), x).sum());
 * assertEquals((await x.grad!.data())[1].toFixed(3), (2 * Math.E).toFixed(3));
 * ```
 */
export function recompute(part: (...inputs: Tensor[]) => Tensor, ...inputs: Tensor[]): Tensor {
  assertFunction("compute again", part);
  assertTensors("differentiate with respect to", ...inputs);
  // Recorded, so that it shows whether anything in it learns; what was recorded goes with the scope.
  const output = scope(() => part(...inputs));
  if (!output.node || inputs.includes(output)) return output;
  output.node = {
    inputs,
    gradient(upstream, gradients) {
      const leaves = inputs.map((input) => {
        const leaf = input.alias();
        leaf.requiresGrad = gradients.wants(input);
        return leaf;
      });
      const again = withGrad(() => part(...leaves));
      propagate(again, upstream.alias().keep());
      for (const [i, { grad }] of leaves.entries()) {
        if (!grad) continue;
        gradients.pass(inputs[i], grad);
        grad.dispose();
      }
    },
  };
  return output;
}

/** The recorded results that `root` depends on, each after those that it depends on itself. */
function topologicalOrder(root: Tensor): Tensor[] {
  const order: Tensor[] = [];
  const seen = new Set<Tensor>();
  // Iterative, since a deep model's graph would overflow the call stack.
  const stack = [{ tensor: root, expanded: false }];
  while (stack.length > 0) {
    const { tensor, expanded } = stack.pop()!;
    if (expanded) {
      order.push(tensor);
    } else if (tensor.node && !seen.has(tensor)) {
      seen.add(tensor);
      stack.push({ tensor, expanded: true });
      for (const input of tensor.node.inputs) stack.push({ tensor: input, expanded: false });
    }
  }
  return order;
}

/** The gradients known so far. Parameters keep theirs in `grad`; those of intermediate results are used up. */
class GradientStore implements Gradients {
  #pending = new Map<Tensor, Tensor>();
  readonly #leaves: ReadonlySet<Tensor> | undefined;

  /** @param leaves The parameters whose gradients are wanted; all by default. */
  constructor(leaves?: ReadonlySet<Tensor>) {
    this.#leaves = leaves;
  }

  wants(input: Tensor): boolean {
    return this.#keeps(input) || input.node !== undefined;
  }

  /** Whether a gradient stays with its tensor. */
  #keeps(input: Tensor): boolean {
    return input.requiresGrad && (this.#leaves?.has(input) ?? true);
  }

  /** Lets go of gradients that ops computed though nobody wanted them. */
  dispose(): void {
    for (const gradient of this.#pending.values()) gradient.dispose();
  }

  take(tensor: Tensor): Tensor | undefined {
    const gradient = this.#pending.get(tensor);
    this.#pending.delete(tensor);
    return gradient;
  }

  set(input: Tensor, gradient: Tensor): void {
    if (this.#keeps(input)) input.grad = gradient;
    else this.#pending.set(input, gradient);
  }

  into(input: Tensor): { gradient: Tensor; accumulate: 0 | 1 } {
    const present = this.#keeps(input) ? input.grad : this.#pending.get(input);
    if (present?.exclusive) return { gradient: present, accumulate: 1 };
    const own = input.spareGrad ?? Tensor.empty(input.device, input.shape).keep();
    input.spareGrad = undefined;
    this.set(input, own);
    if (!present) return { gradient: own, accumulate: 0 };
    // Another tensor shares this memory and still reads it: copy before adding.
    scaleInto(own, present, 1, 0);
    present.dispose();
    return { gradient: own, accumulate: 1 };
  }

  pass(input: Tensor, gradient: Tensor): void {
    if (!this.wants(input)) return;
    const present = this.#keeps(input) ? input.grad : this.#pending.get(input);
    if (present) scaleInto(this.into(input).gradient, gradient, 1, 1);
    else this.set(input, gradient.alias(input.shape).keep());
  }
}
