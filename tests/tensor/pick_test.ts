// Which device pick() picks, and what it says about that.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { pick, type PickOptions, reasonFor } from "../../lib/tensor/pick.ts";
import { webGpuNeed } from "../devices.ts";

/** Runs a body with environment variables changed. */
async function withEnvironment(
  changes: Record<string, string | undefined>,
  body: () => Promise<void>,
): Promise<void> {
  const set = (name: string, value: string | undefined) =>
    value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
  const before = Object.keys(changes).map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of Object.entries(changes)) set(name, value);
  try {
    await body();
  } finally {
    for (const [name, value] of before) set(name, value);
  }
}

/** Runs a body as if the machine had this adapter, or none, and these files in `/dev`. */
async function withAdapter(
  adapter: GPUAdapter | null,
  body: (asked: () => number) => Promise<void>,
  files = ["dri", "null"],
): Promise<void> {
  let asked = 0;
  const requestAdapter = () => {
    asked++;
    return Promise.resolve(adapter);
  };
  const { readDirSync } = Deno;
  const device = { isFile: false, isDirectory: false, isSymlink: false };
  Deno.readDirSync = (path) =>
    path === "/dev" ? Iterator.from(files.map((name) => ({ name, ...device }))) : readDirSync(path);
  Object.defineProperty(navigator, "gpu", { value: { requestAdapter }, configurable: true });
  try {
    await body(() => asked);
  } finally {
    delete (navigator as { gpu?: unknown }).gpu;
    Deno.readDirSync = readDirSync;
  }
}

Deno.test("pick() gives the same device for the same options, until it is closed", async () => {
  const first = await pick({ device: "cpu", threads: 1 });
  assertEquals(first.kind, "cpu");
  assertEquals(reasonFor(first), "it was asked for");
  assertEquals(await pick({ device: "cpu", threads: 1 }), first);
  first.close();
  const second = await pick({ device: "cpu", threads: 1 });
  assert(second !== first, "a closed device was given out");
  second.close();
});

Deno.test("pick() takes the CPU where there is no GPU, and says how to get WebGPU", () =>
  withAdapter(null, async () => {
    await withEnvironment({ TUNEBOOK_DEVICE: undefined }, async () => {
      const device = await pick({ threads: 1 });
      assertEquals([device.kind, reasonFor(device)], ["cpu", "there is no GPU"]);
      device.close();
      const error = await assertRejects(() => pick({ device: "webgpu" }), TypeError);
      assertMatch(
        error.message,
        /^Cannot compute with WebGPU: no adapter was found; install .+mesa/,
      );
    });
  }));

Deno.test({
  name: "pick() asks no driver where Linux has no GPU, but where a software adapter will do",
  ignore: Deno.build.os !== "linux", // others have no /dev that shows GPUs
  fn: async () => {
    const times = async (files: string[], options: PickOptions) => {
      let times = 0;
      await withAdapter(null, async (asked) => {
        (await pick({ ...options, threads: 1 })).close();
        times = asked();
      }, files);
      return times;
    };
    await withEnvironment({ TUNEBOOK_DEVICE: undefined }, async () => {
      const none = ["null", "nvme0", "nvram", "tty"];
      assertEquals(await times(none, {}), 0);
      assertEquals(await times(none, { software: true }), 2);
      for (const file of ["dri", "nvidia0", "nvidiactl", "kfd", "dxg", "kgsl-3d0", "mali0"]) {
        assertEquals(await times([...none, file], {}), 1, file);
      }
    });
  },
});

Deno.test("pick() does as TUNEBOOK_DEVICE says, and its option as the option says", async () => {
  await withEnvironment({ TUNEBOOK_DEVICE: "cpu" }, async () => {
    const device = await pick({ threads: 1 });
    assertEquals([device.kind, reasonFor(device)], ["cpu", "it was asked for"]);
    device.close();
  });
  await withEnvironment({ TUNEBOOK_DEVICE: "gpu" }, async () => {
    await assertRejects(
      () => pick(),
      RangeError,
      'Cannot pick the device "gpu" that TUNEBOOK_DEVICE names: expected "auto", "cpu" or "webgpu"',
    );
    const device = await pick({ device: "cpu", threads: 1 });
    assertEquals(device.kind, "cpu");
    device.close();
  });
});

Deno.test({
  name: `pick() measures a GPU against the CPU once, and takes the faster${
    webGpuNeed ? ` (${webGpuNeed})` : ""
  }`,
  ignore: webGpuNeed !== undefined,
  async fn() {
    const real = await navigator.gpu.requestAdapter();
    const info = { vendor: "test", architecture: "", device: "", description: "Weak GPU" };
    const weak = {
      info: { ...info, isFallbackAdapter: false },
      limits: real!.limits,
      features: real!.features,
      requestDevice: async (options: GPUDeviceDescriptor) =>
        await (await navigator.gpu.requestAdapter())!.requestDevice(options),
    };
    const requestDevice = real!.requestDevice.bind(real);
    weak.requestDevice = requestDevice;
    const cache = await Deno.makeTempDir({ prefix: "tunebook-cache-" });
    const environment = {
      TUNEBOOK_DEVICE: undefined,
      TUNEBOOK_TUNING: "off",
      XDG_CACHE_HOME: cache,
    };
    await withAdapter(
      weak as unknown as GPUAdapter,
      () =>
        withEnvironment(environment, async () => {
          const device = await pick();
          const reason = reasonFor(device)!;
          assertMatch(reason, /^measured at matrix products: GPU [\d.e+]+, CPU [\d.e+]+ GFLOP\/s$/);
          const [gpu, cpu] = reason.match(/[\d.]+(e\+\d+)?(?=,| GFLOP)/g)!.map(Number);
          assertEquals(device.kind, gpu > cpu ? "webgpu" : "cpu");
          device.close();
          const again = await pick();
          assertEquals([again.kind, reasonFor(again)], [device.kind, reason]);
          again.close();
        }),
    );
    await Deno.remove(cache, { recursive: true });
  },
});

Deno.test("pick() opens a device again that was lost", async () => {
  const lost = await pick({ device: "cpu", threads: 1 });
  Object.defineProperty(lost, "hasFailed", { value: true });
  const device = await pick({ device: "cpu", threads: 1 });
  assert(device !== lost);
  assert(await pick({ device: "cpu", threads: 1 }) === device);
  lost.close();
  device.close();
});
