/**
 * Broadcasting, as NumPy and PyTorch have it: shapes are aligned at their last dimensions, and a dimension of length 1, or
 * a missing one, is repeated. Nothing is copied for it: a kernel walks over a repeated dimension with a stride of 0.
 *
 * @module
 */

import { formatShape } from "./tensor.ts";

/**
 * The shape of the result of an elementwise operation.
 *
 * @param action What is being done, such as `"add"`.
 * @param shapes The inputs' shapes.
 * @returns The shape that all of them are repeated to.
 * @throws {TypeError} If two lengths of a dimension differ and neither is 1.
 */
export function broadcastShapes(action: string, shapes: readonly (readonly number[])[]): number[] {
  const [first, ...others] = shapes;
  if (others.every((shape) => equalShapes(shape, first))) return [...first];
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, i) => {
    let length = 1;
    for (const shape of shapes) {
      const own = shape.at(i - rank) ?? 1;
      if (i - rank < -shape.length || own === 1 || own === length) continue;
      if (length !== 1) {
        const names = shapes.map(formatShape);
        throw new TypeError(
          `Cannot ${action} tensors of shapes ${names.slice(0, -1).join(", ")} and ` +
            `${names.at(-1)}: expected equal lengths, or 1, along axis ${i - rank}, ` +
            `found ${length} and ${own}`,
        );
      }
      length = own;
    }
    return length;
  });
}

/**
 * Tells whether two shapes are equal.
 *
 * @param a One shape.
 * @param b The other.
 * @returns Whether they have the same lengths.
 */
export function equalShapes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, i) => length === b[i]);
}

/**
 * The strides with which a tensor is walked as if it had a larger shape.
 *
 * @param shape Its shape.
 * @param target The shape that it is repeated to.
 * @returns Elements from one index to the next, for each dimension of `target`; 0 where it is repeated.
 */
export function stridesIn(shape: readonly number[], target: readonly number[]): number[] {
  const strides = new Array<number>(target.length).fill(0);
  let step = 1;
  for (let i = 1; i <= shape.length; i++) {
    const length = shape.at(-i)!;
    if (length !== 1) strides[target.length - i] = step;
    step *= length;
  }
  return strides;
}

/** Dimensions to walk over, and the strides of each tensor in them. */
export interface Walk {
  /** Lengths of the dimensions; at least one. */
  readonly lengths: readonly number[];
  /** For each tensor its stride in each dimension. */
  readonly strides: readonly (readonly number[])[];
}

/**
 * Joins dimensions that every tensor walks through as if they were one, so that as few as possible are left: one where no
 * tensor is repeated.
 *
 * @param walk Dimensions and strides.
 * @returns The same walk in fewer dimensions.
 */
export function joinDimensions({ lengths, strides }: Walk): Walk {
  const joinedLengths: number[] = [];
  const joined: number[][] = strides.map(() => []);
  lengths.forEach((length, d) => {
    if (length === 1) return;
    const last = joinedLengths.length - 1;
    const fits = last >= 0 && strides.every((own, i) => joined[i][last] === own[d] * length);
    if (fits) {
      joinedLengths[last] *= length;
      strides.forEach((own, i) => joined[i][last] = own[d]);
    } else {
      joinedLengths.push(length);
      strides.forEach((own, i) => joined[i].push(own[d]));
    }
  });
  if (joinedLengths.length === 0) return { lengths: [1], strides: strides.map(() => [0]) };
  return { lengths: joinedLengths, strides: joined };
}
