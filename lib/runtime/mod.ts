/**
 * Notebook files, the kernel, running, checking, reports. It does not depend on tensors or models and can be used alone.
 *
 * @module
 */

export type { CellError } from "./cell_error.ts";
export {
  type CheckedCell,
  checkNotebook,
  type CheckOptions,
  type CheckResult,
} from "./check_notebook.ts";
export { type CellTypeError, checkTypes } from "./check_types.ts";
export { cleanNotebook } from "./clean.ts";
export type { Change } from "./compare/manifests.ts";
export type { CellComparison } from "./compare/notebooks.ts";
export type { PageVerdict } from "./report/check_page.ts";
export { formatJUnit, type JUnitCase, type JUnitSuite } from "./junit.ts";
export {
  type InstalledKernel,
  installKernel,
  type InstallOptions,
  listKernels,
  removeKernel,
} from "./jupyter/install.ts";
export {
  type Kernel,
  type KernelCommand,
  type KernelExit,
  type KernelLauncher,
  type KernelOptions,
} from "./kernel.ts";
export type { Manifest, ManifestCell, ProvenanceEntry } from "./manifest.ts";
export {
  type Cell,
  type CellMetadata,
  type CodeCell,
  type DisplayDataOutput,
  type ErrorOutput,
  type ExecuteResultOutput,
  formatNotebook,
  type MarkdownCell,
  type MimeBundle,
  type Notebook,
  type NotebookMetadata,
  type Output,
  parseNotebook,
  type RawCell,
  readNotebook,
  type StreamOutput,
  writeNotebook,
} from "./notebook.ts";
export type { OutputMessage } from "./outputs.ts";
export { readParameters } from "./parameters.ts";
export { type EmbeddedReport, type PageSettings, readReport } from "./report/embedded.ts";
export {
  type MarkdownReport,
  type MarkdownReportOptions,
  renderMarkdownReport,
  writeMarkdownReport,
} from "./report/markdown_report.ts";
export { renderReport, type ReportOptions } from "./report/mod.ts";
export { suiteOf } from "./run_suite.ts";
export {
  type Prepared,
  type RunFailure,
  runNotebook,
  type RunOptions,
  type RunProgress,
  type RunResult,
} from "./runner.ts";
export type { SandboxOptions } from "./sandbox/walls.ts";
export { Session } from "./session.ts";
export type {
  CellTest,
  ExecuteOptions,
  ExecuteResult,
  SessionMessage,
  SessionOptions,
} from "./session/types.ts";
export {
  diffReports,
  type ReportDifference,
  type Verdict,
  type VerifyOptions,
  verifyReport,
} from "./verify_report.ts";
