/**
 * How threads share out `matmul`: blocks of rows or of columns of the result, whichever there are more of. Each thread
 * multiplies with BLAS, or with WASM where there is none. The order of the inner sum depends on neither.
 */
import type { Context, Range } from "../../cpu/context.ts";
import { implement, type ParamsOf } from "../../cpu/kernel.ts";
import { isInBfloat16, multiplyInBfloat16 } from "./bfloat16_product.ts";
import { PANEL_ROWS, PANEL_TERMS } from "./multiply_panel.ts";
import type { Matrices, Part, PartOptions } from "./part.ts";
import type { columnSumsKernel, matmulKernel, matmulWithSumsKernel } from "./matmul.ts";

export const matmul = implement<typeof matmulKernel>(
  "matmul",
  (context, { a, b, bias, c }, params) => {
    multiply(context, {
      a: a.subarray(params.aOffset),
      b: b.subarray(params.bOffset),
      bias: params.hasBias ? bias.subarray(params.biasOffset) : undefined,
      c: c.subarray(params.cOffset),
    }, params);
  },
);

export const matmulWithSums = implement<typeof matmulWithSumsKernel>(
  "matmul.withSums",
  (context, { a, b, sums, c }, params) => {
    const { aOffset, bOffset, cOffset, m, n, k, sumsOf, accumulateSums } = params;
    const matrices = { a: a.subarray(aOffset), b: b.subarray(bOffset), bias: undefined };
    multiply(context, { ...matrices, c: c.subarray(cOffset) }, params);
    context.reset();
    const [x, width] = sumsOf ? [matrices.a, m] : [matrices.b, n];
    addColumns(context, x, sums, { rows: k, width, accumulate: accumulateSums });
  },
);

function multiply(
  context: Context,
  matrices: Omit<Matrices, "aStride" | "bStride" | "cStride">,
  params: ParamsOf<typeof matmulKernel>,
): void {
  const { m, n, k, transposeA, transposeB, cStride } = params;
  const whole = { rows: { first: 0, last: m }, columns: { first: 0, last: n } };
  const part = n >= m
    ? { ...whole, columns: context.share(n, 16) }
    : { ...whole, rows: context.share(m, 8) };
  const strides = { aStride: transposeA ? m : k, bStride: transposeB ? k : n, cStride };
  const bfloat16 = isInBfloat16(context, m, n, k);
  multiplyPart(context, { ...matrices, ...strides }, part, { ...params, bfloat16 });
}

/**
 * Computes a part of a product in this thread, by BLAS or, where there is none, in WASM.
 *
 * @param context The thread.
 * @param matrices Whole matrices; `bias` has an element per column.
 * @param part Which part, perhaps none.
 * @param options How.
 */
export function multiplyPart(
  context: Context,
  matrices: Matrices,
  part: Part,
  options: PartOptions,
): void {
  const { rows, columns } = part;
  if (columns.first >= columns.last || rows.first >= rows.last) return;
  if (context.blas) multiplyWithBlas(context, matrices, part, options);
  else multiplyWithWasm(context, matrices, part, options);
}

function multiplyWithBlas(
  context: Context,
  matrices: Matrices,
  part: Part,
  options: PartOptions,
): void {
  const { a, aStride, b, bStride, bias, c, cStride } = matrices;
  const { rows, columns } = part;
  const { k, transposeA, transposeB, accumulate } = options;
  if (bias) {
    for (let row = rows.first; row < rows.last; row++) {
      const at = row * cStride;
      const target = c.subarray(at + columns.first, at + columns.last);
      if (accumulate) {
        for (let i = 0; i < target.length; i++) target[i] += bias[columns.first + i];
      } else {
        target.set(bias.subarray(columns.first, columns.last));
      }
    }
  }
  const beta = accumulate || bias ? 1 : 0;
  if (options.bfloat16) return multiplyInBfloat16(context, matrices, part, options, beta);
  context.blas!.gemm(
    transposeA === 1,
    transposeB === 1,
    rows.last - rows.first,
    columns.last - columns.first,
    k,
    a.subarray(transposeA ? rows.first : rows.first * aStride),
    aStride,
    b.subarray(transposeB ? columns.first * bStride : columns.first),
    bStride,
    beta,
    c.subarray(rows.first * cStride + columns.first),
    cStride,
  );
}

/** A block of `b` (PANEL_TERMS × COLUMNS) stays in the second-level cache. */
const COLUMNS = 512;
/** Floats of `a` that are in WASM memory at once. */
const LARGEST_A = 4 * 1024 * 1024;

function multiplyWithWasm(
  context: Context,
  matrices: Matrices,
  part: Part,
  options: PartOptions,
): void {
  const rowStep = Math.max(
    PANEL_ROWS,
    Math.floor(LARGEST_A / Math.max(options.k, 1) / PANEL_ROWS) * PANEL_ROWS,
  );
  for (let first = part.rows.first; first < part.rows.last; first += rowStep) {
    const rows = { first, last: Math.min(part.rows.last, first + rowStep) };
    context.reset();
    multiplyRows(context, matrices, { ...part, rows }, options);
  }
}

function multiplyRows(
  context: Context,
  { a, aStride, b, bStride, bias, c, cStride }: Matrices,
  { rows, columns }: Part,
  { k, transposeA, transposeB, accumulate }: PartOptions,
): void {
  const { wasm } = context;
  const count = rows.last - rows.first;
  const inside = { first: 0, last: k };
  const rowsAt = context.reserve(count * k);
  if (transposeA) context.copyBlock(rowsAt, a, aStride, inside, rows, count);
  else context.copyBlock(rowsAt, a, aStride, rows, inside, k);
  const panelAt = wasm.panelAddress();
  const rawAt = context.reserve(PANEL_TERMS * COLUMNS);
  const packedAt = context.reserve(PANEL_TERMS * COLUMNS);
  const sumsAt = context.reserve(Math.ceil(count / PANEL_ROWS) * PANEL_ROWS * COLUMNS);

  for (let first = columns.first; first < columns.last; first += COLUMNS) {
    const block = { first, last: Math.min(columns.last, first + COLUMNS) };
    const width = block.last - block.first;
    startSums(context, sumsAt, bias, c, cStride, rows, block, accumulate);
    for (let inner = 0; inner < k; inner += PANEL_TERMS) {
      const depth = { first: inner, last: Math.min(k, inner + PANEL_TERMS) };
      const terms = depth.last - depth.first;
      if (transposeB) {
        context.copyBlock(rawAt, b, bStride, block, depth, terms);
        wasm.packBTransposed(rawAt, packedAt, width, terms, terms);
      } else {
        context.copyBlock(rawAt, b, bStride, depth, block, width);
        wasm.packB(rawAt, packedAt, width, terms, width);
      }
      for (let row = 0; row < count; row += PANEL_ROWS) {
        const panelRows = Math.min(PANEL_ROWS, count - row);
        if (transposeA) {
          const at = rowsAt + (inner * count + row) * 4;
          wasm.splatColumns(at, panelAt, panelRows, terms, count * 4);
        } else {
          wasm.splatRows(rowsAt + (row * k + inner) * 4, panelAt, panelRows, terms, k * 4);
        }
        const at = sumsAt + row * COLUMNS * 4;
        wasm.multiplyPanel(packedAt, at, width, terms, COLUMNS * 4);
      }
    }
    for (let row = 0; row < count; row++) {
      const from = sumsAt / 4 + row * COLUMNS;
      c.set(context.floats.subarray(from, from + width), (rows.first + row) * cStride + first);
    }
  }
}

/** What the products are added to: zeros, the bias, what is there, or both. */
function startSums(
  context: Context,
  sums: number,
  bias: Float32Array | undefined,
  c: Float32Array,
  cStride: number,
  rows: Range,
  columns: Range,
  accumulate: number,
): void {
  const { floats } = context;
  const count = columns.last - columns.first;
  const rowCount = rows.last - rows.first;
  if (accumulate) context.copyBlock(sums, c, cStride, rows, columns, COLUMNS);
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

export const columnSums = implement<typeof columnSumsKernel>(
  "matmul.columnSums",
  (context, { x, y }, params) => addColumns(context, x, y, params),
);

function addColumns(
  context: Context,
  x: Float32Array,
  y: Float32Array,
  { rows, width, accumulate }: ParamsOf<typeof columnSumsKernel>,
): void {
  const columns = context.share(width, 16);
  const sumsAt = context.loadSums(y, columns, accumulate);
  context.streamColumns(
    { x: { buffer: x, width } },
    rows,
    columns,
    (at, count, _first, stride) => context.wasm.addRows(at.x, sumsAt, count, stride),
  );
  context.store(sumsAt, y, columns);
}
