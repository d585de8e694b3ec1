import { assertEquals } from "@std/assert";
import { type Continuation, Decoding } from "../../lib/model/decoding.ts";
import { generate, Gpt2 } from "../../lib/model/mod.ts";
import { Random } from "../../lib/random.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";

const SAMPLING = { temperature: 1.5, topK: 20 };

function continuation(prompt: readonly number[], maxNewTokens: number): Continuation {
  const random = new Random([7, 0]);
  return { prompt, sampling: SAMPLING, random, maxNewTokens, ends: new Set() };
}

Deno.test("sequences that join and leave others get the tokens that they get alone", async () => {
  const device = new CpuDevice({ threads: 1, blas: false });
  const config = { vocabularySize: 60, contextLength: 256, width: 16, layers: 2, heads: 2 };
  const model = Gpt2.create(device, config, { seed: 3 });
  using decoding = new Decoding<Continuation>(model);
  const random = new Random(5);
  // Enough for the cache to be compacted twice.
  const waiting = Array.from({ length: 45 }, (_, i) => {
    const shared = i % 3 === 0 ? [1, 2, 3] : [];
    const own = Array.from({ length: 80 + i }, () => random.uint32() % 60);
    return continuation([...shared, ...own], 8 + i % 7);
  });
  const left = waiting[11];
  const got = new Map(waiting.map((one) => [one, [] as number[]]));
  const queue = [...waiting];
  for (let step = 0; queue.length > 0 || decoding.size > 0; step++) {
    const tokens = queue.length > 0 && step % 2 === 0
      ? decoding.add(queue.splice(0, 1 + step % 3))
      : decoding.step();
    for await (const { of, token } of tokens) got.get(of)!.push(token!);
    if (got.get(left)!.length === 5) decoding.remove(left);
  }
  for (const one of waiting) {
    const maxNewTokens = one === left ? 5 : one.maxNewTokens;
    const [{ tokens }] = await generate(model, [one.prompt], {
      ...SAMPLING,
      seed: 7,
      maxNewTokens,
    });
    assertEquals(got.get(one), tokens);
  }
  device.close();
});

Deno.test("a sequence ends where its own context does", async () => {
  const device = new CpuDevice({ threads: 1, blas: false });
  const config = { vocabularySize: 9, contextLength: 32, width: 4, layers: 1, heads: 2 };
  using decoding = new Decoding<Continuation>(Gpt2.create(device, config));
  const short = { ...continuation([1, 2, 3], 20), contextLength: 6 };
  const finishes: unknown[] = [];
  for await (const { finish } of decoding.add([short])) finishes.push(finish);
  while (decoding.size > 0) {
    for await (const { finish } of decoding.step()) finishes.push(finish);
  }
  // As `generate()`: the last token is written, but not read.
  assertEquals(finishes, [undefined, undefined, undefined, "context"]);
  device.close();
});
