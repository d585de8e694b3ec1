// The device that computes nothing takes the memory that the CPU takes.

import { assert, assertEquals } from "@std/assert";
import { addLora, quantize, type QuantizedType } from "../../lib/model/mod.ts";
import type { Device } from "../../lib/tensor/mod.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { DryDevice } from "../../lib/tensor/dry_device.ts";
import { sft, type SftOptions } from "../../lib/train/mod.ts";
import { smallExamples, smallModel } from "../train/small.ts";

const cases: Record<
  string,
  { lora?: boolean; pack?: QuantizedType; dropout?: number; options?: Partial<SftOptions> }
> = {
  "all weights": {},
  "all weights, accumulated and clipped": { options: { accumulate: 2, maxGradientNorm: 1 } },
  "recomputed activations": { options: { recompute: true } },
  "dropout": { dropout: 0.1 },
  "adapters": { lora: true },
  "adapters beside NF4": { lora: true, pack: "nf4" },
  "adapters beside bfloat16": { lora: true, pack: "bf16" },
  "padded batches": { options: { layout: "padded" } },
};

for (const [name, { lora, pack, dropout = 0, options }] of Object.entries(cases)) {
  Deno.test(`DryDevice counts the memory of a training: ${name}`, async () => {
    const cpu = new CpuDevice({ threads: 1, blas: false });
    const dry = new DryDevice(cpu);
    const train = async (device: Device) => {
      const network = smallModel(device, { width: 64, dropout });
      if (pack) await quantize(network, pack);
      if (lora) addLora(network, { rank: 4 });
      const settings: SftOptions = {
        examples: smallExamples(13),
        validation: smallExamples(5, 3),
        batchSize: 3,
        evalEvery: 2,
        ...options,
      };
      using training = sft(network, settings);
      const bytes: number[] = [];
      for await (const _ of training) bytes.push(device.allocatedBytes);
      return bytes;
    };
    const [counted, taken] = [await train(dry), await train(cpu)];
    assert(taken.length >= 3 && taken[0] > 0);
    // The CPU takes memory for packed weights in large pieces.
    const pieces = taken[0] - counted[0];
    assert(pack ? pieces >= 0 && pieces < 8 * 2 ** 20 : pieces === 0, `${taken[0]}, ${counted[0]}`);
    assertEquals(counted.map((bytes) => bytes + pieces), taken);
    assert(dry.touchedBytes <= dry.allocatedBytes && dry.touchedBytes > 0.7 * dry.allocatedBytes);
    cpu.close();
  });
}
