/**
 * Products of a few rows with a packed matrix on the CPU, which reads the matrix as it is stored: a token at a time, or one
 * of each of a few sequences, is bound by how fast weights can be read.
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

/** Rows of the left matrix at most. With more of them, widening a part and a product of wide matrices is faster. */
export const MOST_ROWS = 16;

/** Elements of the left matrix at most: threads have a place of that size in the memory of packed weights. */
const MOST_ELEMENTS = 256 * 1024;

/**
 * Multiplies a few rows by a packed matrix as it is stored, if the device can.
 *
 * @param c Where the result goes.
 * @param a (m, k), not transposed.
 * @param b (n, k), packed.
 * @param options As {@linkcode matmulInto} has them.
 * @returns Whether it did.
 */
export function multiplyFewRows(
  c: Tensor,
  a: Tensor,
  b: Tensor,
  options: MatmulIntoOptions,
): boolean {
  const { m, n, k, transposeA, transposeB, bias, accumulate = 0 } = options;
  const { aOffset = 0, bOffset = 0, cOffset = 0, cStride = n, biasOffset = 0 } = options;
  const { device, dtype } = b;
  const fits = m <= MOST_ROWS && m * k <= MOST_ELEMENTS && k % 8 === 0;
  if (!fits || transposeA || !transposeB || !isPacked(dtype)) return false;
  if (!device.multipliesPacked?.(b.buffer) || hasSpecialHalves(b.buffer)) return false;
  device.run(
    packedProductKernel,
    { a: a.buffer, b: b.buffer, bias: (bias ?? a).buffer, c: c.buffer },
    {
      m,
      n,
      k,
      kind: PACKED_FORMATS[dtype].id,
      firstRow: bOffset / k,
      scalesAt: packedBytes(dtype, b.rows, b.width).scalesAt,
      hasBias: Number(bias !== undefined),
      accumulate,
      cOffset,
      cStride,
      biasOffset,
      aOffset,
    },
  );
  return true;
}
