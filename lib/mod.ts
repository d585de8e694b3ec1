/**
 * What a notebook imports: `import { loadNetwork, sft } from "tunebook"`.
 *
 * @module
 */

// How devices, tensors and models are kept between runs of a notebook.
import "./tensor/keep.ts";
import "./model/keep.ts";

export * from "./tensor/mod.ts";
export { parseDevice, pick, type PickOptions, reasonFor } from "./tensor/pick.ts";
export * from "./text/mod.ts";
// The class, rather than the interface of that name which `show` takes anything by.
export { TokenDecoder } from "./text/mod.ts";
export * from "./dataset/mod.ts";
export * from "./model/mod.ts";
export * from "./train/mod.ts";
export * from "./eval/mod.ts";
export * from "./show/mod.ts";
export * from "./course/mod.ts";
export * from "./weights/mod.ts";
export { Random } from "./random.ts";
