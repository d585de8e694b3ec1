// The checks by which `tunebook doctor --gpu` holds a GPU to the CPU: they run every kernel, and find one that is wrong.

import { assert, assertEquals } from "@std/assert";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { ELEMENTWISE } from "../../lib/tensor/cpu/generate.ts";
import { kernels } from "../../lib/tensor/cpu/kernels.ts";
import type { Device, Kernel } from "../../lib/tensor/device.ts";
import { formulasOf } from "../../lib/tensor/elementwise/define.ts";
import { compareOperation, OPERATION_CHECKS } from "../../lib/tensor/operation_checks.ts";

/** Kernels that no GPU has. */
const CPU_ONLY = ["cachedAttention.store"];

/** Changes what a device's kernels write. */
function spoiling(device: Device, spoil: (kernel: string, params: Record<string, number>) => void) {
  const run = device.run.bind(device);
  device.run = (kernel, buffers, params, flops) => {
    const changed: Record<string, number> = { ...params as Record<string, number> };
    spoil((kernel as Kernel).name, changed);
    run(kernel, buffers, changed as typeof params, flops);
  };
  return device;
}

Deno.test("the checks of operations run every kernel", async () => {
  const names = new Set<string>();
  const [cpu, recording] = [1, 1].map((threads) => new CpuDevice({ threads }));
  spoiling(recording, (kernel) => names.add(kernel));
  for (const check of OPERATION_CHECKS) {
    const { agrees, difference } = await compareOperation(check, cpu, recording);
    assertEquals([agrees, difference], [true, 0], check.name);
  }
  // A gradient that is passed on unchanged needs no kernel.
  const unused = ELEMENTWISE.flatMap(formulasOf).filter(({ formula }) => formula === "dy");
  for (const { kernel } of unused) names.add(kernel);
  for (const kernel of CPU_ONLY) names.add(kernel);
  assertEquals(Object.keys(kernels).filter((kernel) => !names.has(kernel)), []);
  for (const device of [cpu, recording]) device.close();
});

Deno.test("the checks of operations find a kernel that is wrong", async () => {
  const [cpu, wrong] = [1, 1].map((threads) => new CpuDevice({ threads }));
  spoiling(wrong, (kernel, params) => {
    if (kernel === "layerNorm.backward") params.rows--;
  });
  const check = OPERATION_CHECKS.find(({ name }) => name === "layerNorm")!;
  const { agrees, where } = await compareOperation(check, cpu, wrong);
  assert(!agrees);
  assert(where.startsWith("gradient of "), where);
  for (const device of [cpu, wrong]) device.close();
});
