// What a sandboxed notebook may do, and the description of it. There are two walls: an outer one
// around the runner (`runner_wall.ts`), which sees only files that the sandbox may see, and an
// inner one around the kernel (`kernel_wall.ts`).

import { fromFileUrl } from "@std/path/from-file-url";
import { join } from "@std/path/join";
import { resolve } from "@std/path/resolve";
import { blasVariables } from "../../blas_variables.ts";
import type { OptionNames } from "../../options.ts";
import { IS_CHECKOUT, LIBRARY, STANDALONE_FOLDER } from "../library.ts";

/** What a sandboxed notebook may do. */
export interface SandboxOptions {
  /** Files and folders that it may read, beside the runtime's and the library's own. */
  read?: string[];
  /** Folders and files that it may write. */
  write?: string[];
  /**
   * Memory that it may use in addition to Deno's own, including off-heap memory, in MiB; 4096 by
   * default.
   */
  memory?: number;
  /** How much it may write to temporary files, in MiB; 512 by default. */
  disk?: number;
}

/** The names of {@linkcode SandboxOptions}. */
export const SANDBOX_OPTIONS: OptionNames<SandboxOptions> = {
  read: true,
  write: true,
  memory: true,
  disk: true,
};

/** Walls in full, as the runner knows them: all paths are there for it to see. */
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
  /** A file that says which BLAS is right on this machine, where that is known: the kernel can start no process to try. */
  blas?: string;
}

/** Defaults, in MiB, and the seconds after which a sandboxed run ends. */
export const SANDBOX_DEFAULTS = { memory: 4096, disk: 512, totalTimeout: 600 };

/** The limits of every sandbox, regardless of options. */
export const SANDBOX_LIMITS = {
  /** Limit of a notebook's output in bytes, over all kinds of messages. */
  output: 32 * 2 ** 20,
  /** Threads of the kernel. */
  threads: 512,
  /** Open files and sockets: what they hold is the system's memory. */
  files: 512,
  /** Files and folders that may be made. */
  inodes: 32_768,
  /** Bytes that the system keeps of what a TCP connection has not taken yet, a side. */
  socketBuffer: 65_536,
};

/** What the runner and Deno's own start take beside the notebook's memory, in MiB. */
export const RUNNER_MEMORY = 1024;

/** What V8 and Deno reserve for themselves, and mostly never touch, in MiB. */
export const RESERVED = 1280;

/** What the kernel may have in memory, programs' files included, in MiB. */
export function residentLimit({ memory }: Walls): number {
  return memory + RESERVED + 256;
}

/** This library's folder: its files are not secret. */
export const LIBRARY_ROOT = LIBRARY.protocol === "file:" ? resolve(fromFileUrl(LIBRARY)) : "";
/** Files and folders that hold it, and where it is a package, the packages beside it. */
export const LIBRARY_PLACES: string[] = LIBRARY_ROOT === "" ? [] : [
  ...["lib", "data", "deno.json", "deno.lock", "package.json"]
    .map((name) => join(LIBRARY_ROOT, name)),
  ...IS_CHECKOUT ? [STANDALONE_FOLDER] : [],
  ...LIBRARY_ROOT.match(/^.*\/node_modules(?=\/)/) ?? [],
];

/** Where Deno's cache is within the walls; only what can be read from outside is not gone afterwards. */
export const INNER_DENO_DIR = "/tmp/deno";

/** Where a kernel within looks for what is known of a BLAS. */
export const INNER_BLAS_FILE = "/tmp/.cache/tunebook/blas.json";

/**
 * Environment variables that are passed into the sandbox, besides those that decide what a BLAS
 * computes.
 */
const PASSED = [
  "TUNEBOOK_DEVICE",
  "TUNEBOOK_THREADS",
  "TUNEBOOK_BLAS",
  "TUNEBOOK_MATMUL_PRECISION",
  "LANG",
  "TZ",
];

/** The environment within the walls. */
export function innerEnvironment(): Record<string, string> {
  // This machine's own values: a report's are a stranger's, and are only compared.
  const passed = PASSED.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...blasVariables(),
    ...Object.fromEntries(passed),
    PATH: "/usr/bin:/bin:/usr/sbin:/sbin",
    HOME: "/tmp",
    DENO_DIR: INNER_DENO_DIR,
    DENO_NO_UPDATE_CHECK: "1",
  };
}

/** Bubblewrap's arguments for the system's programs and libraries. */
export function systemFolders(): string[] {
  return [
    ...["--ro-bind", "/usr", "/usr"],
    ...["lib", "lib32", "lib64", "bin", "sbin"].flatMap((name) => systemFolder(`/${name}`)),
    ...["--dir", "/etc"],
    ...["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"],
    ...["--ro-bind-try", "/etc/alternatives", "/etc/alternatives"],
  ];
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
 * @param seconds The time limit.
 * @param group What counts the memory of all that is within, if anything does.
 * @returns One line a wall.
 */
export function describeWalls(
  options: SandboxOptions,
  seconds: number,
  group: string | undefined,
): string[] {
  const list = (paths: string[] = []) => paths.length === 0 ? "nothing" : paths.join(", ");
  const { memory, disk } = { ...SANDBOX_DEFAULTS, ...options };
  return [
    "network: none",
    `files it can read: ${
      list(options.read)
    }, beside /usr, Deno, its package cache, Tunebook's own, and the nearest deno.json with its lock`,
    `files it can write: ${
      list(options.write)
    }, beside ${disk} MiB in ${SANDBOX_LIMITS.inodes} files that are gone afterwards`,
    `memory: ${memory} MiB beside what Deno reserves, off-heap memory included; ${
      describeGroup(group)
    }`,
    `processes: none beside the kernel, of ${SANDBOX_LIMITS.threads} threads with ${SANDBOX_LIMITS.files} open files`,
    `output: ${SANDBOX_LIMITS.output / 2 ** 20} MiB`,
    `time: ${seconds} s`,
  ];
}

/**
 * Says how memory is counted.
 *
 * @param group What counts the memory of all that is within, if anything does.
 */
export function describeGroup(group: string | undefined): string {
  return group === undefined
    ? "no control group can be made here, so what the system keeps for it is bounded by few files and threads only"
    : `the system's on its behalf counts too (${group})`;
}
