/**
 * `deno task test:fast`: what one runs while working, in under a minute on two cores. It leaves out
 * tests that train, start kernels, browsers or other programs, or compute on WebGPU; `deno task test`
 * has them. Arguments go to `deno test`, such as `--filter softmax`.
 */

import { testFiles } from "./all.ts";
import { ROOT } from "./check.ts";

/** Folders and names of tests that take seconds each. */
const SLOW_PATH: readonly RegExp[] = [
  /^tests\/(bench|cli|data|notebooks|package|parity|pipeline|security)\//,
  /^tests\/(runtime\/(cell_cache|jupyter|sandbox|styles)|tensor\/blas)\//,
  /^tests\/tensor\/(attention_threads|collect|kernels_wasm|recompute)_test\.ts$/,
  /^tests\/grade\/(grading_page|\w+_course)_test\.ts$/,
  /(^|[/_])(browser|jupyterlab|python|real_\w+|webgpu\w*|memory|checkpoint|resume\w*|interface)_test\.ts$/,
];

/** What tests import that starts a kernel or another program. */
const STARTS_PROGRAM =
  /\b(Session|runNotebook|runInSandbox|checkNotebook|verifyReport|checkTypes|languageServer|LanguageServer|gradeSubmission|proveRelease|releaseAssignment)\b|"\.[./]*\/(browser|ollama|jupyterlab|cli\/tunebook)\.ts"/;

/** Whether a test file is left out. */
function isSlow(path: string): boolean {
  return SLOW_PATH.some((slow) => slow.test(path)) ||
    STARTS_PROGRAM.test(Deno.readTextFileSync(`${ROOT}/${path}`));
}

/** Whether a test changes environment variables, which all tests of a process share. */
function changesEnvironment(path: string): boolean {
  return /\bDeno\.env\.(set|delete)\(/.test(Deno.readTextFileSync(`${ROOT}/${path}`));
}

async function test(files: readonly string[], ...options: string[]): Promise<number> {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", ...options, ...Deno.args, ...files],
    cwd: ROOT,
    env: { TUNEBOOK_TEST_FAST: "1" }, // see support.ts
  }).spawn().status;
  return code;
}

if (import.meta.main) {
  const files = testFiles().filter((path) => !isSlow(path));
  const { alone = [], together = [] } = Object.groupBy(
    files,
    (path) => changesEnvironment(path) ? "alone" : "together",
  );
  const codes = [await test(together, "--parallel"), await test(alone)];
  Deno.exit(Math.max(...codes));
}
