// Memory of tensors that nobody disposes of: it returns when more is needed, whatever V8 does in between.

import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { backward, scope, Tensor } from "../../lib/tensor/mod.ts";
import { matmul } from "../../lib/tensor/ops/matmul/matmul.ts";

const MIB = 2 ** 20;
/** What a device may hold before garbage is collected for the first time, and the tensor that is being made. */
const FIRST = 256 + 4;

async function onCpu(body: (device: CpuDevice) => Promise<void>) {
  const device = new CpuDevice({ threads: 1, blas: false });
  try {
    await body(device);
  } finally {
    device.close();
  }
}

/** Ends what JavaScript counts as one job: until then it keeps all that was made in it. */
const nextJob = () => new Promise((resolve) => setTimeout(resolve));

function matrix(device: CpuDevice): Tensor { // 4 MiB
  return Tensor.from(device, new Float32Array(MIB), [1024, 1024]);
}

Deno.test("tensors that nobody can reach give their memory to those that are made", () =>
  onCpu(async (device) => {
    for (let i = 0; i < 200; i++) {
      matrix(device);
      await nextJob();
      assertLessOrEqual(device.allocatedBytes, FIRST * MIB, `after ${i + 1} tensors`);
    }
  }));

Deno.test("tensors that somebody can reach keep theirs, by a view of them or by the tape too", () =>
  onCpu(async (device) => {
    const first = Tensor.from(device, [1, 2, 3, 4], [2, 2]);
    const view = (() => Tensor.from(device, [5, 6, 7, 8], [2, 2]).alias([4]))();
    const weight = Tensor.from(device, [1, 0, 0, 1], [2, 2]);
    weight.requiresGrad = true;
    const loss = (() => {
      const row = Tensor.from(device, [2, 3], [1, 2]);
      return matmul(matmul(row, weight), Tensor.from(device, [1, 1], [2, 1]));
    })();
    for (let i = 0; i < 100; i++) {
      matrix(device);
      await nextJob();
    }
    assertEquals([...await first.data()], [1, 2, 3, 4]);
    assertEquals([...await view.data()], [5, 6, 7, 8]);
    backward(loss);
    assertEquals([...await weight.grad!.data()], [2, 2, 3, 3]);
  }));

Deno.test("a model that is made again and again takes no more than it did at first", () =>
  onCpu(async (device) => {
    let model: Tensor[] = [];
    for (let i = 0; i < 20; i++) {
      const next: Tensor[] = [];
      for (let layer = 0; layer < 16; layer++) {
        next.push(matrix(device));
        await nextJob();
      }
      model = next;
      assertLessOrEqual(device.allocatedBytes, FIRST * MIB, `model ${i + 1}`);
    }
    assertEquals(model.length, 16);
  }));

Deno.test("a scope's tensors, and those that are disposed of twice, are counted once", () =>
  onCpu(async (device) => {
    for (let i = 0; i < 60; i++) {
      scope(() => void matrix(device));
      const own = matrix(device);
      own.dispose();
      own.dispose();
      assert(own.disposed);
    }
    await device.sync();
    assertEquals(device.allocatedBytes, 4 * MIB);
  }));
