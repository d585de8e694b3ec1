// A control group around a sandbox, where this system lets one be made: all memory counts there, the
// system's own on the sandbox's behalf included, and so do all threads.

import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { abandoned, ownName } from "../../own_temp.ts";

/** What a group may use. */
export interface GroupLimits {
  /** Memory in bytes; nothing is swapped. */
  memory: number;
  /** Processes and threads. */
  tasks: number;
}

/** A control group that is there. */
export interface Group extends AsyncDisposable {
  /** What it is, for people. */
  kind: string;
  /** Puts what follows on a command line into the group. */
  prefix: string[];
}

const PREFIX = "tunebook-";
/** Enters the groups whose `cgroup.procs` come first, up to `--`, then becomes what follows. */
const ENTER = 'while [ "$1" != -- ]; do echo $$ > "$1" || exit 125; shift; done; shift; exec "$@"';

/**
 * Makes a control group.
 *
 * @param limits What it may use.
 * @returns The group, to be disposed when all in it has ended; undefined where none can be made.
 */
export async function openGroup(limits: GroupLimits): Promise<Group | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  try {
    return await openFolders(limits) ?? await openScope(limits);
  } catch {
    return undefined; // No control groups, or none of this user's.
  }
}

/** A hierarchy of control groups, and where in it this process is. */
export interface Hierarchy {
  mount: string;
  own: string;
}

async function openFolders(limits: GroupLimits): Promise<Group | undefined> {
  const memory = await findHierarchy("memory"), tasks = await findHierarchy("pids");
  if (memory !== undefined && tasks !== undefined) {
    const folders: string[] = [];
    try {
      folders.push(await makeFolder(memory.own));
      await write(folders[0], "memory.limit_in_bytes", limits.memory);
      // There only where the kernel counts swap.
      await write(folders[0], "memory.memsw.limit_in_bytes", limits.memory).catch(() => {});
      folders.push(await makeFolder(tasks.own));
      await write(folders[1], "pids.max", limits.tasks);
      return group("cgroup v1", folders);
    } catch {
      await Promise.all(folders.map((folder) => Deno.remove(folder).catch(() => {})));
      return undefined;
    }
  }
  const unified = await findHierarchy("");
  if (unified === undefined) return undefined;
  // Only a group with no processes of its own hands controllers on to those below it.
  for (let at = unified.own;; at = dirname(at)) {
    const folder = await tryUnified(at, limits);
    if (folder !== undefined) return group("cgroup v2", [folder]);
    if (at === unified.mount || at.length <= unified.mount.length) return undefined;
  }
}

async function tryUnified(parent: string, limits: GroupLimits): Promise<string | undefined> {
  let folder: string | undefined;
  try {
    const handed = (await Deno.readTextFile(join(parent, "cgroup.subtree_control"))).split(/\s+/);
    if (!handed.includes("memory") || !handed.includes("pids")) return undefined;
    folder = await makeFolder(parent);
    await write(folder, "memory.max", limits.memory);
    await write(folder, "memory.swap.max", 0).catch(() => {});
    await write(folder, "pids.max", limits.tasks);
    return folder;
  } catch {
    if (folder !== undefined) await Deno.remove(folder).catch(() => {});
    return undefined;
  }
}

/** A scope of the user's service manager, which may hand out groups where the user may not make any. */
async function openScope(limits: GroupLimits): Promise<Group | undefined> {
  if (!Deno.env.get("XDG_RUNTIME_DIR")) return undefined;
  const prefix = [
    ...["systemd-run", "--user", "--scope", "--quiet", "--collect"],
    ...["-p", `MemoryMax=${limits.memory}`, "-p", "MemorySwapMax=0"],
    ...["-p", `TasksMax=${limits.tasks}`, "--"],
  ];
  const { success } = await new Deno.Command(prefix[0], {
    args: [...prefix.slice(1), "true"],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  if (!success) return undefined;
  return { kind: "systemd scope", prefix, async [Symbol.asyncDispose]() {} };
}

function group(kind: string, folders: string[]): Group {
  const files = folders.map((folder) => join(folder, "cgroup.procs"));
  return {
    kind,
    prefix: ["/bin/sh", "-c", ENTER, "sh", ...files, "--"],
    async [Symbol.asyncDispose]() {
      for (const folder of folders) await removeGroup(folder);
    },
  };
}

/** Removes a group once what was in it has gone, which the system takes a moment to notice. */
async function removeGroup(folder: string) {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      return await Deno.remove(folder);
    } catch {
      await new Promise((done) => setTimeout(done, 20));
    }
  }
}

async function makeFolder(parent: string): Promise<string> {
  for (const old of await abandoned(parent, PREFIX)) await Deno.remove(old).catch(() => {});
  const folder = join(parent, `${PREFIX}${ownName()}`);
  await Deno.mkdir(folder);
  return folder;
}

async function write(folder: string, file: string, value: number): Promise<void> {
  await Deno.writeTextFile(join(folder, file), `${value}`, { create: false });
}

async function findHierarchy(controller: string): Promise<Hierarchy | undefined> {
  const [own, mounts] = await Promise.all(
    ["cgroup", "mountinfo"].map((name) => Deno.readTextFile(`/proc/self/${name}`)),
  );
  return hierarchyOf(controller, own, mounts);
}

/**
 * Finds a hierarchy of control groups.
 *
 * @param controller A controller of version 1; empty for version 2.
 * @param own The text of `/proc/self/cgroup`.
 * @param mounts The text of `/proc/self/mountinfo`.
 * @returns The hierarchy; undefined where it is not mounted, or this process is in no group of it.
 */
export function hierarchyOf(
  controller: string,
  own: string,
  mounts: string,
): Hierarchy | undefined {
  // ID:CONTROLLERS:PATH, see cgroups(7).
  const membership = own.split("\n")
    .map((line) => /^\d+:([^:]*):(.*)$/.exec(line))
    .find((match) => match !== null && match[1].split(",").includes(controller));
  // … ROOT MOUNT OPTIONS … - TYPE SOURCE SUPEROPTIONS, see proc_pid_mountinfo(5).
  const mounted = mounts.split("\n")
    .map((line) => /^\S+ \S+ \S+ (\S+) (\S+) .* - (\S+) \S+ (\S+)$/.exec(line))
    .find((match) =>
      match !== null &&
      (controller === ""
        ? match[3] === "cgroup2"
        : match[3] === "cgroup" && match[4].split(",").includes(controller))
    );
  if (!membership || !mounted) return undefined;
  const [, root, mount] = mounted;
  const path = membership[2];
  const below = root === "/" ? path : path.startsWith(root) ? path.slice(root.length) : "";
  return { mount, own: join(mount, below) };
}
