/** This library's side of the benchmarks: it holds the same conversation as peer.py, which tells it. */

import { TextLineStream } from "@std/streams";
import type { EncodedExample } from "../../lib/dataset/encode.ts";
import { generate, loadModel } from "../../lib/model/mod.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { matmul, scope, Tensor } from "../../lib/tensor/mod.ts";
import { sft } from "../../lib/train/mod.ts";
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

/** A training step of `sft()`, each run on the next of the batches. */
async function prepareStep(
  { model: folder, examples, lr, weightDecay }: {
    model: string;
    examples: EncodedExample[][];
    lr: number;
    weightDecay: number;
  },
): Promise<Run> {
  const { model } = await loadModel(folder, { device });
  const batchSize = examples[0].length;
  const order = examples.map((batch, i) => batch.map((_, j) => i * batchSize + j));
  const training = sft(model, {
    examples: examples.flat(),
    order,
    batchSize,
    learningRate: lr,
    weightDecay,
    epochs: 1_000_000, // as often as asked
    evalEvery: 0,
  });
  const steps = training[Symbol.asyncIterator]();
  return async () => {
    const begin = performance.now();
    const { value, done } = await steps.next();
    const seconds = (performance.now() - begin) / 1000;
    if (done) throw new Error("Training ended by itself");
    return { seconds, loss: value.loss, tokens: value.tokensComputed };
  };
}

/** Greedy generation with the key-value cache. */
async function prepareGenerate(
  { model: folder, prompt, newTokens }: { model: string; prompt: number[]; newTokens: number },
): Promise<Run> {
  const { model } = await loadModel(folder, { device });
  return async () => {
    const begin = performance.now();
    const [{ tokens }] = await generate(model, [prompt], { maxNewTokens: newTokens });
    return { seconds: (performance.now() - begin) / 1000, ids: tokens };
  };
}

// A case's options are those of cases.ts.
const CASES: Record<string, (options: any) => Run | Promise<Run>> = {
  gemm: prepareGemm,
  step: prepareStep,
  generate: prepareGenerate,
};

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
