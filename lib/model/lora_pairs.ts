/**
 * Adds pairs of A and B from a file to a model's layers.
 *
 * @module
 */

import { Tensor } from "../tensor/mod.ts";
import type { Linear } from "./linear.ts";
import { attachLora, type LoraSettings } from "./lora.ts";
import type { Network } from "./model.ts";

/** A matrix in a file. */
export interface StoredMatrix {
  /** Its shape. */
  readonly shape: readonly number[];
  /** Reads its values in row-major order. */
  readonly read: () => Promise<Float32Array>;
}

/** The pair of one layer. */
export interface StoredPair {
  /** A, (r, in). */
  readonly a?: StoredMatrix;
  /** B, (out, r). */
  readonly b?: StoredMatrix;
}

/**
 * Adds pairs to their layers. All are checked before the first is added.
 *
 * @param model The model.
 * @param pairs The pairs in a file, by layer.
 * @param settingsOf Returns a layer's settings for the rank in its shapes.
 * @param cannot The beginning of error messages.
 * @throws {TypeError} If there is no pair, a layer already has an adapter, or a shape is wrong.
 */
export async function attachPairs(
  model: Network,
  pairs: ReadonlyMap<Linear, StoredPair>,
  settingsOf: (rank: number, linear: Linear) => LoraSettings,
  cannot: string,
): Promise<void> {
  if (pairs.size === 0) throw new TypeError(`${cannot}: it holds no weights`);
  const fitting = [...pairs].map(([linear, { a, b }]) => {
    if (linear.adapter) throw new TypeError(`${cannot}: "${linear.name}" has an adapter already`);
    const [shapeA, shapeB] = [a?.shape ?? [], b?.shape ?? []];
    const settings = settingsOf(shapeA[0] ?? shapeB[1], linear);
    const { rank } = settings;
    const fits = rank > 0 && shapeA.join() === [rank, linear.inWidth].join() &&
      shapeB.join() === [linear.outWidth, rank].join();
    if (!fits) {
      throw new TypeError(
        `${cannot}: its shapes for "${linear.name}" are (${shapeA.join(", ")}) and ` +
          `(${shapeB.join(", ")}), expected (${rank}, ${linear.inWidth}) and ` +
          `(${linear.outWidth}, ${rank})`,
      );
    }
    return { linear, settings, matrices: [a!, b!] };
  });
  for (const { linear, settings, matrices } of fitting) {
    const [a, b] = await Promise.all(
      matrices.map(async ({ shape, read }) =>
        Tensor.from(model.device, await read(), shape).keep()
      ),
    );
    attachLora(model, linear, settings, a, b);
  }
}
