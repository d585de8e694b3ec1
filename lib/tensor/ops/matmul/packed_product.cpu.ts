/**
 * How threads share out products with packed matrices: columns of the result. One row is multiplied by blocks as they are
 * stored; several rows share blocks that are widened a few at a time, in the first-level cache; many rows are multiplied by
 * tiles that are widened in the second-level cache, by BLAS where there is one, and several too where it is fast for them.
 */
import type { Context, PackedContext, Range } from "../../cpu/context.ts";
import { implement, type ParamsOf } from "../../cpu/kernel.ts";
import { SCRATCH_BYTES } from "../../cpu/packed_memory.ts";
import type { WasmKernels } from "../../cpu/wasm_kernels.ts";
import { PACKED_FORMATS, type PackedType } from "../../packed.ts";
import { isInBfloat16 } from "./bfloat16_product.ts";
import { multiplyPart } from "./matmul.cpu.ts";
import { MOST_ROWS, type packedProductKernel, type tiledProductKernel } from "./packed_product.ts";
import { SUM_EXPONENT, X_EXPONENT } from "./packed_rows.ts";

/** Floats that are widened at a time: some rows of the matrix. */
const WIDE_FLOATS = 16 * 1024;

/**
 * Terms of the inner sums in a tile, whole blocks of each format. It decides the order of the sums, so that it depends on
 * nothing; BLAS packs tiles of this depth fastest.
 */
const TILE_TERMS = 256;

/**
 * Terms in a tile with fewer than {@linkcode MOST_ROWS} rows: mostly all, so that the matrix is read in the order in which it is
 * stored. From 16 rows on oneDNN takes twice as long so.
 */
const TILE_TERMS_OF_FEW = 4096;

/** Numbers in a tile at most: 1 MiB, a second-level cache. */
const TILE_FLOATS = 256 * 1024;

/** Floats of results at a time. */
const RESULT_FLOATS = 128 * 1024;

const TO_X = 2 ** X_EXPONENT;
const TO_SUM = 2 ** SUM_EXPONENT;

/** How one row of x is multiplied by rows of a format. */
interface RowProduct {
  /** The WASM kernel. */
  readonly kernel: Extract<keyof WasmKernels, `multiplyRow${string}`>;
  /** Elements that a turn of its loop takes. */
  readonly elements: number;
  /** Factor of the result. */
  readonly scale: number;
  /** Whether the kernel reads blocks' magnitudes apart, in place of sums. */
  readonly magnitudes?: boolean;
  /** Makes what the kernel reads in place of x, and sums of x. */
  prepare(wasm: WasmKernels, x: number, to: number, sums: number, k: number): void;
}

const nibbles = (kernel: RowProduct["kernel"], factor: number): RowProduct => ({
  kernel,
  elements: 32,
  scale: TO_SUM,
  prepare: (wasm, x, to, sums, k) => wasm.permuteNibbles(x, to, sums, k / 32, factor),
});

/** `part`: elements that have a common sum. */
const bytes = (
  kernel: RowProduct["kernel"],
  elements: number,
  part: number,
  factor: number,
): RowProduct => ({
  kernel,
  elements,
  scale: TO_SUM,
  prepare: (wasm, x, to, sums, k) => wasm.permuteBytes(x, to, sums, k / 16, part, factor),
});

const lookUps = (kernel: RowProduct["kernel"], magnitudes: boolean): RowProduct => ({
  kernel,
  elements: 64,
  scale: 1,
  magnitudes,
  prepare: (wasm, x, to, _sums, k) => wasm.permuteHalves(x, to, k, 1),
});

const ROW_PRODUCTS: Record<PackedType, RowProduct> = {
  q4_0: nibbles("multiplyRowQ4_0", -8),
  q4_1: nibbles("multiplyRowQ4_1", 1),
  q5_0: bytes("multiplyRowQ5_0", 32, 32, -16),
  q5_1: bytes("multiplyRowQ5_1", 32, 32, 1),
  q4_k: {
    kernel: "multiplyRowQ4_K",
    elements: 256,
    scale: TO_SUM,
    prepare: (wasm, x, to, sums, k) => wasm.permutePairs(x, to, sums, k / 64, -1),
  },
  q5_k: bytes("multiplyRowQ5_K", 256, 32, -1),
  q6_k: bytes("multiplyRowQ6_K", 256, 16, -32),
  q8_0: {
    kernel: "multiplyRowQ8_0",
    elements: 32,
    scale: TO_SUM,
    prepare: (wasm, x, to, _sums, k) => wasm.scale(x, to, k, TO_X, false),
  },
  f16: {
    kernel: "multiplyRowF16",
    elements: 8,
    scale: TO_SUM,
    prepare: (wasm, x, to, _sums, k) => wasm.permuteHalves(x, to, k, TO_X),
  },
  bf16: {
    kernel: "multiplyRowBf16",
    elements: 8,
    scale: 1,
    prepare: (wasm, x, to, _sums, k) => wasm.permuteHalves(x, to, k, 1),
  },
  nf4: lookUps("multiplyRowNf4", false),
  nf4_double: lookUps("multiplyRowNf4Double", true),
};

/** Formats by their number. */
const formats = (Object.keys(PACKED_FORMATS) as PackedType[]).map((name) => ({
  name,
  ...PACKED_FORMATS[name],
  row: ROW_PRODUCTS[name],
  widen: `dequantize${name[0].toUpperCase()}${name.slice(1).replace("_k", "_K")}` as WidenKernel,
}));

/** WASM kernels that widen whole blocks; NF4's takes more. */
type WidenKernel = Exclude<Extract<keyof WasmKernels, `dequantize${string}`>, "dequantizeNf4">;

export const packedProduct = implement<typeof packedProductKernel>(
  "matmul.packed",
  (context, { a, b, bias, c }, params) => {
    if (params.m > 1 && context.blas?.isFastForFewRows) {
      return multiplyTiles(context, { a, b, bias, c }, { ...params, transposeA: 0, transposeB: 1 });
    }
    const { m, n, k, kind, firstRow, scalesAt, hasBias, accumulate } = params;
    const { cOffset, cStride, biasOffset, aOffset } = params;
    const share = context.share(n, 4);
    if (share.first >= share.last) return;
    const packed = context.packedContext(b)!;
    const { scratch } = packed;
    const format = formats[kind];
    const rowBytes = k / format.blockElements * format.blockBytes;
    const xAt = 0;
    const preparedAt = m * k;
    const scales = b.byteOffset + scalesAt;
    const multiply = m === 1
      ? oneRow(packed, format, scales, xAt, preparedAt, k)
      : severalRows(packed, format, scales, xAt, preparedAt, m, k);
    scratch.set(a.subarray(aOffset, aOffset + m * k), xAt);
    const yAt = SCRATCH_BYTES / 4 - RESULT_FLOATS;
    const step = Math.floor(RESULT_FLOATS / m / 4) * 4;
    for (let first = share.first; first < share.last; first += step) {
      const count = Math.min(step, share.last - first);
      const row = firstRow + first;
      multiply(b.byteOffset + row * rowBytes, row, yAt, count);
      for (let i = 0; i < m; i++) {
        const y = scratch.subarray(yAt + i * count, yAt + (i + 1) * count);
        const at = cOffset + i * cStride + first;
        if (hasBias) { for (let j = 0; j < count; j++) y[j] += bias[biasOffset + first + j]; }
        if (accumulate) { for (let j = 0; j < count; j++) y[j] += c[at + j]; }
        c.set(y, at);
      }
    }
  },
);

export const tiledProduct = implement<typeof tiledProductKernel>(
  "matmul.packedTiles",
  multiplyTiles,
);

function multiplyTiles(
  context: Context,
  { a, b, bias, c }: Record<"a" | "b" | "bias" | "c", Float32Array>,
  params: ParamsOf<typeof tiledProductKernel>,
): void {
  const { m, n, k, firstRow, transposeA, transposeB, hasBias, accumulate } = params;
  const { cOffset, cStride, biasOffset, aOffset } = params;
  const share = context.share(n, 16);
  if (share.first >= share.last) return;
  const bfloat16 = isInBfloat16(context, m, n, k);
  const widen = widenTile(context, b, params);
  const depth = m < MOST_ROWS && transposeB ? Math.min(k, TILE_TERMS_OF_FEW) : TILE_TERMS;
  const parts = Math.ceil((share.last - share.first) / Math.floor(TILE_FLOATS / depth));
  const step = Math.ceil((share.last - share.first) / parts / 16) * 16;
  const aStride = transposeA ? m : k;
  for (let first = share.first; first < share.last; first += step) {
    const last = Math.min(share.last, first + step);
    const part = { rows: { first: 0, last: m }, columns: { first: 0, last: last - first } };
    for (let term = 0; term < k; term += depth) {
      const terms = { first: term, last: Math.min(k, term + depth) };
      const columns = { first, last };
      const tile = transposeB
        ? widen(shift(columns, firstRow), terms)
        : widen(shift(terms, firstRow), columns);
      context.reset();
      multiplyPart(
        context,
        {
          a: a.subarray(aOffset + (transposeA ? term * aStride : term)),
          aStride,
          b: tile.floats,
          bStride: tile.stride,
          bias: hasBias && term === 0 ? bias.subarray(biasOffset + first) : undefined,
          c: c.subarray(cOffset + first),
          cStride,
        },
        part,
        {
          k: terms.last - term,
          transposeA,
          transposeB,
          accumulate: term > 0 ? 1 : accumulate,
          bfloat16,
        },
      );
    }
  }
}

const shift = ({ first, last }: Range, by: number): Range => ({
  first: first + by,
  last: last + by,
});

/** Widens some rows and columns of a packed matrix: floats that begin at the first of them, and their stride. */
type WidenTile = (rows: Range, columns: Range) => { floats: Float32Array; stride: number };

function widenTile(
  context: Context,
  b: Float32Array,
  { kind, n, k, transposeB, scalesAt }: ParamsOf<typeof tiledProductKernel>,
): WidenTile {
  const packed = context.packedContext(b)!;
  const { scratch } = packed;
  const { blockElements, blockBytes } = formats[kind];
  const rowBlocks = (transposeB ? k : n) / blockElements;
  const widen = widenRows(packed, formats[kind], b.byteOffset + scalesAt, rowBlocks);
  return (rows, columns) => {
    // Whole blocks, of which other threads may want a part, too.
    const firstBlock = Math.floor(columns.first / blockElements);
    const blocks = Math.ceil(columns.last / blockElements) - firstBlock;
    const block = rows.first * rowBlocks + firstBlock;
    const count = rows.last - rows.first;
    widen(b.byteOffset + block * blockBytes, block, 0, count, blocks);
    const stride = blocks * blockElements;
    const floats = scratch.subarray(columns.first - firstBlock * blockElements, stride * count);
    return { floats, stride };
  };
}

/** Multiplies `count` rows of the matrix that begin at an address, the row `row`, and writes to `yAt`. */
type Multiply = (address: number, row: number, yAt: number, count: number) => void;

/** Addresses in scratch memory are in floats. */
function oneRow(
  { wasm, scratch }: PackedContext,
  { row: { kernel, elements, scale, magnitudes, prepare }, blockBytes }: typeof formats[number],
  scales: number,
  xAt: number,
  preparedAt: number,
  k: number,
): Multiply {
  const address = (at: number) => scratch.byteOffset + 4 * at;
  const [inputs, sums] = [address(preparedAt), address(preparedAt + k)];
  const turns = k / elements;
  const step = magnitudes ? Math.max(4, Math.floor(WIDE_FLOATS / turns / 4) * 4) : Infinity;
  let prepared = false;
  return (matrix, row, yAt, count) => {
    if (!prepared) prepare(wasm, address(xAt), inputs, sums, k);
    prepared = true;
    for (let first = 0; first < count; first += step) {
      const rows = Math.min(step, count - first);
      const from = matrix + first * turns * blockBytes;
      if (magnitudes) {
        wasm.doubleMagnitudes(from + 32, scales, (row + first) * turns, sums, rows * turns);
      }
      wasm[kernel](from, inputs, sums, address(yAt + first), rows, turns, scale);
    }
  };
}

function severalRows(
  packed: PackedContext,
  format: typeof formats[number],
  scales: number,
  xAt: number,
  wideAt: number,
  m: number,
  k: number,
): Multiply {
  const { wasm, scratch } = packed;
  const address = (at: number) => scratch.byteOffset + 4 * at;
  const step = Math.max(4, Math.floor(WIDE_FLOATS / k / 4) * 4);
  const rowBlocks = k / format.blockElements;
  const widen = widenRows(packed, format, scales, rowBlocks);
  return (matrix, row, yAt, count) => {
    for (let first = 0; first < count; first += step) {
      const rows = Math.min(step, count - first);
      const from = matrix + first * rowBlocks * format.blockBytes;
      widen(from, (row + first) * rowBlocks, wideAt, rows, rowBlocks);
      const [x, w, y] = [address(xAt), address(wideAt), address(yAt + first)];
      wasm.multiplyWide(x, w, y, m, rows, k, 4 * count);
    }
  };
}

/**
 * Widens `blocks` blocks of each of `rows` rows, one row after the other, to `to` in scratch memory. The first block is at
 * an address and has the number `block`.
 */
type WidenRows = (from: number, block: number, to: number, rows: number, blocks: number) => void;

/** `rowBlocks` are those of a row of the matrix. */
function widenRows(
  { wasm, scratch }: PackedContext,
  { name, widen, blockElements, blockBytes }: typeof formats[number],
  scales: number,
  rowBlocks: number,
): WidenRows {
  const start = scratch.byteOffset;
  if (name === "nf4_double") {
    return (from, block, to, rows, blocks) =>
      wasm.widenNf4Double(from, scales, block, rowBlocks, start + 4 * to, rows, blocks);
  }
  const widenBlocks = name === "nf4"
    ? (from: number, to: number, blocks: number) =>
      wasm.dequantizeNf4(from, blockBytes, from + 32, blockBytes, to, blocks)
    : wasm[widen];
  return (from, _block, to, rows, blocks) => {
    if (blocks === rowBlocks) return widenBlocks(from, start + 4 * to, rows * blocks);
    for (let row = 0; row < rows; row++) {
      const at = start + 4 * (to + row * blocks * blockElements);
      widenBlocks(from + row * rowBlocks * blockBytes, at, blocks);
    }
  };
}
