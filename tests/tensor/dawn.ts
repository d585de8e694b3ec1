// Dawn, Chromium's WebGPU with its compiler Tint, in a process of its own: npm's package `webgpu`, whose binaries are too large
// for everyone who works on the project, is not one of the project's.

/** The package. */
const DAWN = "npm:webgpu@0.6.2";

/** How to get it. */
export const DAWN_NEED = `needs Dawn: deno cache --no-config --no-lock ${DAWN}`;

/** How a program is run. */
export interface DawnRun {
  /** Arguments after the package's name. */
  readonly args?: readonly string[];
  /** The file of the project's settings, for a program that imports the project. */
  readonly config?: string;
  /** Variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** What it gets on its standard input, as JSON. */
  readonly input?: unknown;
}

/**
 * Runs a program that gets the package's name as its first argument and prints JSON in its last line.
 *
 * @param program The program, relative to this module.
 * @param run How it is run.
 * @returns What it printed; undefined if it failed, as it does without the package.
 */
export async function runWithDawn<T>(
  program: string,
  { args = [], config, env = {}, input }: DawnRun = {},
): Promise<T | undefined> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--quiet", "--cached-only", "--no-lock", "--node-modules-dir=none"],
      config === undefined ? "--no-config" : `--config=${config}`,
      ...[new URL(program, import.meta.url).href, DAWN, ...args],
    ],
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const text = JSON.stringify(input ?? null);
  const [output] = await Promise.all([
    child.output(),
    new Blob([text]).stream().pipeTo(child.stdin).catch(() => {}),
  ]);
  const line = new TextDecoder().decode(output.stdout).trim().split("\n").at(-1)!;
  return output.success && line !== "" ? JSON.parse(line) : undefined;
}
