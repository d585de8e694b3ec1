// Ops without golden files: what they copy, drop and cache, on every device.

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  add,
  attention,
  backward,
  cachedAttention,
  copyRows,
  dropout,
  embedding,
  fill,
  geglu,
  globalNorm,
  layerNorm,
  matmul,
  rmsNorm,
  rotary,
  rotaryAngles,
  scope,
  split,
  Tensor,
} from "../../lib/tensor/mod.ts";
import { constantsOf } from "../../lib/tensor/constants.ts";
import { matmulInto } from "../../lib/tensor/ops/matmul/matmul.ts";
import { onEveryDevice } from "../devices.ts";
import { assertClose } from "../support.ts";
import { differentiate, numbers } from "./gradients.ts";

onEveryDevice("fill() overwrites every element", async (device) => {
  const tensor = Tensor.from(device, numbers([5, 77]).data);
  fill(tensor, -2.5);
  assertEquals(await tensor.data(), new Float32Array(385).fill(-2.5));
});

onEveryDevice("copyRows() writes those rows and no others", async (device) => {
  const target = numbers([7, 5], 1);
  const source = numbers([3, 5], 2);
  const tensor = Tensor.from(device, target.data, target.shape);
  copyRows(tensor, Tensor.from(device, source.data, source.shape), 2);
  const expected = target.data.slice();
  expected.set(source.data, 2 * 5);
  assertEquals(await tensor.data(), expected);
});

onEveryDevice("split() cuts columns, and its gradient puts them back", async (device) => {
  const x = numbers([6, 10], 1);
  const widths = [3, 1, 6];
  let offset = 0;
  for (let part = 0; part < widths.length; part++) {
    const columns = widths[part];
    const upstream = numbers([6, columns], part + 2);
    const { output, xGrad } = await differentiate(
      device,
      { x },
      upstream.data,
      (tensors) => split(tensors.x, widths)[part],
    );
    const expected = new Float32Array(60);
    for (let row = 0; row < 6; row++) {
      for (let column = 0; column < columns; column++) {
        const at = row * columns + column;
        assertEquals(output[at], x.data[row * 10 + offset + column]);
        expected[row * 10 + offset + column] = upstream.data[at];
      }
    }
    assertEquals(xGrad, expected);
    offset += columns;
  }
});

/** The hash that dropout.ts documents, on 32-bit integers. */
function hash(seed: number, i: number): number {
  const mix = (value: number) => {
    let z = value;
    z = Math.imul(z ^ (z >>> 16), 0x7feb352d);
    z = Math.imul(z ^ (z >>> 15), 0x846ca68b);
    return (z ^ (z >>> 16)) >>> 0;
  };
  return mix(mix((i + 0x9e3779b9) >>> 0) ^ seed);
}

onEveryDevice("dropout() drops what the documented hash says, bit for bit", async (device) => {
  const probability = 0.3;
  const size = 70_001;
  const seed = 0xdeadbeef;
  const x = numbers([size]);
  const upstream = numbers([size], 9);
  const { output, xGrad } = await differentiate(
    device,
    { x },
    upstream.data,
    (tensors) => dropout(tensors.x, probability, seed),
  );
  const threshold = Math.floor(probability * 2 ** 32);
  const factor = Math.fround(1 / (1 - probability));
  const masked = (values: Float32Array) =>
    values.map((value, i) => hash(seed, i) < threshold ? 0 : value * factor);
  assertEquals(output, masked(x.data));
  assertEquals(xGrad, masked(upstream.data));
  const kept = output.filter((value) => value !== 0).length / size;
  assert(Math.abs(kept - 0.7) < 0.01, `kept ${kept}`);
});

onEveryDevice("dropout() of another seed drops others; of probability 0 none", async (device) => {
  const x = Tensor.from(device, new Float32Array(1000).fill(1));
  const first = await dropout(x, 0.5, 1).data();
  const second = await dropout(x, 0.5, 2).data();
  const equal = first.filter((value, i) => value === second[i]).length;
  assert(equal > 400 && equal < 600, `${equal} of 1000 are equal`);
  assertEquals(dropout(x, 0, 1), x);
  assertThrows(() => dropout(x, 1, 1), RangeError, "Cannot drop with probability 1");
});

onEveryDevice("cachedAttention() is softmax attention to the listed rows", async (device) => {
  for (const { heads, kvHeads, headDim, tokens } of CACHED) {
    const lists = [tokens, 1, Math.ceil(tokens / 2)].map((length) =>
      Array.from({ length }, (_, i) => (i * 7 + 3) % tokens)
    );
    const q = numbers([lists.length, heads * headDim], 1);
    const keys = numbers([tokens, kvHeads * headDim], 2);
    const values = numbers([tokens, kvHeads * headDim], 3);
    const tensor = ({ data, shape }: typeof q) => Tensor.from(device, data, shape);
    const y = await cachedAttention(tensor(q), tensor(keys), tensor(values), {
      heads,
      kvHeads,
      rows: lists,
    }).data();
    const expected = new Float64Array(y.length);
    lists.forEach((rows, query) => {
      for (let head = 0; head < heads; head++) {
        const kvHead = Math.floor(head * kvHeads / heads);
        const element = (row: number, d: number) => (row * kvHeads + kvHead) * headDim + d;
        const at = (query * heads + head) * headDim;
        const scores = rows.map((row) => {
          let score = 0;
          for (let d = 0; d < headDim; d++) score += q.data[at + d] * keys.data[element(row, d)];
          return score / Math.sqrt(headDim);
        });
        const most = Math.max(...scores);
        const weights = scores.map((score) => Math.exp(score - most));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        rows.forEach((row, i) => {
          for (let d = 0; d < headDim; d++) {
            expected[at + d] += weights[i] / total * values.data[element(row, d)];
          }
        });
      }
    });
    assertClose(y, expected, { relative: 1e-5 }, `${heads} heads of ${headDim}, ${tokens} rows`);
  }
});

/** 7 and the number of tokens have no common divisor, so that no row is listed twice. */
const CACHED = [
  { heads: 2, kvHeads: 2, headDim: 8, tokens: 5 },
  { heads: 4, kvHeads: 2, headDim: 5, tokens: 66 },
  { heads: 3, kvHeads: 1, headDim: 64, tokens: 130 },
  { heads: 1, kvHeads: 1, headDim: 260, tokens: 9 },
];

onEveryDevice("globalNorm() over more than one block of each tensor", async (device) => {
  const inputs = [numbers([65_536 * 2 + 17], 1), numbers([3], 2), numbers([65_536], 3)];
  const tensors = inputs.map(({ data }) => Tensor.from(device, data));
  let squares = 0;
  for (const { data } of inputs) for (const value of data) squares += value * value;
  assertClose([await globalNorm(tensors)], [Math.sqrt(squares)], { relative: 1e-6 });
});

onEveryDevice("matmulInto() adds to a part of a tensor", async (device) => {
  for (const m of [1, 3, 8, 9]) { // few rows, and a tile
    const [k, n] = [11, 6];
    const a = numbers([m, k], 1);
    const b = numbers([20, n], 2);
    const c = numbers([m + 5, n], 3);
    const target = Tensor.from(device, c.data, c.shape);
    const [bOffset, cOffset] = [4 * n, 2 * n];
    matmulInto(target, Tensor.from(device, a.data, a.shape), Tensor.from(device, b.data, b.shape), {
      m,
      n,
      k,
      bOffset,
      cOffset,
      accumulate: 1,
    });
    const expected = Float64Array.from(c.data);
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        for (let q = 0; q < k; q++) {
          expected[cOffset + i * n + j] += a.data[i * k + q] * b.data[bOffset + q * n + j];
        }
      }
    }
    assertClose(await target.data(), expected, { relative: 1e-6 });
  }
});

onEveryDevice("matmulInto() fills some columns, and leaves the others", async (device) => {
  for (const accumulate of [0, 1] as const) {
    for (const m of [1, 8, 13]) {
      const [k, n, cStride, first] = [7, 5, 12, 4];
      const a = numbers([m, k], 1);
      const b = numbers([k, n], 2);
      const c = numbers([m, cStride], 3);
      const bias = numbers([cStride], 4);
      const target = Tensor.from(device, c.data, c.shape);
      const [left, right, added] = [a, b, bias].map(({ data, shape }) =>
        Tensor.from(device, data, shape)
      );
      const options = { cOffset: first, cStride, bias: added, biasOffset: first, accumulate };
      matmulInto(target, left, right, { m, n, k, ...options });
      const expected = Float64Array.from(c.data);
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          const at = i * cStride + first + j;
          expected[at] = bias.data[first + j] + accumulate * expected[at];
          for (let q = 0; q < k; q++) expected[at] += a.data[i * k + q] * b.data[q * n + j];
        }
      }
      assertClose(await target.data(), expected, { relative: 1e-6 }, `${m} rows`);
    }
  }
});

onEveryDevice(
  "gradients of the Llama family's ops add up where inputs are used twice",
  async (device) => {
    const inputs = { x: numbers([5, 12], 1), other: numbers([5, 12], 2), weight: numbers([6], 3) };
    const upstream = numbers([5, 12], 4).data;
    const angles = rotaryAngles(device, Int32Array.of(0, 1, 2, 1, 9), { headDim: 6 });
    const ops: ((tensors: Record<string, Tensor>) => Tensor)[] = [
      ({ x }) => rotary(x, angles),
      ({ x, other }) => geglu(x, other),
      ({ x, weight }) => rmsNorm(x, weight),
    ];
    for (const op of ops) {
      const once = await differentiate(device, inputs, upstream, op);
      const twice = await differentiate(
        device,
        inputs,
        upstream,
        (tensors) => add(op(tensors), op(tensors)),
      );
      for (const [name, values] of Object.entries(once)) {
        assertClose(twice[name], (values as Float32Array).map((value) => 2 * value), {}, name);
      }
    }
  },
);

onEveryDevice("ops refuse shapes that do not fit, in a sentence", (device) => {
  const tensor = (...shape: number[]) => Tensor.empty(device, shape);
  const attendOver = (end: number[], positions: number[]) => {
    const forest = { end: Int32Array.from(end), positions: Int32Array.from(positions) };
    return () => attention(tensor(2, 4), tensor(2, 4), tensor(2, 4), { heads: 1, forest });
  };
  const refused: [() => unknown, typeof Error, string][] = [
    [() => add(tensor(2, 3), tensor(4)), TypeError, "Cannot add tensors of shapes (2, 3) and (4)"],
    [() => matmul(tensor(2, 3), tensor(4, 2)), TypeError, "expected equal inner lengths"],
    [() => layerNorm(tensor(2, 3), tensor(4), tensor(3)), TypeError, 'Cannot use "weight"'],
    [() => rmsNorm(tensor(2, 6), tensor(4)), TypeError, "its length must divide the rows'"],
    [() => geglu(tensor(2, 3), tensor(2, 4)), TypeError, "Cannot gate with GELU tensors of shapes"],
    [() => rotary(tensor(2, 6), tensor(2, 4)), TypeError, "by angles of shape (2, 4)"],
    [
      () => rotaryAngles(device, Int32Array.of(0), { headDim: 3 }),
      RangeError,
      "Cannot rotate heads of 3 elements",
    ],
    [() => split(tensor(2, 3), [1, 1]), TypeError, "they must add up to 3"],
    [() => embedding(tensor(3, 2), Int32Array.of(0, 3)), RangeError, "Cannot look up id 3"],
    [() => copyRows(tensor(3, 2), tensor(2, 2), 2), RangeError, "Cannot copy 2 rows to row 2"],
    [
      () => cachedAttention(tensor(1, 4), tensor(2, 4), tensor(2, 4), { heads: 1, rows: [[2]] }),
      RangeError,
      "it must see at least one row, all from 0 to 1",
    ],
    [attendOver([2, 2], [0]), TypeError, "2 ends and 1 positions with 2 queries"],
    [attendOver([3, 2], [0, 1]), RangeError, "token 0 ends at 3: expected 1 to 2"],
    [attendOver([2, 1], [0, 1]), RangeError, "token 1 ends at 1: expected 2 to 2"],
    [attendOver([2, 2], [0, 0]), RangeError, "token 1 is at position 0: expected 1"],
    [attendOver([1, 2], [0, -1]), RangeError, "token 1 is at position -1: expected at least 0"],
  ];
  for (const [act, type, message] of refused) assertThrows(act, type, message);
  return Promise.resolve();
});

onEveryDevice("numbers among operands are on the device once, with their sign", async (device) => {
  const x = Tensor.from(device, [1, 2]);
  x.requiresGrad = true;
  x.mul(0.25).dispose();
  await device.sync();
  const { size } = constantsOf(device);
  for (let i = 0; i < 10; i++) x.mul(0.25).dispose();
  assertEquals(constantsOf(device).size, size);
  assertEquals(await scope(() => x.div(-0)).data(), new Float32Array([-Infinity, -Infinity]));
  assertEquals(await x.div(0).data(), new Float32Array([Infinity, Infinity]));
  // One that a scope used first outlives it, and so does its gradient's use of it.
  backward(scope(() => x.mul(0.125)).mul(0.125).sum());
  assertEquals(await x.grad!.data(), new Float32Array([1 / 64, 1 / 64]));
  for (let i = 0; i < 2000; i++) x.add(i).dispose();
  assertEquals(constantsOf(device).size <= 1024, true);
  assertEquals(await x.add(7).data(), new Float32Array([8, 9]));
});
