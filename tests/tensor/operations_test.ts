// Every small operation on every device against PyTorch: value, gradient, broadcasting, empty tensors and numbers at the
// edges. Those that are declared by formulas are tested by being declared; the others by being listed in `others`.

import { assert, assertEquals, AssertionError, assertThrows } from "@std/assert";
import * as fc from "fast-check";
import { broadcastShapes } from "../../lib/tensor/broadcast.ts";
import { ELEMENTWISE, REDUCTIONS } from "../../lib/tensor/cpu/generate.ts";
import * as library from "../../lib/tensor/mod.ts";
import { type Device, sizeOf, Tensor } from "../../lib/tensor/mod.ts";
import { onEveryDevice } from "../devices.ts";
import { type GoldenCase, loadGolden } from "../golden/golden.ts";
import { assertClose } from "../support.ts";
import { differentiate, parameter } from "./gradients.ts";
import { distillation, dpo, labelSmoothing } from "./losses.ts";

const golden = loadGolden("operations");

/** Computes a case: its inputs with gradients, its attributes, and its constants. */
type Run = (
  inputs: Record<string, Tensor>,
  attributes: GoldenCase["attributes"],
  constants: Record<string, Tensor>,
) => Tensor;

const {
  argmax,
  broadcastTo,
  concat,
  cumulativeSum,
  gather,
  logSoftmax,
  matmul,
  oneHot,
  permute,
  reshape,
  slice,
  softmax,
  stack,
  transpose,
  variance,
} = library;

const others: Record<string, Run> = {
  argmax: ({ x }, { axis }) => argmax(x, { axis }),
  batched_matmul: ({ a, b }, { transposeA, transposeB }) =>
    matmul(a, b, { transposeA, transposeB }),
  broadcast_to: ({ x }, { to }) => broadcastTo(x, to),
  concat: ({ a, b, c }, { axis }) => concat([a, b, c], axis),
  cumulative_sum: ({ x }, { axis }) => cumulativeSum(x, axis),
  distillation: ({ student }, { temperature }, { teacher }) =>
    distillation(student, teacher, temperature),
  dpo: ({ chosen, rejected }, { beta }, constants) =>
    dpo(
      { logits: chosen, tokens: constants.chosenTokens, reference: constants.chosenReference },
      {
        logits: rejected,
        tokens: constants.rejectedTokens,
        reference: constants.rejectedReference,
      },
      constants.mask,
      beta,
    ),
  gather: ({ x }, { axis }, { index }) => gather(x, index, axis),
  label_smoothing: ({ logits }, { smoothing }, { targets }) =>
    labelSmoothing(logits, targets, smoothing),
  log_softmax: ({ x }, { axis }) => logSoftmax(x, axis),
  one_hot: (_, { classes }, { index }) => oneHot(index, classes),
  permute: ({ x }, { axes }) => permute(x, axes),
  reshape: ({ x }, { to }) => reshape(x, to),
  slice: ({ x }, { ranges }) => slice(x, ...ranges),
  softmax: ({ x }, { axis }) => softmax(x, axis),
  stack: ({ a, b, c }, { axis }) => stack([a, b, c], axis),
  transpose: ({ x }) => transpose(x),
  variance: ({ x }, { axis, correction }) => variance(x, { axis, correction }),
};

const functions = library as unknown as Record<string, (...inputs: unknown[]) => Tensor>;

const operations: Record<string, Run> = { ...others };
for (const { name, inputs } of ELEMENTWISE) {
  operations[name] = (tensors) => functions[name](...inputs.map((input) => tensors[input]));
}
for (const { name } of REDUCTIONS) {
  operations[name] = ({ x }, { axis, keepDims }) =>
    functions[name](x, { axis: axis ?? undefined, keepDims });
}

/** Constants of cases, which have no gradient. */
const CONSTANTS = new Set([
  "index",
  "targets",
  "teacher",
  "chosenReference",
  "rejectedReference",
  "chosenTokens",
  "rejectedTokens",
  "mask",
]);

async function compute(device: Device, op: string, { tensors, attributes }: GoldenCase) {
  const inputs: typeof tensors[string] extends infer T ? Record<string, T> : never = {};
  const constants: Record<string, Tensor> = {};
  for (const [name, value] of Object.entries(tensors)) {
    if (name === "output" || name.endsWith("Grad")) continue;
    if (CONSTANTS.has(name)) constants[name] = Tensor.from(device, value.data, value.shape);
    else inputs[name] = value;
  }
  const upstream = tensors.outputGrad?.data ?? new Float32Array(sizeOf(tensors.output.shape));
  let shape: readonly number[] = [];
  const results = await differentiate(device, inputs, upstream, (given) => {
    const y = operations[op](given, attributes, constants);
    shape = y.shape;
    return y;
  });
  return { results, shape };
}

Deno.test("every operation has golden files, and every golden operation is tested", () => {
  assertEquals(Object.keys(operations).sort(), [...golden.ops].sort());
});

Deno.test("every operation that is declared is a method, and every formula has a gradient or none on purpose", () => {
  for (const { name, gradients } of ELEMENTWISE) {
    assert(name in Tensor.prototype, name);
    const none = /equal|less|greater/i.test(name);
    assertEquals(Object.keys(gradients).length === 0, none, name);
  }
  for (const { name } of REDUCTIONS) assert(name in Tensor.prototype, name);
});

for (const op of Object.keys(operations)) {
  onEveryDevice(`${op}: value and gradients as PyTorch's, the same bits twice`, async (device) => {
    for (const one of golden.cases(op)) {
      const { tensors, name } = one;
      const { results, shape } = await compute(device, op, one);
      assertEquals(shape, tensors.output.shape, name);
      if (name.includes("special")) {
        assertSpecial(results.output, tensors.output.data, name);
        continue;
      }
      // The result, and the gradient of each input that has one.
      const wanted = Object.keys(tensors)
        .filter((key) => key === "output" || (key.endsWith("Grad") && key !== "outputGrad"));
      for (const key of wanted) {
        assert(key in results, `${name} lacks ${key}`);
        assertClose(
          results[key],
          tensors[key].data,
          { relative: 5e-6, absolute: 1e-6 },
          `${name} ${key}`,
        );
      }
      assertEquals((await compute(device, op, one)).results, results, `${name}: bits differ`);
    }
  });
}

/** Holds each number to its own size; the smallest may be 0, or the other way round. */
function assertSpecial(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  what: string,
): void {
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i], expected[i]];
    const same = Object.is(a, e) || a === e ||
      Math.abs(a - e) <= 1e-30 + 1e-5 * Math.abs(e);
    if (!same) throw new AssertionError(`${what}: got ${a} at ${i}, expected ${e}`);
  }
}

/** Two to three shapes that broadcast: lengths of which some are 1, and leading dimensions left out. */
const broadcastable = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 5 }).chain((shape) =>
  fc.tuple(
    ...[0, 1].map(() =>
      fc.tuple(fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }), fc.nat(5)).map(
        ([repeated, dropped]) =>
          shape.map((length, i) => repeated[i] ? 1 : length).slice(Math.min(dropped, shape.length)),
      )
    ),
  )
);

/** What broadcasting means, one element after another. */
function plainBroadcast(
  x: Float32Array,
  own: readonly number[],
  shape: readonly number[],
): Float32Array {
  return Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
    let at = 0, step = 1;
    for (let axis = 1; axis <= shape.length; axis++) {
      const index = i % shape.at(-axis)!;
      i = Math.floor(i / shape.at(-axis)!);
      const length = own.at(-axis);
      if (axis > own.length || length === undefined) continue;
      if (length !== 1) at += index * step;
      step *= length;
    }
    return x[at];
  });
}

onEveryDevice("operations broadcast any shapes as one element after another", async (device) => {
  await fc.assert(
    fc.asyncProperty(broadcastable, async ([a, b]) => {
      const shape = broadcastShapes("add", [a, b]);
      const numbers = (size: number, from: number) =>
        Float32Array.from({ length: size }, (_, i) => from + i);
      const [x, y] = [numbers(sizeOf(a), 1), numbers(sizeOf(b), 1000)];
      const sum = Tensor.from(device, x, a).mul(2).add(Tensor.from(device, y, b));
      assertEquals(sum.shape, shape);
      const [wideX, wideY] = [plainBroadcast(x, a, shape), plainBroadcast(y, b, shape)];
      assertEquals([...await sum.data()], [...wideX].map((value, i) => 2 * value + wideY[i]));
    }),
    { numRuns: device.kind === "cpu" ? 200 : 40, seed: 1 },
  );
});

onEveryDevice("reductions of long rows and columns are near the exact ones", async (device) => {
  for (
    const [outer, length, inner] of [[1, 100_003, 1], [3, 20_000, 1], [2, 5000, 3], [70, 300, 300]]
  ) {
    const shape = [outer, length, inner];
    const data = Float32Array.from(
      { length: sizeOf(shape) },
      (_, i) => ((i * 7919) % 1013) / 1013,
    );
    const expected = new Float64Array(outer * inner);
    const largest = new Float32Array(outer * inner).fill(-1);
    data.forEach((value, i) => {
      const at = Math.floor(i / (length * inner)) * inner + i % inner;
      expected[at] += value;
      largest[at] = Math.max(largest[at], value);
    });
    const x = Tensor.from(device, data, shape);
    const what = shape.join("x");
    assertClose(await x.sum({ axis: 1 }).data(), expected, { relative: 1e-6 }, `sum ${what}`);
    assertEquals(await x.max({ axis: 1 }).data(), largest, `max ${what}`);
    x.dispose();
  }
});

onEveryDevice("formulas' gradients are the slopes of their values", async (device) => {
  const step = 1 / 256;
  for (const { name, inputs, gradients, test } of ELEMENTWISE) {
    const start = inputs.map((input, i) => {
      const [low, high] = test.domain?.[input] ?? [-3, 3];
      return low + step + (high - low - 2 * step) * (0.137 + 0.31 * i);
    });
    for (const [i, input] of inputs.entries()) {
      if (!gradients[input]) continue;
      const at = (offset: number) => {
        const given = start.map((value, j) => value + (i === j ? offset : 0));
        return functions[name](...given.map((value) => Tensor.from(device, [value], [])));
      };
      const [low, high] = await Promise.all([at(-step).item(), at(step).item()]);
      const tensors = start.map((value) =>
        parameter(device, { data: Float32Array.of(value), shape: [] })
      );
      functions[name](...tensors).backward();
      const slope = await tensors[i].grad!.item();
      assertClose(
        [slope],
        [(high - low) / (2 * step)],
        { relative: 5e-3, absolute: 5e-4 },
        `${name} ${input}`,
      );
    }
  }
});

onEveryDevice(
  "an operation passes its gradient on by every path, and none to what needs none",
  async (device) => {
    const x = parameter(device, { data: Float32Array.of(1, 2, 3), shape: [3] });
    const fixed = Tensor.from(device, [4, 5, 6]);
    x.mul(x).add(x).mul(fixed).sub(x).sum().backward();
    assertEquals([...await x.grad!.data()], [3, 5, 7].map((slope, i) => slope * (4 + i) - 1));
    assertEquals(fixed.grad, undefined);
    const frozen = library.noGrad(() => x.mul(2));
    assertThrows(() => frozen.sum().backward(), TypeError, "depends on no parameter");
    assertThrows(() => x.detach().sum().backward(), TypeError, "depends on no parameter");
  },
);

onEveryDevice(
  "grad() gives gradients of arguments, and leaves parameters alone",
  async (device) => {
    const weight = parameter(device, { data: Float32Array.of(2), shape: [] });
    const slope = library.grad((x) => x.mul(x).mul(weight).sum());
    const x = Tensor.from(device, [1, 2, 3]);
    assertEquals([...await slope(x).data()], [4, 8, 12]);
    assertEquals(weight.grad, undefined);
    const both = library.grad((a: Tensor, b: Tensor) => a.mul(b).gelu().sum());
    const [first, second] = both(x, Tensor.from(device, [0, 0, 0]));
    assertEquals([...await first.data()], [0, 0, 0]);
    assertEquals([...await second.data()], [0.5, 1, 1.5]);
    assertEquals([...await library.grad((x) => x)(Tensor.from(device, [7])).data()], [1]);
    assertEquals([...await library.grad((x) => x.detach().sum())(x).data()], [0, 0, 0]);
    assertThrows(() => slope(x) && library.grad((x) => x)(x), TypeError, "expected one element");
  },
);

onEveryDevice(
  "integers are read as integers, and widened where they are computed with",
  async (device) => {
    const labels = library.tensor([[3, -1], [0, 2]], { dtype: "i32", device });
    assertEquals(await labels.data<Int32Array>(), Int32Array.of(3, -1, 0, 2));
    assertEquals(await transpose(labels).data<Int32Array>(), Int32Array.of(3, 0, -1, 2));
    assertEquals([...await labels.add(0.5).data()], [3.5, -0.5, 0.5, 2.5]);
    assertEquals(await labels.sum().item(), 4);
    const outside = gather(
      Tensor.from(device, [1, 2]),
      library.tensor([0, 5], { dtype: "i32", device }),
    );
    assertEquals([...await outside.data()], [1, NaN]);
  },
);

onEveryDevice("wrong calls are refused, with shapes", async (device) => {
  const x = Tensor.from(device, [1, 2, 3, 4, 5, 6], [2, 3]);
  const row = Tensor.from(device, [1, 2, 3, 4]);
  const cases: [() => unknown, typeof TypeError | typeof RangeError, string][] = [
    [
      () => x.add(row),
      TypeError,
      "Cannot add tensors of shapes (2, 3) and (4): expected equal lengths",
    ],
    [
      () => x.sum({ axis: 2 }),
      RangeError,
      "Cannot sum a tensor of shape (2, 3) along axis 2: expected -2 to 1",
    ],
    [() => x.sum({ axis: [0, -2] }), RangeError, "along axis 0 twice"],
    [
      () => x.softmax({ dim: 1 } as never),
      TypeError,
      'Cannot take the softmax of a tensor along axis {"dim":1}: expected a number',
    ],
    [() => library.tensor([1], { dtype: "f64" as never, device }), TypeError, 'of type "f64"'],
    [() => library.grad((y) => y.sum())(3 as never), TypeError, "a number: expected a tensor"],
    [() => x.sum({ axis: "1" } as never), TypeError, 'axis "1": expected a number'],
    [() => x.sum({ dim: 1 } as never), TypeError, 'did you mean "axis"?'],
    [
      () => x.reshape([4]),
      TypeError,
      "Cannot reshape a tensor of shape (2, 3) to (4): it has 6 elements",
    ],
    [() => x.permute([0, 0]), TypeError, "expected every dimension once"],
    [() => x.slice(2), RangeError, "Cannot take index 2 of dimension 0"],
    [() => x.slice([], [], []), RangeError, "by 3 ranges"],
    [() => x.matmul(x), TypeError, "Cannot multiply tensors of shapes (2, 3) and (2, 3)"],
    [
      () => x.matmul(row),
      TypeError,
      "Cannot multiply tensors of shapes (2, 3) and (4): expected equal inner lengths, found 3 and 4",
    ],
    [() => x.matmul(x.sum()), TypeError, "expected matrices or vectors"],
    [() => x.matmul([[1]] as never), TypeError, "Cannot multiply an array: expected a tensor"],
    [() => x.add("1" as never), TypeError, 'Cannot compute "add" of a string'],
    [() => library.add(1, 2), TypeError, 'Cannot compute "add" of numbers only'],
    [() => library.grad(3 as never), TypeError, "Cannot differentiate a number"],
    [() => library.full([2], "a" as never, { device }), TypeError, "with a string"],
    [() => x.reshape(6 as never), TypeError, "Cannot reshape a tensor to 6"],
    [() => x.slice("a" as never), TypeError, 'Cannot slice dimension 0 by "a"'],
    [() => concat(x as never), TypeError, "Cannot join a Tensor: expected an array of tensors"],
    [() => concat([x, row]), TypeError, "Cannot join tensors of shapes (2, 3) and (4)"],
    [() => stack([x, row]), TypeError, "Cannot stack tensors of shapes (2, 3) and (4)"],
    [() => gather(x, x), TypeError, 'indices of type "f32"'],
    [() => x.slice([0, 0]).max(), RangeError, "it has no elements there"],
    [
      () => library.tensor([[1, 2], [3]], { device }),
      TypeError,
      "nested arrays of lengths 2 and 1",
    ],
    [() => library.tensor([1, "2"] as never, { device }), TypeError, 'the element "2"'],
    [() => library.tensor([1.5], { dtype: "i32", device }), TypeError, "the element 1.5"],
    [() => library.zeros([-1], { device }), TypeError, "shape (-1)"],
  ];
  for (const [call, type, message] of cases) assertThrows(call, type, message);
  await device.sync();
});
