// A Slurm cluster of this machine alone: munged, slurmctld and two slurmd, on ports and files of their own.

import { assert } from "@std/assert";
import { delay } from "@std/async/delay";
import { join } from "@std/path";

const PROGRAMS = ["munged", "slurmctld", "slurmd", "sbatch", "srun", "sinfo"];
const PATH = `${Deno.env.get("PATH") ?? ""}:/usr/sbin:/sbin`;
const NODES = ["node1", "node2"];
/** How long daemons may take to come up, and a job to end, in seconds. */
const PATIENCE = { start: 60, job: 300 };

/** The reason that no cluster can be started here; undefined if one can. */
export function slurmFault(): string | undefined {
  const missing = PROGRAMS.filter((program) =>
    !PATH.split(":").some((folder) => {
      try {
        return Deno.statSync(join(folder, program)).isFile;
      } catch {
        return false;
      }
    })
  );
  if (missing.length > 0) {
    return `needs ${missing.join(", ")}: apt-get install slurm-wlm munge`;
  }
  if (Deno.uid() !== 0) return "needs root, to start Slurm's daemons";
}

/** A cluster that runs until it is disposed of. */
export class SlurmCluster implements AsyncDisposable {
  readonly #folder: string;
  readonly #daemons: { name: string; process: Deno.ChildProcess }[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Starts it, and waits until its nodes take jobs. */
  static async start(): Promise<SlurmCluster> {
    const cluster = new SlurmCluster(await Deno.makeTempDir({ prefix: "tunebook-slurm-" }));
    try {
      await cluster.#configure();
      await cluster.#daemon("munged", [
        ...["--foreground", `--socket=${cluster.#path("munge.sock")}`],
        ...[
          `--key-file=${cluster.#path("munge.key")}`,
          `--pid-file=${cluster.#path("munged.pid")}`,
        ],
        ...[`--seed-file=${cluster.#path("munge.seed")}`],
      ]);
      await cluster.#until("munged listens", () => exists(cluster.#path("munge.sock")));
      await cluster.#daemon("slurmctld", ["-D"]);
      for (const node of NODES) await cluster.#daemon("slurmd", ["-D", "-N", node]);
      await cluster.#until("all nodes are idle", async () => {
        const { stdout } = await cluster.#command("sinfo", ["-h", "-N", "-o", "%T"]);
        return stdout.trim() === NODES.map(() => "idle").join("\n");
      });
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Runs an array job to its end.
   *
   * @param tasks How many tasks.
   * @param line What each runs, for a shell, which knows `$SLURM_ARRAY_TASK_ID`.
   * @returns The exit code, and each task's node and output.
   */
  async array(
    tasks: number,
    line: string,
  ): Promise<{ code: number; tasks: { node: string; output: string }[] }> {
    const { code, stderr } = await this.#command("sbatch", [
      ...["--wait", `--array=1-${tasks}`, `--output=${this.#path("task-%a.txt")}`],
      ...["--wrap", `echo "$SLURMD_NODENAME"; ${line}`],
    ], PATIENCE.job);
    const outputs = await Promise.all(
      Array.from(
        { length: tasks },
        (_, i) => Deno.readTextFile(this.#path(`task-${i + 1}.txt`)).catch(() => `\n${stderr}`),
      ),
    );
    return {
      code,
      tasks: outputs.map((text) => {
        const [node = "", ...lines] = text.split("\n");
        return { node, output: lines.join("\n") };
      }),
    };
  }

  /**
   * Runs a program in a task on each node, which find each other by PMI 2.
   *
   * @param command The program and its arguments.
   * @param env Variables for it.
   * @param options Whether Slurm ends the other tasks when one fails.
   * @returns Its exit code and what all tasks wrote.
   */
  async step(
    command: readonly string[],
    env: Readonly<Record<string, string>>,
    { killsOnBadExit = true } = {},
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const tasks = [`--nodes=${NODES.length}`, "--ntasks-per-node=1", "--input=none"];
    // As README.md has it.
    const settings = { SLURM_MPI_TYPE: "pmi2", SLURM_KILL_BAD_EXIT: `${Number(killsOnBadExit)}` };
    return await this.#command("srun", [...tasks, ...command], PATIENCE.job, {
      ...settings,
      ...env,
    });
  }

  async #configure(): Promise<void> {
    const key = crypto.getRandomValues(new Uint8Array(1024));
    await Deno.writeFile(this.#path("munge.key"), key, { mode: 0o400 });
    await Deno.chmod(this.#folder, 0o755); // munged refuses a folder that it cannot trust
    await Deno.mkdir(this.#path("state"));
    const [controller, ...ports] = [0, ...NODES].map(freePort);
    await Deno.writeTextFile(
      this.#path("slurm.conf"),
      [
        "ClusterName=tunebook",
        `SlurmctldHost=${Deno.hostname()}(127.0.0.1)`,
        `AuthInfo=socket=${this.#path("munge.sock")}`,
        "SlurmUser=root",
        "SlurmdUser=root",
        `SlurmctldPort=${controller}`,
        `SlurmctldPidFile=${this.#path("slurmctld.pid")}`,
        `SlurmdPidFile=${this.#path("slurmd-%n.pid")}`,
        `SlurmdSpoolDir=${this.#path("spool-%n")}`,
        `StateSaveLocation=${this.#path("state")}`,
        "ProctrackType=proctrack/pgid", // needs no control groups
        "TaskPlugin=task/none",
        "SelectType=select/linear",
        "MailProg=/bin/true",
        "SlurmdParameters=config_overrides", // two nodes on one machine
        ...NODES.map((node, i) =>
          `NodeName=${node} NodeHostname=${Deno.hostname()} NodeAddr=127.0.0.1 Port=${
            ports[i]
          } CPUs=1`
        ),
        "PartitionName=grading Nodes=ALL Default=YES State=UP",
        "",
      ].join("\n"),
    );
  }

  async #daemon(name: string, args: string[]): Promise<void> {
    const log = await Deno.open(this.#path(`${name}-${this.#daemons.length}.log`), {
      write: true,
      create: true,
    });
    const process = new Deno.Command(name, {
      args,
      env: this.#environment,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    // Both are read, so that the daemon never waits.
    process.stdout.pipeTo(new WritableStream()).catch(() => {});
    process.stderr.pipeTo(log.writable).catch(() => {});
    this.#daemons.push({ name, process });
  }

  async #command(
    name: string,
    args: string[],
    seconds = PATIENCE.start,
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const { code, stdout, stderr } = await new Deno.Command(name, {
      args,
      env: { ...this.#environment, ...env },
      stdin: "null",
      signal: AbortSignal.timeout(seconds * 1000),
    }).output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  }

  async #until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + PATIENCE.start * 1000;
    while (!await holds()) {
      assert(performance.now() < deadline, `Not so after ${PATIENCE.start} s: ${what}`);
      await delay(100);
    }
  }

  get #environment(): Record<string, string> {
    return { PATH, SLURM_CONF: this.#path("slurm.conf") };
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { process } of this.#daemons.reverse()) {
      try {
        process.kill("SIGTERM");
      } catch {
        // It has ended.
      }
      await process.status;
    }
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** A port that nobody uses now. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}
