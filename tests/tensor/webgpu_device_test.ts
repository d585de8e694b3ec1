// The WebGPU device: order of its queue, memory, and errors that say what happened.

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { defineKernel } from "../../lib/tensor/device.ts";
import { add, matmul, scale, Tensor } from "../../lib/tensor/mod.ts";
import { matmulInto } from "../../lib/tensor/ops/matmul/matmul.ts";
import sumSplits from "../../lib/tensor/ops/matmul/sum_splits.wgsl" with { type: "text" };
import {
  GPU_TILINGS,
  TILINGS,
  tilingSource,
  withProductParams,
} from "../../lib/tensor/ops/matmul/tilings.ts";
import { findAdapter } from "../../lib/tensor/webgpu/adapter.ts";
import { elementwise } from "../../lib/tensor/webgpu/plans.ts";
import { WebGpuDevice, type WebGpuDeviceOptions } from "../../lib/tensor/webgpu/device.ts";
import { timeMatmul } from "../../lib/tensor/webgpu/tuning.ts";
import { openWebGpu, webGpuNeed } from "../devices.ts";
import { assertClose } from "../support.ts";
import { numbers } from "./gradients.ts";
import { withCache } from "./own_cache.ts";

function test(
  name: string,
  body: (device: WebGpuDevice) => Promise<void> | void,
  options?: WebGpuDeviceOptions,
): void {
  Deno.test({
    name: `WebGpuDevice ${name}${webGpuNeed ? ` (${webGpuNeed})` : ""}`,
    ignore: webGpuNeed !== undefined,
    async fn() {
      const device = await openWebGpu(options);
      try {
        await body(device);
      } finally {
        device.close();
      }
    },
  });
}

test("keeps writes, kernels and reads in order", async (device) => {
  const x = Tensor.from(device, [1]);
  const results: Promise<unknown>[] = [];
  let sum = Tensor.from(device, [0]);
  for (let i = 0; i < 300; i++) { // several batches of commands
    x.assign(Float32Array.of(i));
    sum = add(sum, x);
    if (i % 100 === 50) results.push(x.data());
  }
  x.assign(Float32Array.of(-1));
  assertEquals(await sum.data(), Float32Array.of(300 * 299 / 2));
  assertEquals(await Promise.all(results), [50, 150, 250].map((i) => Float32Array.of(i)));
});

test("lets what was written be changed afterwards", async (device) => {
  const data = Float32Array.of(1, 2, 3);
  const x = Tensor.from(device, data);
  data.fill(9);
  assertEquals(await x.data(), Float32Array.of(1, 2, 3));
});

test("writes and reads more than it can at once, from shared memory too", async (device) => {
  const size = 10_000_000; // 40 MB
  const data = new Float32Array(new SharedArrayBuffer(size * 4));
  for (let i = 0; i < size; i++) data[i] = i % 9973;
  const read = await scale(Tensor.from(device, data), 1).data();
  assertEquals(read.length, size);
  assertEquals(read.findIndex((value, i) => value !== i % 9973), -1);
});

test("reads what was there when asked", async (device) => {
  const x = Tensor.from(device, [1, 2]);
  const before = x.data();
  x.assign(Float32Array.of(3, 4));
  assertEquals([await before, await x.data()], [Float32Array.of(1, 2), Float32Array.of(3, 4)]);
});

test("reuses memory, and gives it back when asked", async (device) => {
  const use = () => Tensor.from(device, numbers([50_000]).data).dispose();
  use();
  const once = device.allocatedBytes;
  assert(once >= 200_000);
  for (let i = 0; i < 5; i++) use();
  assertEquals(device.allocatedBytes, once);
  await device.sync();
  device.trim();
  assertEquals(device.allocatedBytes, 0);
  assertEquals(await Tensor.from(device, [5]).data(), Float32Array.of(5));
});

test("refuses a tensor larger than the GPU's buffers", (device) => {
  assertThrows(
    () => device.allocate(2 ** 50),
    RangeError,
    "Cannot allocate 1125899906842624 bytes",
  );
});

test("says what it is", (device) => {
  assertMatch(device.name, /^WebGPU, \S/);
  assertEquals(device.facts.device, "webgpu");
  assertEquals(device.facts.tiling, "matmul: register 4x4");
}, { tuning: { matmul: "register 4x4" } });

const kernelOf = (source: string) =>
  defineKernel({
    name: "test.broken",
    buffers: { x: "read", y: "write" },
    params: { size: "u32" },
    webgpu: elementwise({ source, size: "size", buffers: ["x", "y"] }),
  });

test("names the kernel whose WGSL does not compile, once its result is read", async (device) => {
  const x = Tensor.from(device, [1]);
  const kernel = kernelOf("struct Params { size: u32, }\nfn main() { nonsense }");
  device.run(kernel, { x: x.buffer, y: x.buffer }, { size: 1 });
  const error = await assertRejects(() => x.data(), Error);
  assertMatch(
    error.message,
    /^Cannot continue with the GPU ".+": cannot compile the kernel "test\.b/,
  );
  assertEquals(error.message.includes("\n"), false);
  assertThrows(() => Tensor.from(device, [1]), Error, "test.broken"); // nothing works any more
});

test("names the kernel that binds a buffer to read and to write at once", async (device) => {
  const x = Tensor.from(device, [1]);
  const kernel = kernelOf(`struct Params { size: u32, }
    @group(0) @binding(0) var<storage, read> x: array<f32>;
    @group(0) @binding(1) var<storage, read_write> y: array<f32>;
    @group(0) @binding(2) var<uniform> params: Params;
    @compute @workgroup_size(256) fn main() { y[0] = x[0] + f32(params.size); }`);
  device.run(kernel, { x: x.buffer, y: x.buffer }, { size: 1 });
  await assertRejects(() => x.data(), Error, 'cannot run "test.broken"');
});

test("refuses WGSL whose parameters or buffers are not the kernel's", (device) => {
  const x = Tensor.from(device, [1]);
  const run = (source: string) =>
    device.run(kernelOf(source), { x: x.buffer, y: x.buffer }, { size: 1 });
  assertThrows(
    () => run("struct Params { length: u32, }"),
    TypeError,
    "its WGSL has the parameters (length: u32), expected (size: u32)",
  );
  assertThrows(
    () =>
      run("struct Params { size: u32, }\n@group(0) @binding(1) var<storage, read> x: array<f32>;"),
    TypeError,
    'its WGSL has "x" at binding 1, expected "y"',
  );
});

test("ends reads that are under way when it is closed", async (device) => {
  const x = Tensor.from(device, [1]);
  const reading = x.data();
  device.close();
  await assertRejects(() => reading, Error, "is closed");
  await assertRejects(() => x.data(), Error, "is closed");
  assertThrows(() => Tensor.from(device, [1]), Error, "is closed");
});

Deno.test({
  name: `WebGpuDevice.open() refuses limits out of range${webGpuNeed ? ` (${webGpuNeed})` : ""}`,
  ignore: webGpuNeed !== undefined,
  async fn() {
    await assertRejects(
      () => openWebGpu({ maxBindingSize: 1000 }),
      RangeError,
      "Cannot bind 1000 bytes at once: expected a whole number from 262144",
    );
    Deno.env.set("TUNEBOOK_MAX_BINDING", "much");
    try {
      await assertRejects(() => openWebGpu(), RangeError, 'Cannot bind "much" bytes at once');
    } finally {
      Deno.env.delete("TUNEBOOK_MAX_BINDING");
    }
  },
});

test("cannot compile standard WGSL with subgroups, as tuning.ts says", async (device) => {
  const x = Tensor.from(device, [1]);
  const kernel = kernelOf("enable subgroups;\nstruct Params { size: u32, }");
  device.run(kernel, { x: x.buffer, y: x.buffer }, { size: 1 });
  await assertRejects(() => x.data(), Error, "`subgroups` enable-extension is not yet supported");
});

Deno.test({
  name: `matmul() gives the same bits with every tiling${webGpuNeed ? ` (${webGpuNeed})` : ""}`,
  ignore: webGpuNeed !== undefined,
  async fn() {
    const shapes = [
      { m: 37, n: 45, k: 51, transposeA: false, transposeB: true }, // read one by one
      // read in fours; one row of tiles and a bit, one column and a bit, of the largest too
      { m: 101, n: 132, k: 68, transposeA: false, transposeB: false },
    ];
    const first: Float32Array[][] = [];
    for (const tiling of TILINGS.keys()) {
      const device = await openWebGpu({ tuning: { matmul: tiling, matmulSmall: tiling } });
      for (const [i, shape] of shapes.entries()) {
        const { m, n, k, transposeA, transposeB } = shape;
        const a = numbers(transposeA ? [k, m] : [m, k], 1);
        const b = numbers(transposeB ? [n, k] : [k, n], 2);
        const bias = numbers([n], 3);
        const left = Tensor.from(device, a.data, a.shape);
        const right = Tensor.from(device, b.data, b.shape);
        const flags = { transposeA, transposeB, bias: Tensor.from(device, bias.data) };
        const c = matmul(left, right, flags);
        const y = await c.data() as Float32Array;
        matmulInto(c, left, right, { ...shape, accumulate: 1 });
        const twice = await c.data() as Float32Array;
        if (!first[i]) {
          first[i] = [y, twice];
          const product = Float64Array.from({ length: m * n }, (_, at) => {
            const [row, column] = [Math.floor(at / n), at % n];
            let sum = 0;
            for (let q = 0; q < k; q++) {
              sum += a.data[row * k + q] * b.data[transposeB ? column * k + q : q * n + column];
            }
            return sum;
          });
          const plusBias = (times: number) => product.map((x, at) => times * x + bias.data[at % n]);
          assertClose(y, plusBias(1), { relative: 1e-6 }, tiling);
          assertClose(twice, plusBias(2), { relative: 1e-6 }, tiling);
        } else assertEquals([y, twice], first[i], `${tiling} gives other bits`);
      }
      device.close();
    }
  },
});

test("times a product by its own clock and by the time until it is done", async (device) => {
  const shape = { m: 64, n: 64, k: 64 };
  for (const byClock of [false, true]) {
    const seconds = await timeMatmul(device, shape, { byClock });
    assert(seconds > 0 && Number.isFinite(seconds), `${seconds}`);
  }
});

test("adds up the parts of a divided inner sum in their order", async (device) => {
  const [m, n, k] = [9, 35, 150]; // parts of 64, 64 and 22 terms
  const [a, b, bias, before] = [[m, k], [k, n], [n], [m, n]].map((shape, i) => numbers(shape, i));
  const expected = Float64Array.from({ length: m * n }, (_, at) => {
    const [row, column] = [Math.floor(at / n), at % n];
    let sum = before.data[at] + bias.data[column];
    for (let q = 0; q < k; q++) sum += a.data[row * k + q] * b.data[q * n + column];
    return sum;
  });
  const tensorOf = ({ data, shape }: typeof a) => Tensor.from(device, data, shape).keep();
  const [left, right, added] = [a, b, bias].map(tensorOf);
  const results = await Promise.all([1, 2].map(async () => {
    const c = tensorOf(before);
    matmulInto(c, left, right, { m, n, k, bias: added, accumulate: 1 });
    return await c.data() as Float32Array;
  }));
  assertClose(results[0], expected, { relative: 1e-6 });
  assertEquals(results[1], results[0]);
}, { tuning: { splitK: "3" } });

Deno.test({
  name: `WebGpuDevice.open() continues where the GPU refuses tilings${
    webGpuNeed ? ` (${webGpuNeed})` : ""
  }`,
  ignore: webGpuNeed !== undefined,
  async fn() {
    const real = (await findAdapter({ software: true }))!;
    const wanted = new Set<string>();
    let refusals = 0;
    // measured as hardware is, under a name that no other run remembers
    const adapter = {
      info: { vendor: "test", architecture: "", device: crypto.randomUUID(), description: "" },
      features: real.features,
      limits: real.limits,
      requestDevice: async (descriptor: GPUDeviceDescriptor) => {
        const device = await real.requestDevice(descriptor);
        const make = device.createShaderModule.bind(device);
        device.createShaderModule = (module) => {
          if (wanted.has(module.code)) return make(module);
          refusals++;
          return make({ ...module, code: "fn main() { no_such_function(); }" });
        };
        return device;
      },
    } as unknown as GPUAdapter;
    await withCache(async () => {
      const error = await assertRejects(() => WebGpuDevice.open({ adapter }), Error);
      assertMatch(
        error.message,
        /^Cannot continue with the GPU ".+": cannot compile the kernel "mat/,
      );
      assert(refusals >= GPU_TILINGS.length);

      // the fastest on software
      const tiling = TILINGS.get("register 8x8")!;
      wanted.add(withProductParams(sumSplits));
      for (const sums of [undefined, "rows", "columns"] as const) {
        for (const vectorA of [false, true]) {
          for (const vectorB of [false, true]) {
            wanted.add(tilingSource(tiling, { sums, vectorA, vectorB }));
            wanted.add(tilingSource(tiling, { vectorA, vectorB, isSplit: true }));
          }
        }
      }
      const device = await WebGpuDevice.open({ adapter });
      assertEquals(device.facts.tiling, `matmul: ${tiling.name}; matmulSmall: ${tiling.name}`);
      const ones = Tensor.from(device, new Float32Array(16 * 16).fill(1), [16, 16]);
      assertEquals(await matmul(ones, ones).data(), new Float32Array(16 * 16).fill(16));
      device.close();
    });
  },
});
