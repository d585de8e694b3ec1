/** What tests of several rooms share: comparing numbers, and finding outside programs and data. */

import { AssertionError } from "@std/assert";

/**
 * Whether `deno task test:fast` runs: it tests on the CPU only, since software WebGPU is slow, and with
 * less random input.
 */
export const FAST: boolean = Deno.env.get("TUNEBOOK_TEST_FAST") !== undefined;

/** How near numbers must be: |actual − expected| ≤ absolute + relative · max |expected|. */
export interface Tolerance {
  /** Relative to the largest expected magnitude; 1e-5 if not given. */
  relative?: number;
  /** Absolute; 0 if not given. */
  absolute?: number;
}

/**
 * Asserts that numbers are near the expected ones.
 *
 * @param actual What was computed
 * @param expected What is right
 * @param tolerance How near they must be; see {@link Tolerance}
 * @param what Named in the message, as a case's or tensor's name
 * @throws {AssertionError} With the worst index, or the first that is not a number
 */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { relative = 1e-5, absolute = 0 }: Tolerance = {},
  what = "values",
): void {
  if (actual.length !== expected.length) {
    throw new AssertionError(`${what}: got ${actual.length} numbers, expected ${expected.length}`);
  }
  let largest = 0;
  for (let i = 0; i < expected.length; i++) largest = Math.max(largest, Math.abs(expected[i]));
  const bound = absolute + relative * largest;
  let worst = -1, worstError = bound;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i]);
    // NaN compares false, so it is looked for by itself; equal infinities have no error.
    if (Object.is(actual[i], expected[i])) continue;
    if (Number.isNaN(error)) {
      throw new AssertionError(`${what}: got ${actual[i]} at ${i}, expected ${expected[i]}`);
    }
    if (error > worstError) [worst, worstError] = [i, error];
  }
  if (worst >= 0) {
    throw new AssertionError(
      `${what}: got ${actual[worst]} at ${worst}, expected ${expected[worst]} ` +
        `(off by ${worstError.toExponential(2)}, allowed ${bound.toExponential(2)})`,
    );
  }
}

/** Something from outside that a test needs, or why the test is skipped. */
export interface Found {
  /** Where it is; empty where there is none. */
  path: string;
  /** Whether there is one. */
  found: boolean;
  /** For the end of a test's name: empty, or what is missing and how to get it. */
  needs: string;
}

/**
 * Looks for a program or a file that an environment variable names.
 *
 * @param variable As `"TUNEBOOK_OLLAMA"`
 * @param how How to get it, for a skipped test's name
 */
export function findInEnvironment(variable: string, how: string): Found {
  const path = Deno.env.get(variable) ?? "";
  let found = false;
  try {
    found = path !== "" && Deno.statSync(path) !== undefined;
  } catch {
    // named, but not there
  }
  return { path, found, needs: found ? "" : ` (needs ${variable}: ${how})` };
}

/**
 * Looks for a program that an environment variable names, or on the PATH.
 *
 * @param variable As `"TUNEBOOK_CHROMIUM"`
 * @param names What the program may be called
 * @param how How to get it, for a skipped test's name
 */
export function findProgram(variable: string, names: readonly string[], how: string): Found {
  const named = findInEnvironment(variable, how);
  if (named.found || Deno.env.has(variable)) return named;
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    for (const name of names) {
      try {
        const path = `${folder}/${name}`;
        if (Deno.statSync(path).isFile) return { path, found: true, needs: "" };
      } catch {
        // not in this folder
      }
    }
  }
  return named;
}

/** A Python for tests. */
export interface Python extends Found {
  /** Runs a script file with arguments; returns its output, throws with its error output. */
  run(script: string, ...args: string[]): Promise<string>;
}

/**
 * Looks for the Python that `TUNEBOOK_PYTHON` names and for packages in it, without importing them.
 *
 * @param modules Names to import, as `"torch"`
 */
export function findPython(...modules: string[]): Python {
  const how = "the python of an environment with tests/python/requirements.txt installed";
  const { path, found, needs } = findInEnvironment("TUNEBOOK_PYTHON", how);
  const script =
    "import sys, importlib.util as u; sys.exit(not all(map(u.find_spec, sys.argv[1:])))";
  const complete = found && new Deno.Command(path, {
    args: ["-c", script, ...modules],
    stdout: "null",
    stderr: "null",
  }).outputSync().success;
  return {
    path,
    found: complete,
    needs: complete
      ? ""
      : needs || ` (needs ${modules.join(", ")} in TUNEBOOK_PYTHON's environment)`,
    async run(script, ...args) {
      const { success, stdout, stderr } = await new Deno.Command(path, { args: [script, ...args] })
        .output();
      const decoder = new TextDecoder();
      if (!success) throw new Error(`"${script}" failed: ${decoder.decode(stderr)}`);
      return decoder.decode(stdout);
    },
  };
}

/** The folder of instruction data for measuring, which `TUNEBOOK_TEST_DATA` names. */
export function findTestData(): Found {
  return findInEnvironment(
    "TUNEBOOK_TEST_DATA",
    "a folder with instruction-data.json of chapter 7 of LLMs-from-scratch",
  );
}

/** Deno's cache, for processes that have a cache folder of their own: they need not fetch packages again. */
export function denoDir(): string {
  const { success, stdout } = new Deno.Command(Deno.execPath(), { args: ["info", "--json"] })
    .outputSync();
  return success ? JSON.parse(new TextDecoder().decode(stdout)).denoDir : "";
}
