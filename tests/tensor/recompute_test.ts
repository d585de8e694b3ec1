// recompute(): the same gradients, to the bit, in less memory.

import { assert, assertEquals } from "@std/assert";
import { lossOf } from "../../lib/model/mod.ts";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import {
  add,
  backward,
  type Device,
  gelu,
  matmul,
  noGrad,
  recompute,
  scale,
  scope,
  Tensor,
} from "../../lib/tensor/mod.ts";
import { sft } from "../../lib/train/mod.ts";
import { forest } from "../../lib/dataset/mod.ts";
import { onEveryDevice } from "../devices.ts";
import { smallExamples, smallModel, take, timeless, weightsOf } from "../train/small.ts";
import { differentiate, lossWithGradient, numbers, parameter } from "./gradients.ts";

type Part = (x: Tensor) => Tensor;
const again = (part: Part, x: Tensor) => recompute(part, x);
const once = (part: Part, x: Tensor) => part(x);

onEveryDevice(
  "recompute() gives the gradients of its inputs and of what it uses",
  async (device) => {
    const inputs = { x: numbers([5, 4]), a: numbers([4, 4], 2), b: numbers([4, 4], 3) };
    const upstream = numbers([5, 4], 4);
    const run = (through: typeof once) =>
      differentiate(device, inputs, upstream.data, ({ x, a, b }) => {
        // Each part uses its input twice, x goes past both parts too, and both use the same weight.
        const first = through((x) => add(x, gelu(matmul(x, a))), scale(x, 0.5));
        const second = through((x) => add(gelu(matmul(x, b)), matmul(x, a)), first);
        return add(second, x);
      });
    assertEquals(await run(again), await run(once));
  },
);

onEveryDevice("recompute() works on several inputs, one within another", async (device) => {
  const inputs = { x: numbers([3, 4]), y: numbers([3, 4], 2), a: numbers([4, 4], 3) };
  const upstream = numbers([3, 4], 4);
  const run = (nested: boolean) =>
    differentiate(device, inputs, upstream.data, ({ x, y, a }) => {
      const inner = (x: Tensor) => gelu(matmul(x, a));
      const outer = (x: Tensor, y: Tensor) => add(nested ? recompute(inner, x) : inner(x), y);
      return nested ? recompute(outer, scale(x, 2), scale(y, 3)) : outer(scale(x, 2), scale(y, 3));
    });
  assertEquals(await run(true), await run(false));
});

onEveryDevice("recompute() records nothing where nothing in it learns", async (device) => {
  let runs = 0;
  const part = (x: Tensor) => {
    runs++;
    return scale(x, 2);
  };
  const constant = Tensor.from(device, [1, 2]);
  assertEquals(recompute(part, constant).node, undefined);
  const learning = parameter(device, numbers([2]));
  assertEquals(noGrad(() => recompute(part, learning)).node, undefined);
  assertEquals(runs, 2);
  // A part that returns its input is not a part.
  const scaled = scale(learning, 3);
  const { node } = scaled;
  assert(recompute((x) => x, scaled) === scaled && scaled.node === node);
  // What learns may be in the part alone, as an adapter beside frozen weights is.
  const weight = parameter(device, numbers([2, 3]));
  scope(() => {
    const x = Tensor.from(device, [1, 2], [1, 2]);
    const y = recompute((x) => matmul(x, weight), x);
    backward(lossWithGradient(y, Float32Array.of(1, 10, 100)));
  });
  assertEquals([...await weight.grad!.data()], [1, 10, 100, 2, 20, 200]);
});

/** Bytes that a device of its own takes for a training, and its result. */
async function train(recompute: boolean, dropout: number) {
  const device: Device = new CpuDevice({ threads: 1, blas: false });
  const model = smallModel(device, { layers: 8, width: 32, vocabularySize: 64, dropout });
  const examples = smallExamples(16);
  const before = device.allocatedBytes;
  using training = sft(model, { examples, batchSize: 16, epochs: 3, evalEvery: 0, recompute });
  const steps = timeless(await take(training));
  const weights = await weightsOf(model);
  const bytes = device.allocatedBytes - before;
  device.close();
  return { steps, weights, bytes };
}

Deno.test("sft() with recompute takes the same steps, to the bit, in less memory", async () => {
  for (const dropout of [0, 0.2]) {
    const [plain, short] = [await train(false, dropout), await train(true, dropout)];
    assertEquals(short.steps, plain.steps);
    assertEquals(short.weights, plain.weights);
    // Gradients and moments, three times the weights, are the same; activations of one block stay of eight.
    const fixed = 3 * plain.weights.byteLength;
    const ratio = (short.bytes - fixed) / (plain.bytes - fixed);
    assert(ratio < 0.5, `${plain.bytes} → ${short.bytes} bytes, ${fixed} of them fixed`);
  }
});

onEveryDevice("lossOf() with recompute gives the same gradients, to the bit", async (device) => {
  const model = smallModel(device, { dropout: 0.1 });
  const batch = forest(smallExamples(4), { layout: "packed" });
  const run = async (recompute: boolean) => {
    using loss = scope(() => {
      const loss = lossOf(model, batch, { dropoutSeed: 5, recompute });
      backward(loss);
      return loss;
    });
    const results = [[await loss.item()]] as ArrayLike<number>[];
    for (const parameter of model.parameters.values()) {
      results.push(await parameter.grad!.data());
      parameter.grad!.dispose();
      parameter.grad = undefined;
    }
    return results;
  };
  assertEquals(await run(true), await run(false));
});
