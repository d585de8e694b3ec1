// The sandbox seen from outside: a runner behind a wall, which starts the kernel behind another, and to
// which this process talks over pipes. What is to be written outside, this process writes.

import { dirname } from "@std/path/dirname";
import { fromFileUrl } from "@std/path/from-file-url";
import { isAbsolute } from "@std/path/is-absolute";
import { join } from "@std/path/join";
import { relative } from "@std/path/relative";
import { resolve } from "@std/path/resolve";
import { TextLineStream } from "@std/streams/text-line-stream";
import { cacheFolder } from "../../cache_folder.ts";
import { makeOwnTempDir } from "../../own_temp.ts";
import { libraryConfig } from "../library.ts";
import { kernelImports } from "../standalone.ts";
import { type Notebook, writeNotebook } from "../notebook.ts";
import type { RunOptions, RunResult } from "../runner.ts";
import { type Group, openGroup } from "./cgroup.ts";
import type { SandboxJob, SandboxMessage } from "./inner.ts";
import { sandboxLauncher } from "./kernel_wall.ts";
import { type Bound, isRoot, runnerCommand } from "./runner_wall.ts";
import { seccompFilter } from "./seccomp.ts";
import { Staging } from "./staging.ts";
import {
  innerEnvironment,
  LIBRARY_PLACES,
  LIBRARY_ROOT,
  RUNNER_MEMORY,
  SANDBOX_DEFAULTS,
  SANDBOX_LIMITS,
  type SandboxOptions,
  type Walls,
} from "./walls.ts";

/** Folders whose files are the running system, which walls cannot hold. */
const SYSTEM = ["/proc", "/sys", "/dev"];

/** How long the inner runner may take to come to its end after its time, in seconds. */
const GRACE = 45;
/** Programs that build the walls, and the Debian packages that have them. */
const PROGRAMS: Record<string, string> = {
  bwrap: "bubblewrap",
  unshare: "util-linux",
  prlimit: "util-linux",
  setpriv: "util-linux",
  mount: "mount",
};

/** What runs in the sandbox. */
export interface SandboxedRun {
  notebook: Notebook;
  name: string;
  /** The notebook's path, for `import.meta`. */
  path: string;
  cwd: string;
  options: RunOptions & { sandbox: SandboxOptions };
}

/**
 * Runs a notebook in a sandbox.
 *
 * @param run The notebook and how to run it.
 * @returns As `runNotebook()` does.
 * @throws {Error} If this system cannot build every wall: nothing has run then.
 */
export async function runInSandbox(run: SandboxedRun): Promise<RunResult> {
  const { notebook, name, path, cwd, options } = run;
  await using place = await openPlace(options.sandbox, cwd);
  const totalTimeout = options.totalTimeout ?? SANDBOX_DEFAULTS.totalTimeout;
  const { parameters, timeout, allowErrors, env } = options;
  const job: SandboxJob = {
    notebook,
    walls: place.walls,
    options: { parameters, timeout, totalTimeout, allowErrors, env, name, cwd, path },
    keep: options.output !== undefined,
  };
  const result = await converse(job, place, options, totalTimeout + GRACE);
  await place.staging.finish();
  return result;
}

/**
 * Tries whether this system can build a sandbox.
 *
 * @returns Why it cannot; undefined where it can.
 */
export async function sandboxFault(): Promise<string | undefined> {
  const refuse = (reason: string) => `Cannot run in a sandbox: ${reason}`;
  if (Deno.build.os !== "linux") return refuse("it needs Linux");
  if (LIBRARY_ROOT === "") return refuse("it needs Tunebook on this machine: npm install tunebook");
  if (seccompFilter() === undefined) {
    return refuse(`no filter of system calls is known for ${Deno.build.arch}`);
  }
  for (const [program, from] of Object.entries(PROGRAMS)) {
    if (!await isInstalled(program)) {
      return refuse(
        `it needs ${from === "bubblewrap" ? from : `"${program}"`}: apt-get install ${from}`,
      );
    }
  }
  await using place = await openPlace({}, "/");
  const launcher = sandboxLauncher(place.walls);
  const plain = { program: Deno.execPath(), args: ["--version"], env: {} };
  const { program, args } = launcher(plain, "/tmp/probe");
  // The kernel's folder, which the runner makes.
  const probe = [
    "/bin/sh",
    "-c",
    'mkdir /tmp/probe && : > /tmp/probe/connection.json && exec "$@"',
  ];
  const { success, stderr } = await place.command([...probe, "sh", program, ...args], "null")
    .output();
  if (success) return undefined;
  const said = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
  const reason = isRoot() && !await hasSysAdmin()
    ? "root has no CAP_SYS_ADMIN here, as in most containers; start Tunebook as a user that is not root, " +
      "or the container with that capability"
    : "this system allows no namespaces";
  return refuse(`the walls cannot be built ("${said}"): ${reason}`);
}

/**
 * Tells what would count the memory of a sandbox.
 *
 * @returns For example `"cgroup v2"`; undefined where this user can make no control group.
 */
export async function sandboxGroup(): Promise<string | undefined> {
  await using group = await openGroup({ memory: 2 ** 30, tasks: 64 });
  return group?.kind;
}

/** All that a sandbox needs outside, for as long as it runs. */
export interface Place extends AsyncDisposable {
  walls: Walls;
  staging: Staging;
  /** Makes the command that runs something behind the outer wall. */
  command(line: string[], stdin: "null" | "piped"): Deno.Command;
}

/**
 * Prepares the walls.
 *
 * @param options What may be done within.
 * @param cwd The kernel's working directory.
 */
export async function openPlace(options: SandboxOptions, cwd: string): Promise<Place> {
  const folder = await makeOwnTempDir("tunebook-sandbox-");
  let group: Group | undefined;
  const close = async () => {
    await group?.[Symbol.asyncDispose]();
    await Deno.remove(folder, { recursive: true });
  };
  try {
    await Deno.chmod(folder, 0o755);
    const staging = new Staging(folder);
    const denoDir = await denoFolder();
    const walls = await buildWalls(options, cwd, folder, denoDir);
    const bound: Bound[] = [];
    const see = async (path: string) => bound.push({ source: await staging.read(path), path });
    for (const path of LIBRARY_PLACES) {
      if (await exists(path)) await see(path);
    }
    await see(await Deno.realPath(Deno.execPath()));
    for (const path of [walls.filter, walls.config, walls.blas]) {
      if (path !== undefined) await see(path);
    }
    for (const path of walls.read) await see(path);
    for (const path of walls.write) {
      bound.push({ source: await staging.write(path), path, write: true });
    }
    const { memory, disk } = walls;
    const { threads } = SANDBOX_LIMITS;
    group = await openGroup({
      memory: (memory + disk + RUNNER_MEMORY) * 2 ** 20,
      // The runner's too.
      tasks: 2 * threads,
    });
    return {
      walls,
      staging,
      command(line, stdin) {
        const [program, ...args] = [
          ...group?.prefix ?? [],
          ...runnerCommand({ bound, denoDir, command: line }),
        ];
        return new Deno.Command(program, {
          args,
          // The service manager is found by these.
          env: { ...pick("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"), ...innerEnvironment() },
          clearEnv: true,
          cwd: "/",
          stdin,
          stdout: stdin === "null" ? "null" : "piped",
          stderr: "piped",
        });
      },
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function buildWalls(
  options: SandboxOptions,
  cwd: string,
  folder: string,
  denoDir: string,
): Promise<Walls> {
  const real = async (path: string, what: string) => {
    try {
      return await Deno.realPath(path);
    } catch {
      throw new Deno.errors.NotFound(
        `Cannot let the sandbox ${what} "${path}": there is no such file`,
      );
    }
  };
  const named = async (paths: string[] = [], what: string) => {
    for (const path of paths) {
      const at = await real(path, what);
      const own = SYSTEM.find((folder) => isWithin(at, folder) || isWithin(folder, at));
      if (own !== undefined) {
        throw new RangeError(
          `Cannot let the sandbox ${what} "${path}": "${own}" is the system's; name a folder of files`,
        );
      }
    }
    return paths.map((path) => resolve(path));
  };
  const write = await named(options.write, "write");
  // It names the libraries that are loaded outside.
  const cache = cacheFolder() ?? "/nowhere";
  for (const path of write) {
    // What the notebook leaves there would run outside, the next time that anything runs.
    const at = await real(path, "write");
    const deno = dirname(await Deno.realPath(Deno.execPath()));
    for (const trusted of [denoDir, LIBRARY_ROOT, deno, cache]) {
      const place = await Deno.realPath(trusted).catch(() => trusted);
      if (isWithin(at, place) || (trusted !== LIBRARY_ROOT && isWithin(place, at))) {
        throw new RangeError(
          `Cannot let the sandbox write "${path}": programs in "${trusted}" are run outside of it`,
        );
      }
    }
  }
  const filter = join(folder, "filter.bpf");
  await Deno.writeFile(filter, seccompFilter()!);
  await kernelImports(cwd); // Within, nothing can be written to the library's folder.
  const configs = await configFiles(cwd);
  const { memory = SANDBOX_DEFAULTS.memory, disk = SANDBOX_DEFAULTS.disk } = options;
  const read = [...configs, ...await named(options.read, "read")];
  const walls: Walls = { read, write, memory, disk, cwd: resolve(cwd), filter };
  if (configs.length === 0) {
    const config = walls.config = join(folder, "deno.json");
    await Deno.writeTextFile(config, JSON.stringify(libraryConfig()));
  }
  const known = join(cache, "blas.json");
  if (await exists(known)) {
    const copy = walls.blas = join(folder, "blas.json");
    await Deno.copyFile(known, copy);
    walls.read.push(...await chosenLibraries(copy));
  }
  return walls;
}

/**
 * The libraries that were chosen, with those in the same folder that they load, such as MKL's: of Python environments,
 * which are not the system's.
 *
 * @param known The file that says which were chosen.
 */
async function chosenLibraries(known: string): Promise<string[]> {
  const searches: { used?: { path: string } }[] = Object.values(
    await Deno.readTextFile(known).then(JSON.parse).catch(() => ({})),
  );
  const paths = searches.flatMap(({ used }) => used?.path ?? []).filter((path) =>
    isAbsolute(path) && !/^\/(usr|lib\w*)\//.test(path)
  );
  const files: string[] = [];
  for (const folder of new Set(paths.map((path) => dirname(path)))) {
    try {
      for await (const { name } of Deno.readDir(folder)) {
        if (/\.so(\.\d+)*$/.test(name)) files.push(join(folder, name));
      }
    } catch {
      // It is no longer there: another is chosen.
    }
  }
  return files;
}

/** Whether a place is a folder or lies in it. */
function isWithin(place: string, folder: string): boolean {
  return !relative(folder, place).startsWith("..");
}

/**
 * The deno.json that a kernel in a folder would find, and its lock: they say what imports mean.
 *
 * @throws {RangeError} If one is a link: who made it chose what the sandbox would read.
 */
async function configFiles(cwd: string): Promise<string[]> {
  for (let at = resolve(cwd);; at = dirname(at)) {
    const found = [];
    for (const name of ["deno.json", "deno.jsonc", "deno.lock"]) {
      const path = join(at, name);
      const info = await Deno.lstat(path).catch(() => undefined);
      if (info?.isSymlink) {
        throw new RangeError(
          `Cannot run in a sandbox with "${path}": it is a link; put the file itself there`,
        );
      }
      if (info?.isFile) found.push(path);
    }
    if (found.length > 0) return found;
    if (dirname(at) === at) return [];
  }
}

/**
 * The command line that runs a module within the outer wall.
 *
 * @param module Its URL, resolved where it is used: packaging finds the module by that expression.
 */
export async function innerProgram(module: URL): Promise<string[]> {
  return [
    await Deno.realPath(Deno.execPath()),
    ...["run", "--quiet", "-A", "--no-check", "--cached-only"],
    ...await exists(join(LIBRARY_ROOT, "deno.lock")) ? ["--frozen"] : [],
    ...["--config", join(LIBRARY_ROOT, "deno.json")],
    fromFileUrl(module),
  ];
}

/** Starts the inner runner, hands it the job, and takes what it tells. */
async function converse(
  job: SandboxJob,
  place: Place,
  { signal, onProgress, output }: RunOptions,
  seconds: number,
): Promise<RunResult> {
  const process = place.command(await innerProgram(new URL("./inner.ts", import.meta.url)), "piped")
    .spawn();
  const stdin = process.stdin.getWriter();
  const tell = (value: unknown) =>
    stdin.write(new TextEncoder().encode(`${JSON.stringify(value)}\n`)).catch(() => {});
  const stop = () => void tell("stop");
  signal?.addEventListener("abort", stop);
  const killer = setTimeout(() => process.kill("SIGKILL"), seconds * 1000);
  const complaint = new Response(process.stderr).text();
  let result: RunResult | undefined;
  let fault: string | undefined;
  try {
    await tell(job);
    if (signal?.aborted) stop();
    const lines = process.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough<string>(new TextLineStream());
    for await (const line of lines) {
      const message: SandboxMessage = JSON.parse(line);
      if (message.type === "progress") onProgress?.(message.event);
      else if (message.type === "notebook") await writeNotebook(output!, message.notebook);
      else if (message.type === "result") result = message.result;
      else fault = message.message;
    }
    const { code } = await process.status;
    const said = (await complaint).trim().split("\n").at(-1);
    if (result !== undefined) return result;
    throw new Error(fault ?? `The sandboxed run ended with code ${code}: ${said}`);
  } finally {
    clearTimeout(killer);
    signal?.removeEventListener("abort", stop);
    await stdin.close().catch(() => {});
    await process.status;
  }
}

async function denoFolder(): Promise<string> {
  const named = Deno.env.get("DENO_DIR");
  if (named) return resolve(named);
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json"],
    stdout: "piped",
    stderr: "null",
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}

/** Whether this process may make namespaces as root does; see capabilities(7). */
async function hasSysAdmin(): Promise<boolean> {
  const status = await Deno.readTextFile("/proc/self/status");
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  return (effective >> 21n & 1n) === 1n;
}

/** Whether a program is on the PATH. */
async function isInstalled(program: string): Promise<boolean> {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    if (await exists(join(folder, program))) return true;
  }
  return false;
}

function pick(...names: string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}
