/** Products of two 1024 × 1024 matrices: by BLAS, without it, and by WebGPU. */

import { type Case, type CaseOptions, jaxJs, ours, peak, pyTorch } from "../cases.ts";
import { type Measured, ratio } from "../harness.ts";

const N = 1024;
const FLOPS = 2 * N ** 3;

const common = {
  rate: ({ median }: Measured) => `${(FLOPS / median / 1e9).toPrecision(3)} GFLOP/s`,
};

/** Ours with the system's BLAS beside PyTorch; no bar. */
export function matmulCase({ python }: CaseOptions): Promise<Case> {
  return Promise.resolve({
    ...common,
    title: `Matrix product ${N}³ with BLAS`,
    prepare: { case: "matmul", n: N, device: "cpu" },
    contestants: [ours(), ...pyTorch(python)],
    rounds: 15,
    bars: () => [],
  });
}

/** Ours without BLAS, beside jax-js and beside what WebAssembly can do at most. */
export function jaxMatmulCase(): Promise<Case> {
  return Promise.resolve({
    ...common,
    title: `Matrix product ${N}³ without BLAS (WebAssembly)`,
    prepare: { case: "matmul", n: N, device: "cpu" },
    contestants: [ours("Tunebook", { env: { TUNEBOOK_BLAS: "none" } }), jaxJs("wasm"), peak()],
    rounds: 25,
    // V8 recompiles code that has run often.
    warmUps: 5,
    bars: (of) => [
      {
        what: "Without BLAS: matmul 1024³, speed against jax-js's WASM",
        value: ratio(of("jax-js"), of("Tunebook")),
        kind: "at least",
        limit: 1,
      },
      {
        what: "Without BLAS: share of all cores' 128-bit fused multiply-add peak",
        value: 100 * ratio(of("Multiply-adds only"), of("Tunebook")),
        kind: "at least",
        limit: 65,
        unit: "%",
      },
    ],
  });
}

/** Ours by WebGPU, on software where there is no GPU, beside jax-js's. */
export function webGpuMatmulCase(): Promise<Case> {
  return Promise.resolve({
    ...common,
    title: `Matrix product ${N}³ by WebGPU`,
    prepare: { case: "matmul", n: N, device: "webgpu" },
    contestants: [ours(), jaxJs("webgpu")],
    rounds: 7,
    bars: (of) => [{
      what: "WebGPU matmul 1024³, speed against jax-js's WebGPU",
      value: ratio(of("jax-js"), of("Tunebook")),
      kind: "at least",
      limit: 2.5,
    }],
  });
}
