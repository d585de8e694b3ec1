import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { profileView } from "../../lib/show/mod.ts";
import { gelu, matmul, profile, Tensor } from "../../lib/tensor/mod.ts";
import { onEveryDevice } from "../devices.ts";

onEveryDevice("profile() counts calls and operations, and times each kernel", async (device) => {
  const x = Tensor.from(device, new Float32Array(48 * 48).fill(0.1), [48, 48]);
  await gelu(x).data(); // compiled before, and not part of the profile
  const { result, profile: measured } = await profile(device, async () => {
    for (let i = 0; i < 70; i++) matmul(x, x).dispose();
    return await gelu(matmul(x, x)).data();
  });
  assertEquals(result.length, 48 * 48);
  const byName = new Map(measured.kernels.map((kernel) => [kernel.name, kernel]));
  assertEquals([...byName.keys()].sort(), ["gelu.forward", "matmul"]);
  const { calls, flops, seconds } = byName.get("matmul")!;
  assertEquals({ calls, flops }, { calls: 71, flops: 71 * 2 * 48 ** 3 });
  assertEquals(byName.get("gelu.forward")!.flops, 0);
  assert(seconds > 0 && seconds <= measured.seconds, `${seconds} s of ${measured.seconds} s`);
  assert(measured.peakFlops > 0);
  const { text, html } = profileView(measured);
  assertStringIncludes(text, "(between kernels)");
  assertStringIncludes(html, "<svg");
});

onEveryDevice("a profile sees what runs while it is taken, and nothing after", async (device) => {
  const x = Tensor.from(device, new Float32Array(64), [8, 8]);
  const names = async () => {
    device.startProfile();
    gelu(x);
    const times = await device.stopProfile();
    await matmul(x, x).data();
    return times.map(({ name, calls }) => `${name} ${calls}`);
  };
  assertEquals(await names(), ["gelu.forward 1"]);
  assertEquals(await names(), ["gelu.forward 1"]);
});
