// The devices that suites run on.

import { findBlas } from "../lib/tensor/cpu/blas/find.ts";
import { CpuDevice } from "../lib/tensor/cpu/device.ts";
import type { Device } from "../lib/tensor/mod.ts";
import { findAdapter } from "../lib/tensor/webgpu/adapter.ts";
import { WebGpuDevice, type WebGpuDeviceOptions } from "../lib/tensor/webgpu/device.ts";
import { FAST } from "./support.ts";

/** Devices live as long as the test process: their idle threads do not keep it alive. */
const opened = new Map<string, Promise<Device>>();

/** Why WebGPU cannot be tested here; undefined if it can. */
export const webGpuNeed: string | undefined = FAST
  ? "left out of test:fast"
  : await findAdapter({ software: true })
  ? undefined
  : "needs a WebGPU adapter: apt-get install mesa-vulkan-drivers";

/** Why a BLAS cannot be tested here; undefined if it can. */
export const blasNeed: string | undefined = findBlas().used
  ? undefined
  : "needs a BLAS: apt-get install libopenblas0-pthread";

/** Why products in bfloat16 cannot be tested here; undefined if they can. */
export const bfloat16Need: string | undefined = findBlas().used?.multipliesBfloat16
  ? undefined
  : "needs oneDNN (apt-get install libdnnl2) and a processor with AVX-512 BF16 or AMX";

/**
 * Opens the GPU, or a software one, with the usual tilings, so that tests do not wait for measurements.
 *
 * @param options Other options.
 * @returns The device.
 */
export function openWebGpu(options: WebGpuDeviceOptions = {}): Promise<WebGpuDevice> {
  return WebGpuDevice.open({ software: true, tuning: {}, ...options });
}

const variants: readonly {
  label: string;
  need: string | undefined;
  open: () => Promise<Device>;
}[] = [
  {
    label: "CPU with BLAS",
    need: blasNeed,
    open: () => Promise.resolve(new CpuDevice({ threads: 2 })),
  },
  {
    label: "CPU with WebAssembly",
    need: undefined,
    open: () => Promise.resolve(new CpuDevice({ threads: 2, blas: false })),
  },
  { label: "WebGPU", need: webGpuNeed, open: () => openWebGpu() },
];

/**
 * Registers a test once for each device: the CPU with BLAS where the system has one, with WebAssembly, and WebGPU.
 */
export function onEveryDevice(name: string, test: (device: Device) => Promise<void>): void {
  for (const { label, need, open } of variants) {
    Deno.test({
      name: `${name} [${label}${need ? `; ${need}` : ""}]`,
      ignore: need !== undefined,
      async fn() {
        if (!opened.has(label)) opened.set(label, open());
        await test(await opened.get(label)!);
      },
    });
  }
}
