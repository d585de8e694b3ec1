/**
 * The questions of a check of a GPU: what it is, whether it computes what the CPU computes, how fast it multiplies, and how
 * long a training step and a token take on it. Each runs in a process of its own.
 *
 * @module
 */

import { forest, type ForestBatch } from "../../dataset/mod.ts";
import { generate, Gpt2, GPT2_SIZES, type Network, trainableParameters } from "../../model/mod.ts";
import type { Gpt2Config } from "../../model/families/gpt2.ts";
import { AdamW } from "../../train/optimizer.ts";
import { takeStep } from "../../train/step.ts";
import { CpuDevice } from "../../tensor/cpu/device.ts";
import { type Device, pick, reasonFor } from "../../tensor/mod.ts";
import { compareOperation, OPERATION_CHECKS } from "../../tensor/operation_checks.ts";
import { describeAdapter, findAdapter, INSTALL_HINT } from "../../tensor/webgpu/adapter.ts";
import { SAFE_BUFFER_SIZE } from "../../tensor/webgpu/buffer_size.ts";
import { WebGpuDevice } from "../../tensor/webgpu/device.ts";
import { measurePeak } from "../../tensor/webgpu/peak.ts";
import { timeMatmul } from "../../tensor/webgpu/tuning.ts";
import type { Cell } from "./report.ts";

/** Takes what a part finds, as soon as it does. */
export interface PartReporter {
  /** Names what begins now. */
  doing(what: string): void;
  /** Adds a row to the table. */
  row(cells: Readonly<Record<string, Cell>>): void;
  /** Adds a sentence. */
  note(text: string): void;
}

/** A question. */
export interface GpuPart {
  /** Its heading. */
  readonly title: string;
  /** Seconds after which its process is ended, for hardware and for software adapters. */
  readonly limits: { readonly hardware: number; readonly software: number };
  /** Finds the answer. */
  run(report: PartReporter): Promise<void>;
}

/** The adapter that is checked: hardware, otherwise software. */
async function adapterToCheck(): Promise<{ adapter: GPUAdapter; software: boolean }> {
  const adapter = await findAdapter({ software: true });
  if (!adapter) throw new TypeError(`Cannot check a GPU: no adapter was found; ${INSTALL_HINT}`);
  return { adapter, software: describeAdapter(adapter).software };
}

const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "minStorageBufferOffsetAlignment",
] as const;

async function describe(report: PartReporter): Promise<void> {
  const { adapter } = await adapterToCheck();
  const { name, vendor, architecture, software, features } = describeAdapter(adapter);
  const fact = (what: string, value: Cell) => report.row({ what, value });
  fact("adapter", name);
  fact("manufacturer", vendor || "not told");
  fact("architecture", architecture || "not told");
  fact("device, as its driver numbers it", adapter.info.device || "not told");
  fact("computes on", software ? "the CPU: a software adapter" : "a GPU");
  for (const limit of LIMITS) fact(limit, Number(adapter.limits[limit]));
  fact("features", features.join(", "));
  report.doing("measuring which tilings are fast");
  const before = performance.now();
  const device = await WebGpuDevice.open({ adapter });
  const seconds = (performance.now() - before) / 1000;
  fact("tilings of matrix products", String(device.facts.tiling));
  fact("bytes of a buffer at most", device.maxBufferSize);
  fact("opened in", `${seconds.toFixed(1)} s`);
  device.close();
  report.note(
    software
      ? "Tilings and the largest buffer of software adapters are fixed, not measured."
      : "Tilings are measured once for each adapter and remembered: the fastest of those that give the CPU's products.",
  );
  if (!software) report.note(describeBuffers(device));
  report.doing("choosing the device to compute on");
  const chosen = await pick();
  fact("Tunebook computes on", chosen.name);
  fact("because", reasonFor(chosen) ?? "it is the only one");
  chosen.close();
}

function describeBuffers({ maxBufferSize }: WebGpuDevice): string {
  const size = `${maxBufferSize / 2 ** 20} MiB`;
  return maxBufferSize === SAFE_BUFFER_SIZE
    ? `The largest buffer that training needs was refused or gave back other values: tensors above ${size} lie in several buffers.`
    : `A buffer of ${size} was made, and gave back what was written to both of its ends.`;
}

async function compareOperations(report: PartReporter): Promise<void> {
  const { adapter } = await adapterToCheck();
  const cpu = new CpuDevice();
  const gpu = await WebGpuDevice.open({ adapter });
  let agreed = 0;
  for (const check of OPERATION_CHECKS) {
    report.doing(check.name);
    const { difference, where, agrees } = await compareOperation(check, cpu, gpu);
    if (agrees) agreed++;
    report.row({
      operation: check.name,
      difference: difference === 0 ? "0" : difference.toExponential(1),
      where: difference === 0 ? "" : where,
      verdict: agrees ? "agrees" : "DIFFERS",
    });
  }
  report.note(
    `${agreed} of ${OPERATION_CHECKS.length} operations agree with the CPU, values and gradients.`,
  );
  for (const device of [cpu, gpu]) device.close();
}

/** Products of a step of GPT-2 Medium with 280 tokens: a layer forward, the gradient of its input, of its weight, the head. */
const PRODUCTS = [
  { layout: "NN", m: 280, n: 3072, k: 1024 },
  { layout: "NN", m: 280, n: 4096, k: 1024 },
  { layout: "NT", m: 280, n: 1024, k: 4096 },
  { layout: "TN", m: 1024, n: 4096, k: 280 },
  { layout: "NT", m: 105, n: 8192, k: 1024 },
  { layout: "NN", m: 1, n: 4096, k: 1024 },
] as const;

/** The same for an adapter that computes on the CPU. */
const SOFTWARE_PRODUCTS = [
  { layout: "NN", m: 280, n: 512, k: 256 },
  { layout: "NT", m: 280, n: 256, k: 512 },
  { layout: "TN", m: 256, n: 512, k: 280 },
  { layout: "NN", m: 1, n: 512, k: 256 },
] as const;

async function timeProducts(report: PartReporter): Promise<void> {
  const { adapter, software } = await adapterToCheck();
  const gpu = await WebGpuDevice.open({ adapter });
  const cpu = new CpuDevice();
  report.doing("measuring the peak of multiply-adds");
  const peak = await measurePeak(gpu, { groups: software ? 64 : 2048 });
  report.note(`Peak of fused multiply-adds in registers: ${gflops(peak)} GFLOP/s.`);
  for (const { layout, m, n, k } of software ? SOFTWARE_PRODUCTS : PRODUCTS) {
    report.doing(`timing a product ${layout} of ${m}×${k} by ${k}×${n}`);
    const shape = { m, n, k, transposeA: layout === "TN", transposeB: layout === "NT" };
    const onGpu = 2 * m * n * k / await timeMatmul(gpu, shape);
    const onCpu = 2 * m * n * k / await timeMatmul(cpu, shape);
    report.row({
      layout,
      product: `${m}×${k} by ${k}×${n}`,
      "GPU, GFLOP/s": gflops(onGpu),
      "share of peak": `${(100 * onGpu / peak).toFixed(0)} %`,
      "CPU, GFLOP/s": gflops(onCpu),
    });
  }
  for (const device of [cpu, gpu]) device.close();
}

const gflops = (perSecond: number) => Number((perSecond / 1e9).toPrecision(3));

const GIB = 2 ** 30;

/** A model to train and to run. */
interface Size {
  readonly name: string;
  readonly config: Gpt2Config;
  /** Main memory that weights, gradients and running means need on the CPU. */
  readonly bytes: number;
}

const MEDIUM: Size = {
  name: "GPT-2 Medium",
  config: GPT2_SIZES["gpt2-medium"],
  bytes: 7 * GIB,
};
const SMALL: Size = { name: "GPT-2", config: GPT2_SIZES.gpt2, bytes: 3 * GIB };
const TINY: Size = {
  name: "A GPT-2 of 2 layers, width 128 and 2,000 tokens",
  config: { vocabularySize: 2000, contextLength: 256, width: 128, layers: 2, heads: 4 },
  bytes: 0,
};

/** The largest model that this machine can hold twice over, and why it is not a larger one. */
function sizeFor(software: boolean, report: PartReporter): Size {
  if (software) {
    report.note(`A software adapter is too slow for ${MEDIUM.name}: the model is smaller.`);
    return TINY;
  }
  const { available } = Deno.systemMemoryInfo();
  const size = [MEDIUM, SMALL].find(({ bytes }) => bytes <= available) ?? TINY;
  if (size !== MEDIUM) {
    report.note(
      `${
        (available / GIB).toFixed(1)
      } GiB of memory are free: the model is ${size.name}, not ${MEDIUM.name}.`,
    );
  }
  return size;
}

/** Both devices, the GPU first: it is the one in question. */
async function eachDevice(
  adapter: GPUAdapter,
  run: (name: "GPU" | "CPU", device: Device) => Promise<void>,
): Promise<void> {
  const gpu = await WebGpuDevice.open({ adapter });
  await run("GPU", gpu);
  gpu.close();
  const cpu = new CpuDevice();
  await run("CPU", cpu);
  cpu.close();
}

/** Eight instructions with a shared beginning: some 280 tokens, of which some 105 are learnt. */
function instructions(vocabularySize: number): ForestBatch {
  const id = (i: number) => 1 + (i * 7919) % (vocabularySize - 2);
  const shared = Array.from({ length: 24 }, (_, i) => id(i));
  return forest(Array.from({ length: 8 }, (_, example) => {
    const own = (count: number, from: number) =>
      Array.from({ length: count }, (_, i) => id(1000 * (example + 1) + from + i));
    return {
      promptIds: [...shared, ...own(19, 0)],
      responseIds: [...own(12, 500), vocabularySize - 1],
      instructionLength: 1,
    };
  }));
}

const STEPS = 3;

async function timeStep(report: PartReporter): Promise<void> {
  const { adapter, software } = await adapterToCheck();
  const { name: model, config } = sizeFor(software, report);
  const batch = instructions(config.vocabularySize);
  report.note(
    `${model} with random weights, ${batch.tokens.length} tokens, ${batch.edges.rows.length} of them ` +
      "learnt: forward, backward, clipping, AdamW.",
  );
  const losses: Record<string, number[]> = {};
  await eachDevice(adapter, async (name, device) => {
    report.doing(`making the model on the ${name}`);
    const network = Gpt2.create(device, config);
    using optimizer = new AdamW(trainableParameters(network));
    const seconds: number[] = [];
    losses[name] = [];
    for (let step = 1; step <= STEPS; step++) {
      report.doing(`step ${step} on the ${name}`);
      const before = performance.now();
      const settings = { step, learningRate: 1e-4, maxGradientNorm: 1 };
      const { loss } = await takeStep(network, optimizer, [batch], settings);
      seconds.push((performance.now() - before) / 1000);
      losses[name].push(loss);
    }
    report.row({
      device: name,
      "first step, s": round(seconds[0]),
      "a step, s": round(Math.min(...seconds.slice(1))),
      "tokens per second": Math.round(batch.tokens.length / Math.min(...seconds.slice(1))),
      losses: losses[name].map((loss) => loss.toFixed(5)).join(", "),
    });
    dispose(network);
  });
  const apart = Math.max(...losses.GPU.map((loss, i) => Math.abs(loss - losses.CPU[i])));
  report.note(
    `The losses of ${STEPS} steps differ by at most ${apart.toExponential(1)}: ` +
      (apart <= 1e-3 ? "they agree." : "they DIFFER."),
  );
}

async function timeTokens(report: PartReporter): Promise<void> {
  const { adapter, software } = await adapterToCheck();
  const { name: model, config } = sizeFor(software, report);
  const count = software ? 32 : 128;
  const prompt = Array.from({ length: 16 }, (_, i) => 1 + i);
  report.note(
    `${model} with random weights continues 16 tokens by ${count}, the most likely each.`,
  );
  const answers: Record<string, number[]> = {};
  await eachDevice(adapter, async (name, device) => {
    report.doing(`making the model on the ${name}`);
    const network = Gpt2.create(device, config);
    report.doing(`a first answer on the ${name}`);
    await generate(network, [prompt], { maxNewTokens: 4 });
    report.doing(`${count} tokens on the ${name}`);
    const before = performance.now();
    const [{ tokens }] = await generate(network, [prompt], { maxNewTokens: count });
    const seconds = (performance.now() - before) / 1000;
    answers[name] = tokens;
    report.row({
      device: name,
      seconds: round(seconds),
      "tokens per second": round(tokens.length / seconds),
    });
    dispose(network);
  });
  const same = answers.GPU.findIndex((token, i) => token !== answers.CPU[i]);
  report.note(
    same < 0
      ? "Both devices choose the same tokens."
      : `The devices choose the same ${same} tokens first: random weights leave the most likely one close to others.`,
  );
}

const round = (value: number) => Number(value.toPrecision(3));

function dispose({ parameters }: Network): void {
  for (const parameter of parameters.values()) parameter.dispose();
}

/** The questions by name, in the order of the report. */
export const GPU_PARTS: Readonly<Record<string, GpuPart>> = {
  adapter: {
    title: "Adapter, driver, and what was chosen",
    limits: { hardware: 45, software: 20 },
    run: describe,
  },
  operations: {
    title: "Every operation beside the CPU",
    limits: { hardware: 40, software: 60 },
    run: compareOperations,
  },
  products: {
    title: "Matrix products",
    limits: { hardware: 25, software: 30 },
    run: timeProducts,
  },
  step: {
    title: "A training step",
    limits: { hardware: 40, software: 30 },
    run: timeStep,
  },
  tokens: {
    title: "Generated tokens",
    limits: { hardware: 25, software: 30 },
    run: timeTokens,
  },
};
