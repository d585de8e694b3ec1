/**
 * The elements of a tensor in parts, for weights that are copied or written: an embedding as a whole would take as much
 * memory again, until the garbage is collected.
 *
 * @module
 */

import { dequantize } from "./ops/dequantize/dequantize.ts";
import { isPacked } from "./packed.ts";
import type { Tensor } from "./tensor.ts";

/** The most elements of a part, 16 MiB: a multiple of every type's block. */
const PART_ELEMENTS = 4 * 2 ** 20;

/**
 * Reads a tensor's elements in parts.
 *
 * @param tensor A tensor of floats; packed ones are widened first.
 * @returns The parts in order. Each is valid only until the next is asked for: its memory is given back then.
 */
export async function* partsOf(
  tensor: Tensor,
): AsyncGenerator<Float32Array<ArrayBuffer>, void, void> {
  if (isPacked(tensor.dtype)) {
    using wide = dequantize(tensor).keep();
    yield* partsOf(wide);
    return;
  }
  const { device, buffer, size } = tensor;
  for (let start = 0; start < size; start += PART_ELEMENTS) {
    const length = Math.min(PART_ELEMENTS, size - start);
    const bytes = await device.read(buffer, 4 * start, 4 * length);
    yield new Float32Array(bytes);
    bytes.transfer(0);
  }
}
