// The walls around a sandboxed kernel: what it may read and write, how much it may use, and the
// bubblewrap command that builds them.

import { fromFileUrl, join, resolve } from "@std/path";
import { cacheFolder } from "../../cache_folder.ts";
import { blasVariables } from "../../blas_variables.ts";
import type { KernelCommand, KernelLauncher } from "../kernel.ts";
import { LIBRARY } from "../library.ts";

/** What a sandboxed notebook may do. */
export interface SandboxOptions {
  /** Files and folders that it may read, beside the runtime's and the library's own. */
  read?: string[];
  /** Folders and files that it may write. */
  write?: string[];
  /** Memory that it may use beside what Deno reserves, off-heap memory included, in MiB; 4096 if not said. */
  memory?: number;
  /** What it may write into files that are gone afterwards, in MiB; 512 if not said. */
  disk?: number;
}

/** Walls in full. */
export interface Walls {
  read: string[];
  write: string[];
  memory: number;
  disk: number;
  /** The kernel's working directory: an empty folder of that name, but for what may be read. */
  cwd: string;
  /** The file with the filter of system calls. */
  filter: string;
  /** A deno.json for the working directory, where no folder above has one. */
  config?: string;
}

/** Defaults, in MiB, and the seconds after which a sandboxed run ends. */
export const SANDBOX_DEFAULTS = { memory: 4096, disk: 512, totalTimeout: 600 };

/** What V8 and Deno reserve for themselves, and mostly never touch, in MiB. */
const RESERVED = 1280;

/** This library's folder: its files are no secret. */
export const LIBRARY_ROOT = LIBRARY.protocol === "file:" ? resolve(fromFileUrl(LIBRARY)) : "";
const LIBRARY_FILES = ["lib", "data", "deno.json", "deno.lock", "package.json"];

/** Where a kernel with `HOME=/tmp` looks for what was found of a BLAS. */
const BLAS_FILE = "/tmp/.cache/tunebook/blas.json";

/** Variables that a sandboxed kernel is given, beside those that decide what a BLAS computes. */
const PASSED = ["TUNEBOOK_DEVICE", "TUNEBOOK_THREADS", "TUNEBOOK_BLAS", "LANG", "TZ"];

/**
 * Makes the launcher that puts a kernel behind walls.
 *
 * @param walls The walls.
 * @param denoDir Deno's cache, of which packages can be read.
 * @param bubblewrap The program.
 * @returns The launcher for a session.
 */
export function sandboxLauncher(
  walls: Walls,
  denoDir: string,
  bubblewrap = "bwrap",
): KernelLauncher {
  return ({ program, args, env }, connectionFolder): KernelCommand => {
    // This machine's own values: a report's are a stranger's, and are only compared.
    const passed = Object.fromEntries(
      PASSED.flatMap((name) => {
        const value = Deno.env.get(name);
        return value === undefined ? [] : [[name, value]];
      }),
    );
    const variables: Record<string, string> = {
      ...blasVariables(),
      ...passed,
      ...env,
      PATH: "/usr/bin:/bin",
      HOME: "/tmp",
      DENO_DIR: "/tmp/deno",
    };
    const deno = Deno.realPathSync(program);
    const bind = (kind: string, path: string) => [kind, path, path];
    return {
      program: "/bin/sh",
      args: [
        // Limits of one process are limits of all: the filter lets it start no other.
        ...["-c", 'ulimit -c 0; ulimit -d "$1" || exit 125; exec 9<"$2"; shift 2; exec "$@"', "sh"],
        ...[String((walls.memory + RESERVED) * 1024), walls.filter, bubblewrap],
        ...["--seccomp", "9", "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts"],
        ...["--disable-userns", "--die-with-parent", "--new-session", "--clearenv"],
        ...Object.entries(variables).flatMap(([name, value]) => ["--setenv", name, value]),
        // Whatever is not laid over it can be written, and is gone afterwards.
        ...["--size", String(walls.disk * 2 ** 20), "--tmpfs", "/", ...bind("--ro-bind", "/usr")],
        ...["lib", "lib32", "lib64", "bin"].flatMap((name) => systemFolder(`/${name}`)),
        ...bind("--ro-bind-try", "/etc/ld.so.cache"),
        ...bind("--ro-bind-try", "/etc/alternatives"),
        ...["--proc", "/proc", "--dev", "/dev"],
        ...["--size", String(64 * 2 ** 20), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"],
        ...["--dir", "/tmp", "--dir", walls.cwd],
        ...["npm", "remote"].flatMap((
          part,
        ) => ["--ro-bind-try", join(denoDir, part), `/tmp/deno/${part}`]),
        ...walls.config === undefined
          ? []
          : ["--ro-bind", walls.config, join(walls.cwd, "deno.json")],
        ...LIBRARY_FILES.flatMap((name) => bind("--ro-bind-try", join(LIBRARY_ROOT, name))),
        ...walls.read.flatMap((path) => bind("--ro-bind", path)),
        ...walls.write.flatMap((path) => bind("--bind", path)),
        ...bind("--ro-bind", connectionFolder),
        // Which BLAS is right on this machine, which no process in here can find out: none may write it.
        ...["--ro-bind-try", join(cacheFolder() ?? "/tmp/tunebook", "blas.json"), BLAS_FILE],
        ...bind("--ro-bind", deno),
        ...["--chdir", walls.cwd, "--", deno, ...args],
      ],
      // What holds the kernel is a process that the kernel sees: it must know no more itself.
      env: { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin" },
      clearEnv: true,
    };
  };
}

/** A folder of the system's: on most Linuxes a link into /usr. */
function systemFolder(path: string): string[] {
  try {
    return Deno.lstatSync(path).isSymlink
      ? ["--symlink", Deno.readLinkSync(path), path]
      : ["--ro-bind", path, path];
  } catch {
    return [];
  }
}

/**
 * Says what a sandbox's walls hold.
 *
 * @param options What the notebook may do.
 * @param seconds When it ends at the latest.
 * @returns One line a wall.
 */
export function describeWalls(options: SandboxOptions, seconds: number): string[] {
  const list = (paths: string[] = []) => paths.length === 0 ? "nothing" : paths.join(", ");
  return [
    "network: none",
    `files it can read: ${
      list(options.read)
    }, beside /usr, Deno, its package cache, Tunebook's own, and the nearest deno.json with its lock`,
    `files it can write: ${list(options.write)}, beside ${
      options.disk ?? SANDBOX_DEFAULTS.disk
    } MiB that are gone afterwards`,
    `memory: ${
      options.memory ?? SANDBOX_DEFAULTS.memory
    } MiB beside what Deno reserves, off-heap memory included`,
    "processes: none beside the kernel",
    `time: ${seconds} s`,
  ];
}
