// A model and examples so small that a step takes milliseconds.

import type { EncodedExample } from "../../lib/dataset/mod.ts";
import { Gpt2, type Gpt2Config, type Network } from "../../lib/model/mod.ts";
import { Random } from "../../lib/random.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import type { Device } from "../../lib/tensor/mod.ts";
import type { Step, Training } from "../../lib/train/mod.ts";

const CONFIG = { vocabularySize: 61, contextLength: 32, width: 16, layers: 2, heads: 2 };
const EOS = 60;

let cpu: Device | undefined;

/** Registers a test of what no device has a part in: it runs on one thread, where tiny steps are quickest. */
export function onOneThread(name: string, test: (device: Device) => Promise<void>): void {
  Deno.test(name, () => test(cpu ??= new CpuDevice({ threads: 1, blas: false })));
}

/** A tiny GPT-2; the same seed gives the same weights. */
export function smallModel(device: Device, config: Partial<Gpt2Config> = {}, seed = 1): Gpt2 {
  return Gpt2.create(device, { ...CONFIG, ...config }, { seed });
}

/** Examples of different lengths that begin alike, as those of one prompt format do. */
export function smallExamples(count: number, seed = 7): EncodedExample[] {
  const random = new Random(seed);
  const words = (length: number) => Array.from({ length }, () => random.integer(EOS));
  return Array.from({ length: count }, () => {
    const instruction = [1, 2, 3, ...words(1 + random.integer(5))];
    return {
      promptIds: [...instruction, 4, 5],
      responseIds: [...words(1 + random.integer(7)), EOS],
      instructionLength: instruction.length,
    };
  });
}

/** All weights, in one array. */
export async function weightsOf(model: Gpt2): Promise<Float32Array> {
  const parts = await Promise.all([...model.parameters.values()].map((tensor) => tensor.data()));
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Takes steps until the training ends, or so many. */
export async function take(training: Training, count = Infinity): Promise<Step[]> {
  const steps: Step[] = [];
  if (count === 0) return steps;
  for await (const step of training) {
    if (steps.push(step) === count) break;
  }
  return steps;
}

/** Steps without what differs from run to run. */
export function timeless(steps: readonly Step[]): Omit<Step, "seconds">[] {
  return steps.map(({ seconds: _, ...rest }) => rest);
}

/** Gives a model's memory back. */
export function release(...models: Network[]): void {
  for (const model of models) {
    for (const tensor of model.parameters.values()) tensor.dispose();
  }
}
