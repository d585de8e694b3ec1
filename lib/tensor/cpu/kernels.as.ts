/** All AssemblyScript kernels, linked into kernels.wasm by `deno task build`. */
export * from "../ops/adamw/adamw.as";
export * from "../ops/add/add.as";
export * from "../ops/attention/attention.as";
export * from "../ops/cached_attention/cached_attention.as";
export * from "../ops/dequantize/dequantize.as";
export * from "../ops/dropout/dropout.as";
export * from "../ops/gated/gated.as";
export * from "../ops/gelu/gelu.as";
export * from "../ops/global_norm/global_norm.as";
export * from "../ops/layer_norm/layer_norm.as";
export * from "../ops/linear_cross_entropy/linear_cross_entropy.as";
export * from "../ops/matmul/matmul.as";
export * from "../ops/matmul/multiply_panel.as";
export * from "../ops/rms_norm/rms_norm.as";
export * from "../ops/rotary/rotary.as";
export * from "../ops/scale/scale.as";
