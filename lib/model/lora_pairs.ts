/**
 * The A's and B's that a file holds for a model's layers, on their way beside these.
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
  /** Reads it, in row-major order. */
  readonly read: () => Promise<Float32Array>;
}

/** What was found for one layer. */
export interface StoredPair {
  /** A, (r, in). */
  readonly a?: StoredMatrix;
  /** B, (out, r). */
  readonly b?: StoredMatrix;
}

/**
 * Puts pairs beside their layers. All are looked at before the first is put in place.
 *
 * @param model The model.
 * @param pairs What a file holds for its layers.
 * @param settingsOf Gives a layer's settings for the rank that its shapes say.
 * @param cannot How a message begins.
 * @throws {TypeError} If there is no pair, a layer is adapted already, or a shape is not what is expected.
 */
export async function attachPairs(
  model: Network,
  pairs: ReadonlyMap<Linear, StoredPair>,
  settingsOf: (rank: number) => LoraSettings,
  cannot: string,
): Promise<void> {
  if (pairs.size === 0) throw new TypeError(`${cannot}: it holds no weights`);
  const fitting = [...pairs].map(([linear, { a, b }]) => {
    if (linear.adapter) throw new TypeError(`${cannot}: "${linear.name}" has an adapter already`);
    const [shapeA, shapeB] = [a?.shape ?? [], b?.shape ?? []];
    const settings = settingsOf(shapeA[0] ?? shapeB[1]);
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
