/**
 * Reverse-mode differentiation: {@linkcode backward} walks the tape from a loss to the parameters, and
 * {@linkcode recompute} keeps parts of it short.
 *
 * @module
 */

import { scaleInto } from "./ops/scale/scale.ts";
import { formatShape, type Gradients, noGrad, scope, Tensor, withGrad } from "./tensor.ts";

/**
 * Computes the gradient of a scalar with respect to every parameter it depends on, into their `grad`, adding to what
 * is there. The tape is used up, and memory of intermediate results made in a {@linkcode scope} returns to the pool
 * as soon as it is no longer needed.
 *
 * @param loss A tensor with one element.
 * @throws {TypeError} If it has more elements, or depends on no parameter.
 */
export function backward(loss: Tensor): void {
  if (loss.size !== 1) {
    throw new TypeError(
      `Cannot differentiate a tensor of shape ${formatShape(loss.shape)}: a loss has one element`,
    );
  }
  if (!loss.node) {
    throw new TypeError("Cannot differentiate a tensor that depends on no parameter");
  }
  noGrad(() => propagate(loss, Tensor.from(loss.device, new Float32Array([1]), loss.shape).keep()));
}

/** Walks the tape from a tensor with the gradient of it, which is used up. */
function propagate(root: Tensor, gradient: Tensor): void {
  const gradients = new GradientStore();
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
 */
export function recompute(part: (...inputs: Tensor[]) => Tensor, ...inputs: Tensor[]): Tensor {
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

  wants(input: Tensor): boolean {
    return input.requiresGrad || input.node !== undefined;
  }

  take(tensor: Tensor): Tensor | undefined {
    const gradient = this.#pending.get(tensor);
    this.#pending.delete(tensor);
    return gradient;
  }

  set(input: Tensor, gradient: Tensor): void {
    if (input.requiresGrad) input.grad = gradient;
    else this.#pending.set(input, gradient);
  }

  into(input: Tensor): { gradient: Tensor; accumulate: 0 | 1 } {
    const present = input.requiresGrad ? input.grad : this.#pending.get(input);
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
    const present = input.requiresGrad ? input.grad : this.#pending.get(input);
    if (present) scaleInto(this.into(input).gradient, gradient, 1, 1);
    else this.set(input, gradient.alias(input.shape).keep());
  }
}
