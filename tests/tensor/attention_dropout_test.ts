// Attention that drops weights; its tiled kernels are in webgpu_tiled_attention_test.ts.

import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { lossOf } from "../../lib/model/mod.ts";
import { noGrad, scope } from "../../lib/tensor/mod.ts";
import { forest } from "../../lib/dataset/mod.ts";
import { onEveryDevice } from "../devices.ts";
import { onOneThread, release, smallExamples, smallModel } from "../train/small.ts";
import { assertAttentionDrops, dropout, kept, options, run } from "./attention_reference.ts";

onEveryDevice(
  "attention() with dropout is the plain one with its mask, in value and gradients",
  assertAttentionDrops,
);

onEveryDevice(
  "attention() drops by its seed, to the bit, and nothing at probability 0",
  async (device) => {
    const first = await run(device, options);
    assertEquals(await run(device, options), first);
    const other = { ...options, dropout: { ...dropout, seed: 5 } };
    assertNotEquals((await run(device, other)).output, first.output);
    const none = await run(device, { ...options, dropout: undefined });
    assertEquals(await run(device, { ...options, dropout: { probability: 0, seed: 5 } }), none);
    await assertRejects(
      () => run(device, { ...options, dropout: { probability: 1, seed: 5 } }),
      RangeError,
    );
  },
);

Deno.test("attention()'s mask drops as often as asked, in each head and row", () => {
  let count = 0;
  const rows = new Set<string>();
  const size = 40;
  for (let head = 0; head < 8; head++) {
    for (let i = 0; i < size; i++) {
      const row = Array.from({ length: size }, (_, j) => kept(head, i, j, size) === 0);
      count += row.filter(Boolean).length;
      rows.add(row.join());
    }
  }
  const total = 8 * size * size;
  const deviation = Math.sqrt(total * 0.3 * 0.7);
  assert(Math.abs(count - 0.3 * total) < 4 * deviation, `${count} of ${total}`);
  assert(rows.size > 8 * size - 8 * size / 10, `${rows.size} different rows`);
});

onOneThread("Gpt2 drops weights of its attention by the seed", async (device) => {
  const model = smallModel(device, { attentionDropout: 0.5 });
  assertEquals([model.hasDropout, model.toConfig().attn_pdrop], [true, 0.5]);
  assertEquals(smallModel(device, { dropout: 0.1 }).toConfig().attn_pdrop, 0.1);
  const batch = forest(smallExamples(2), { layout: "packed" });
  const loss = async (dropoutSeed?: number) => {
    using loss = scope(() => noGrad(() => lossOf(model, batch, { dropoutSeed })));
    return await loss.item();
  };
  const [plain, first, again, second] = [
    await loss(),
    await loss(1),
    await loss(1),
    await loss(2),
  ];
  assertEquals(first, again);
  assertEquals(new Set([plain, first, second]).size, 3);
  release(model);
});
