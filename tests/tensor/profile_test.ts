import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { profileView } from "../../lib/show/mod.ts";
import {
  attention,
  backward,
  cachedAttention,
  gelu,
  linearCrossEntropy,
  matmul,
  profile,
  Tensor,
} from "../../lib/tensor/mod.ts";
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

onEveryDevice(
  "a profile knows attention's operations: of those pairs that see each other",
  async (device) => {
    const [tokens, heads, headDim] = [5, 4, 8];
    const values = new Float32Array(tokens * heads * headDim).fill(0.1);
    const q = Tensor.from(device, values, [tokens, heads * headDim]);
    q.requiresGrad = true;
    const [k, v] = [1, 2].map(() => Tensor.from(device, values.subarray(0, 80), [tokens, 16]));
    const head = Tensor.from(device, values.subarray(0, 64), [2, 32]);
    // 0 ─ 1 ─ 2, and 3 ─ 4 beside 1: 1 + 2 + 3 + 2 + 3 see one another
    const forest = {
      end: Int32Array.of(5, 3, 3, 5, 5),
      positions: Int32Array.of(0, 1, 2, 1, 2),
    };
    const attend = { heads, kvHeads: 2, forest };
    const seen = async (compute: () => Promise<unknown>) => {
      device.startProfile();
      await compute();
      const found = (await device.stopProfile()).filter(({ name }) => /attention/i.test(name));
      return Object.fromEntries(found.map(({ name, flops }) => [name, flops / (heads * headDim)]));
    };
    assertEquals(
      await seen(async () => {
        const y = attention(q, k, v, attend);
        const edges = {
          rows: Int32Array.of(4),
          targets: Int32Array.of(1),
          counts: Float32Array.of(1),
        };
        backward(linearCrossEntropy(y, head, edges));
        await q.grad!.data();
      }),
      { "attention.forward": 4 * 11, "attention.backward": 10 * 11 },
    );
    assertEquals(await seen(() => attention(q, k, v, { ...attend, window: 2 }).data()), {
      "attention.forward": 4 * 9,
    });
    const rows = [[0], [0, 1], [0, 1, 2], [0, 3], [0, 3, 4]];
    assertEquals(await seen(() => cachedAttention(q, k, v, { heads, kvHeads: 2, rows }).data()), {
      cachedAttention: 4 * 11,
    });
  },
);

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
