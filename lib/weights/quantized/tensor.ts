/**
 * What readers of quantised weights have in common.
 *
 * @module
 */

import type { StoredTensor } from "../tensor_file.ts";

/**
 * A weight that was quantised.
 *
 * @internal
 */
export interface QuantizedTensor extends StoredTensor {
  /** Reads its values, as the program that quantised it widens them. */
  readonly values: (signal?: AbortSignal) => Promise<Float32Array>;
  /** Reads it as blocks of a type of `packed.ts`, which `dtype` then names. */
  readonly blocks?: () => Promise<Uint8Array<ArrayBuffer>>;
}
