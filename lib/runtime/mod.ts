// The runtime: notebook files, the kernel, running notebooks, reports. It knows nothing of tensors or
// models, and can be used alone.

export * from "./notebook.ts";
export * from "./manifest.ts";
export { type CellError } from "./cell_error.ts";
export { Kernel, type KernelExit, type KernelOptions } from "./kernel.ts";
export { type OutputMessage } from "./outputs.ts";
export {
  type DeclaredParameter,
  declaredParameters,
  injectParameters,
  readParameters,
} from "./parameters.ts";
export {
  type RunFailure,
  runNotebook,
  type RunOptions,
  type RunProgress,
  type RunResult,
} from "./runner.ts";
export {
  type ExecuteOptions,
  type ExecuteResult,
  Session,
  type SessionMessage,
  type SessionOptions,
} from "./session.ts";
export * from "./report/mod.ts";
