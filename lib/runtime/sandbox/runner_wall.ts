// The outer wall, around the runner: it reads what a kernel sends, works out line numbers and hashes,
// and so sees no file and no network that the notebook may not see. Even if started by root, it
// does not run as root.

import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { INNER_DENO_DIR, SANDBOX_LIMITS, systemFolders } from "./walls.ts";

/** A file or folder that is to be seen within the walls. */
export interface Bound {
  /** Where it is. */
  source: string;
  /** Where it is to be seen. */
  path: string;
  /** Whether it can be written. */
  write?: boolean;
}

/** Whom a runner that root has started runs as: nobody. */
export const NOBODY = 65534;

/** Whether this process is root's. */
export const isRoot = (): boolean => Deno.uid() === 0;

/** What is to be seen, and what runs. */
export interface RunnerWall {
  bound: Bound[];
  /** Deno's cache: packages and modules in it can be read. */
  denoDir: string;
  /** What runs behind the wall. */
  command: string[];
}

/** Bounds what the system keeps for connections, then becomes what follows. */
const NARROW = "for name in rmem wmem; do " +
  `echo "4096 16384 ${SANDBOX_LIMITS.socketBuffer}" > /proc/sys/net/ipv4/tcp_$name || exit 125; ` +
  'done; exec "$@"';

/** A user is root of a namespace, and there mounts and makes networks as root does. */
const AS_USER = ["unshare", "--user", "--map-root-user", "--"];

/**
 * All processes within end with the first of them, which ends with this process. bubblewrap covers parts of the proc
 * that it mounts for root, and behind covers the kernel's wall can mount none; so this one is mounted first. It must
 * show the processes of this namespace: bubblewrap looks for its own there.
 */
const AS_ROOT = [
  ...["setpriv", "--pdeathsig=KILL", "--"],
  ...["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--"],
];

/**
 * Makes the command that builds the wall and runs something behind it.
 *
 * @param wall What is to be seen, and what runs.
 * @returns A command line, for the environment of `innerEnvironment()`.
 */
export function runnerCommand({ bound, denoDir, command }: RunnerWall): string[] {
  const root = isRoot();
  return [
    ...root ? AS_ROOT : AS_USER,
    ...["bwrap", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--die-with-parent"],
    ...root ? ["--bind", "/proc", "/proc"] : ["--unshare-pid", "--proc", "/proc"],
    ...[...systemFolders(), "--dev", "/dev"],
    ...["--perms", "1777", "--size", String(64 * 2 ** 20), "--tmpfs", "/tmp"],
    ...["--perms", "1777", "--dir", INNER_DENO_DIR],
    ...["npm", "remote"].flatMap((part) => [
      ...["--ro-bind-try", join(denoDir, part), join(INNER_DENO_DIR, part)],
    ]),
    ...bound.flatMap(({ source, path, write }) => [
      // Those that bubblewrap makes by itself nobody could enter.
      ...parents(path).flatMap((folder) => ["--dir", folder]),
      ...[write ? "--bind" : "--ro-bind", source, path],
    ]),
    ...["--chdir", "/tmp", "--", "/bin/sh", "-c", NARROW, "sh"],
    ...root
      ? [
        ...["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"],
        ...["--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", "--"],
      ]
      : [],
    ...["prlimit", "--core=0", `--data=${4 * 2 ** 30}:`, "--", ...command],
  ];
}

/** The folders above a place, the topmost first. */
function parents(path: string): string[] {
  const above = dirname(path);
  return above === path || dirname(above) === above ? [] : [...parents(above), above];
}
