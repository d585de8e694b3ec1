/** All AssemblyScript kernels, linked into kernels.wasm by `deno task build`. */
export * from "../ops/scale/scale.as";
