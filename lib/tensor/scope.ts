/**
 * Scopes, which return the memory of tensors that were made in them.
 *
 * @module
 */

/** What a scope disposes of: a tensor. */
interface Scoped {
  scope?: Scope;
  dispose(): void;
}

/** The tensors that a scope will dispose of. */
export type Scope = Set<Scoped>;

/** Scopes that are open now, innermost last. Ops are synchronous, so a plain stack is right. */
const scopes: Scope[] = [];

/**
 * Finds the scope that tensors made now belong to.
 *
 * @returns The innermost open scope, if any is open.
 */
export function innermostScope(): Scope | undefined {
  return scopes.at(-1);
}

/**
 * Runs a function and disposes of every tensor made in it, except those it returns (alone, in an array or in the
 * values of an object).
 *
 * @param body A synchronous function.
 * @returns What the function returned.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { scope, tensor } from "tunebook/tensor";
 *
 * const x = tensor([2]);
 * const y = scope(() => x.mul(x).mul(x)); // what was made on the way is disposed
 * assertEquals(await y.item(), 8);
 * ```
 */
export function scope<T>(body: () => T): T {
  const tensors: Scope = new Set();
  scopes.push(tensors);
  try {
    const result = body();
    const outer = scopes.at(-2);
    for (const tensor of tensorsIn(tensors, result)) {
      tensors.delete(tensor);
      tensor.scope = outer;
      outer?.add(tensor);
    }
    return result;
  } finally {
    scopes.pop();
    for (const tensor of tensors) tensor.dispose();
  }
}

/** The tensors of a scope that a function returned: alone, in an array or in the values of an object. */
function tensorsIn(scope: Scope, result: unknown): Scoped[] {
  if (isIn(scope, result)) return [result];
  if (typeof result !== "object" || result === null) return [];
  return Object.values(result).filter((value) => isIn(scope, value));
}

function isIn(scope: Scope, value: unknown): value is Scoped {
  return scope.has(value as Scoped);
}
