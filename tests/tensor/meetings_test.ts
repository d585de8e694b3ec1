// Threads of the CPU device meet between kernels that depend on one another, and only there.

import { assert, assertEquals } from "@std/assert";
import { Random } from "../../lib/random.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { Meetings } from "../../lib/tensor/cpu/meetings.ts";
import { add, matmul, scope, Tensor } from "../../lib/tensor/mod.ts";
import { numbers, randomPacked } from "./random_packed.ts";

Deno.test("threads meet before a kernel that reads what was written, or writes what was used", () => {
  const meetings = new Meetings<string>();
  const steps = [
    { uses: [["x", "read"], ["q", "write"]], meets: false },
    { uses: [["x", "read"], ["k", "write"]], meets: false },
    { uses: [["q", "read"], ["k", "read"], ["y", "write"]], meets: true },
    { uses: [["x", "read"], ["q", "read"]], meets: false },
    { uses: [["q", "update"]], meets: true },
    { uses: [["y", "read"]], meets: false },
    { uses: [["y", "write"]], meets: true },
    { uses: [["y", "write"]], meets: true },
  ] as const;
  assertEquals(steps.map(({ uses }) => meetings.before(uses)), steps.map(({ meets }) => meets));
  meetings.clear();
  assertEquals(meetings.before([["y", "update"]]), false);
});

/** Side of the matrices. */
const SIZE = 64;

/** Random chains of products and sums, in which memory is used again within a batch, that of packed weights too. */
async function chains(threads: number): Promise<Float32Array[]> {
  const device = new CpuDevice({ threads, blas: false });
  const random = new Random(7);
  const results: Float32Array[] = [];
  for (let round = 0; round < 6; round++) {
    const result = scope(() => {
      const x = Tensor.from(device, numbers(SIZE * SIZE, round), [SIZE, SIZE]);
      const values = [x, x.add(1)];
      const pick = () => values[random.integer(values.length)];
      for (let step = 0; step < 40; step++) {
        const [a, b] = [pick(), pick()];
        const kind = random.integer(3);
        if (kind === 0) values.push(add(a, b).tanh());
        else if (kind === 1) values.push(matmul(a, b, { transposeB: step % 2 === 0 }).tanh());
        else {
          // Its memory is free again at once, and another weight's in the next step.
          const weight = randomPacked(device, step % 2 ? "q8_0" : "q4_1", SIZE + step, SIZE);
          const part = matmul(a, weight, { transposeB: true });
          weight.dispose();
          values.push(matmul(part, part, { transposeB: true }).tanh());
        }
        if (values.length > 6) values.splice(random.integer(5), 1)[0].dispose();
      }
      return values.reduce((sum, value) => add(sum, value)).keep();
    });
    results.push(await result.data() as Float32Array);
    result.dispose();
  }
  device.close();
  return results;
}

Deno.test("chains of kernels have the same bits on 1, 2 and 3 threads", async () => {
  const expected = await chains(1);
  for (const values of expected) assert(values.every(Number.isFinite));
  for (const threads of [2, 3]) assertEquals(await chains(threads), expected);
});
