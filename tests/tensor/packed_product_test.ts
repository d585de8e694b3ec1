// Products with packed matrices, which the CPU computes from blocks as they are stored.

import { assert, assertEquals } from "@std/assert";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import {
  type Device,
  isPacked,
  matmul,
  PACKED_FORMATS,
  type PackedType,
  scope,
  Tensor,
} from "../../lib/tensor/mod.ts";
import { matmulInto } from "../../lib/tensor/ops/matmul/matmul.ts";
import { assertClose } from "../support.ts";
import { numbers, randomPacked } from "./random_packed.ts";

const types = Object.keys(PACKED_FORMATS).filter(isPacked);

/** An odd number of rows, so that some are left over from groups of four, and of threads. */
const [OUT, WIDTH] = [71, 512];

/** Products of `rows` rows by each format, and by the same matrices widened. */
async function products(device: Device, type: PackedType, rows: number): Promise<Float32Array[]> {
  const x = Tensor.from(device, numbers(rows * WIDTH, rows), [rows, WIDTH]);
  const packed = randomPacked(device, type, OUT, WIDTH);
  const wide = Tensor.from(device, await packed.data(), [OUT, WIDTH]);
  const results = [packed, wide].map((weight) => matmul(x, weight, { transposeB: true }));
  return await Promise.all(results.map((result) => result.data()));
}

Deno.test("products of a few rows are those with wide matrices, with equal bits on 1, 2 and 3 threads", async () => {
  const found: Float32Array[][] = [];
  for (const threads of [1, 2, 3]) {
    const device = new CpuDevice({ threads, blas: false });
    const all: Float32Array[] = [];
    for (const type of types) {
      for (const rows of [1, 2, 5, 8]) {
        const [actual, expected] = await products(device, type, rows);
        assertClose(
          actual,
          expected,
          { relative: 2e-6 },
          `${type}, ${rows} rows, ${threads} threads`,
        );
        all.push(actual);
      }
    }
    found.push(all);
    device.close();
  }
  for (const other of found.slice(1)) assertEquals(other, found[0]);
});

/** More rows than are multiplied by blocks, and more terms than a tile has. */
const MANY = 19;

/** x · wᵀ and x · w of many rows, and xᵀ · w, by each format and by the same matrices widened. */
async function manyRows(device: Device, type: PackedType): Promise<[Float32Array, Float32Array][]> {
  const packed = randomPacked(device, type, OUT, WIDTH);
  const wide = Tensor.from(device, await packed.data(), [OUT, WIDTH]);
  const x = (rows: number, width: number) =>
    Tensor.from(device, numbers(rows * width, rows), [rows, width]);
  const bias = Tensor.from(device, numbers(OUT, 5));
  const [outIn, inOut, transposed] = [x(MANY, WIDTH), x(MANY, OUT), x(OUT, MANY)];
  const results = [packed, wide].map((weight) => [
    matmul(outIn, weight, { transposeB: true, bias }),
    matmul(inOut, weight),
    matmul(x(1, OUT), weight),
    matmul(transposed, weight, { transposeA: true }),
  ]);
  const [actual, expected] = await Promise.all(
    results.map((all) => Promise.all(all.map((result) => result.data()))),
  );
  return actual.map((values, i) => [values, expected[i]]);
}

Deno.test("products of many rows, and with matrices that are not transposed, are those with wide matrices, with equal bits on 1, 2 and 3 threads", async () => {
  for (const blas of [undefined, false] as const) {
    const found: Float32Array[][] = [];
    for (const threads of [1, 2, 3]) {
      const device = new CpuDevice({ threads, ...(blas === false && { blas }) });
      const all: Float32Array[] = [];
      for (const type of types) {
        for (const [i, [actual, expected]] of (await manyRows(device, type)).entries()) {
          const what = `${type}, product ${i}, ${threads} threads`;
          assertClose(actual, expected, { relative: 2e-6 }, what);
          all.push(actual);
        }
      }
      found.push(all);
      device.close();
    }
    if (blas === false) { for (const other of found.slice(1)) assertEquals(other, found[0]); }
  }
});

Deno.test("a part of a packed matrix is multiplied into a part of a result, with a bias or added to it", async () => {
  const device = new CpuDevice({ threads: 2, blas: false });
  for (const type of ["q4_1", "nf4_double", "bf16"] as const) {
    for (const rows of [1, 6, 20]) {
      const packed = randomPacked(device, type, 24, WIDTH);
      const wide = Tensor.from(device, await packed.data(), [24, WIDTH]);
      const x = Tensor.from(device, numbers((rows + 2) * WIDTH, 1), [rows + 2, WIDTH]);
      const bias = Tensor.from(device, numbers(20, 2).map((b) => 1000 * b));
      const results = [packed, wide].map((weight) => {
        const c = Tensor.from(device, numbers(rows * 20, 3).map((y) => 1000 * y), [rows, 20]);
        const dimensions = { m: rows, n: 9, k: WIDTH, transposeB: true, accumulate: 1 as const };
        matmulInto(c, x, weight, {
          ...dimensions,
          aOffset: 2 * WIDTH,
          bOffset: 5 * WIDTH,
          cOffset: 4,
          cStride: 20,
          bias,
          biasOffset: 11,
        });
        return c;
      });
      const [actual, expected] = await Promise.all(results.map((result) => result.data()));
      assertClose(actual, expected, { relative: 1e-6 }, `${type} ${rows}`);
    }
  }
  device.close();
});

Deno.test("memory of packed weights is used again, and keeps its values while it grows", async () => {
  const device = new CpuDevice({ threads: 2, blas: false });
  const first = randomPacked(device, "q8_0", 16, 256);
  const values = await first.data();
  const begin = device.allocatedBytes;
  for (let round = 0; round < 3; round++) {
    const large = [1, 2, 3].map((seed) => randomPacked(device, "bf16", 1024 + seed, 1024));
    const [alone] = await Promise.all(large.map((tensor) => tensor.data()));
    const x = Tensor.from(device, numbers(1024, 4), [1, 1024]);
    const wide = Tensor.from(device, alone, large[0].shape);
    const results = scope(() => [large[0], wide].map((w) => matmul(x, w, { transposeB: true })));
    const [actual, expected] = await Promise.all(results.map((result) => result.data()));
    assertClose(actual, expected, { relative: 2e-6 });
    for (const tensor of [...large, ...results, x, wide]) tensor.dispose();
    assertEquals(await first.data(), values);
  }
  assert(device.allocatedBytes - begin < 24e6, `${device.allocatedBytes - begin} bytes more`);
  device.close();
});

Deno.test("a product with weights that hold NaN is NaN", async () => {
  const device = new CpuDevice({ threads: 1, blas: false });
  for (const type of types) {
    const { blockBytes } = PACKED_FORMATS[type];
    // Where a float16 or a float32 of a block ends.
    const ends: Partial<Record<PackedType, number>> = { q6_k: 210, nf4: 36, bf16: 2 };
    if (type === "nf4_double") continue; // its magnitudes are bytes
    const bytes = new Uint8Array(2 * WIDTH / PACKED_FORMATS[type].blockElements * blockBytes);
    const at = bytes.length - blockBytes + (ends[type] ?? 2);
    bytes.set(type === "bf16" || type === "nf4" ? [0xc0, 0x7f] : [0x00, 0x7e], at - 2);
    const weight = Tensor.pack(device, bytes, [2, WIDTH], type);
    const x = Tensor.from(device, new Float32Array(WIDTH).fill(1), [1, WIDTH]);
    const [first, second] = await matmul(x, weight, { transposeB: true }).data();
    assertEquals(Number.isNaN(first), false, type);
    assertEquals(Number.isNaN(second), true, type);
  }
  device.close();
});
