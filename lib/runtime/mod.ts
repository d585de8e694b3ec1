// The runtime: notebook files, the kernel, running notebooks, reports. It does not depend on
// tensors or models and can be used alone.

export * from "./notebook.ts";
export * from "./manifest.ts";
export { type CellError } from "./cell_error.ts";
export {
  Kernel,
  type KernelCommand,
  type KernelExit,
  type KernelLauncher,
  type KernelOptions,
} from "./kernel.ts";
export { type OutputMessage } from "./outputs.ts";
export {
  type DeclaredParameter,
  declaredParameters,
  injectParameters,
  readParameters,
} from "./parameters.ts";
export {
  type CheckedCell,
  checkNotebook,
  type CheckOptions,
  type CheckResult,
} from "./check_notebook.ts";
export { cleanNotebook } from "./clean.ts";
export { type Change, compareManifests } from "./compare/manifests.ts";
export { type CellComparison, compareNotebooks } from "./compare/notebooks.ts";
export { compareOutputs, type OutputTolerance } from "./compare/outputs.ts";
export { formatJUnit, type JUnitCase, type JUnitSuite } from "./junit.ts";
export { readParameterFile } from "./parameter_files.ts";
export { suiteOf } from "./run_suite.ts";
export { sandboxFault } from "./sandbox/outer.ts";
export { type SandboxOptions } from "./sandbox/walls.ts";
export {
  diffReports,
  type ReportDifference,
  type Verdict,
  type VerifyOptions,
  verifyReport,
} from "./verify_report.ts";
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
export {
  type InstalledKernel,
  installKernel,
  type InstallOptions,
  listKernels,
  removeKernel,
} from "./jupyter/install.ts";
export * from "./report/mod.ts";
