// The inner wall, around the kernel: a world of its own with no file but what is named, no process
// but itself, a filter of system calls, and limits.

import { join } from "@std/path/join";
import type { KernelCommand, KernelLauncher } from "../kernel.ts";
import {
  INNER_BLAS_FILE,
  INNER_DENO_DIR,
  innerEnvironment,
  LIBRARY_PLACES,
  RESERVED,
  SANDBOX_LIMITS,
  systemFolders,
  type Walls,
} from "./walls.ts";

/**
 * Prepares what bubblewrap cannot: the first to go where memory is short, a file system with few
 * inodes, the filter as file 9. Then becomes the rest of the command line.
 */
const PREPARE = "echo 1000 > /proc/self/oom_score_adj 2> /dev/null; " +
  'mkdir -p "$1" && mount -t tmpfs -o "size=$2,nr_inodes=$3,mode=755" tmpfs "$1" && ' +
  'mkdir "$1/root" "$1/shm" && exec 9< "$4" && shift 4 && exec "$@"';

/**
 * Makes the launcher that puts a kernel behind walls.
 *
 * @param walls The walls.
 * @returns The launcher for a session.
 */
export function sandboxLauncher(walls: Walls): KernelLauncher {
  return ({ program, args, env }, connectionFolder): KernelCommand => {
    const variables = { ...innerEnvironment(), ...env, ...FIXED };
    const deno = Deno.realPathSync(program);
    const bind = (kind: string, path: string) => [kind, path, path];
    const world = join(connectionFolder, "world");
    const { threads, files, inodes } = SANDBOX_LIMITS;
    return {
      // In a namespace of its own, this user may mount.
      program: "unshare",
      args: [
        ...["--user", "--map-root-user", "--mount", "--", "/bin/sh", "-c", PREPARE, "sh"],
        ...[world, String(walls.disk * 2 ** 20), String(inodes), walls.filter],
        ...["bwrap", "--seccomp", "9"],
        ...["--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts"],
        ...["--disable-userns", "--uid", "65534", "--gid", "65534"],
        ...["--die-with-parent", "--new-session", "--clearenv"],
        ...Object.entries(variables).flatMap(([name, value]) => ["--setenv", name, value]),
        // Whatever is not laid over it can be written, and is gone afterwards.
        ...["--bind", join(world, "root"), "/", ...systemFolders()],
        // Its files change settings of the machine, and memory behind the limits' back.
        ...["--proc", "/proc", "--remount-ro", "/proc"],
        // Of devices no /dev/zero: mapped, it is memory that no limit of a process counts.
        ...["--tmpfs", "/dev"],
        ...["null", "random", "urandom"].flatMap((name) => bind("--dev-bind", `/dev/${name}`)),
        ...Object.entries(STREAMS).flatMap(([name, to]) => ["--symlink", to, `/dev/${name}`]),
        ...["--bind", join(world, "shm"), "/dev/shm", "--remount-ro", "/dev"],
        ...["--dir", "/tmp", "--dir", walls.cwd],
        ...["npm", "remote"].flatMap((part) => bind("--ro-bind-try", join(INNER_DENO_DIR, part))),
        ...walls.config === undefined
          ? []
          : ["--ro-bind", walls.config, join(walls.cwd, "deno.json")],
        ...walls.blas === undefined ? [] : ["--ro-bind", walls.blas, INNER_BLAS_FILE],
        ...LIBRARY_PLACES.flatMap((path) => bind("--ro-bind-try", path)),
        ...walls.read.flatMap((path) => bind("--ro-bind", path)),
        ...walls.write.flatMap((path) => bind("--bind", path)),
        ...bind("--ro-bind", join(connectionFolder, "connection.json")),
        ...bind("--ro-bind", deno),
        ...["--chdir", walls.cwd, "--"],
        // Limits of one process are limits of all: the filter lets it start no other.
        ...["prlimit", "--core=0", `--data=${(walls.memory + RESERVED) * 2 ** 20}`],
        ...[`--stack=${8 * 2 ** 20}`, `--nproc=${threads}`, `--nofile=${files}`, "--"],
        ...[deno, ...args],
      ],
      // What holds the kernel is a process that the kernel sees: it must know no more itself.
      env: { PATH: innerEnvironment().PATH },
      clearEnv: true,
    };
  };
}

/** Variables that nobody else sets. */
const FIXED = { PATH: "/usr/bin:/bin", HOME: "/tmp", DENO_DIR: INNER_DENO_DIR };

const STREAMS = {
  fd: "/proc/self/fd",
  stdin: "/proc/self/fd/0",
  stdout: "/proc/self/fd/1",
  stderr: "/proc/self/fd/2",
};
