// AdamW on means and variances where they are, in WebAssembly's memory: the bits of those that are streamed.

import { assertEquals } from "@std/assert";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { adamwEachInto, Tensor } from "../../lib/tensor/mod.ts";
import { numbers } from "./random_packed.ts";

/** No multiple of a vector, of a chunk or of the threads' shares, and large enough to be placed. */
const SIZE = 300_003;

const NUMBERS = { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 };

async function train(threads: number, blas: boolean, use?: "state"): Promise<Float32Array[]> {
  const device = new CpuDevice({ threads, blas });
  const tensor = (values: Float32Array, kind?: "state") => {
    const made = Tensor.empty(device, [SIZE], "f32", kind);
    device.write(made.buffer, values);
    return made;
  };
  const state = () => tensor(new Float32Array(SIZE), use);
  const one = {
    parameter: tensor(numbers(SIZE, 1)),
    gradient: tensor(numbers(SIZE, 2)),
    mean: state(),
    variance: state(),
  };
  assertEquals(device.multipliesPacked(one.mean.buffer), use === "state");
  for (const step of [1, 2, 3]) adamwEachInto([one], { ...NUMBERS, step });
  const { parameter, mean, variance } = one;
  const found = await Promise.all([parameter, mean, variance].map((made) => made.data()));
  device.close();
  return found;
}

Deno.test("AdamW updates state where it is to the same bits, on 1, 2 and 3 threads, with a BLAS and without", async () => {
  const expected = await train(1, false);
  for (const threads of [1, 2, 3]) {
    for (const blas of [true, false]) {
      assertEquals(await train(threads, blas, "state"), expected);
    }
  }
});
