/**
 * Every CPU kernel by name. An op is known to the CPU by being listed here, and in `kernels.as.ts` if it has WASM.
 *
 * @module
 */

import type { CpuKernel } from "./kernel.ts";
import { scale } from "../ops/scale/scale.cpu.ts";

/** CPU kernels by {@linkcode Kernel.name}. */
export const kernels: Readonly<Record<string, CpuKernel>> = {
  "scale": scale,
};
