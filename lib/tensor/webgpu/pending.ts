/** A program that is still to be written (removed once every kernel has its WGSL). */
import type { Program } from "./program.ts";
export const pending: Program<any, any> = {
  source: "",
  plan: () => {
    throw new TypeError("Cannot run this kernel on WebGPU: it has no WGSL");
  },
};
