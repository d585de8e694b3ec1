/** How threads share out `globalNorm`: blocks. */
import { implement } from "../../cpu/kernel.ts";
import type { partialsKernel } from "./global_norm.ts";

/** As in `global_norm.ts`, which threads do not load. */
const BLOCK = 65_536;

export const globalNormPartials = implement<typeof partialsKernel>(
  "globalNorm.partials",
  (context, { x, partials }, { size, offset }) => {
    const { first, last } = context.share(Math.ceil(size / BLOCK));
    const address = context.reserve(BLOCK);
    const at = address / 4;
    for (let block = first; block < last; block++) {
      const values = x.subarray(block * BLOCK, Math.min(size, (block + 1) * BLOCK));
      context.copyIn(values, address);
      context.floats.fill(0, at + values.length, at + Math.ceil(values.length / 16) * 16);
      partials[offset + block] = context.wasm.sumOfSquares(address, values.length);
    }
  },
);
