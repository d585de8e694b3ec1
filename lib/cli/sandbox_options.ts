// The options of the sandbox, and the message that describes it.

import type { Command } from "commander";
import { describeWalls, SANDBOX_DEFAULTS, type SandboxOptions } from "../runtime/sandbox/walls.ts";
import { readCount } from "./arguments.ts";
import { collect } from "./run_options.ts";

/** The command line's options for the sandbox. */
export interface SandboxFlags {
  allowRead: string[];
  allowWrite: string[];
  memory: number;
  disk: number;
}

/** Adds the options that open or narrow the sandbox. */
export function sandboxOptions(command: Command): Command {
  return command
    .option(
      "--allow-read <path>",
      "let the sandbox read a file or folder; may be repeated",
      collect,
      [] as string[],
    )
    .option(
      "--allow-write <path>",
      "let the sandbox write a file or folder; may be repeated",
      collect,
      [] as string[],
    )
    .option(
      "--memory <MiB>",
      "the sandbox's memory, in addition to Deno's own",
      readCount,
      SANDBOX_DEFAULTS.memory,
    )
    .option(
      "--disk <MiB>",
      "how much the sandbox may write to temporary files",
      readCount,
      SANDBOX_DEFAULTS.disk,
    );
}

/**
 * Describes the sandbox, after checking that this system can build it.
 *
 * @returns The runner's options.
 * @throws {Error} If this system cannot build the whole sandbox.
 */
export async function openSandbox(
  flags: SandboxFlags,
  totalTimeout: number = SANDBOX_DEFAULTS.totalTimeout,
): Promise<SandboxOptions> {
  const { sandboxFault, sandboxGroup } = await import("../runtime/sandbox/outer.ts");
  const fault = await sandboxFault();
  if (fault !== undefined) throw new Error(fault);
  await findBlasForSandbox();
  const sandbox = {
    read: flags.allowRead,
    write: flags.allowWrite,
    memory: flags.memory,
    disk: flags.disk,
  };
  console.error("In a sandbox:");
  for (const line of describeWalls(sandbox, totalTimeout, await sandboxGroup())) {
    console.error(`  ${line}`);
  }
  return sandbox;
}

/**
 * Checks the BLAS if necessary: a sandboxed kernel cannot start a process for the check, but reads
 * its result.
 */
async function findBlasForSandbox(): Promise<void> {
  const { findBlas } = await import("../tensor/cpu/blas/find.ts");
  try {
    findBlas();
  } catch {
    // A notebook that uses it reports it.
  }
}
