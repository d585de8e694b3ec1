/**
 * How much later than the stock kernel "Deno (Tunebook)" is: to its first result, and for each cell.
 *
 *     deno run -A tests/runtime/jupyter/measure.ts [rounds]
 *
 * The bounds are 400 ms and 10 ms. The kernels take turns, and the median counts.
 */

import { kernelSpec } from "../../../lib/runtime/jupyter/install.ts";
import { executeContent, TestClient } from "./client.ts";

const KEY = "measured";
const CELLS = 50;

/** Milliseconds from the start to the first result, and for a cell. */
async function measure(argv: string[]): Promise<{ first: number; cell: number }> {
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
  const started = performance.now();
  const [program, ...args] = argv.map((one) => one === "{connection_file}" ? file : one);
  const process = new Deno.Command(program, {
    args,
    cwd: folder,
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  try {
    let client: TestClient | undefined;
    while (client === undefined) {
      try {
        client = await TestClient.connect(ports, KEY);
      } catch {
        await new Promise((done) => setTimeout(done, 5));
      }
    }
    const run = async () => {
      const { reply } = client.send("execute_request", executeContent("6 * 7"));
      await reply;
    };
    await run();
    const first = performance.now() - started;
    const begun = performance.now();
    for (let i = 0; i < CELLS; i++) await run();
    const cell = (performance.now() - begun) / CELLS;
    client.close();
    return { first, cell };
  } finally {
    process.kill("SIGTERM");
    const killer = setTimeout(() => process.kill("SIGKILL"), 5000);
    await process.status;
    clearTimeout(killer);
    await Deno.remove(folder, { recursive: true });
  }
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];

if (import.meta.main) {
  const rounds = Number(Deno.args[0] ?? 7);
  const kernels = {
    stock: [Deno.execPath(), "jupyter", "--kernel", "--conn", "{connection_file}"],
    ours: kernelSpec("", false).argv as string[],
  };
  const all = { stock: [], ours: [] } as Record<string, { first: number; cell: number }[]>;
  for (let round = 0; round < rounds; round++) {
    for (const [name, argv] of Object.entries(kernels)) all[name].push(await measure(argv));
  }
  const of = (name: string, what: "first" | "cell") => median(all[name].map((one) => one[what]));
  console.log(`Load ${Deno.loadavg()[0].toFixed(1)} on ${navigator.hardwareConcurrency} cores`);
  for (const what of ["first", "cell"] as const) {
    const [stock, ours] = [of("stock", what), of("ours", what)];
    const title = what === "first" ? "start to first result" : "a cell";
    console.log(
      `${title}: stock ${stock.toFixed(1)} ms, Tunebook ${ours.toFixed(1)} ms, ` +
        `${(ours - stock).toFixed(1)} ms more`,
    );
  }
}
