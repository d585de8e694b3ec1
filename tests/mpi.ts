// Launchers of MPI on this machine, for tests: Open MPI's and MPICH's mpirun.

import { existsSync } from "node:fs";
import { fromFileUrl, join } from "@std/path";
import { findProgram, type Found } from "./support.ts";

const CLI = fromFileUrl(import.meta.resolve("../lib/cli.ts"));

/** A launcher. */
export interface Launcher extends Found {
  /** What it is called. */
  readonly label: string;
  /** Its arguments for more ranks than cores, as root. */
  readonly args: (ranks: number) => string[];
  /** The variable that tells a process its rank. */
  readonly rank: string;
  /** Its library, where that is not the system's. */
  readonly library?: string;
}

/** Open MPI's. */
export const openMpi: Launcher = {
  label: "Open MPI",
  ...findProgram("TUNEBOOK_MPIRUN_OPENMPI", ["mpirun.openmpi"], "apt-get install openmpi-bin"),
  args: (ranks) => ["--allow-run-as-root", "--oversubscribe", "-n", `${ranks}`],
  rank: "OMPI_COMM_WORLD_RANK",
};

/** That of Open MPI 5, which Debian 12 lacks and PyPI has. */
export const openMpi5: Launcher = findOpenMpi5();

function findOpenMpi5(): Launcher {
  const python = Deno.env.get("TUNEBOOK_PYTHON") ?? "";
  const environment = join(python, "../..");
  const [path, library] = ["bin/mpirun", "lib/libmpi.so.40"].map((file) => join(environment, file));
  const found = python !== "" && [path, library].every((file) => existsSync(file));
  const needs = found
    ? ""
    : " (needs openmpi in TUNEBOOK_PYTHON's environment: tests/python/requirements.txt)";
  return { ...openMpi, label: "Open MPI 5", path, found, needs, library };
}

/** MPICH's. */
export const mpich: Launcher = {
  label: "MPICH",
  ...findProgram("TUNEBOOK_MPIRUN_MPICH", ["mpirun.mpich"], "apt-get install mpich"),
  args: (ranks) => ["-n", `${ranks}`],
  rank: "PMI_RANK",
};

/**
 * How long ranks may take to end once one of them is missing, in milliseconds. It takes seconds; a machine with much else to do
 * has taken a minute. Their exit code tells whether they ended for that.
 */
export const MISSED_WITHIN = 180_000;

/** What tests run in each rank: computation that is the same on each machine. */
export const ENVIRONMENT = {
  NO_COLOR: "1",
  TUNEBOOK_DEVICE: "cpu",
  TUNEBOOK_BLAS: "none",
  TUNEBOOK_THREADS: "1",
};

/** A job that was started. */
export interface Job {
  readonly process: Deno.ChildProcess;
  /** What it has written to standard error so far. */
  readonly stderr: () => string;
  /** Its exit code and all that it wrote. */
  readonly ended: Promise<{ code: number; stdout: string; stderr: string }>;
}

/** The command as a process's program and arguments. */
export const COMMAND = [Deno.execPath(), "run", "-A", "--no-check", CLI];

/** Starts the command in several ranks; those beyond the first may have other arguments. */
export function startRanks(
  launcher: Launcher,
  ranks: number,
  args: readonly string[],
  others?: readonly string[],
): Job {
  const job = others
    ? [...launcher.args(1), ...COMMAND, ...args, ":", "-n", `${ranks - 1}`, ...COMMAND, ...others]
    : [...launcher.args(ranks), ...COMMAND, ...args];
  return follow(
    new Deno.Command(launcher.path, {
      args: job,
      env: { ...ENVIRONMENT, ...(launcher.library && { TUNEBOOK_MPI: launcher.library }) },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn(),
  );
}

function follow(process: Deno.ChildProcess): Job {
  let stderr = "";
  const reading = process.stderr.pipeThrough(new TextDecoderStream()).pipeTo(
    new WritableStream({ write: (text) => void (stderr += text) }),
  );
  const ended = Promise.all([process.status, new Response(process.stdout).text(), reading])
    .then(([{ code }, stdout]) => ({ code, stdout, stderr }));
  return { process, stderr: () => stderr, ended };
}

/** Finds the process of a rank by a part of its command line. */
export async function processOf(launcher: Launcher, rank: number, part: string): Promise<number> {
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const [command, environment] = await Promise.all(
      ["cmdline", "environ"].map((file) =>
        Deno.readTextFile(`/proc/${name}/${file}`).catch(() => "")
      ),
    );
    const isRank = environment.split("\0").includes(`${launcher.rank}=${rank}`);
    if (isRank && command.includes(part) && command.includes("lib/cli.ts")) return Number(name);
  }
  throw new Error(`Found no process of rank ${rank}`);
}
