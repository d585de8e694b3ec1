/**
 * How threads share out products of a few rows with packed matrices: columns of the result. One row is multiplied by blocks
 * as they are stored; several rows share blocks that are widened a few at a time, in the first-level cache.
 */
import type { PackedContext } from "../../cpu/context.ts";
import { implement } from "../../cpu/kernel.ts";
import { SCRATCH_BYTES } from "../../cpu/packed_memory.ts";
import type { WasmKernels } from "../../cpu/wasm_kernels.ts";
import { PACKED_FORMATS, type PackedType } from "../../packed.ts";
import type { packedProductKernel } from "./packed_product.ts";
import { SUM_EXPONENT, X_EXPONENT } from "./packed_rows.ts";

/** Floats that are widened at a time: some rows of the matrix. */
const WIDE_FLOATS = 16 * 1024;

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
  /** Makes what the kernel reads in place of x, and sums of x. */
  prepare(wasm: WasmKernels, x: number, to: number, sums: number, k: number): void;
}

const nibbles = (kernel: RowProduct["kernel"], factor: number): RowProduct => ({
  kernel,
  elements: 32,
  scale: TO_SUM,
  prepare: (wasm, x, to, sums, k) => wasm.permuteNibbles(x, to, sums, k / 32, factor),
});

const ROW_PRODUCTS: Partial<Record<PackedType, RowProduct>> = {
  q4_0: nibbles("multiplyRowQ4_0", -8),
  q4_1: nibbles("multiplyRowQ4_1", 1),
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
    const { m, n, k, kind, firstRow, scalesAt, hasBias, accumulate } = params;
    const { cOffset, cStride, biasOffset, aOffset } = params;
    const share = context.share(n, 4);
    if (share.first >= share.last) return;
    const packed = context.packedContext(b);
    const { scratch } = packed;
    const format = formats[kind];
    const rowBytes = k / format.blockElements * format.blockBytes;
    const xAt = 0;
    const preparedAt = m * k;
    const multiply = m === 1 && format.row
      ? oneRow(packed, format.row, xAt, preparedAt, k)
      : severalRows(packed, format, b.byteOffset + scalesAt, xAt, preparedAt, m, k);
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

/** Multiplies `count` rows of the matrix that begin at an address, the row `row`, and writes to `yAt`. */
type Multiply = (address: number, row: number, yAt: number, count: number) => void;

/** Addresses in scratch memory are in floats. */
function oneRow(
  { wasm, scratch }: PackedContext,
  { kernel, elements, scale, prepare }: RowProduct,
  xAt: number,
  preparedAt: number,
  k: number,
): Multiply {
  const address = (at: number) => scratch.byteOffset + 4 * at;
  const sumsAt = preparedAt + k;
  let prepared = false;
  return (matrix, _row, yAt, count) => {
    if (!prepared) prepare(wasm, address(xAt), address(preparedAt), address(sumsAt), k);
    prepared = true;
    const [inputs, sums, y] = [address(preparedAt), address(sumsAt), address(yAt)];
    wasm[kernel](matrix, inputs, sums, y, count, k / elements, scale);
  };
}

function severalRows(
  { wasm, scratch }: PackedContext,
  { name, widen, blockElements, blockBytes }: typeof formats[number],
  scales: number,
  xAt: number,
  wideAt: number,
  m: number,
  k: number,
): Multiply {
  const address = (at: number) => scratch.byteOffset + 4 * at;
  const step = Math.max(4, Math.floor(WIDE_FLOATS / k / 4) * 4);
  const magnitudesAt = wideAt + step * k;
  const rowBlocks = k / blockElements;
  return (matrix, row, yAt, count) => {
    for (let first = 0; first < count; first += step) {
      const rows = Math.min(step, count - first);
      const blocks = rows * rowBlocks;
      const from = matrix + first * rowBlocks * blockBytes;
      const to = address(wideAt);
      if (name === "nf4") {
        wasm.dequantizeNf4(from, blockBytes, from + 32, blockBytes, to, blocks);
      } else if (name === "nf4_double") {
        const magnitudes = address(magnitudesAt);
        wasm.doubleMagnitudes(from + 32, scales, (row + first) * rowBlocks, magnitudes, blocks);
        wasm.dequantizeNf4(from, blockBytes, magnitudes, 4, to, blocks);
      } else {
        wasm[widen](from, to, blocks);
      }
      wasm.multiplyWide(address(xAt), to, address(yAt + first), m, rows, k, 4 * count);
    }
  };
}
