// How tensors show themselves: numbers on the CPU at once, on WebGPU when asked, in a notebook's cell on both.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import {
  arange,
  defaultDevice,
  pick,
  setDefaultDevice,
  tensor,
  zeros,
} from "../../lib/tensor/mod.ts";
import { onEveryDevice, openWebGpu, webGpuNeed } from "../devices.ts";

const cpu = new CpuDevice({ threads: 2 });
const on = { device: cpu };

Deno.test("String() and console.log show the numbers of a tensor on the CPU, and nothing private", () => {
  const x = tensor([[1, 2], [3, 4]], { ...on, requiresGrad: true });
  assertEquals(String(x), "Tensor (2, 2) f32, CPU, requires gradient\n[[1, 2],\n [3, 4]]");
  x.mul(x).sum().backward();
  const shown = Deno.inspect(x);
  assertEquals(shown, String(x));
  assertStringIncludes(shown, "gradient: Tensor (2, 2) f32, CPU\n[[2, 4],\n [6, 8]]");
  for (const name of ["node", "scope", "spareGrad"]) assert(!shown.includes(name), name);
});

Deno.test("numbers are written in one form and in columns", () => {
  const written = (values: number[]) => String(tensor(values, on)).split("\n").slice(1).join("\n");
  assertEquals(written([1, -20, 300]), "[  1, -20, 300]");
  assertEquals(written([0.5, -1.25]), "[ 0.5000, -1.2500]");
  assertEquals(written([1e-5, 2e-6]), "[1.0000e-5, 2.0000e-6]");
  assertEquals(written([NaN, Infinity, -1]), "[     NaN, Infinity,       -1]");
  assertEquals(written([]), "[]");
  assertEquals(String(tensor(7, on)), "Tensor () f32, CPU\n7");
  assertEquals(String(tensor([1, 2], { ...on, dtype: "i32" })), "Tensor (2) i32, CPU\n[1, 2]");
  assertEquals(String(tensor([[[1], [2]], [[3], [4]]], on)).split("\n").length, 6);
});

Deno.test("large tensors show the first and last, whatever their dimensions", () => {
  assertEquals(
    String(arange(2000, on)),
    "Tensor (2000) f32, CPU\n[   0,    1,    2, …, 1997, 1998, 1999]",
  );
  const matrix = String(arange(10_000, on).reshape([100, 100]));
  assertStringIncludes(matrix, "[[   0,    1,    2, …,   97,   98,   99],");
  assertStringIncludes(matrix, "9999]]");
  for (const shape of [[3000, 4], [1, 5000, 1], [11, 11, 11, 11], [4, 4, 4, 4, 4, 4, 4]]) {
    assert(String(zeros(shape, on)).length < 6000, `${shape}`);
  }
  assert(String(zeros([1000], on)).split("\n").every((line) => line.length <= 100));
});

Deno.test("a tensor that is disposed says so", () => {
  const x = tensor([1], on);
  x.dispose();
  assertEquals(String(x), "Tensor (1) f32, CPU, disposed");
});

Deno.test({
  name: `on WebGPU a tensor says how to see its numbers${webGpuNeed ? ` (${webGpuNeed})` : ""}`,
  ignore: webGpuNeed !== undefined,
  async fn() {
    const device = await openWebGpu();
    const text = String(tensor([1, 2], { device }));
    assertEquals(
      text,
      "Tensor (2) f32, WebGPU\n(`await tensor.show()` shows its numbers)",
    );
    await device.sync();
    device.close();
  },
});

onEveryDevice(
  "a cell's value is numbers, with a picture of a matrix and of its gradient",
  async (device) => {
    const display = Symbol.for("Jupyter.display");
    const bundleOf = async (value: unknown) =>
      await (value as Record<symbol, () => Promise<Record<string, string>>>)[display]();
    const x = tensor([[1, -2], [NaN, 4]], { device, requiresGrad: true });
    const bundle = await bundleOf(x);
    assertStringIncludes(bundle["text/plain"], "NaN,   4]]");
    assertEquals(bundle["text/html"].match(/<svg/g)?.length, 1);
    for (const color of ["#b2182b", "#999999"]) assertStringIncludes(bundle["text/html"], color);
    x.mul(2).sum().backward();
    const later = await bundleOf(x);
    assertStringIncludes(later["text/plain"], "gradient: ");
    assertEquals(later["text/html"].match(/<svg/g)?.length, 2);
    const large = await bundleOf(arange(300 * 1000, { device }).reshape([300, 1000]));
    assert(large["text/html"].length < 60_000, `${large["text/html"].length}`);
    assertMatch(large["text/html"], /^<pre>[^<]*<\/pre><figure/);
    assertEquals(Object.keys(await bundleOf(tensor([1, 2, 3], { device }))), ["text/plain"]);
  },
);

Deno.test("tensors are made on the device that was picked last, otherwise on a CPU", async () => {
  const first = defaultDevice();
  assertEquals(first.kind, "cpu");
  assertEquals(tensor([1]).device, first);
  assertEquals(await pick({ device: "cpu" }), first);
  const other = await pick({ device: "cpu", threads: 1 });
  assertEquals(zeros([2]).device, other);
  setDefaultDevice(cpu);
  assertEquals(arange(3).device, cpu);
  await pick({ device: "cpu", threads: 1 });
  other.close();
  assertEquals(defaultDevice().kind, "cpu");
  assert(defaultDevice() !== other);
});
