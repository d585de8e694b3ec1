// Products in bfloat16: those of the rounded matrices, in all shapes and ways in which training multiplies.

import { assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { CpuDevice } from "../../lib/tensor/cpu/device.ts";
import { describeDifferences } from "../../lib/tensor/facts.ts";
import { type Device, matmul, pick, Tensor } from "../../lib/tensor/mod.ts";
import { matmulInto } from "../../lib/tensor/ops/matmul/matmul.ts";
import { bfloat16Need } from "../devices.ts";
import { assertClose } from "../support.ts";
import { numbers, randomPacked } from "./random_packed.ts";

function test(name: string, fn: () => void | Promise<void>): void {
  const ignore = bfloat16Need !== undefined;
  Deno.test({ name: ignore ? `${name} (${bfloat16Need})` : name, ignore, fn });
}

const open = (threads = 2) => new CpuDevice({ threads, matmulPrecision: "bfloat16" });

/** The nearest bfloat16, ties to even. */
function rounded(values: Float32Array): Float32Array {
  const bits = new Uint32Array(Float32Array.from(values).buffer);
  return new Float32Array(
    bits.map((value) => (value + 0x7fff + (value >>> 16 & 1)) & 0xffff0000).buffer,
  );
}

interface Shape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** a · b + bias + what is there. */
async function product(device: Device, { m, n, k, ...transposed }: Shape, round = false) {
  const of = (length: number, seed: number) => numbers(length, seed);
  const matrix = (values: Float32Array, shape: [number, number]) =>
    Tensor.from(device, round ? rounded(values) : values, shape);
  const { transposeA, transposeB } = transposed;
  const a = matrix(of(m * k, 1), transposeA ? [k, m] : [m, k]);
  const b = matrix(of(n * k, 2), transposeB ? [n, k] : [k, n]);
  const bias = Tensor.from(device, of(n, 3), [n]);
  const c = Tensor.from(device, of(m * n, 4), [m, n]);
  matmulInto(c, a, b, { m, n, k, ...transposed, bias, accumulate: 1 });
  return await c.data();
}

test("products are those of matrices that are rounded to bfloat16, summed in float32", async () => {
  const [device, exact] = [open(), new CpuDevice({ threads: 2, blas: false })];
  const shapes = [[16, 16, 16], [17, 40, 33], [100, 31, 257]];
  const all: Shape[] = shapes.flatMap(([m, n, k]) =>
    [false, true].flatMap((transposeA) =>
      [false, true].map((transposeB) => ({ m, n, k, transposeA, transposeB }))
    )
  );
  // More numbers than are rounded at a time, for rows and for columns.
  all.push({ m: 70, n: 150, k: 70_001, transposeA: true, transposeB: false });
  for (const shape of all) {
    const [actual, again] = [await product(device, shape), await product(device, shape)];
    const expected = await product(exact, shape, true);
    const tolerance = { absolute: 2 ** -18 * Math.sqrt(shape.k), relative: 1e-5 };
    assertClose(actual, expected, tolerance, JSON.stringify(shape));
    assertEquals(actual, again, "the same bits twice");
  }
  device.close();
  exact.close();
});

test("products with fewer than 16 rows, columns or terms stay float32", async () => {
  const [device, exact] = [open(), new CpuDevice({ threads: 2 })];
  for (const [m, n, k] of [[15, 64, 64], [64, 15, 64], [64, 64, 15]]) {
    const shape = { m, n, k, transposeA: false, transposeB: true };
    assertEquals(await product(device, shape), await product(exact, shape));
  }
  const shape = { m: 16, n: 64, k: 64, transposeA: false, transposeB: true };
  assertNotEquals(await product(device, shape), await product(exact, shape));
  device.close();
  exact.close();
});

test("packed matrices are rounded as they are widened", async () => {
  const device = open();
  const [rows, columns] = [96, 512];
  const x = Tensor.from(device, numbers(40 * columns, 5), [40, columns]);
  for (const type of ["nf4_double", "q4_k", "q8_0"] as const) {
    const packed = randomPacked(device, type, rows, columns);
    const wide = Tensor.from(device, await packed.data(), [rows, columns]);
    const [actual, expected] = [packed, wide].map((weight) =>
      matmul(x, weight, { transposeB: true })
    );
    assertClose(await actual.data(), await expected.data(), { relative: 1e-5 }, type);
  }
  device.close();
});

test("what is not a number or infinite stays so", async () => {
  const device = open();
  const a = numbers(32 * 32, 1), b = numbers(32 * 32, 2);
  a[5 * 32] = NaN;
  b[7] = Infinity;
  const y = matmul(Tensor.from(device, a, [32, 32]), Tensor.from(device, b, [32, 32]));
  const values = await y.data();
  assertEquals(values.slice(5 * 32, 6 * 32).every(Number.isNaN), true);
  assertEquals([...values.keys()].filter((i) => !Number.isFinite(values[i])).length, 32 + 31);
  device.close();
});

test("the device says that it rounds, and an earlier run without is another", () => {
  const [device, exact] = [open(), new CpuDevice({ threads: 2 })];
  assertEquals(device.name, `${exact.name}, products in bfloat16`);
  assertEquals(describeDifferences(exact.facts, device.facts), [
    'matmulPrecision was not set, is "bfloat16"',
  ]);
  device.close();
  exact.close();
});

test("pick() takes the precision from its option or the environment", async () => {
  const name = "TUNEBOOK_MATMUL_PRECISION";
  const before = Deno.env.get(name);
  try {
    Deno.env.set(name, "bfloat16");
    const device = await pick({ threads: 1 });
    assertEquals(device.facts.matmulPrecision, "bfloat16");
    const exact = await pick({ device: "cpu", threads: 1, matmulPrecision: "float32" });
    assertEquals(exact.facts.matmulPrecision, undefined);
    device.close();
    exact.close();
  } finally {
    if (before === undefined) Deno.env.delete(name);
    else Deno.env.set(name, before);
  }
});

Deno.test("a precision that there is not is refused", async () => {
  await assertRejects(
    () => pick({ device: "webgpu", matmulPrecision: "bfloat16" }),
    TypeError,
    'Cannot multiply in bfloat16 with WebGPU: expected the device "cpu"',
  );
  await assertRejects(
    () => pick({ matmulPrecision: "float16" as "bfloat16" }),
    RangeError,
    'Cannot multiply in "float16": expected "float32" or "bfloat16"',
  );
  assertThrows(
    () => new CpuDevice({ blas: false, matmulPrecision: "bfloat16" }),
    TypeError,
    "Cannot multiply matrices in bfloat16 on the CPU: WebAssembly has no such products here; expected oneDNN",
  );
});
