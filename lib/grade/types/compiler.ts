/**
 * TypeScript's compiler over modules made from cells: in a sandbox, since a type can be a program that never ends, and
 * without running any of it.
 *
 * @module
 */

import { join } from "@std/path/join";
import { makeOwnTempDir } from "../../own_temp.ts";
import { findDenoConfig } from "../../runtime/deno_config.ts";
import { LIBRARY_TYPES, libraryConfig } from "../../runtime/library.ts";
import { openPlace } from "../../runtime/sandbox/outer.ts";
import type { SandboxOptions } from "../../runtime/sandbox/walls.ts";
import { ProcessorClock } from "../autograde/processor_time.ts";

/** How to compile. */
export interface CompileOptions {
  /** The notebook's folder. */
  readonly cwd: string;
  /** What the compiler may use; undefined to run it without a sandbox. */
  readonly sandbox?: SandboxOptions;
  /** Seconds after which it is stopped. */
  readonly seconds: number;
  readonly signal?: AbortSignal;
}

/** How compiling ended. */
export type Compiled =
  | { readonly status: "ok" }
  /** The compiler's errors, as it prints them. */
  | { readonly status: "failed"; readonly errors: string }
  | { readonly status: "timeout" };

/** The most of the compiler's errors that is read, in characters. */
const MAX_ERRORS = 100_000;

/**
 * Checks the types of modules.
 *
 * @param files Their texts, by file names.
 * @param entries The names of those to check, with all that they import.
 * @param options How.
 * @throws {Error} If no sandbox can be built, or the signal stopped it.
 */
export async function compile(
  files: ReadonlyMap<string, string>,
  entries: readonly string[],
  options: CompileOptions,
): Promise<Compiled> {
  const { cwd, sandbox, seconds, signal } = options;
  const folder = await makeOwnTempDir("tunebook-types-");
  try {
    for (const [name, text] of files) await Deno.writeTextFile(join(folder, name), text);
    const config = join(folder, "deno.json");
    await Deno.writeTextFile(config, JSON.stringify(await configFor(cwd)));
    const args = ["check", "--quiet", "--no-lock", "--config", config];
    for (const entry of entries) args.push(join(folder, entry));
    if (sandbox === undefined) {
      const env = { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };
      const streams = { stdin: "null", stdout: "null", stderr: "piped" } as const;
      return await finish(
        new Deno.Command(Deno.execPath(), { args, env, ...streams }),
        seconds,
        signal,
      );
    }
    const read = [...sandbox.read ?? [], folder];
    await using place = await openPlace({ ...sandbox, read }, cwd);
    const deno = await Deno.realPath(Deno.execPath());
    const line = ["env", "NO_COLOR=1", deno, ...args];
    return await finish(place.command(line, "null"), seconds, signal);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function finish(
  command: Deno.Command,
  seconds: number,
  signal?: AbortSignal,
): Promise<Compiled> {
  signal?.throwIfAborted();
  const process = command.spawn();
  const kill = () => {
    try {
      process.kill("SIGKILL");
    } catch {
      // It has already ended.
    }
  };
  let isLate = false;
  const clock = new ProcessorClock(() => [process.pid]);
  signal?.addEventListener("abort", kill, { once: true });
  try {
    using _timer = clock.timer(seconds, () => {
      isLate = true;
      kill();
    });
    let errors = "";
    for await (const text of process.stderr.pipeThrough(new TextDecoderStream())) {
      errors = (errors + text).slice(0, MAX_ERRORS);
    }
    const { success } = await process.status;
    signal?.throwIfAborted();
    if (isLate) return { status: "timeout" };
    return success ? { status: "ok" } : { status: "failed", errors };
  } finally {
    signal?.removeEventListener("abort", kill);
  }
}

/** What the notebook's imports mean, and the compiler at its strictest: `any` must not come in by itself. */
async function configFor(cwd: string): Promise<Record<string, unknown>> {
  const found = await findDenoConfig(cwd);
  const { lib, jsx, jsxImportSource } = (found?.value.compilerOptions ?? {}) as Record<
    string,
    unknown
  >;
  return {
    ...libraryConfig(),
    ...found !== undefined && { imports: found.imports },
    // Without further libraries of types, this library's own modules would have errors.
    compilerOptions: { lib: lib ?? LIBRARY_TYPES, jsx, jsxImportSource, strict: true },
  };
}
