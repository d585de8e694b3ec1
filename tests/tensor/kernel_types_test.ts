// A CPU kernel's signature is its definition's: what does not fit must not compile. `deno check`
// fails here if an expected error does not occur.

import { assertEquals } from "@std/assert";
import { implement } from "../../lib/tensor/cpu/kernel.ts";
import { kernels } from "../../lib/tensor/cpu/kernels.ts";
import type { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import type { forwardKernel } from "../../lib/tensor/ops/gelu/gelu.ts";

Deno.test("a CPU kernel takes its name, buffers and parameters from its definition", () => {
  const right = implement<typeof forwardKernel>("gelu.forward", (context, { x, y }, { size }) => {
    context.wasm.geluForward(context.load(x), context.load(y), size);
  });
  assertEquals(right.kernel, "gelu.forward");
  assertEquals(right.kernel in kernels, true);

  // @ts-expect-error: another kernel's name
  implement<typeof forwardKernel>("gelu.backward", () => {});
  // @ts-expect-error: a buffer that it does not have
  implement<typeof forwardKernel>("gelu.forward", (_context, { dy }) => void dy);
  // @ts-expect-error: a parameter that it does not have
  implement<typeof forwardKernel>("gelu.forward", (_context, _buffers, { rows }) => void rows);
  implement<typeof forwardKernel>("gelu.forward", (context, { x }) => {
    // @ts-expect-error: an argument is missing
    context.wasm.geluForward(context.load(x), 1);
    // @ts-expect-error: there is no such function
    context.wasm.geluForwards(1, 2, 3);
  });
});

// Only compiled: calls of `run` that lack something.
export function wrongCalls(device: CpuDevice, kernel: typeof forwardKernel): void {
  const buffer = device.allocate(16);
  device.run(kernel, { x: buffer, y: buffer }, { size: 4 });
  // @ts-expect-error: a buffer is missing
  device.run(kernel, { x: buffer }, { size: 4 });
  // @ts-expect-error: a parameter is missing
  device.run(kernel, { x: buffer, y: buffer }, {});
}
