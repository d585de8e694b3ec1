// A training's memory stays flat once it has seen its largest batch.

import { assert, assertEquals, assertLess } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { sft, type SftOptions } from "../../lib/train/mod.ts";
import { forest } from "../../lib/dataset/mod.ts";
import { onEveryDevice } from "../devices.ts";
import { onOneThread, release, smallExamples, smallModel } from "./small.ts";

const quick: SftOptions = {
  examples: smallExamples(10),
  batchSize: 3,
  dropLast: true,
  evalEvery: 0,
  learningRate: 1e-3,
};

onEveryDevice("sft() takes no new memory after the largest batch", async (device) => {
  const model = smallModel(device);
  const many = smallExamples(24, 11);
  const size = (batch: number[]) => forest(batch.map((i) => many[i]), {}).tokensComputed;
  // every batch differs in its tokens and in its rows that count; the largest comes first
  const batches = Array.from({ length: 61 }, (_, i) => {
    const count = 2 + i % 5;
    return Array.from({ length: count }, (_, j) => (5 * i + 7 * j) % many.length);
  }).sort((a, b) => size(b) - size(a));
  const [largest, ...rest] = batches;
  // software WebGPU takes seconds per step
  const count = device.kind === "webgpu" ? 8 : rest.length;
  const mixed = rest.map((_, i) => rest[(i * 37) % rest.length]).slice(0, count);
  assert(new Set(mixed.map(size)).size > count / 3);
  using training = sft(model, {
    ...quick,
    examples: many,
    order: [largest, largest, ...mixed],
    evalEvery: 4,
    evalIters: 1,
    batchSize: 6,
  });
  const memory: number[] = [];
  for await (const _ of training) memory.push(device.allocatedBytes);
  assertEquals(memory.slice(2).filter((bytes) => bytes !== memory[1]), []);
  release(model);
});

onOneThread("sft() takes no new memory over a thousand steps", async (device) => {
  const model = smallModel(device, { width: 8, layers: 1 });
  const batches = Array.from({ length: 1000 }, (_, i) => [i * 7 % 10, i * 3 % 10]);
  using training = sft(model, { ...quick, order: batches, evalEvery: 50 });
  const memory: number[] = [];
  for await (const _ of training) memory.push(device.allocatedBytes);
  assertEquals(memory.length, 1000);
  // By then it has seen every batch, and evaluated.
  assertEquals(memory.slice(100).filter((bytes) => bytes !== memory[99]), []);
  release(model);
});

Deno.test("a process that trains a thousand steps holds little more than the record of each", async () => {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", "--v8-flags=--expose-gc"],
      fromFileUrl(import.meta.resolve("./memory_of_steps.ts")),
    ],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  const [before, after] = JSON.parse(new TextDecoder().decode(stdout));
  // 400 bytes per step were measured, most of them `Training.history`
  assertLess(after.heapUsed - before.heapUsed, 800 * 1024);
  assertLess(after.external - before.external, 1 << 20);
  // the system's count is rougher: 10 MB were measured
  assertLess(after.rss - before.rss, 64 << 20);
});
