// The devices that suites run on.

import { findBlas } from "../lib/tensor/cpu/blas.ts";
import { CpuDevice } from "../lib/tensor/cpu/device.ts";
import type { Device } from "../lib/tensor/mod.ts";

/** Devices live as long as the test process: their idle threads do not keep it alive. */
const opened = new Map<string, Promise<Device>>();

const variants = [
  {
    label: "CPU with BLAS",
    need: findBlas() ? undefined : "needs a BLAS: apt-get install libopenblas0-pthread",
    open: () => Promise.resolve(new CpuDevice({ threads: 2 })),
  },
  {
    label: "CPU with WebAssembly",
    need: undefined,
    open: () => Promise.resolve(new CpuDevice({ threads: 2, blas: false })),
  },
];

/**
 * Registers a test once for each device: the CPU with BLAS where the system has one, and with WebAssembly.
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
