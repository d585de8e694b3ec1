// The options that put a notebook behind walls, and saying what the walls hold.

import type { Command } from "commander";
import { describeWalls, SANDBOX_DEFAULTS, type SandboxOptions } from "../runtime/sandbox/walls.ts";
import { readCount } from "./arguments.ts";
import { collect } from "./run_options.ts";

/** What the command line says about the sandbox. */
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
      "let the sandbox read a file or folder; may be given often",
      collect,
      [] as string[],
    )
    .option(
      "--allow-write <path>",
      "let the sandbox write a file or folder; may be given often",
      collect,
      [] as string[],
    )
    .option(
      "--memory <MiB>",
      "the sandbox's memory, beside what Deno reserves",
      readCount,
      SANDBOX_DEFAULTS.memory,
    )
    .option(
      "--disk <MiB>",
      "what the sandbox may write into files that are gone afterwards",
      readCount,
      SANDBOX_DEFAULTS.disk,
    );
}

/**
 * Says what the sandbox holds, after trying that this system can build it.
 *
 * @returns What the runner needs to know.
 * @throws {Error} If this system cannot build every wall.
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

/** Checks the BLAS where that was not done yet: a sandboxed kernel can start no process for it, and reads what is known. */
async function findBlasForSandbox(): Promise<void> {
  const { findBlas } = await import("../tensor/cpu/blas/find.ts");
  try {
    findBlas();
  } catch {
    // A notebook that computes is told.
  }
}
