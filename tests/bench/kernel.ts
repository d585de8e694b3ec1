/** The kernels' side of the benchmarks: the stock one or ours, in a process of its own, as a client sees it. */

import { kernelSpec } from "../../lib/runtime/jupyter/install.ts";
import { stableProgram } from "../../lib/runtime/jupyter/library_copy.ts";
import type { Message } from "../../lib/runtime/messages.ts";
import { executeContent, TestClient } from "../runtime/jupyter/client.ts";
import { type Prepare, serve } from "./serve.ts";

const KEY = "measured";
const CELLS = 50;

/** Seconds from what goes wrong to its message. */
export interface Troubles {
  hungAwait: number;
  busyLoop: number;
  exit: number;
  outOfMemory: number;
  manyBytes: number;
  manyLines: number;
  worker: number;
  timer: number;
  killed: number;
}

/** How a client starts each kernel. */
const KERNELS: Record<string, string[]> = {
  stock: [Deno.execPath(), "jupyter", "--kernel", "--conn", "{connection_file}"],
  ours: kernelSpec("", false, await stableProgram()).argv as string[],
};

/** A kernel's process and a client of it. */
class Started implements AsyncDisposable {
  private constructor(
    readonly client: TestClient,
    readonly process: Deno.ChildProcess,
    readonly folder: string,
  ) {}

  static async start(argv: readonly string[], env: Record<string, string> = {}): Promise<Started> {
    const folder = await Deno.makeTempDir();
    const names = ["shell", "control", "iopub", "stdin", "hb"];
    const listeners = names.map(() => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
    const ports = Object.fromEntries(names.map((name, i) => [name, listeners[i].addr.port]));
    for (const listener of listeners) listener.close();
    const file = `${folder}/connection.json`;
    await Deno.writeTextFile(
      file,
      JSON.stringify({
        transport: "tcp",
        ip: "127.0.0.1",
        key: KEY,
        signature_scheme: "hmac-sha256",
        ...Object.fromEntries(names.map((name) => [`${name}_port`, ports[name]])),
      }),
    );
    const [program, ...args] = argv.map((one) => one === "{connection_file}" ? file : one);
    const process = new Deno.Command(program, {
      args,
      env,
      cwd: folder,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    for (;;) {
      try {
        return new Started(await TestClient.connect(ports, KEY), process, folder);
      } catch {
        await new Promise((done) => setTimeout(done, 5)); // It does not listen yet.
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    this.process.kill("SIGTERM");
    const killer = setTimeout(() => this.process.kill("SIGKILL"), 5000);
    await this.process.status;
    clearTimeout(killer);
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** To the first result, and for a cell. */
const prepareStart: Prepare = (options: { kernel: string }) => {
  const run = async () => {
    const begin = performance.now();
    await using started = await Started.start(KERNELS[options.kernel]);
    // Until the reply: the stock kernel may lose what it publishes.
    const cell = () => started.client.send("execute_request", executeContent("6 * 7")).reply;
    await cell();
    const first = performance.now() - begin;
    const then = performance.now();
    for (let i = 0; i < CELLS; i++) await cell();
    const each = (performance.now() - then) / CELLS;
    return { seconds: first / 1000, cell: each / 1000, peakBytes: undefined };
  };
  return Promise.resolve({ run, about: `Deno ${Deno.version.deno}` });
};

/** What a client sees of one cell. */
class Cell {
  readonly #client: TestClient;
  readonly id: string;
  readonly idle: Promise<void>;

  constructor(client: TestClient, code: string) {
    this.#client = client;
    ({ id: this.id, idle: this.idle } = client.send("execute_request", executeContent(code)));
  }

  /** The first message of the cell's that is as asked for. */
  message(condition: (message: Message) => boolean): Promise<Message> {
    return this.#client.until((one) => one.parentHeader.msg_id === this.id && condition(one));
  }

  /** What the cell has printed first, as a number. */
  async number(): Promise<number> {
    const printed = await this.message(({ header }) => header.msg_type === "stream");
    return Number.parseFloat(printed.content.text);
  }

  /** The number that it has printed last. */
  lastNumber(): number {
    const printed = this.#client.outputsOf(this.id).filter(({ header }) =>
      header.msg_type === "stream"
    );
    return Number(printed.map(({ content }) => content.text).join("").trimEnd().split("\n").at(-1));
  }

  /** Its error. */
  error(name: string): Promise<Message> {
    return this.message(({ content }) => content.ename === name);
  }
}

const since = (time: number) => (Date.now() - time) / 1000;

/** Each of a cell's troubles, once; the cells print when theirs begins. */
async function troubles(argv: readonly string[]): Promise<Troubles> {
  await using started = await Started.start(argv);
  const { client } = started;
  const cell = (code: string) => new Cell(client, code);
  const stop = async (running: Cell) => {
    const time = Date.now();
    await client.request("interrupt_request", {}, { channel: "control" });
    await running.error("Stopped");
    const seconds = since(time);
    await running.idle;
    return seconds;
  };
  const stopped = async (code: string) => {
    const running = cell(`console.log("on"); ${code}`);
    await running.message(({ header }) => header.msg_type === "stream");
    return await stop(running);
  };
  const died = async (code: string) => {
    const running = cell(`console.log(Date.now()); ${code}`);
    const time = await running.number();
    await running.error("KernelDied");
    return since(time);
  };
  const hungAwait = await stopped("await new Promise(() => {});");
  const busyLoop = await stopped("while (true);");
  const big = cell(`console.log(Date.now());
    await Deno.jupyter.display({ "text/plain": "é".repeat(10e6) }, { raw: true });`);
  await big.message(({ header }) => header.msg_type === "display_data");
  const manyBytes = since(await big.number());
  await big.idle;

  const lines = cell("for (let i = 0; i < 99_999; i++) console.log(i); console.log(Date.now());");
  await lines.idle;
  const manyLines = since(lines.lastNumber());

  const waiting = cell(
    "setTimeout(() => { throw new Error(Date.now()) }, 50); await new Promise(() => {})",
  );
  const timer = since(Number((await waiting.error("Error")).content.evalue));
  await stop(waiting);

  const left = cell(`void new Worker("data:text/javascript,setTimeout(() => " +
    "{ console.log(Date.now()); while (true); }, 500)", { type: "module" });`);
  await left.idle;
  const worker = since(await left.number());

  const exit = await died("Deno.exit(3);");
  const victim = cell("console.log(Deno.pid); await new Promise(() => {});");
  const pid = await victim.number();
  const killing = Date.now();
  Deno.kill(pid, "SIGKILL");
  await victim.error("KernelDied");
  const killed = since(killing);

  await using small = await Started.start(argv, { DENO_V8_FLAGS: "--max-old-space-size=120" });
  const full = new Cell(
    small.client,
    `const all = [];
while (true) {
  for (let i = 0; i < 10; i++) all.push([..."x".repeat(1e4)]);
  console.log(Date.now());
}`,
  );
  await full.error("KernelDied");
  // From the last sign of life.
  const outOfMemory = since(full.lastNumber());
  return {
    hungAwait,
    busyLoop,
    exit,
    outOfMemory,
    manyBytes,
    manyLines,
    worker,
    timer,
    killed,
  };
}

const prepareTroubles: Prepare = (options: { kernel: string }) => {
  const run = async () => {
    const found = await troubles(KERNELS[options.kernel]);
    return { seconds: Math.max(...Object.values(found)), troubles: found, peakBytes: undefined };
  };
  return Promise.resolve({ run, about: `Deno ${Deno.version.deno}` });
};

if (import.meta.main) await serve({ start: prepareStart, troubles: prepareTroubles });
