// Trains a thousand steps in a process of its own, with threads, and prints what it holds after 200 and after all:
//
//     deno run -A --v8-flags=--expose-gc tests/train/memory_of_steps.ts

import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { sft } from "../../lib/train/mod.ts";
import { smallExamples, smallModel } from "./small.ts";

const { gc } = globalThis as unknown as { gc: () => void };

const device = new CpuDevice({ threads: 2 });
using training = sft(smallModel(device, { width: 8, layers: 1 }), {
  examples: smallExamples(10),
  order: Array.from({ length: 1000 }, (_, i) => [i * 7 % 10, i * 3 % 10]),
  evalEvery: 50,
  learningRate: 1e-3,
});
const held: { rss: number; heapUsed: number; external: number }[] = [];
for await (const { step } of training) {
  if (step !== 200 && step !== 1000) continue;
  for (let i = 0; i < 3; i++) { // what is closed is let go of in turns of the event loop
    gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { rss, heapUsed, external } = Deno.memoryUsage();
  held.push({ rss, heapUsed, external });
}
console.log(JSON.stringify(held));
device.close();
