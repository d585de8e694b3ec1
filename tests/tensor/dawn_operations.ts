// Compares every operation on Dawn, Chromium's WebGPU, with the CPU, and prints the adapter and what differs as JSON; null where
// Dawn finds no adapter. The first argument names npm's package `webgpu`, which is not one of the project's; with a second one
// it only looks for an adapter.

import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { compareOperation, OPERATION_CHECKS } from "../../lib/tensor/operation_checks.ts";
import { WebGpuDevice } from "../../lib/tensor/webgpu/device.ts";

const [dawn, look] = Deno.args;
const { create } = await import(dawn);
const gpu = create(["backend=vulkan"]);
Object.assign(globalThis, { gpu }); // Dawn ends, and the process crashes, when nothing refers to it
const real: GPUAdapter | null = await gpu.requestAdapter();
if (!real) end(null);
const { vendor, architecture, device, description } = real.info;
if (look) end({ adapter: description });
// The forms of kernels that hardware gets; of products, one that software compiles fast.
const adapter = {
  info: { vendor, architecture, device, description },
  features: real.features,
  limits: real.limits,
  requestDevice: (descriptor: GPUDeviceDescriptor) => real.requestDevice(descriptor),
} as unknown as GPUAdapter;
const opened = await WebGpuDevice.open({
  adapter,
  maxBufferSize: 128 * 1024 * 1024,
  tuning: { matmul: "register 4x4", matmulSmall: "register 4x4" },
});
const cpu = new CpuDevice({ threads: 1 });
const wrong: string[] = [];
for (const check of OPERATION_CHECKS) {
  const { agrees, where, difference } = await compareOperation(check, cpu, opened);
  if (!agrees) wrong.push(`${check.name}: ${where} by ${difference}`);
}
end({ adapter: description, compared: OPERATION_CHECKS.length, wrong });

/** Prints the output and ends the process, which the threads of Dawn keep alive. */
function end(output: unknown): never {
  console.log(JSON.stringify(output));
  Deno.exit(0);
}
