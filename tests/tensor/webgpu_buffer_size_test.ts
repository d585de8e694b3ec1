// GPUs that refuse or damage large buffers: that is found once, and then no tensor, however large, needs one.

import { assertEquals, assertLessOrEqual, assertRejects } from "@std/assert";
import { Gpt2 } from "../../lib/model/mod.ts";
import { type Device, scale, Tensor } from "../../lib/tensor/mod.ts";
import { findAdapter } from "../../lib/tensor/webgpu/adapter.ts";
import { sectionsOf } from "../../lib/tensor/webgpu/segments.ts";
import { sft } from "../../lib/train/mod.ts";
import { openWebGpu, webGpuNeed } from "../devices.ts";
import { countingAdapter } from "./counting_gpu.ts";
import { numbers } from "./gradients.ts";
import { withCache } from "./own_cache.ts";

const MIB = 1024 * 1024;
/** The largest buffer that is tried. */
const WANTED = 1024 * MIB;
const SAFE = 32 * MIB;

/** What a GPU does with buffers above 37 MB. */
type Fault = "none" | "refuses" | "damages";

interface FaultyGpu {
  adapter: GPUAdapter;
  /** Bytes of the largest buffer that it was asked for since the last call. */
  largest(): number;
  /** Called when it is asked for a large one. */
  onLarge?: () => void;
}

/** The software adapter as if it were hardware, of a name of its own, with a fault. */
async function faultyGpu(fault: Fault): Promise<FaultyGpu> {
  const real = (await findAdapter({ software: true }))!;
  let largest = 0;
  const requestDevice = async (descriptor: GPUDeviceDescriptor) => {
    const device = await real.requestDevice(descriptor);
    const { queue } = device;
    const [create, write] = [device.createBuffer.bind(device), queue.writeBuffer.bind(queue)];
    const large = new Set<GPUBuffer>();
    device.createBuffer = (buffer) => {
      largest = Math.max(largest, buffer.size);
      if (buffer.size <= 37e6) return create(buffer);
      gpu.onLarge?.();
      // More than any GPU can have is an error, as memory that a driver takes for used up.
      const made = create(fault === "refuses" ? { ...buffer, size: 2 ** 52 } : buffer);
      large.add(made);
      return made;
    };
    queue.writeBuffer = (buffer, offset, ...data) => {
      if (fault !== "damages" || !large.has(buffer) || offset < 37e6) {
        write(buffer, offset, ...data);
      }
    };
    return device;
  };
  const gpu: FaultyGpu = {
    adapter: {
      info: { vendor: "test", architecture: "", device: crypto.randomUUID(), description: "" },
      features: real.features,
      limits: real.limits,
      requestDevice,
    } as unknown as GPUAdapter,
    largest() {
      const taken = largest;
      largest = 0;
      return taken;
    },
  };
  return gpu;
}

/** The losses of some steps of a network whose embedding, of rows of 208 bytes, has 624 kB. */
async function train(device: Device): Promise<number[]> {
  const examples = Array.from({ length: 6 }, (_, i) => ({
    promptIds: [10, 11, 500 + 370 * i],
    responseIds: [1259, 1260, 1261 + i, 2520 + i, 2999],
    instructionLength: 1,
  }));
  const shape = { vocabularySize: 3000, contextLength: 16, width: 52, layers: 2, heads: 2 };
  const network = Gpt2.create(device, shape, { seed: 5 });
  const losses: number[] = [];
  const options = { examples, batchSize: 2, order: "given", evalEvery: 0 } as const;
  using training = sft(network, { ...options, learningRate: 1e-2 });
  for await (const { loss } of training) losses.push(loss);
  return losses;
}

function test(name: string, body: () => Promise<void>): void {
  Deno.test({
    name: `${name}${webGpuNeed ? ` (${webGpuNeed})` : ""}`,
    ignore: webGpuNeed !== undefined,
    fn: body,
  });
}

/** The same, with a cache that remembers nothing yet, whose path the test gets. */
function testProbe(name: string, body: (cache: string) => Promise<void>): void {
  test(name, () => withCache(body));
}

test("a network whose tensors lie in several buffers trains as others do", async () => {
  const most = 262_144;
  const { adapter, take } = countingAdapter((await findAdapter({ software: true }))!);
  const segments = await openWebGpu({ adapter, maxBufferSize: most });
  const whole = await openWebGpu({ maxBindingSize: most });
  const losses = await train(segments);
  assertEquals(losses.length, 3);
  assertEquals(losses, await train(whole));
  assertLessOrEqual(take().largestBuffer, most);
  for (const device of [segments, whole]) device.close();
});

for (const fault of ["refuses", "damages"] as const) {
  testProbe(`it is found once that a GPU ${fault} large buffers`, async () => {
    const { adapter, largest } = await faultyGpu(fault);
    for (const asked of [true, false]) {
      const device = await openWebGpu({ adapter });
      assertEquals([device.maxBufferSize, device.maxBindingSize], [SAFE, SAFE]);
      assertEquals(largest() === WANTED, asked);
      device.close();
    }
  });
}

testProbe("a GPU that holds large buffers is asked once and gets them", async () => {
  const { adapter, largest } = await faultyGpu("none");
  for (const asked of [true, false]) {
    const device = await openWebGpu({ adapter });
    assertEquals(device.maxBufferSize, WANTED);
    assertEquals(largest() === WANTED, asked);
    device.close();
  }
});

testProbe("a GPU is not asked again where the process ended when it was", async (cache) => {
  const gpu = await faultyGpu("none");
  let then = "";
  gpu.onLarge = () => then = Deno.readTextFileSync(cache);
  (await openWebGpu({ adapter: gpu.adapter })).close();
  assertEquals(gpu.largest(), WANTED);
  await Deno.writeTextFile(cache, then);
  const device = await openWebGpu({ adapter: gpu.adapter });
  assertEquals(device.maxBufferSize, SAFE);
  assertLessOrEqual(gpu.largest(), SAFE);
  device.close();
});

test("WebGpuDevice keeps tensors in several buffers as in one", async () => {
  const size = 300_000;
  const device = await openWebGpu({ maxBufferSize: 262_144 });
  try {
    const { data } = numbers([size]);
    const x = Tensor.from(device, data).keep();
    assertEquals(await x.data(), data);
    // What comes between kernels, too.
    const before = scale(x, 2);
    device.write(x.buffer, Float32Array.of(7, 8), 262_144 - 4);
    const after = scale(x, 2);
    const changed = data.slice();
    changed.set([7, 8], 65_535);
    assertEquals(await before.data(), data.map((value) => 2 * value));
    assertEquals(await after.data(), changed.map((value) => 2 * value));
    const bytes = await device.read(x.buffer, 262_144 - 8, 16);
    assertEquals(new Float32Array(bytes), changed.slice(65_534, 65_538));
  } finally {
    device.close();
  }
});

test("WebGpuDevice.open() refuses sizes of buffers out of range", async () => {
  await assertRejects(
    () => openWebGpu({ maxBufferSize: 1000 }),
    RangeError,
    "Cannot make buffers of 1000 bytes: expected a whole number from 262144",
  );
});

Deno.test("sectionsOf() finds the segments of bytes", () => {
  const segments = [0, 1, 2].map((id) => ({ id, handle: {} as GPUBuffer }));
  const buffer = { byteLength: 25, segments, segmentSize: 10, lastBatch: 0 };
  const find = (offset: number, length: number) =>
    sectionsOf(buffer, offset, length).map(({ id, offset, size, at }) => [id, offset, size, at]);
  assertEquals(find(0, 25), [[0, 0, 10, 0], [1, 0, 10, 10], [2, 0, 5, 20]]);
  assertEquals(find(8, 4), [[0, 8, 2, 0], [1, 0, 2, 2]]);
  assertEquals(find(10, 10), [[1, 0, 10, 0]]);
  assertEquals(find(9, 0), [[0, 9, 0, 0]]);
  assertEquals(find(25, 0), [[2, 5, 0, 0]]);
});
