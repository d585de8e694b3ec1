// The sandbox seen from outside: a runner in a network namespace of its own, which starts the kernel
// behind walls, and to which this process talks over pipes.

import { dirname, fromFileUrl, join, resolve, toFileUrl } from "@std/path";
import { TextLineStream } from "@std/streams";
import type { Notebook } from "../notebook.ts";
import type { RunOptions, RunResult } from "../runner.ts";
import type { SandboxJob, SandboxMessage } from "./inner.ts";
import { seccompFilter } from "./seccomp.ts";
import { LIBRARY_ROOT, SANDBOX_DEFAULTS, type SandboxOptions, type Walls } from "./walls.ts";

/** How long the inner runner may take to come to its end after its time, in seconds. */
const GRACE = 45;

/** What the outer runner runs in: no network, all files. */
const NAMESPACES = ["--unshare-user", "--unshare-net", "--dev-bind", "/", "/", "--die-with-parent"];

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
  const folder = await Deno.makeTempDir({ prefix: "tunebook-sandbox-" });
  try {
    const walls = await buildWalls(options.sandbox, cwd, folder);
    const totalTimeout = options.totalTimeout ?? SANDBOX_DEFAULTS.totalTimeout;
    const { parameters, timeout, allowErrors, output, env } = options;
    const job: SandboxJob = {
      notebook,
      walls,
      denoDir: await denoFolder(),
      options: {
        parameters,
        timeout,
        totalTimeout,
        allowErrors,
        env,
        name,
        cwd,
        path,
        output: output && resolve(output),
      },
    };
    return await converse(job, options, totalTimeout + GRACE);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
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
  const folder = await Deno.makeTempDir({ prefix: "tunebook-sandbox-" });
  try {
    const walls = await buildWalls({}, folder, folder);
    const { sandboxLauncher } = await import("./walls.ts");
    const launcher = sandboxLauncher(walls, folder);
    const plain = { program: Deno.execPath(), args: ["--version"], env: {} };
    const { program, args } = launcher(plain, folder);
    const { success, stderr } = await new Deno.Command("bwrap", {
      args: [...NAMESPACES, "--", program, ...args],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (success) return undefined;
    const said = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
    return refuse(`bubblewrap fails ("${said}"): this system allows no namespaces`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return refuse("it needs bubblewrap: apt-get install bubblewrap");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function buildWalls(options: SandboxOptions, cwd: string, folder: string): Promise<Walls> {
  const real = async (path: string, what: string) => {
    try {
      await Deno.stat(path);
    } catch {
      throw new Deno.errors.NotFound(
        `Cannot let the sandbox ${what} "${path}": there is no such file`,
      );
    }
    return resolve(path);
  };
  const filter = join(folder, "filter.bpf");
  await Deno.writeFile(filter, seccompFilter()!);
  const read = [
    ...await configFiles(cwd),
    ...await Promise.all((options.read ?? []).map((path) => real(path, "read"))),
  ];
  const walls: Walls = {
    read,
    write: await Promise.all((options.write ?? []).map((path) => real(path, "write"))),
    memory: options.memory ?? SANDBOX_DEFAULTS.memory,
    disk: options.disk ?? SANDBOX_DEFAULTS.disk,
    cwd: resolve(cwd),
    filter,
  };
  if (read.length === (options.read ?? []).length) {
    const config = walls.config = join(folder, "deno.json");
    await Deno.writeTextFile(config, JSON.stringify(await libraryConfig()));
  }
  return walls;
}

/** The deno.json that a kernel in a folder would find, and its lock: they say what imports mean. */
async function configFiles(cwd: string): Promise<string[]> {
  for (let at = resolve(cwd);; at = dirname(at)) {
    const found = [];
    for (const name of ["deno.json", "deno.jsonc", "deno.lock"]) {
      if (await exists(join(at, name))) found.push(join(at, name));
    }
    if (found.length > 0) return found;
    if (dirname(at) === at) return [];
  }
}

/** What a folder without a deno.json gets: this library by its name. */
async function libraryConfig() {
  const { imports } = JSON.parse(await Deno.readTextFile(join(LIBRARY_ROOT, "deno.json")));
  const base = toFileUrl(`${LIBRARY_ROOT}/`);
  return {
    lock: false,
    nodeModulesDir: "none",
    imports: Object.fromEntries(
      Object.entries<string>(imports).map(([name, target]) =>
        [name, target.startsWith("./") ? new URL(target, base).href : target] as const
      ),
    ),
  };
}

/** Starts the inner runner, hands it the job, and takes what it tells. */
async function converse(
  job: SandboxJob,
  { signal, onProgress }: RunOptions,
  seconds: number,
): Promise<RunResult> {
  const process = new Deno.Command("bwrap", {
    args: [
      ...[...NAMESPACES, "--", "/bin/sh", "-c"],
      // What a kernel sends must not eat the machine by way of the runner.
      ...['ulimit -d "$0" || exit 125; exec "$@"', String((job.walls.memory + 2048) * 1024)],
      ...[Deno.execPath(), "run", "--quiet", "-A", "--no-check", "--cached-only"],
      ...["--config", join(LIBRARY_ROOT, "deno.json")],
      fromFileUrl(new URL("./inner.ts", import.meta.url)),
    ],
    env: { DENO_NO_UPDATE_CHECK: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
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

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}
