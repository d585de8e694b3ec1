/** How threads share out `globalNorm`: blocks. */
import type { CpuKernel } from "../../cpu/kernel.ts";

/** As in `global_norm.ts`, which threads do not load. */
const BLOCK = 65_536;

export const globalNormPartials: CpuKernel = (context, { x, partials }, { size, offset }) => {
  const { first, last } = context.share(Math.ceil(size / BLOCK));
  const address = context.reserve(BLOCK);
  const at = address / 4;
  for (let block = first; block < last; block++) {
    const values = x.subarray(block * BLOCK, Math.min(size, (block + 1) * BLOCK));
    context.floats.set(values, at);
    context.floats.fill(0, at + values.length, at + Math.ceil(values.length / 16) * 16);
    partials[offset + block] = context.wasm.sumOfSquares(address, values.length);
  }
};
