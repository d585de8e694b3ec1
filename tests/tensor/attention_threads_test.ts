// How the CPU's threads share attention out: heads, rows of a head, and the key heads that several of them add to.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { add, attention, type AttentionOptions, type Device } from "../../lib/tensor/mod.ts";
import { assertClose } from "../support.ts";
import { differentiate, numbers } from "./gradients.ts";

const devices = [1, 2, 3, 7].map((threads) => new CpuDevice({ threads, blas: false }));

/**
 * A forest from each token's distance back to its parent's position: 0 begins a tree, 1 continues,
 * others branch off.
 */
function grow(steps: readonly number[]): AttentionOptions["forest"] {
  const positions = Int32Array.from({ length: steps.length });
  for (const [i, step] of steps.entries()) {
    positions[i] = step === 0 || i === 0 ? 0 : Math.max(0, positions[i - 1] + 2 - step);
  }
  const end = positions.map((position, i) => {
    const next = positions.findIndex((other, j) => j > i && other <= position);
    return next < 0 ? positions.length : next;
  });
  return { positions, end };
}

/** Attention of the same numbers, twice, so that gradients are added to what is there. */
function run(device: Device, options: AttentionOptions & { headDim: number }) {
  const { headDim, ...asked } = options;
  const { heads, kvHeads = heads, forest } = asked;
  const tokens = forest.end.length;
  const inputs = {
    q: numbers([tokens, heads * headDim], 1),
    k: numbers([tokens, kvHeads * headDim], 2),
    v: numbers([tokens, kvHeads * headDim], 3),
  };
  const upstream = numbers([tokens, heads * headDim], 4).data;
  return differentiate(
    device,
    inputs,
    upstream,
    ({ q, k, v }) => add(attention(q, k, v, asked), attention(q, k, v, asked)),
  );
}

Deno.test("attention() is the same on any number of threads", async () => {
  const step = fc.nat({ max: 5 }).map((n) => n === 5 ? 0 : n < 3 ? 1 : n);
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 50 }),
      fc.constantFrom([1, 1], [3, 3], [9, 3], [5, 1], [4, 2]),
      fc.constantFrom(4, 5, 20),
      fc.constantFrom(0, 1, 5),
      fc.constantFrom(undefined, { probability: 0.3, seed: 11 }),
      async (steps, [heads, kvHeads], headDim, window, dropout) => {
        const options = { heads, kvHeads, headDim, window, dropout, forest: grow(steps) };
        const [one, ...others] = await Promise.all(devices.map((device) => run(device, options)));
        for (const other of others) {
          assertEquals(other.output, one.output);
          assertEquals(other.qGrad, one.qGrad);
          // Sums over queries, which threads compute in parts.
          for (const name of ["kGrad", "vGrad"]) {
            assertClose(other[name], one[name], { relative: 1e-5 }, name);
          }
        }
      },
    ),
    { numRuns: 100 },
  );
});

Deno.test("attention() over more heads than are in scratch memory at once is that of each head", async () => {
  const [heads, headDim, tokens] = [5, 64, 3000];
  const forest = grow(Array.from({ length: tokens }, (_, i) => i === 0 ? 0 : 1));
  const columns = (data: ArrayLike<number>, head: number) =>
    Float32Array.from(
      { length: tokens * headDim },
      (_, i) => data[Math.floor(i / headDim) * heads * headDim + head * headDim + i % headDim],
    );
  const names = ["q", "k", "v"] as const;
  const inputs = names.map((_, i) => numbers([tokens, heads * headDim], i));
  const upstream = numbers([tokens, heads * headDim], 4).data;
  const attend = (heads: number, take: (data: Float32Array) => Float32Array) =>
    differentiate(
      devices[1],
      Object.fromEntries(inputs.map(({ data }, i) => [
        names[i],
        { shape: [tokens, heads * headDim], data: take(data) },
      ])),
      take(upstream),
      ({ q, k, v }) => attention(q, k, v, { heads, forest, window: 4 }),
    );
  const all = await attend(heads, (data) => data);
  for (let head = 0; head < heads; head++) {
    const one = await attend(1, (data) => columns(data, head));
    for (const [name, values] of Object.entries(one)) {
      assertClose(columns(all[name], head), values, { relative: 1e-6 }, `${name} of head ${head}`);
    }
  }
});
