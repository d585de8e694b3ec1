/** This library's side of the benchmarks: it holds the same conversation as peer.py, which tells it. */

import { TextLineStream } from "@std/streams";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { matmul, scope, Tensor } from "../../lib/tensor/mod.ts";
import type { RunAnswer } from "./harness.ts";

/** Does the work of one run. */
type Run = () => Promise<RunAnswer>;

/** The most memory that this process has held, where the system tells. */
async function peakBytes(): Promise<number | undefined> {
  try {
    const status = await Deno.readTextFile("/proc/self/status");
    return Number(status.match(/^VmHWM:\s*(\d+) kB$/m)?.[1]) * 1024;
  } catch {
    return undefined;
  }
}

const device = new CpuDevice();

/** One product of two n × n matrices. */
function prepareGemm({ n }: { n: number }): Run {
  const matrix = () => Float32Array.from({ length: n * n }, () => Math.random() - 0.5);
  const a = Tensor.from(device, matrix(), [n, n]), b = Tensor.from(device, matrix(), [n, n]);
  return async () => {
    await device.sync();
    const begin = performance.now();
    scope(() => void matmul(a, b));
    await device.sync();
    return { seconds: (performance.now() - begin) / 1000 };
  };
}

// deno-lint-ignore no-explicit-any -- a case's options are those of cases.ts
const CASES: Record<string, (options: any) => Run | Promise<Run>> = { gemm: prepareGemm };

let run: Run | undefined;
const lines = Deno.stdin.readable
  .pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array<ArrayBuffer>, string>)
  .pipeThrough(new TextLineStream()) as ReadableStream<string>;
for await (const line of lines) {
  let answer: Record<string, unknown>;
  try {
    const request = JSON.parse(line);
    if (request.do === "prepare") {
      run = await CASES[request.case](request);
      answer = { ready: device.name };
    } else {
      answer = { ...await run!(), peakBytes: await peakBytes() };
    }
  } catch (error) {
    answer = { error: `${error}` };
  }
  console.log(JSON.stringify(answer));
}
