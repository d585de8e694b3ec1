/**
 * What two or more cores can do at most in WebAssembly: a thread each with nothing but fused multiply-adds. A run's
 * seconds are those of as many operations as a product of n × n matrices takes.
 */

import asc from "assemblyscript/asc";
import { Worker } from "node:worker_threads";
import { type Prepare, serve } from "./serve.ts";

/** Operations a turn of the loop: 12 chains, four lanes, a product and a sum. */
const OPERATIONS = 12 * 4 * 2;

async function compile(): Promise<Uint8Array<ArrayBuffer>> {
  let binary: Uint8Array<ArrayBuffer> | undefined;
  const flags = ["--optimizeLevel", "2", "--runtime", "stub", "--noAssert"];
  const { error, stderr } = await asc.main(
    ["fma_peak.as.ts", "--outFile", "peak.wasm", ...flags, "--enable", "simd,relaxed-simd"],
    {
      readFile: (name: string) =>
        name === "fma_peak.as.ts"
          ? Deno.readTextFileSync(new URL("./fma_peak.as.ts", import.meta.url))
          : null,
      writeFile: (_: string, content: Uint8Array | string) => {
        if (content instanceof Uint8Array) binary = content as Uint8Array<ArrayBuffer>;
      },
      listFiles: () => [],
    },
  );
  if (error || !binary) throw new SyntaxError(`Cannot compile the peak: ${stderr}`);
  return binary;
}

const preparePeak: Prepare = async ({ n }: { n: number }) => {
  const threads = navigator.hardwareConcurrency;
  const binary = await compile();
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL("./fma_worker.ts", import.meta.url), { workerData: { binary } }),
  );
  const answers = () =>
    Promise.all(
      workers.map((worker) => new Promise<number>((resolve) => worker.once("message", resolve))),
    );
  await answers();
  const turns = Math.ceil(2 * n ** 3 / OPERATIONS / threads);
  const run = async () => {
    const answered = answers();
    for (const worker of workers) worker.postMessage(turns);
    // Each thread's own time: waking them is not what is measured.
    const seconds = await answered;
    return { seconds: seconds.reduce((sum, value) => sum + value, 0) / threads };
  };
  return { run, about: `WebAssembly, ${threads} threads` };
};

await serve({ matmul: preparePeak });
