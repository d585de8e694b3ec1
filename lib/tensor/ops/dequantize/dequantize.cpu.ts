/** How threads share out `dequantize`: rows, a few at a time through WASM memory. */
import { implement, ints } from "../../cpu/kernel.ts";
import type { WasmKernels } from "../../cpu/wasm_kernels.ts";
import { DOUBLE_BLOCKS, DOUBLE_HEAD, PACKED_FORMATS } from "../../packed.ts";
import type { dequantizeKernel } from "./dequantize.ts";

/** Formats and their WASM kernels, by the number that stands for them. */
const formats = Object.entries(PACKED_FORMATS).map(([name, format]) => ({
  ...format,
  name,
  kernel: `dequantize${name[0].toUpperCase()}${name.slice(1).replace("_k", "_K")}` as BlockKernel,
}));

/** WASM kernels that widen whole blocks; NF4's takes more. */
type BlockKernel = Exclude<
  Extract<keyof WasmKernels, `dequantize${string}`>,
  "dequantizeNf4"
>;

/** Bytes of floats that are made at once. */
const CHUNK_BYTES = 128 * 1024;

export const dequantize = implement<typeof dequantizeKernel>(
  "dequantize",
  (context, { packed, ids, y }, params) => {
    const { kind, rows, firstRow, width, firstColumn, columns, hasIds, scalesAt } = params;
    const { name, blockElements, blockBytes, kernel } = formats[kind];
    const source = new Uint8Array(packed.buffer, packed.byteOffset, packed.byteLength);
    const rowBytes = width / blockElements * blockBytes;
    const firstBlock = firstColumn / blockElements;
    const rowBlocks = columns / blockElements;
    const partBytes = rowBlocks * blockBytes;
    const consecutive = !hasIds && columns === width;
    const rowIds = ints(ids);

    const share = context.share(rows);
    const step = Math.max(1, Math.floor(CHUNK_BYTES / 4 / columns));
    const from = context.reserve(Math.ceil(step * partBytes / 4));
    const to = context.reserve(step * columns);
    const magnitudes = context.reserve(name === "nf4_double" ? step * rowBlocks : 0);
    const memory = new Uint8Array(context.floats.buffer);
    for (let first = share.first; first < share.last; first += step) {
      const count = Math.min(step, share.last - first);
      const rowOf = (i: number) => hasIds ? rowIds[first + i] : firstRow + first + i;
      if (consecutive) {
        const start = rowOf(0) * rowBytes;
        memory.set(source.subarray(start, start + count * rowBytes), from);
      } else {
        for (let i = 0; i < count; i++) {
          const start = rowOf(i) * rowBytes + firstBlock * blockBytes;
          memory.set(source.subarray(start, start + partBytes), from + i * partBytes);
        }
      }
      const blocks = count * rowBlocks;
      if (name === "nf4") {
        context.wasm.dequantizeNf4(from, blockBytes, from + 32, blockBytes, to, blocks);
      } else if (name === "nf4_double") {
        const scales = packed.subarray(scalesAt / 4);
        const [mean] = scales;
        const { floats } = context;
        let at = 0;
        for (let i = 0; i < count; i++) {
          const block = rowOf(i) * (width / blockElements) + firstBlock;
          for (let j = 0; j < rowBlocks; j++) {
            const code = memory[from + at * blockBytes + 32];
            const scale = scales[DOUBLE_HEAD + Math.floor((block + j) / DOUBLE_BLOCKS)];
            floats[magnitudes / 4 + at] = Math.fround(scales[1 + code] * scale) + mean;
            at++;
          }
        }
        context.wasm.dequantizeNf4(from, blockBytes, magnitudes, 4, to, blocks);
      } else {
        context.wasm[kernel](from, to, blocks);
      }
      y.set(context.floats.subarray(to / 4, to / 4 + count * columns), first * columns);
    }
  },
);
