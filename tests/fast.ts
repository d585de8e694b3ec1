/**
 * `deno task test:fast`: what one runs while working, in under a minute on two cores. It leaves out
 * tests that train, start kernels, browsers or other programs, or compute on WebGPU; `deno task test`
 * has them. Arguments go to `deno test`, such as `--filter softmax`.
 */

import { relative } from "@std/path";
import { filesUnder, ROOT } from "./check.ts";

/** Folders and files that take seconds each. A new test is fast unless it matches. */
const SLOW: readonly RegExp[] = [
  /^tests\/(bench|cli|data|notebooks|package|parity|pipeline|security)\//,
  /^tests\/runtime\/(cell_cache|jupyter|sandbox)\//,
  /(^|[/_])(browser|jupyterlab|python|real_\w+|runner|session|verify|webgpu\w*|memory|checkpoint|resume\w*)_test\.ts$/,
];

if (import.meta.main) {
  const files = filesUnder(`${ROOT}/tests`, (name) => name.endsWith("_test.ts"))
    .map((path) => relative(ROOT, path).replaceAll("\\", "/"))
    .filter((path) => !SLOW.some((slow) => slow.test(path)));
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", "--parallel", ...Deno.args, ...files],
    cwd: ROOT,
    env: { TUNEBOOK_TEST_FAST: "1" },
  }).spawn().status;
  Deno.exit(code);
}
