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
    assertEquals(counted, taken);
    assert(dry.touchedBytes <= dry.allocatedBytes && dry.touchedBytes > 0.7 * dry.allocatedBytes);
    cpu.close();
  });
}

Deno.test("DryDevice divides the places of packed weights that were given back, as the CPU does", () => {
  const cpu = new CpuDevice({ threads: 2, blas: false });
  const dry = new DryDevice(cpu);
  const take = (device: Device) => {
    const bytes: number[] = [];
    const [MIB, kept] = [2 ** 20, 3];
    for (const size of [8 * MIB, 5 * MIB, 2 * MIB, 4 * MIB, 2 * MIB, 1000, 9 * MIB]) {
      const buffer = device.allocate(size, "packed");
      if (bytes.length === 0 || bytes.length >= kept) device.release(buffer);
      bytes.push(device.allocatedBytes);
    }
    return bytes;
  };
  const taken = take(cpu);
  assertEquals(take(dry), taken);
  assertEquals(taken[1], taken[0]); // it has room where the first was
  assert(taken[6] > taken[1]);
  cpu.close();
});
