/**
 * Products with a packed matrix on the CPU, which reads the matrix as it is stored. A token at a time, or one of each of a
 * few sequences, is bound by how fast weights can be read; with more rows each thread widens a tile into its cache and
 * multiplies by it there.
 *
 * @module
 */

import { CPU_ONLY, defineKernel } from "../../device.ts";
import { isPacked, PACKED_FORMATS, packedBytes } from "../../packed.ts";
import { hasSpecialHalves } from "../../special_halves.ts";
import type { Tensor } from "../../tensor.ts";
import type { MatmulIntoOptions } from "./into_options.ts";

/**
 * c = a · bᵀ (+ bias) (+ c where `accumulate` is 1); a is (m, k), b is (n, k) from its row `firstRow` on. `kind` is the
 * format's number, `scalesAt` the byte where second scales begin. The other parameters are those of `matmul`.
 */
export const packedProductKernel = defineKernel({
  name: "matmul.packed",
  buffers: { a: "read", b: "read", bias: "read", c: "update" },
  params: {
    m: "u32",
    n: "u32",
    k: "u32",
    kind: "u32",
    firstRow: "u32",
    scalesAt: "u32",
    hasBias: "u32",
    accumulate: "u32",
    cOffset: "u32",
    cStride: "u32",
    biasOffset: "u32",
    aOffset: "u32",
  },
  flops: ({ m, n, k }) => 2 * m * n * k,
  webgpu: CPU_ONLY,
});

/**
 * c = op(a) · op(b) (+ bias) (+ c where `accumulate` is 1), of any size; b is (n, k) where `transposeB` is 1, otherwise
 * (k, n), from its row `firstRow` on. The other parameters are those of {@linkcode packedProductKernel}.
 */
export const tiledProductKernel = defineKernel({
  name: "matmul.packedTiles",
  buffers: packedProductKernel.buffers,
  params: { ...packedProductKernel.params, transposeA: "u32", transposeB: "u32" },
  flops: ({ m, n, k }) => 2 * m * n * k,
  webgpu: CPU_ONLY,
});

/** Rows of the left matrix at most that are multiplied by blocks. With more of them, products of tiles are faster. */
export const MOST_ROWS = 16;

/** Elements of the left matrix at most: threads have a place of that size in the memory of packed weights. */
const MOST_ELEMENTS = 256 * 1024;

/**
 * Multiplies by a packed matrix as it is stored, if the device can.
 *
 * @param c Where the result goes.
 * @param a op(a) is (m, k).
 * @param b Packed; op(b) is (k, n).
 * @param options As {@linkcode matmulInto} has them.
 * @returns Whether it did.
 */
export function multiplyStored(
  c: Tensor,
  a: Tensor,
  b: Tensor,
  options: MatmulIntoOptions,
): boolean {
  const { m, n, k, transposeA = false, transposeB = false, bias, accumulate = 0 } = options;
  const { aOffset = 0, bOffset = 0, cOffset = 0, cStride = n, biasOffset = 0 } = options;
  const { device, dtype } = b;
  if (!isPacked(dtype) || !device.multipliesPacked?.(b.buffer)) return false;
  const buffers = { a: a.buffer, b: b.buffer, bias: (bias ?? a).buffer, c: c.buffer };
  const params = {
    m,
    n,
    k,
    kind: PACKED_FORMATS[dtype].id,
    firstRow: bOffset / b.width,
    scalesAt: packedBytes(dtype, b.rows, b.width).scalesAt,
    hasBias: Number(bias !== undefined),
    accumulate,
    cOffset,
    cStride,
    biasOffset,
    aOffset,
  };
  const isFew = m <= MOST_ROWS && m * k <= MOST_ELEMENTS && k % 8 === 0;
  if (isFew && !transposeA && transposeB && !hasSpecialHalves(b.buffer)) {
    device.run(packedProductKernel, buffers, params);
  } else {
    const transposed = { transposeA: Number(transposeA), transposeB: Number(transposeB) };
    device.run(tiledProductKernel, buffers, { ...params, ...transposed });
  }
  return true;
}
