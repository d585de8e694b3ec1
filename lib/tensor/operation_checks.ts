/**
 * Every operation at small shapes, to hold one device to another: what a GPU and its driver compute beside the CPU.
 *
 * @module
 */

import * as elementwise from "./elementwise/mod.ts";
import { specificationOf } from "./elementwise/define.ts";
import type { Device } from "./device.ts";
import * as tensor from "./mod.ts";
import { type PackedType, Tensor } from "./mod.ts";
import { packNf4 } from "./nf4.ts";
import { PACKED_FORMATS, packedBytes } from "./packed.ts";
import { record } from "./recording.ts";
import * as reductions from "./reductions/mod.ts";

/** An operation with inputs. */
export interface OperationCheck {
  /** The operation, and which case of it. */
  readonly name: string;
  /** Computes its results and the gradients of its inputs, by name; the same inputs on every device. */
  run(device: Device): Promise<Record<string, Float32Array | Int32Array>>;
}

/** How two devices' results of an operation compare. */
export interface OperationComparison {
  /** The largest difference, relative to the largest number expected. */
  readonly difference: number;
  /** The result where it is, such as `"output"` or `"gradient of x"`. */
  readonly where: string;
  /** Whether it is within {@linkcode TOLERANCE}. */
  readonly agrees: boolean;
}

/** Sums in another order differ by less; WGSL lets `exp` and its like be off by a few units in the last place. */
export const TOLERANCE = 1e-4;

/** An input: its shape, and between which numbers it lies, −2 and 2 by default. */
interface Input {
  readonly shape: readonly number[];
  readonly domain?: readonly [number, number];
}

const USUAL: readonly [number, number] = [-2, 2];

/** Numbers that are the same on every machine. */
function numbers(size: number, seed: number, [low, high]: readonly [number, number]): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return low + (high - low) * state / 2 ** 32;
  });
}

type Elementwise = (...inputs: Tensor[]) => Tensor;

/** The inputs of a check by name, each with numbers of its own. */
function tensorsOf(
  device: Device,
  inputs: Readonly<Record<string, Input>>,
): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(inputs).map(([input, { shape, domain = USUAL }], i) => [
      input,
      Tensor.from(device, numbers(tensor.sizeOf(shape), i + 1, domain), shape),
    ]),
  );
}

/** A check of an operation that is recorded: its result and every gradient, for a gradient of the result that is not even. */
function recorded(
  name: string,
  inputs: Readonly<Record<string, Input>>,
  operation: (tensors: Record<string, Tensor>) => Tensor,
): OperationCheck {
  return {
    name,
    async run(device) {
      const tensors = tensorsOf(device, inputs);
      for (const one of Object.values(tensors)) one.keep().requiresGrad = true;
      const y = operation(tensors);
      const results: Record<string, Float32Array | Int32Array> = { output: await y.data() };
      if (y.node) {
        const upstream = Tensor.from(device, numbers(y.size, 99, [-1, 1]), y.shape);
        const zero = Tensor.from(device, [0], []);
        tensor.backward(record(zero, [y], (_, gradients) => gradients.pass(y, upstream)));
      }
      for (const [input, { grad }] of Object.entries(tensors)) {
        if (grad) results[`gradient of ${input}`] = await grad.data();
        grad?.dispose();
        tensors[input].dispose();
      }
      return results;
    },
  };
}

/** A check of what changes tensors in place, or has no gradient. */
function plain(
  name: string,
  inputs: Readonly<Record<string, Input>>,
  operation: (tensors: Record<string, Tensor>) => Record<string, Tensor>,
): OperationCheck {
  return {
    name,
    async run(device) {
      const tensors = tensorsOf(device, inputs);
      const results: Record<string, Float32Array | Int32Array> = {};
      for (const [result, y] of Object.entries(operation(tensors))) {
        results[result] = await y.data();
      }
      return results;
    },
  };
}

const ELEMENTWISE = Object.values(elementwise).map((operation: Elementwise) => {
  const { name, inputs, test: { domain = {} } } = specificationOf(operation)!;
  const shapes = inputs.map((input, i) =>
    [input, { shape: i === 0 ? [5, 7] : [7], domain: domain[input] }] as const
  );
  return recorded(
    name,
    Object.fromEntries(shapes),
    (tensors) => operation(...inputs.map((input) => tensors[input])),
  );
});

const REDUCTIONS = Object.entries(reductions).flatMap(([name, operation]) => [
  recorded(`${name}, rows`, { x: { shape: [5, 300] } }, ({ x }) => operation(x, { axis: 1 })),
  recorded(`${name}, all`, { x: { shape: [5, 300] } }, ({ x }) => operation(x)),
]);

/** A sequence that branches twice: 20 tokens, then two subtrees of 10. */
const FOREST = {
  end: Int32Array.from({ length: 40 }, (_, i) => i >= 20 && i < 30 ? 30 : 40),
  positions: Int32Array.from({ length: 40 }, (_, i) => i < 30 ? i : i - 10),
};

const LAYOUTS = [[false, false], [false, true], [true, false], [true, true]] as const;

const PRODUCTS = LAYOUTS.flatMap(([transposeA, transposeB]) => {
  const layout = `${transposeA ? "T" : "N"}${transposeB ? "T" : "N"}`;
  return [[37, 53, 41], [64, 128, 64], [3, 50, 70]].map(([m, n, k]) =>
    recorded(`matmul, ${layout}, ${m}×${k} by ${k}×${n}`, {
      a: { shape: transposeA ? [k, m] : [m, k] },
      b: { shape: transposeB ? [n, k] : [k, n] },
      bias: { shape: [n] },
    }, ({ a, b, bias }) => tensor.matmul(a, b, { transposeA, transposeB, bias }))
  );
});

const heads = { shape: [40, 64] };

const LAYERS = [
  recorded(
    "matmul, many",
    { a: { shape: [2, 1, 5, 6] }, b: { shape: [3, 6, 4] } },
    ({ a, b }) => tensor.matmul(a, b),
  ),
  recorded(
    "embedding",
    { table: { shape: [30, 12] } },
    ({ table }) => tensor.embedding(table, Int32Array.of(3, 29, 3, 0)),
  ),
  recorded("gelu", { x: { shape: [300] } }, ({ x }) => tensor.gelu(x)),
  recorded("scale", { x: { shape: [300] } }, ({ x }) => tensor.scale(x, -1.5)),
  recorded("softCap", { x: { shape: [300] } }, ({ x }) => tensor.softCap(x, 1.5)),
  recorded("dropout", { x: { shape: [300] } }, ({ x }) => tensor.dropout(x, 0.3, 7)),
  recorded(
    "swiglu",
    { gate: { shape: [9, 20] }, up: { shape: [9, 20] } },
    ({ gate, up }) => tensor.swiglu(gate, up),
  ),
  recorded(
    "geglu",
    { gate: { shape: [9, 20] }, up: { shape: [9, 20] } },
    ({ gate, up }) => tensor.geglu(gate, up),
  ),
  recorded(
    "layerNorm",
    { x: { shape: [9, 300] }, weight: { shape: [300] }, bias: { shape: [300] } },
    ({ x, weight, bias }) => tensor.layerNorm(x, weight, bias),
  ),
  recorded(
    "rmsNorm",
    { x: { shape: [9, 300] }, weight: { shape: [300] } },
    ({ x, weight }) => tensor.rmsNorm(x, weight),
  ),
  recorded(
    "rotary",
    { x: heads },
    ({ x }) => tensor.rotary(x, tensor.rotaryAngles(x.device, FOREST.positions, { headDim: 16 })),
  ),
  recorded(
    "attention",
    { q: heads, k: heads, v: heads },
    ({ q, k, v }) => tensor.attention(q, k, v, { heads: 4, forest: FOREST }),
  ),
  recorded(
    "attention, shared heads and a window",
    { q: heads, k: { shape: [40, 32] }, v: { shape: [40, 32] } },
    ({ q, k, v }) => tensor.attention(q, k, v, { heads: 4, kvHeads: 2, window: 6, forest: FOREST }),
  ),
  recorded(
    "attention over columns, with dropout",
    { qkv: { shape: [40, 96] } },
    ({ qkv }) => {
      const [q, k, v] = tensor.columns(qkv, [32, 32, 32]);
      const dropout = { probability: 0.2, seed: 5 };
      return tensor.attention(q, k, v, { heads: 2, forest: FOREST, dropout });
    },
  ),
  recorded(
    "attention, capped",
    { q: heads, k: heads, v: heads },
    ({ q, k, v }) => tensor.attention(q, k, v, { heads: 4, forest: FOREST, softCap: 3 }),
  ),
  plain(
    "cachedAttention",
    { q: { shape: [3, 64] }, keys: { shape: [90, 32] }, values: { shape: [90, 32] } },
    ({ q, keys, values }) => {
      const rows = [1, 70, 90].map((count) => Array.from({ length: count }, (_, i) => i));
      return { y: tensor.cachedAttention(q, keys, values, { heads: 4, kvHeads: 2, rows }) };
    },
  ),
  recorded(
    "linearCrossEntropy",
    { hidden: { shape: [12, 16] }, weight: { shape: [300, 16] } },
    ({ hidden, weight }) =>
      tensor.linearCrossEntropy(hidden, weight, {
        rows: Int32Array.of(0, 3, 3, 11),
        targets: Int32Array.of(7, 299, 0, 150),
        counts: Float32Array.of(1, 2, 1, 0.5),
      }, { chunkSize: 128 }),
  ),
];

const SHAPES = [
  recorded("softmax", { x: { shape: [9, 70] } }, ({ x }) => tensor.softmax(x)),
  recorded("logSoftmax", { x: { shape: [9, 70] } }, ({ x }) => tensor.logSoftmax(x, 0)),
  recorded("cumulativeSum", { x: { shape: [9, 70] } }, ({ x }) => tensor.cumulativeSum(x)),
  recorded("variance", { x: { shape: [9, 70] } }, ({ x }) => tensor.variance(x, { axis: 1 })),
  recorded("argmax", { x: { shape: [9, 70] } }, ({ x }) => tensor.argmax(x, { axis: 1 })),
  recorded(
    "gather",
    { x: { shape: [4, 9] } },
    ({ x }) =>
      tensor.gather(x, Tensor.from(x.device, Int32Array.of(8, 0, 0, 3, 1, 1, 2, 5), [4, 2])),
  ),
  recorded(
    "concat",
    { a: { shape: [4, 3] }, b: { shape: [4, 5] } },
    ({ a, b }) => tensor.concat([a, b], 1),
  ),
  recorded(
    "stack",
    { a: { shape: [4, 3] }, b: { shape: [4, 3] } },
    ({ a, b }) => tensor.stack([a, b], 1),
  ),
  recorded(
    "split",
    { x: { shape: [4, 9] } },
    ({ x }) => {
      const [a, b] = tensor.split(x, [3, 6]);
      return tensor.concat([b, a], 1);
    },
  ),
  recorded("slice", { x: { shape: [4, 9] } }, ({ x }) => tensor.slice(x, 2, [1, 8])),
  recorded("permute", { x: { shape: [4, 5, 6] } }, ({ x }) => tensor.permute(x, [2, 0, 1])),
  recorded("transpose", { x: { shape: [4, 9] } }, ({ x }) => tensor.transpose(x)),
  recorded("reshape", { x: { shape: [4, 9] } }, ({ x }) => tensor.reshape(x, [6, -1])),
  recorded("broadcastTo", { x: { shape: [4, 1] } }, ({ x }) => tensor.broadcastTo(x, [3, 4, 5])),
  plain("oneHot, cast", { x: { shape: [2] } }, ({ x: { device } }) => {
    const ids = Tensor.from(device, Int32Array.of(3, 0, 2));
    return { y: tensor.oneHot(ids, 5), cast: tensor.add(ids, 0.5) };
  }),
  plain(
    "copyRows, fill",
    { x: { shape: [9, 6] }, row: { shape: [2, 8] }, other: { shape: [7] } },
    ({ x, row, other }) => {
      tensor.copyRows(x, tensor.columns(row, [1, 6, 1])[1], 4);
      tensor.fill(other, 4);
      return { x, other };
    },
  ),
];

const TRAINING = [
  plain(
    "adamwInto",
    {
      weight: { shape: [300] },
      gradient: { shape: [300] },
      mean: { shape: [300] },
      variance: { shape: [300], domain: [0, 2] },
    },
    ({ weight, gradient, mean, variance }) => {
      const betas = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
      const options = { ...betas, step: 3, learningRate: 0.01, weightDecay: 0.1 };
      tensor.adamwInto(weight, gradient, mean, variance, options);
      return { weight, mean, variance };
    },
  ),
  {
    name: "globalNorm",
    async run(device: Device) {
      const [a, b] = [70_000, 9].map((size) => Tensor.from(device, numbers(size, 1, [-1, 1])));
      return { norm: Float32Array.of(await tensor.globalNorm([a, b])) };
    },
  },
];

const PACKED = (Object.keys(PACKED_FORMATS) as PackedType[]).map((type): OperationCheck => {
  const shape = [4, 512];
  const pack = (device: Device) => {
    if (type === "nf4" || type === "nf4_double") {
      const packed = packNf4(numbers(4 * 512, 3, USUAL), 4, 512, type);
      return Tensor.pack(device, packed, shape, type);
    }
    // Half of all exponents are left out, so that no scale is infinite.
    const bytes = Uint8Array.from(
      numbers(packedBytes(type, 4, 512).total, 3, [0, 256]),
      (value) => value & 0xbf,
    );
    return Tensor.pack(device, bytes, shape, type);
  };
  return {
    name: `dequantize, matmul by ${type}`,
    async run(device) {
      const packed = pack(device);
      // By few rows as in generation, and by many as in training.
      const [few, many] = [3, 20].map((rows) => {
        const x = Tensor.from(device, numbers(rows * 512, 4, [-1, 1]), [rows, 512]);
        return tensor.matmul(x, packed, { transposeB: true });
      });
      return {
        wide: await tensor.dequantize(packed).data(),
        few: await few.data(),
        many: await many.data(),
      };
    },
  };
});

/** Every operation, in the order in which a report shows them. */
export const OPERATION_CHECKS: readonly OperationCheck[] = [
  ...PRODUCTS,
  ...LAYERS,
  ...TRAINING,
  ...ELEMENTWISE,
  ...REDUCTIONS,
  ...SHAPES,
  ...PACKED,
];

/**
 * Runs an operation on two devices.
 *
 * @param check The operation.
 * @param expected The device that is right.
 * @param tested The device that is held to it.
 * @returns How far apart their results are.
 */
export async function compareOperation(
  check: OperationCheck,
  expected: Device,
  tested: Device,
): Promise<OperationComparison> {
  const wanted = await check.run(expected);
  const found = await check.run(tested);
  let worst = { difference: 0, where: "output" };
  for (const [where, values] of Object.entries(wanted)) {
    const difference = differenceOf(found[where], values);
    if (!(difference <= worst.difference)) worst = { difference, where };
  }
  return { ...worst, agrees: worst.difference <= TOLERANCE };
}

/** The largest difference, relative to the largest number; infinite where numbers are missing, or only one is a number. */
function differenceOf(
  found: Float32Array | Int32Array | undefined,
  wanted: Float32Array | Int32Array,
): number {
  if (found?.length !== wanted.length) return Infinity;
  let largest = 1e-30, difference = 0;
  for (let i = 0; i < wanted.length; i++) {
    if (Object.is(found[i], wanted[i])) continue;
    const apart = Math.abs(found[i] - wanted[i]);
    if (Number.isNaN(apart)) return Infinity;
    difference = Math.max(difference, apart);
  }
  for (const value of wanted) {
    if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  }
  return difference / largest;
}
