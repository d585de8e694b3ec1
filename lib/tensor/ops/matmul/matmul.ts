/**
 * Matrix multiplication: `y = op(a) · op(b) + bias`, where `op` transposes or not.
 *
 * @module
 */

import { assertKnownOptions, type OptionNames } from "../../../options.ts";
import { broadcastShapes, stridesIn } from "../../broadcast.ts";
import { defineKernel, type Device } from "../../device.ts";
import { isPacked, PACKED_FORMATS } from "../../packed.ts";
import { assertShape, assertTensors } from "../../shapes.ts";
import { record } from "../../recording.ts";
import { formatShape, type Gradients, type MatmulOptions, sizeOf, Tensor } from "../../tensor.ts";
import { dequantizeInto } from "../dequantize/dequantize.ts";
import { reshape } from "../reshape/reshape.ts";
import type { MatmulIntoOptions } from "./into_options.ts";
import { columnSumsProgram, matmulProgram, matmulWithSumsProgram } from "./matmul.gpu.ts";
import { multiplyStored } from "./packed_product.ts";

/**
 * c = op(a) · op(b) (+ bias) (+ c where `accumulate` is 1); op(a) is (m, k), op(b) is (k, n), c is (m, n).
 * `aOffset`, `bOffset`, `cOffset` and `biasOffset` are in elements: the part of a tensor that is used. A row of c begins
 * `cStride` elements after the one before. Where `hasBias` is 0, `bias` is any buffer and is not read.
 */
export const matmulKernel = defineKernel({
  name: "matmul",
  buffers: { a: "read", b: "read", bias: "read", c: "update" },
  params: {
    m: "u32",
    n: "u32",
    k: "u32",
    transposeA: "u32",
    transposeB: "u32",
    hasBias: "u32",
    accumulate: "u32",
    bOffset: "u32",
    cOffset: "u32",
    cStride: "u32",
    biasOffset: "u32",
    aOffset: "u32",
  },
  flops: ({ m, n, k }) => 2 * m * n * k,
  webgpu: matmulProgram,
});

/**
 * The product of a linear layer's gradients with respect to its weight, and the sums that are those of its bias, from one
 * reading of what both need. Like {@linkcode matmulKernel}, without bias; besides, where `sumsOf` is 0, sums[j] is the sum of
 * op(b)[:, j], and where it is 1, sums[i] that of op(a)[i, :] (+ sums where `accumulateSums` is 1). op(a) is transposed.
 */
export const matmulWithSumsKernel = defineKernel({
  name: "matmul.withSums",
  buffers: { a: "read", b: "read", sums: "update", c: "update" },
  params: { ...matmulKernel.params, sumsOf: "u32", accumulateSums: "u32" },
  flops: ({ m, n, k }) => 2 * m * n * k,
  webgpu: matmulWithSumsProgram,
});

/** y[column] = sum of x[:, column] (+ y): the gradient of a bias. Rows are summed in their order. */
export const columnSumsKernel = defineKernel({
  name: "matmul.columnSums",
  buffers: { x: "read", y: "update" },
  params: { rows: "u32", width: "u32", accumulate: "u32" },
  webgpu: columnSumsProgram,
});

const NAMES: OptionNames<MatmulOptions> = { transposeA: true, transposeB: true, bias: true };

/**
 * Multiplies matrices, or each of many: dimensions before the last two are broadcast.
 *
 * @param a (…, M, K), or (…, K, M) with `transposeA`, or (K).
 * @param b (…, K, N), or (…, N, K) with `transposeB`, or (K). A matrix may be packed: it is then widened a part at a time.
 * @param options Transposition and bias.
 * @returns (…, M, N), without the dimension that an input of a single dimension lacks.
 * @throws {TypeError} If the shapes do not fit.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { matmul, ones, tensor } from "tunebook/tensor";
 *
 * const x = tensor([[1, 2], [3, 4]]);
 * assertEquals([...await matmul(x, x).data()], [7, 10, 15, 22]);
 * assertEquals(matmul(ones([8, 5, 2, 3]), ones([5, 3, 4])).shape, [8, 5, 2, 4]);
 * ```
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  assertKnownOptions("multiply matrices", options, NAMES);
  assertTensors("multiply", a, b);
  const { transposeA = false, transposeB = false, bias } = options;
  assertInnerLengths(a, b, transposeA, transposeB);
  if (b.shape.length === 1 && !transposeB) {
    const y = matmul(a, reshape(b, [b.size, 1]), options);
    return reshape(y, y.shape.slice(0, -1));
  }
  if (a.shape.length === 1 && b.shape.length > 2) {
    const y = matmul(reshape(a, [1, a.size]), b, options);
    return reshape(y, y.shape.toSpliced(-2, 1));
  }
  if (b.shape.length > 2 || (transposeA && a.shape.length > 2)) {
    return multiplyBatch(a, b, options);
  }
  const [m, k] = transposeA ? [a.width, a.rows] : [a.rows, a.width];
  const n = transposeB ? b.rows : b.width;
  if (bias) assertShape("bias", bias, [n]);
  const y = Tensor.empty(a.device, transposeA ? [m, n] : [...a.shape.slice(0, -1), n]);
  matmulInto(y, a, b, { m, n, k, transposeA, transposeB, bias });
  return record(y, [a, b, bias], (dy, gradients) => {
    if (gradients.wants(a)) {
      const { gradient, accumulate } = gradients.into(a);
      if (transposeA) {
        // dA (K, M) = op(b) (K, N) · dyᵀ (N, M)
        const dimensions = { m: k, n: m, k: n, accumulate };
        matmulInto(gradient, b, dy, { ...dimensions, transposeA: transposeB, transposeB: true });
      } else {
        // dA (M, K) = dy (M, N) · op(b)ᵀ (N, K)
        const dimensions = { m, n: k, k: n, accumulate };
        matmulInto(gradient, dy, b, { ...dimensions, transposeB: !transposeB });
      }
    }
    const dBias = bias && gradients.wants(bias) ? gradients.into(bias) : undefined;
    // Where the product has dy on the side that is summed over.
    const summed = dBias !== undefined && gradients.wants(b) && k > 0 &&
      (transposeB || !transposeA);
    if (dBias && !summed) addColumnSums(dBias, dy);
    if (gradients.wants(b)) {
      const { gradient, accumulate } = gradients.into(b);
      if (transposeB) {
        // dB (N, K) = dyᵀ (N, M) · op(a) (M, K)
        const options = { m: n, n: k, k: m, accumulate, transposeA: true, transposeB: transposeA };
        multiplyInto(gradient, dy, a, options, summed ? { of: "rows", ...dBias } : undefined);
      } else {
        // dB (K, N) = op(a)ᵀ (K, M) · dy (M, N)
        const options = { m: k, n, k: m, accumulate, transposeA: !transposeA };
        multiplyInto(gradient, a, dy, options, summed ? { of: "columns", ...dBias } : undefined);
      }
    }
  });
}

/** Checks that the dimension that is summed over has one length. */
function assertInnerLengths(
  a: Tensor,
  b: Tensor,
  transposeA: boolean,
  transposeB: boolean,
): void {
  const isVector = b.shape.length === 1 && !transposeB;
  const ofA = a.shape.at(transposeA ? -2 : -1);
  const ofB = isVector ? b.size : b.shape.length < 2 ? undefined : b.shape.at(transposeB ? -1 : -2);
  if (ofA === ofB && ofA !== undefined) return;
  const shapes = `${formatShape(a.shape)}${transposeA ? "ᵀ" : ""} and ` +
    `${formatShape(b.shape)}${transposeB ? "ᵀ" : ""}`;
  const reason = ofA === undefined || ofB === undefined
    ? "expected matrices or vectors; mul() multiplies by numbers"
    : `expected equal inner lengths, found ${ofA} and ${ofB}`;
  throw new TypeError(`Cannot multiply tensors of shapes ${shapes}: ${reason}`);
}

/** Multiplies each of many matrices by each of as many, or by one. */
function multiplyBatch(a: Tensor, b: Tensor, options: MatmulOptions): Tensor {
  const { transposeA = false, transposeB = false, bias } = options;
  const [rowsA, columnsA] = a.shape.slice(-2);
  const [rowsB, columnsB] = b.shape.slice(-2);
  const [m, k] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const n = transposeB ? rowsB : columnsB;
  if (isPacked(a.dtype) || isPacked(b.dtype)) {
    throw new TypeError(
      `Cannot multiply packed tensors of shapes ${formatShape(a.shape)} and ` +
        `${formatShape(b.shape)}: only a single matrix can be packed`,
    );
  }
  if (bias) assertShape("bias", bias, [n]);
  const [batchOfA, batchOfB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const batch = broadcastShapes("multiply", [batchOfA, batchOfB]);
  const y = Tensor.empty(a.device, [...batch, m, n]);
  const offsets = batchOffsets(batch, [
    { shape: batchOfA, size: m * k },
    { shape: batchOfB, size: k * n },
    { shape: batch, size: m * n },
  ]);
  for (const [aOffset, bOffset, cOffset] of offsets) {
    matmulInto(y, a, b, { m, n, k, transposeA, transposeB, bias, aOffset, bOffset, cOffset });
  }
  return record(y, [a, b, bias], (dy, gradients) => {
    // A matrix that several were multiplied by has the sum of their gradients, in order.
    const start = (input: Tensor) => {
      const { gradient, accumulate } = gradients.into(input);
      const seen = new Set<number>();
      return {
        gradient,
        next: (cOffset: number): { cOffset: number; accumulate: 0 | 1 } => {
          const first = !seen.has(cOffset);
          seen.add(cOffset);
          return { cOffset, accumulate: first ? accumulate : 1 };
        },
      };
    };
    if (gradients.wants(a)) {
      const { gradient, next } = start(a);
      for (const [aOffset, bOffset, dyOffset] of offsets) {
        if (transposeA) {
          const offset = { ...next(aOffset), aOffset: bOffset, bOffset: dyOffset };
          const transposed = { transposeA: transposeB, transposeB: true };
          matmulInto(gradient, b, dy, { m: k, n: m, k: n, ...transposed, ...offset });
        } else {
          const offset = { ...next(aOffset), aOffset: dyOffset, bOffset };
          matmulInto(gradient, dy, b, { m, n: k, k: n, transposeB: !transposeB, ...offset });
        }
      }
    }
    if (gradients.wants(b)) {
      const { gradient, next } = start(b);
      for (const [aOffset, bOffset, dyOffset] of offsets) {
        if (transposeB) {
          const offset = { ...next(bOffset), aOffset: dyOffset, bOffset: aOffset };
          const transposed = { transposeA: true, transposeB: transposeA };
          matmulInto(gradient, dy, a, { m: n, n: k, k: m, ...transposed, ...offset });
        } else {
          const offset = { ...next(bOffset), aOffset, bOffset: dyOffset };
          matmulInto(gradient, a, dy, { m: k, n, k: m, transposeA: !transposeA, ...offset });
        }
      }
    }
    if (bias && gradients.wants(bias)) addColumnSums(gradients.into(bias), dy);
  });
}

/** Where each matrix of a batch begins in each tensor. */
function batchOffsets(
  batch: readonly number[],
  tensors: readonly { shape: readonly number[]; size: number }[],
): number[][] {
  const strides = tensors.map(({ shape }) => stridesIn(shape, batch));
  return Array.from({ length: sizeOf(batch) }, (_, matrix) => {
    const index = new Array<number>(batch.length);
    for (let d = batch.length - 1, rest = matrix; d >= 0; d--) {
      index[d] = rest % batch[d];
      rest = Math.floor(rest / batch[d]);
    }
    return tensors.map(({ size }, i) =>
      size * strides[i].reduce((sum, stride, d) => sum + stride * index[d], 0)
    );
  });
}

/** The gradient of a bias. */
function addColumnSums(
  { gradient, accumulate }: ReturnType<Gradients["into"]>,
  dy: Tensor,
): void {
  dy.device.run(
    columnSumsKernel,
    { x: dy.buffer, y: gradient.buffer },
    { rows: dy.rows, width: dy.width, accumulate },
  );
}

/**
 * Multiplies matrices into a tensor that exists, or a part of one. Not recorded.
 *
 * @param c Where the (m, n) result goes, from element `cOffset`.
 * @param a op(a) is (m, k).
 * @param b op(b) is (k, n), from element `bOffset`.
 * @param options Dimensions, transposition, bias, whether to add to what is there.
 * @throws {RangeError} If the parts reach beyond the tensors.
 */
export function matmulInto(c: Tensor, a: Tensor, b: Tensor, options: MatmulIntoOptions): void {
  multiplyInto(c, a, b, options);
}

/** Sums that a product yields besides: of op(a)'s rows or op(b)'s columns. */
interface ProductSums {
  readonly of: "columns" | "rows";
  readonly gradient: Tensor;
  readonly accumulate: 0 | 1;
}

function multiplyInto(
  c: Tensor,
  a: Tensor,
  b: Tensor,
  options: MatmulIntoOptions,
  sums?: ProductSums,
): void {
  const { m, n, k, bias, accumulate = 0 } = options;
  const { aOffset = 0, bOffset = 0, cOffset = 0, biasOffset = 0 } = options;
  const { cStride = n } = options;
  const end = cOffset + (m - 1) * cStride + n;
  if (aOffset + m * k > a.size || bOffset + k * n > b.size || end > c.size) {
    throw new RangeError(
      `Cannot multiply (${m}, ${k}) by (${k}, ${n}): tensors of sizes ${a.size}, ${b.size} and ` +
        `${c.size} are too small`,
    );
  }
  if (sizeOf([m, n]) === 0) return;
  if (isPacked(b.dtype)) return multiplyPacked(c, a, b, options);
  if (a.dtype !== "f32") {
    throw new TypeError(`Cannot multiply by a matrix of type "${a.dtype}" from the left`);
  }
  const buffers = { a: a.buffer, b: b.buffer, c: c.buffer };
  const params = {
    m,
    n,
    k,
    transposeA: Number(options.transposeA ?? false),
    transposeB: Number(options.transposeB ?? false),
    hasBias: Number(bias !== undefined),
    accumulate,
    bOffset,
    cOffset,
    cStride,
    biasOffset,
    aOffset,
  };
  if (sums === undefined) {
    a.device.run(matmulKernel, { ...buffers, bias: (bias ?? a).buffer }, params);
    return;
  }
  a.device.run(
    matmulWithSumsKernel,
    { ...buffers, sums: sums.gradient.buffer },
    { ...params, sumsOf: sums.of === "rows" ? 1 : 0, accumulateSums: sums.accumulate },
  );
}

/** Elements of a packed matrix that are wide at a time: 16 MiB. */
const PANEL_ELEMENTS = 4 * 1024 * 1024;

const panels = new WeakMap<Device, Tensor>();

/**
 * Multiplies by a packed matrix: as it is stored where the device can, otherwise by some columns of the result at a time,
 * each of them one whole sum.
 */
function multiplyPacked(c: Tensor, a: Tensor, b: Tensor, options: MatmulIntoOptions): void {
  const { n, k, transposeB, bOffset = 0, cOffset = 0, cStride = n, biasOffset = 0 } = options;
  const firstRow = bOffset / b.width;
  if ((transposeB ? k : n) !== b.width || !Number.isInteger(firstRow)) {
    throw new RangeError(
      `Cannot multiply by part of a matrix of type "${b.dtype}": expected whole rows of ${b.width}`,
    );
  }
  if (multiplyStored(c, a, b, options)) return;
  const unit = transposeB ? 1 : Math.max(64, PACKED_FORMATS[b.dtype as "nf4"].blockElements);
  const step = Math.max(unit, Math.floor(PANEL_ELEMENTS / k / unit) * unit);
  for (let first = 0; first < n; first += step) {
    const count = Math.min(step, n - first);
    const panel = panelOf(b.device, k * Math.min(step, n));
    const part = transposeB
      ? { firstRow: firstRow + first, rows: count }
      : { firstRow, rows: k, firstColumn: first, columns: count };
    dequantizeInto(panel, b, part);
    matmulInto(c, a, panel, {
      ...options,
      n: count,
      bOffset: 0,
      cOffset: cOffset + first,
      cStride,
      biasOffset: biasOffset + first,
    });
  }
}

/** Memory for a panel, which all products of a device share: in the pool, small results would take and hold it. */
function panelOf(device: Device, elements: number): Tensor {
  const present = panels.get(device);
  if (present && present.size >= elements) return present;
  present?.dispose();
  const panel = Tensor.empty(device, [elements]).keep();
  panels.set(device, panel);
  return panel;
}
