/** This library's side of the benchmarks. */

import { fromFileUrl } from "@std/path";
import type { EncodedExample } from "../../lib/dataset/encode.ts";
import {
  addLora,
  generate,
  generateTokens,
  loadNetwork,
  type Quantization,
  type QuantizedType,
} from "../../lib/model/mod.ts";
import { type Device, type DeviceKind, matmul, scope, Tensor } from "../../lib/tensor/mod.ts";
import { pick, type PickOptions } from "../../lib/tensor/pick.ts";
import type { BatchLayout } from "../../lib/dataset/mod.ts";
import { openTokenizer } from "../../lib/text/mod.ts";
import { sft } from "../../lib/train/mod.ts";
import { resolveModel } from "../../lib/weights/mod.ts";
import { describeDevice } from "./machine.ts";
import { type Prepare, serve } from "./serve.ts";

const now = () => performance.now() / 1000;

const open = (
  { device, matmulPrecision }: Pick<PickOptions, "device" | "matmulPrecision">,
): Promise<Device> => pick({ device, matmulPrecision, software: true });

/** One product of two n × n matrices. */
const prepareMatmul: Prepare = async (options: { device: DeviceKind; n: number }) => {
  const { n } = options;
  const device = await open(options);
  const matrix = () => Float32Array.from({ length: n * n }, () => Math.random() - 0.5);
  const a = Tensor.from(device, matrix(), [n, n]), b = Tensor.from(device, matrix(), [n, n]);
  const run = async () => {
    await device.sync();
    const begin = now();
    scope(() => void matmul(a, b));
    await device.sync();
    return { seconds: now() - begin };
  };
  return { run, about: describeDevice(device) };
};

/** Encoding texts, one after the other. */
const prepareEncoding: Prepare = async (options: { tokenizer: string; texts: string }) => {
  const tokenizer = await openTokenizer(await resolveModel(options.tokenizer));
  const texts: string[] = JSON.parse(await Deno.readTextFile(options.texts));
  const run = () => {
    const begin = now();
    const tokens = texts.reduce((sum, text) => sum + tokenizer.encode(text).length, 0);
    return Promise.resolve({ seconds: now() - begin, tokens });
  };
  return { run, about: "a thread" };
};

/** A training step of `sft()`, each run on the next of the batches. */
const prepareStep: Prepare = async (options: {
  device: DeviceKind;
  model: string;
  examples: EncodedExample[][];
  layout: BatchLayout;
  lr: number;
  weightDecay: number;
  rank?: number;
  quantize?: QuantizedType;
  matmulPrecision?: PickOptions["matmulPrecision"];
}) => {
  const { examples, layout, lr, weightDecay, rank, quantize } = options;
  const device = await open(options);
  const { network: model } = await loadNetwork(options.model, { device, quantize });
  if (rank !== undefined) addLora(model, { rank });
  const batchSize = examples[0].length;
  const training = sft(model, {
    examples: examples.flat(),
    order: examples.map((batch, i) => batch.map((_, j) => i * batchSize + j)),
    layout,
    batchSize,
    learningRate: lr,
    weightDecay,
    epochs: 1_000_000, // as often as asked
    evalEvery: 0,
  });
  const steps = training[Symbol.asyncIterator]();
  const run = async () => {
    const begin = now();
    const { value, done } = await steps.next();
    const seconds = now() - begin;
    if (done) throw new Error("Training ended by itself");
    return { seconds, loss: value.loss, tokens: value.tokensComputed };
  };
  return { run, about: describeDevice(device) };
};

/** Greedy generation with the key-value cache, all prompts together. */
const prepareAnswers: Prepare = async (options: {
  device: DeviceKind;
  model: string;
  prompts: number[][];
  newTokens: number;
  eosId?: number;
}) => {
  const { prompts, newTokens, eosId } = options;
  const device = await open(options);
  const { network: model } = await loadNetwork(options.model, { device });
  await generate(model, prompts.slice(0, 1), { maxNewTokens: 2 });
  const run = async () => {
    const begin = now();
    const answers = await generate(model, prompts, {
      maxNewTokens: newTokens,
      eosId,
      batchSize: prompts.length,
    });
    return { seconds: now() - begin, ids: answers.map(({ tokens }) => tokens) };
  };
  return { run, about: describeDevice(device) };
};

/** Greedy continuation of texts together, by a file's model as it is stored or otherwise. */
const prepareDecode: Prepare = async (options: {
  device: DeviceKind;
  file: string;
  quantize?: Quantization;
  prompts: string[];
  newTokens: number;
}) => {
  const { file, quantize, newTokens } = options;
  const device = await open(options);
  const { network: model } = await loadNetwork(file, { device, quantize });
  const tokenizer = await openTokenizer(await resolveModel(file));
  const prompts = options.prompts.map((prompt) => tokenizer.encode(prompt));
  const run = async () => {
    let begin = now();
    let left = prompts.length;
    for await (const _ of generateTokens(model, prompts, { maxNewTokens: newTokens })) {
      // Alone it is timed as Ollama tells: without the prompt.
      if (--left === 0 && prompts.length === 1) begin = now();
    }
    return { seconds: now() - begin };
  };
  await run();
  return { run, about: describeDevice(device) };
};

/** From nothing to the end of a program of this library, in a process of its own. */
function prepareProcess(program: string, args: string[], device: DeviceKind): ReturnType<Prepare> {
  const path = fromFileUrl(import.meta.resolve(program));
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--frozen", "-A", path, ...args],
    env: { TUNEBOOK_DEVICE: device },
    stdout: "piped",
    stderr: "piped",
  });
  const run = async () => {
    const begin = now();
    const { success, stderr } = await command.output();
    const seconds = now() - begin;
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return { seconds, peakBytes: undefined }; // this process's is not the program's
  };
  return Promise.resolve({ run, about: `a process of its own, ${device}` });
}

/** Deno alone, or a program that imports this library and makes a tensor. */
const prepareImport: Prepare = (options: { program: "empty" | "first_tensor" }) =>
  prepareProcess(`./programs/${options.program}.ts`, [], "cpu");

/** The command's first token on the terminal. */
const prepareStart: Prepare = (options: { device: DeviceKind; model: string }) => {
  const ask = ["--instruction", "Name a colour.", "--max-new-tokens", "1"];
  const args = ["generate", "--model", options.model, ...ask];
  return prepareProcess("../../lib/cli.ts", args, options.device);
};

await serve({
  matmul: prepareMatmul,
  step: prepareStep,
  answers: prepareAnswers,
  decode: prepareDecode,
  start: prepareStart,
  import: prepareImport,
  encode: prepareEncoding,
});
