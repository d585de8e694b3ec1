/**
 * How threads share out `matmul`: blocks of rows or of columns of the result, whichever there are more of. Each thread
 * multiplies with BLAS, or with WASM where there is none. The order of the inner sum depends on neither.
 */
import type { Context, Range } from "../../cpu/context.ts";
import type { CpuKernel } from "../../cpu/kernel.ts";

export const matmul: CpuKernel = (context, { a, b, bias, c }, params) => {
  const { m, n } = params;
  const whole = { rows: { first: 0, last: m }, columns: { first: 0, last: n } };
  const part = n >= m
    ? { ...whole, columns: context.share(n, 16) }
    : { ...whole, rows: context.share(m, 8) };
  if (part.columns.first >= part.columns.last || part.rows.first >= part.rows.last) return;
  const matrices = {
    a,
    b: b.subarray(params.bOffset),
    bias: params.hasBias ? bias : undefined,
    c: c.subarray(params.cOffset),
  };
  if (context.blas) multiplyWithBlas(context, matrices, part, params);
  else multiplyWithWasm(context, matrices, part, params);
};

interface Matrices {
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly bias: Float32Array | undefined;
  readonly c: Float32Array;
}

interface Part {
  readonly rows: Range;
  readonly columns: Range;
}

function multiplyWithBlas(
  context: Context,
  { a, b, bias, c }: Matrices,
  { rows, columns }: Part,
  { m, n, k, transposeA, transposeB, accumulate }: Record<string, number>,
): void {
  if (bias) {
    for (let row = rows.first; row < rows.last; row++) {
      const target = c.subarray(row * n + columns.first, row * n + columns.last);
      if (accumulate) {
        for (let i = 0; i < target.length; i++) target[i] += bias[columns.first + i];
      } else {
        target.set(bias.subarray(columns.first, columns.last));
      }
    }
  }
  context.blas!.gemm(
    transposeA === 1,
    transposeB === 1,
    rows.last - rows.first,
    columns.last - columns.first,
    k,
    a.subarray(transposeA ? rows.first : rows.first * k),
    transposeA ? m : k,
    b.subarray(transposeB ? columns.first * k : columns.first),
    transposeB ? k : n,
    accumulate || bias ? 1 : 0,
    c.subarray(rows.first * n + columns.first),
    n,
  );
}

/** Block sizes: a packed block of `b` (INNER × COLUMNS) stays in the second-level cache. */
const INNER = 256;
const COLUMNS = 256;
/** Floats of `a` that are packed at once. */
const PACKED_A = 4 * 1024 * 1024;

function multiplyWithWasm(
  context: Context,
  matrices: Matrices,
  part: Part,
  params: Record<string, number>,
): void {
  const { k } = params;
  const rowStep = Math.max(64, Math.floor(PACKED_A / Math.max(k, 1) / 4) * 4);
  for (let first = part.rows.first; first < part.rows.last; first += rowStep) {
    const rows = { first, last: Math.min(part.rows.last, first + rowStep) };
    context.reset();
    multiplyRows(context, matrices, { ...part, rows }, params);
  }
}

function multiplyRows(
  context: Context,
  { a, b, bias, c }: Matrices,
  { rows, columns }: Part,
  { m, n, k, transposeA, transposeB, accumulate }: Record<string, number>,
): void {
  const { wasm } = context;
  const rowCount = rows.last - rows.first;
  const panels = Math.ceil(rowCount / 4);
  const packedA = context.reserve(panels * 4 * k);
  const raw = context.reserve(Math.max(INNER, COLUMNS) * Math.max(INNER, 4));
  const packedB = context.reserve(INNER * COLUMNS);
  const sums = context.reserve(panels * 4 * COLUMNS);

  // Panels of `a` over all of k, a block of rows at a time.
  for (let first = 0; first < rowCount; first += 4) {
    const count = Math.min(4, rowCount - first);
    const block = { first: rows.first + first, last: rows.first + first + count };
    const target = packedA + first * k * 4;
    for (let inner = 0; inner < k; inner += INNER) {
      const depth = { first: inner, last: Math.min(k, inner + INNER) };
      const size = depth.last - depth.first;
      if (transposeA) {
        context.copyBlock(raw, a, m, depth, block, 4);
        wasm.packATransposed(raw, target + inner * 16, count, size, 4);
      } else {
        context.copyBlock(raw, a, k, block, depth, size);
        wasm.packA(raw, target + inner * 16, count, size, size);
      }
    }
  }

  for (let first = columns.first; first < columns.last; first += COLUMNS) {
    const block = { first, last: Math.min(columns.last, first + COLUMNS) };
    const count = block.last - block.first;
    startSums(context, sums, bias, c, n, rows, block, accumulate);
    for (let inner = 0; inner < k; inner += INNER) {
      const depth = { first: inner, last: Math.min(k, inner + INNER) };
      const size = depth.last - depth.first;
      if (transposeB) {
        context.copyBlock(raw, b, k, block, depth, size);
        wasm.packBTransposed(raw, packedB, count, size, size);
      } else {
        context.copyBlock(raw, b, n, depth, block, count);
        wasm.packB(raw, packedB, count, size, count);
      }
      wasm.multiplyPacked(
        packedA + inner * 16,
        packedB,
        sums,
        rowCount,
        count,
        size,
        k * 16,
        COLUMNS,
      );
    }
    for (let row = 0; row < rowCount; row++) {
      const from = sums / 4 + row * COLUMNS;
      c.set(context.floats.subarray(from, from + count), (rows.first + row) * n + first);
    }
  }
}

/** What the products are added to: zeros, the bias, what is there, or both. */
function startSums(
  context: Context,
  sums: number,
  bias: Float32Array | undefined,
  c: Float32Array,
  n: number,
  rows: Range,
  columns: Range,
  accumulate: number,
): void {
  const { floats } = context;
  const count = columns.last - columns.first;
  const rowCount = rows.last - rows.first;
  if (accumulate) context.copyBlock(sums, c, n, rows, columns, COLUMNS);
  for (let row = 0; row < rowCount; row++) {
    const at = sums / 4 + row * COLUMNS;
    if (!bias) {
      if (!accumulate) floats.fill(0, at, at + count);
    } else if (accumulate) {
      for (let i = 0; i < count; i++) floats[at + i] += bias[columns.first + i];
    } else {
      floats.set(bias.subarray(columns.first, columns.last), at);
    }
  }
}

export const columnSums: CpuKernel = (context, { x, y }, { rows, width, accumulate }) => {
  const columns = context.share(width, 16);
  const sumsAt = context.loadSums(y, columns, accumulate);
  context.streamColumns(
    { x: { buffer: x, width } },
    rows,
    columns,
    (at, count, _first, stride) => context.wasm.addRows(at.x, sumsAt, count, stride),
  );
  context.store(sumsAt, y, columns);
};
