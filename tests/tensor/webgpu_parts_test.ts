// Tensors larger than one binding may show: every op sees them in parts and gives what it gives when it sees them whole. The
// same where no buffer may be larger either, so that they lie in several.

import { assertEquals, assertLessOrEqual, assertThrows } from "@std/assert";
import {
  adamwInto,
  add,
  attention,
  cachedAttention,
  columns,
  concat,
  copyRows,
  dropout,
  embedding,
  fill,
  gelu,
  globalNorm,
  layerNorm,
  linearCrossEntropy,
  matmul,
  rmsNorm,
  rotary,
  rotaryAngles,
  scale,
  split,
  swiglu,
  Tensor,
} from "../../lib/tensor/mod.ts";
import type { Device } from "../../lib/tensor/mod.ts";
import { findAdapter } from "../../lib/tensor/webgpu/adapter.ts";
import { openWebGpu, webGpuNeed } from "../devices.ts";
import { assertClose } from "../support.ts";
import { countingAdapter } from "./counting_gpu.ts";
import { type ArrayLike, differentiate, numbers } from "./gradients.ts";

type Results = Record<string, Float32Array | Int32Array>;

/** 65,536 elements. */
const MAX_BINDING = 262_144;

interface PartsTest {
  /** What to compute; some tensor in it has more than 65,536 elements. */
  run(device: Device): Promise<Results>;
  /** Results whose sums are in another order in parts, so that bits may differ. */
  near?: readonly string[];
}

function recorded(
  inputs: Readonly<Record<string, ArrayLike>>,
  outputShape: readonly number[],
  forward: (tensors: Record<string, Tensor>) => Tensor,
): PartsTest["run"] {
  return (device) => differentiate(device, inputs, numbers(outputShape, 99).data, forward);
}

const tokens = 300;
const forest = {
  // A chain whose second half branches twice.
  end: Int32Array.from({ length: tokens }, (_, i) => i >= 150 && i < 220 ? 220 : tokens),
  positions: Int32Array.from({ length: tokens }, (_, i) => i < 220 ? i : i - 70),
};
const ids = Int32Array.from({ length: tokens }, (_, i) => (i * i) % 400);

const tests: Record<string, PartsTest> = {
  "broadcast operations": {
    run: recorded(
      { x: numbers([300, 290]), row: numbers([290], 2), column: numbers([300, 1], 3) },
      [300, 290],
      ({ x, row, column }) => x.mul(row).add(column).tanh().maximum(0),
    ),
    near: ["rowGrad"],
  },
  "reductions and running sums": {
    run: recorded(
      { x: numbers([300, 290]) },
      [300],
      ({ x }) =>
        x.softmax().cumulativeSum().add(x.max({ axis: 1, keepDims: true })).mean({ axis: 1 }),
    ),
  },
  "reductions to one number": {
    run: recorded(
      { x: numbers([300, 291]) },
      [],
      ({ x }) => x.mean().add(x.max()).add(x.sum()).add(x.variance()),
    ),
    near: ["output", "xGrad"],
  },
  "copies": {
    run: recorded(
      { x: numbers([300, 290]), y: numbers([300, 10], 2) },
      [250, 100],
      ({ x, y }) => concat([x, y], 1).slice([40, 290], [0, 300, 3]).reshape([250, 100]),
    ),
  },
  "gather": {
    run: recorded({ x: numbers([300, 290]) }, [300, 2], ({ x }) => {
      const index = Int32Array.from({ length: 600 }, (_, i) => (i * 7919) % 290);
      return x.gather(Tensor.from(x.device, index, [300, 2]));
    }),
  },
  "matmul": {
    run: recorded(
      { a: numbers([270, 260]), b: numbers([260, 280], 2), bias: numbers([280], 3) },
      [270, 280],
      ({ a, b, bias }) => matmul(a, b, { bias }),
    ),
    near: ["biasGrad"],
  },
  "matmul, both transposed": {
    run: recorded(
      { a: numbers([260, 270]), b: numbers([280, 260], 2) },
      [270, 280],
      ({ a, b }) => matmul(a, b, { transposeA: true, transposeB: true }),
    ),
  },
  "matmul, few rows": {
    run: recorded(
      { a: numbers([3, 260]), b: numbers([260, 280], 2) },
      [3, 280],
      ({ a, b }) => matmul(a, b),
    ),
    near: ["output"],
  },
  "matmul, few rows, transposed": {
    run: recorded(
      { a: numbers([2, 260]), b: numbers([280, 260], 2) },
      [2, 280],
      ({ a, b }) => matmul(a, b, { transposeB: true }),
    ),
    near: ["aGrad"],
  },
  "embedding": {
    run: recorded(
      { table: numbers([400, 257]) },
      [tokens, 257],
      ({ table }) => embedding(table, ids),
    ),
  },
  "add": {
    run: recorded(
      { a: numbers([100_001], 1), b: numbers([100_001], 2) },
      [100_001],
      ({ a, b }) => add(a, b),
    ),
  },
  "scale": { run: recorded({ x: numbers([100_001]) }, [100_001], ({ x }) => scale(x, 3)) },
  "gelu": { run: recorded({ x: numbers([100_001]) }, [100_001], ({ x }) => gelu(x)) },
  "dropout": {
    run: recorded({ x: numbers([100_001]) }, [100_001], ({ x }) => dropout(x, 0.5, 7)),
  },
  "split": {
    run: recorded({ x: numbers([tokens, 401]) }, [tokens, 301], ({ x }) => split(x, [100, 301])[1]),
  },
  "layerNorm": {
    run: recorded(
      { x: numbers([tokens, 257]), weight: numbers([257], 2), bias: numbers([257], 3) },
      [tokens, 257],
      ({ x, weight, bias }) => layerNorm(x, weight, bias),
    ),
    near: ["weightGrad", "biasGrad"],
  },
  "rmsNorm": {
    run: recorded(
      { x: numbers([tokens, 514]), weight: numbers([257], 2) },
      [tokens, 514],
      ({ x, weight }) => rmsNorm(x, weight),
    ),
    near: ["weightGrad"],
  },
  "swiglu": {
    run: recorded(
      { gate: numbers([100_001], 1), up: numbers([100_001], 2) },
      [100_001],
      ({ gate, up }) => swiglu(gate, up),
    ),
  },
  "rotary": {
    run: recorded(
      { x: numbers([tokens, 384]) },
      [tokens, 384],
      ({ x }) => rotary(x, rotaryAngles(x.device, forest.positions, { headDim: 64 })),
    ),
  },
  "attention": {
    run: recorded(
      {
        q: numbers([tokens, 256], 1),
        k: numbers([tokens, 256], 2),
        v: numbers([tokens, 256], 3),
      },
      [tokens, 256],
      ({ q, k, v }) => attention(q, k, v, { heads: 32, forest }),
    ),
    near: ["qGrad", "kGrad", "vGrad"],
  },
  "attention over columns": {
    run: recorded({ joint: numbers([tokens, 768], 1) }, [tokens, 256], ({ joint }) => {
      const [q, k, v] = columns(joint, [256, 256, 256]);
      return attention(q, k, v, { heads: 32, forest });
    }),
    near: ["jointGrad"],
  },
  "linearCrossEntropy": {
    run: recorded(
      { hidden: numbers([tokens, 64]), weight: numbers([700, 64], 2) },
      [1],
      ({ hidden, weight }) =>
        linearCrossEntropy(hidden, weight, {
          rows: Int32Array.from({ length: tokens }, (_, i) => i),
          targets: ids,
          counts: new Float32Array(tokens).fill(1),
        }, { chunkSize: 512 }),
    ),
  },
  "cachedAttention": {
    run: async (device) => {
      const cache = (seed: number) =>
        Tensor.from(device, numbers([400, 256], seed).data, [400, 256]);
      const rows = [1, 399, 70].map((count) =>
        Array.from({ length: count }, (_, i) => (i * 7 + 5) % 400)
      );
      const q = Tensor.from(device, numbers([3, 256], 3).data, [3, 256]);
      return { output: await cachedAttention(q, cache(1), cache(2), { heads: 32, rows }).data() };
    },
    near: ["output"],
  },
  "copyRows": {
    run: async (device) => {
      const target = Tensor.from(device, numbers([400, 257]).data, [400, 257]);
      copyRows(target, Tensor.from(device, numbers([301, 257], 2).data, [301, 257]), 77);
      return { target: await target.data() };
    },
  },
  "copyRows of columns": {
    run: async (device) => {
      const target = Tensor.from(device, numbers([400, 257]).data, [400, 257]);
      const source = Tensor.from(device, numbers([301, 300], 2).data, [301, 300]);
      copyRows(target, columns(source, [20, 257, 23])[1], 77);
      return { target: await target.data() };
    },
  },
  "fill": {
    run: async (device) => {
      const target = Tensor.from(device, numbers([100_001]).data);
      fill(target, 4);
      return { target: await target.data() };
    },
  },
  "adamwInto": {
    run: async (device) => {
      const [parameter, gradient, mean, variance] = [1, 2, 3, 4].map((seed) =>
        Tensor.from(device, numbers([100_001], seed).data.map((value) => value * value))
      );
      const options = { learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8 };
      adamwInto(parameter, gradient, mean, variance, { ...options, step: 2, weightDecay: 0.1 });
      return { parameter: await parameter.data(), variance: await variance.data() };
    },
  },
  "globalNorm": {
    run: async (device) => {
      const x = Tensor.from(device, numbers([65_536 * 2 + 100]).data);
      return { norm: Float32Array.of(await globalNorm([x])) };
    },
  },
};

for (const [name, { run, near = [] }] of Object.entries(tests)) {
  Deno.test({
    name: `${name} of tensors larger than a binding or a buffer${
      webGpuNeed ? ` (${webGpuNeed})` : ""
    }`,
    ignore: webGpuNeed !== undefined,
    async fn() {
      const whole = await openWebGpu();
      const parts = await openWebGpu({ maxBindingSize: MAX_BINDING });
      const { adapter, take } = countingAdapter((await findAdapter({ software: true }))!);
      const segments = await openWebGpu({ adapter, maxBufferSize: MAX_BINDING });
      try {
        const expected = await run(whole);
        const results = await run(parts);
        assertEquals(await run(segments), results, "in several buffers");
        assertLessOrEqual(take().largestBuffer, MAX_BINDING);
        assertEquals(Object.keys(results), Object.keys(expected));
        for (const [key, values] of Object.entries(results)) {
          if (near.includes(key)) assertClose(values, expected[key], { relative: 2e-6 }, key);
          else assertEquals(values, expected[key], `${key}: bits differ`);
        }
      } finally {
        for (const device of [whole, parts, segments]) device.close();
      }
    },
  });
}

Deno.test({
  name: `a row larger than a binding is refused${webGpuNeed ? ` (${webGpuNeed})` : ""}`,
  ignore: webGpuNeed !== undefined,
  async fn() {
    const device = await openWebGpu({ maxBindingSize: MAX_BINDING });
    const tensor = (...shape: number[]) => Tensor.empty(device, shape);
    assertThrows(
      () => matmul(tensor(1, 70_000), tensor(70_000, 2)),
      RangeError,
      "Cannot multiply a matrix with rows of 70000 elements: a kernel sees at most 262144 bytes",
    );
    assertThrows(
      () => layerNorm(tensor(2, 70_000), tensor(70_000), tensor(70_000)),
      RangeError,
      "to a kernel: expected at most 262144 bytes",
    );
    device.close();
  },
});
