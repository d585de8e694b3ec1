// One training at a time writes into a folder of checkpoints: another process's is refused, and within a process it
// passes on from a training that was stopped or left behind.

import { assertEquals, assertRejects } from "@std/assert";
import { lockFolder } from "../../lib/folder_lock.ts";
import { sft, type SftOptions } from "../../lib/train/mod.ts";
import { TemporaryDirectory } from "../weights/temporary.ts";
import { onOneThread, release, smallExamples, smallModel } from "./small.ts";

const options = (directory: string, more: Partial<SftOptions> = {}): SftOptions => ({
  examples: smallExamples(6),
  batchSize: 3,
  epochs: 2,
  learningRate: 1e-3,
  evalEvery: 0,
  checkpoint: { directory, every: 1 },
  ...more,
});
const REFUSED = (directory: string) =>
  `Cannot train in "${directory}": another training (process ${Deno.pid}) is under way there, since 2`;
const names = (directory: string) => Array.from(Deno.readDirSync(directory), ({ name }) => name);

onOneThread("sft() refuses a folder in which another training is under way", async (device) => {
  using temporary = new TemporaryDirectory();
  const directory = `${temporary.path}/checkpoint`;
  const model = smallModel(device);
  {
    await using _other = await lockFolder(directory, { verb: "train", work: "training" });
    using refused = sft(model, options(directory));
    await assertRejects(() => refused.finish(), Deno.errors.Busy, REFUSED(directory));
    await assertRejects(() => refused.save(), Deno.errors.Busy, REFUSED(directory));
    assertEquals(names(temporary.path), [".checkpoint.lock"]);
  }
  using training = sft(model, options(directory));
  await training.finish();
  assertEquals(names(temporary.path), ["checkpoint"]);
  release(model);
});

onOneThread("two loops at once do not write into one folder", async (device) => {
  using temporary = new TemporaryDirectory();
  const [one, two] = [smallModel(device), smallModel(device)];
  using first = sft(one, options(temporary.path));
  using second = sft(two, options(temporary.path));
  const loop = first[Symbol.asyncIterator]();
  const step = loop.next(); // Under way, but not done.
  await assertRejects(() => second.finish(), Deno.errors.Busy, REFUSED(temporary.path));
  await step;
  await loop.return();
  await second.finish();
  release(one);
  release(two);
});

onOneThread(
  "a folder passes on from a loop that was left behind, which then writes nothing",
  async (device) => {
    using temporary = new TemporaryDirectory();
    const [one, two] = [smallModel(device), smallModel(device)];
    using first = sft(one, options(temporary.path));
    const left = first[Symbol.asyncIterator]();
    await left.next();
    using second = sft(two, options(temporary.path));
    await second.finish();
    const written = names(temporary.path);
    assertEquals(written, [`step-${String(second.step).padStart(6, "0")}`]);
    await assertRejects(() => left.next(), Deno.errors.Busy, "another training of this process");
    assertEquals(names(temporary.path), written);
    release(one);
    release(two);
  },
);

onOneThread("a folder passes on from a loop that is being stopped", async (device) => {
  using temporary = new TemporaryDirectory();
  const [one, two] = [smallModel(device), smallModel(device)];
  const stop = new AbortController();
  using first = sft(one, options(temporary.path, { signal: stop.signal }));
  const step = first[Symbol.asyncIterator]().next();
  stop.abort();
  using second = sft(two, options(temporary.path));
  await Promise.all([second.finish(), assertRejects(() => step, DOMException)]);
  assertEquals(second.done, true);
  release(one);
  release(two);
});
