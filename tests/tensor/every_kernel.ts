// Runs every kernel in every form: each operation, and each case in which an operation has a WGSL text of its own.

import { specificationOf } from "../../lib/tensor/elementwise/define.ts";
import * as elementwise from "../../lib/tensor/elementwise/mod.ts";
import * as tensor from "../../lib/tensor/mod.ts";
import { Tensor } from "../../lib/tensor/mod.ts";
import { OPERATION_CHECKS, type OperationCheck } from "../../lib/tensor/operation_checks.ts";
import { matmulInto, matmulWithSumsKernel } from "../../lib/tensor/ops/matmul/matmul.ts";
import { type Tiling, TILINGS } from "../../lib/tensor/ops/matmul/tilings.ts";
import { measurePeak } from "../../lib/tensor/webgpu/peak.ts";
import { numbers } from "./gradients.ts";
import type { PlanningDevice } from "./wgsl/planning_device.ts";

const FOREST = {
  end: Int32Array.from({ length: 20 }, (_, i) => i >= 10 && i < 15 ? 15 : 20),
  positions: Int32Array.from({ length: 20 }, (_, i) => i < 15 ? i : i - 5),
};

/** Head dimensions besides 16 and 32: one that is not a multiple of 4, and some that more threads share. */
const HEAD_WIDTHS = [5, 80, 256];

/**
 * Runs every kernel on a device.
 *
 * @param device The device, whose properties are changed in between.
 * @param run Runs the check of an operation; by default its results are ignored.
 */
export async function runEveryKernel(
  device: PlanningDevice,
  run: (check: OperationCheck) => Promise<unknown> = (check) => check.run(device),
): Promise<void> {
  for (const software of [false, true]) {
    device.become({ software });
    for (const check of OPERATION_CHECKS) await run(check);
    for (const headDim of HEAD_WIDTHS) await attend(device, headDim);
  }
  for (const wanted of ["x", "weight"] as const) normalise(device, wanted);
  device.become({ software: false });
  for (const tiling of TILINGS.values()) multiply(device, tiling);
  multiplyFewRows(device);
  broadcast(device);
  device.become({ maxKernelBuffers: 64 });
  for (let count = 1; count <= 17; count++) await updateSeveral(device, count);
  device.become({ maxKernelBuffers: 8 });
  // Attention in parts has a text of its own.
  device.become({ maxBindingSize: 4096 });
  for (const headDim of [5, 80]) await attend(device, headDim);
  device.become({ maxBindingSize: 2 ** 27 });
  await measurePeak(device, { groups: 1, seconds: 0 });
}

function random(device: PlanningDevice, ...shape: number[]): Tensor {
  return Tensor.from(device, numbers(shape).data, shape);
}

async function attend(device: PlanningDevice, headDim: number): Promise<void> {
  attendToCache(device, headDim);
  const heads = 2;
  const width = heads * headDim;
  // Columns of one tensor, whose gradients share a tensor too.
  const qkv = random(device, 20, 3 * width).keep();
  qkv.requiresGrad = true;
  const [q, k, v] = tensor.columns(qkv, [width, width, width]);
  const y = tensor.attention(q, k, v, { heads, forest: FOREST });
  tensor.backward(tensor.sum(y));
  await qkv.grad!.data();
  const [a, b, c] = [1, 2, 3].map(() => {
    const x = random(device, 20, width).keep();
    x.requiresGrad = true;
    return x;
  });
  tensor.backward(tensor.sum(tensor.attention(a, b, c, { heads, forest: FOREST })));
}

function attendToCache(device: PlanningDevice, headDim: number): void {
  const [keys, values] = [random(device, 70, headDim), random(device, 70, headDim)];
  const rows = [[0, 5, 69], Array.from({ length: 70 }, (_, i) => i)];
  const q = random(device, 2, 2 * headDim);
  tensor.cachedAttention(q, keys, values, { heads: 2, kvHeads: 1, rows });
}

/** Layer normalisation of which some gradients are wanted. */
function normalise(device: PlanningDevice, wanted: "x" | "weight"): void {
  const x = random(device, 9, 70).keep();
  const [weight, bias] = [1, 2].map(() => random(device, 70).keep());
  ({ x, weight })[wanted].requiresGrad = true;
  tensor.backward(tensor.sum(tensor.layerNorm(x, weight, bias)));
}

/** Products of more than one tile in each direction, with each kind of reads and of sums. */
function multiply(device: PlanningDevice, { name, rows, columns, depth }: Tiling): void {
  const tuning = { matmul: name, matmulSmall: name };
  device.become({ tuning });
  for (const more of [1, 4]) {
    const k = Math.max(depth, 4) + more;
    for (const [m, n] of [[rows + 1, 4 + more], [9, columns + 5 - more]]) {
      const [a, b, c] = [random(device, m, k), random(device, k, n), random(device, m, n)];
      matmulInto(c, a, b, { m, n, k, accumulate: 1 });
      // In two parts of the inner sum, of 32 terms and of a few.
      device.become({ tuning: { ...tuning, splitK: "2" } });
      tensor.matmul(random(device, 9, 32 + more), random(device, 32 + more, n));
      device.become({ tuning });
      const transposed = { m, n, k, transposeA: 1, transposeB: 0, hasBias: 0, accumulate: 0 };
      for (const sumsOf of [0, 1]) {
        const sums = random(device, sumsOf === 0 ? n : m);
        device.run(
          matmulWithSumsKernel,
          { a: a.buffer, b: b.buffer, sums: sums.buffer, c: c.buffer },
          {
            ...transposed,
            ...{ aOffset: 0, bOffset: 0, cOffset: 0, cStride: n, biasOffset: 0 },
            ...{ sumsOf, accumulateSums: 1 },
          },
        );
      }
    }
  }
  device.become({ tuning: {} });
}

function multiplyFewRows(device: PlanningDevice): void {
  for (let rows = 1; rows <= 8; rows++) {
    const a = random(device, rows, 37);
    tensor.matmul(a, random(device, 37, 35));
    tensor.matmul(a, random(device, 35, 37), { transposeB: true });
  }
}

/** Elementwise operations over several numbers of dimensions. */
function broadcast(device: PlanningDevice): void {
  for (const operation of Object.values(elementwise)) {
    const { inputs } = specificationOf(operation)!;
    for (const other of [[3, 1], [2, 1, 2], [2, 1, 3, 1]]) {
      const tensors = inputs.map((_, i) => {
        const shape = i === 0 ? [2, 2, 3, 2] : other;
        const x = Tensor.from(
          device,
          numbers(shape).data.map((value) => Math.abs(value) + 0.5),
          shape,
        );
        x.keep().requiresGrad = true;
        return x;
      });
      const y = (operation as (...inputs: Tensor[]) => Tensor)(...tensors);
      if (y.node) tensor.backward(tensor.sum(y));
    }
  }
  tensor.permute(random(device, 2, 3, 2, 3, 2), [4, 2, 0, 3, 1]);
}

/** The step and the norm of some parameters at once. */
async function updateSeveral(device: PlanningDevice, count: number): Promise<void> {
  const parameters = Array.from({ length: count }, (_, i) => {
    const [parameter, gradient, mean, variance] = [1, 2, 3, 4].map(() => random(device, 300 - i));
    return { parameter, gradient, mean, variance };
  });
  const betas = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8 };
  tensor.adamwEachInto(parameters, { step: 1, learningRate: 0.1, ...betas, weightDecay: 0.1 });
  await tensor.globalNorm(parameters.map(({ gradient }) => gradient));
}
