/**
 * Which tilings are fast on an adapter: measured once, then remembered.
 *
 * One portable tiling reaches 80 % of each GPU's best on average and 44 % at worst, so it pays to try. Tilings never
 * change the order of a sum, so that this decides speed, not bits.
 *
 * There are no variants that reduce by subgroups: Deno 2.9.6 gives a device the feature, though its adapters do not list it, but
 * its compiler, Naga, refuses the directive `enable subgroups;`, without which WGSL has no subgroups. It takes `subgroupAdd()`
 * without the directive, which the standard and Tint refuse, and means to end that (gfx-rs/wgpu#8202).
 *
 * @module
 */

import type { Device } from "../device.ts";
import { matmulInto, matmulWithSumsKernel } from "../ops/matmul/matmul.ts";
import { GPU_TILINGS, TILINGS } from "../ops/matmul/tilings.ts";
import { Tensor } from "../tensor.ts";
import { recall, remember } from "./measurements.ts";

/** The tiling of each op that has several. */
export type Tuning = Readonly<Record<string, string>>;

/** A product, and which matrices are transposed. */
interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/** Changes whenever tilings do, so that what was measured before is measured again. */
const VERSION = 4;

/**
 * Products that a training step of GPT-2 Medium with 280 tokens consists of: a layer, the gradient of its weight, and logits of
 * 105 rows with a loss, a part of the vocabulary; the gradient of a layer's input, which has fewer elements.
 */
const SHAPES: Readonly<Record<string, readonly Product[]>> = {
  matmul: [
    { m: 280, n: 3072, k: 1024 },
    { m: 1024, n: 4096, k: 280, transposeA: true },
    { m: 105, n: 8192, k: 1024, transposeB: true },
  ],
  matmulSmall: [{ m: 280, n: 1024, k: 4096, transposeB: true }],
};

/** Seconds that a timed run lasts at least: Deno asks a GPU whether it is done only every 10 ms. */
const RUN_SECONDS = 0.2;
/** The same where the GPU's own clock is read. */
const CLOCKED_SECONDS = 0.05;

/**
 * Whether tuning is switched off, by `TUNEBOOK_TUNING=off`.
 *
 * @returns Whether it is.
 */
export function tuningIsOff(): boolean {
  return Deno.env.get("TUNEBOOK_TUNING") === "off";
}

/**
 * Reads what was measured on an adapter before.
 *
 * @param adapterKey Which adapter.
 * @returns The tilings, or undefined where it was not measured.
 */
export async function loadTuning(adapterKey: string): Promise<Tuning | undefined> {
  const known = await recall(memoryKey(adapterKey));
  const complete = known && Object.keys(SHAPES).every((name) => TILINGS.has(known[name]));
  return complete ? known : undefined;
}

/**
 * Checks every tiling, times those that are right on typical products, and remembers the fastest. One that fails, as some
 * drivers refuse some kernels and others miscompile them, is left out; one in which the process ended is not tried again.
 *
 * @param adapterKey Which adapter.
 * @param device The device.
 * @param use Makes the device use a tuning, whether or not the last one failed.
 * @param how `check` throws if the device's products are wrong, and by default compares some with plain ones; `time` gives
 * the seconds of a product, by default by {@linkcode timeMatmul}.
 * @returns The fastest tilings, which the device then uses.
 * @throws {Error} If all fail.
 */
export async function tune(
  adapterKey: string,
  device: Device,
  use: (tuning: Tuning) => Promise<void>,
  how: { check?: typeof assertProducts; time?: typeof timeMatmul } = {},
): Promise<Tuning> {
  const { check = assertProducts, time = timeMatmul } = how;
  const best: Record<string, string> = {};
  const fastest: Record<string, number> = {};
  const crashed = await readCrashed(adapterKey);
  let failure: unknown;
  for (const { name: tiling } of GPU_TILINGS) {
    if (crashed.has(tiling)) continue;
    await remember(tryingKey(adapterKey), { tiling });
    try {
      await use(Object.fromEntries(Object.keys(SHAPES).map((name) => [name, tiling])));
      await check(device);
      for (const [name, shapes] of Object.entries(SHAPES)) {
        await use({ [name]: tiling });
        let seconds = 0;
        for (const shape of shapes) seconds += await time(device, shape);
        if (seconds < (fastest[name] ?? Infinity)) [fastest[name], best[name]] = [seconds, tiling];
      }
    } catch (error) {
      failure = error;
    }
    await remember(tryingKey(adapterKey), {});
  }
  if (Object.keys(SHAPES).some((name) => best[name] === undefined)) {
    throw failure ?? new Error("Cannot measure tilings: all of them ended the process before");
  }
  await use(best);
  await remember(memoryKey(adapterKey), best);
  return best;
}

/** The tilings in which a process ended, that of the last one among them. */
async function readCrashed(adapterKey: string): Promise<Set<string>> {
  const key = `crashed ${memoryKey(adapterKey)}`;
  const known = new Set(Object.keys(await recall(key) ?? {}));
  const { tiling } = await recall(tryingKey(adapterKey)) ?? {};
  if (tiling !== undefined) known.add(tiling);
  // A person may have ended them all.
  if (GPU_TILINGS.every(({ name }) => known.has(name))) known.clear();
  await remember(key, Object.fromEntries([...known].map((name) => [name, "ended the process"])));
  return known;
}

/**
 * Small products that reach beyond tiles, and some whose matrices are read in fours, of every layout that training has; and one
 * whose inner sum is divided.
 */
const CHECKED: readonly Product[] = [
  ...[[37, 53, 41], [136, 132, 36]].flatMap(([m, n, k]) => [
    { m, n, k },
    { m, n, k, transposeB: true },
    { m, n, k, transposeA: true },
    { m, n, k, transposeA: true, transposeB: true },
  ]),
  { m: 9, n: 36, k: 2052 },
];

/**
 * Compares a device's matrix products, and the sums that come with them, with plain ones.
 *
 * @param device The device.
 * @throws {Error} If one is wrong.
 */
async function assertProducts(device: Device): Promise<void> {
  for (const shape of CHECKED) {
    const { m, n, k, transposeA = false, transposeB = false } = shape;
    const a = Float32Array.from({ length: m * k }, (_, i) => (i * 7 % 11) / 11 - 0.5);
    const b = Float32Array.from({ length: k * n }, (_, i) => (i * 5 % 13) / 13 - 0.5);
    const ofA = (i: number, q: number) => a[transposeA ? q * m + i : i * k + q];
    const ofB = (q: number, j: number) => b[transposeB ? j * k + q : q * n + j];
    const expected = Float32Array.from({ length: m * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      let sum = 0;
      for (let q = 0; q < k; q++) sum += ofA(i, q) * ofB(q, j);
      return sum;
    });
    using left = Tensor.from(device, a).keep();
    using right = Tensor.from(device, b).keep();
    using c = Tensor.empty(device, [m * n]).keep();
    matmulInto(c, left, right, shape);
    assertNear(await c.data(), expected, shape);
    if (!transposeA) continue;
    for (const sumsOf of [0, 1]) {
      const count = sumsOf === 0 ? n : m;
      using sums = Tensor.empty(device, [count]).keep();
      device.run(
        matmulWithSumsKernel,
        { a: left.buffer, b: right.buffer, sums: sums.buffer, c: c.buffer },
        {
          ...{ m, n, k, transposeA: 1, transposeB: Number(transposeB), hasBias: 0, accumulate: 0 },
          ...{ aOffset: 0, bOffset: 0, cOffset: 0, cStride: n, biasOffset: 0 },
          ...{ sumsOf, accumulateSums: 0 },
        },
      );
      const plain = Float32Array.from({ length: count }, (_, i) => {
        let sum = 0;
        for (let q = 0; q < k; q++) sum += sumsOf === 0 ? ofB(q, i) : ofA(i, q);
        return sum;
      });
      const [product, found] = await Promise.all([c.data(), sums.data()]);
      assertNear(product, expected, shape);
      assertNear(found, plain, shape);
    }
  }
}

function assertNear(found: Float32Array, expected: Float32Array, { m, n, k }: Product): void {
  const wrong = expected.findIndex((value, i) =>
    !(Math.abs(found[i] - value) <= 1e-4 * Math.max(1, Math.abs(value)))
  );
  if (wrong < 0) return;
  throw new Error(
    `Cannot use a tiling: of a product of (${m}, ${k}) and (${k}, ${n}) it gives ${
      found[wrong]
    } at ` +
      `${wrong}, expected ${expected[wrong]}`,
  );
}

/**
 * Times a matrix product on a device, after runs that compile it and wake the device.
 *
 * @param device The device.
 * @param shape Rows, columns and terms, and which matrices are transposed.
 * @param options `byClock` reads the GPU's own clock, without the time to send work and to wait for it; only for a GPU that has
 * one. By default no.
 * @returns Seconds a product takes among many.
 */
export async function timeMatmul(
  device: Device,
  shape: Product,
  { byClock = false }: { byClock?: boolean } = {},
): Promise<number> {
  const { m, n, k } = shape;
  const halves = (size: number) => Tensor.from(device, new Float32Array(size).fill(0.5)).keep();
  using a = halves(m * k);
  using b = halves(k * n);
  using c = halves(m * n);
  const run = async (count: number): Promise<{ wall: number; clocked: number }> => {
    const before = performance.now();
    if (byClock) device.startProfile();
    for (let i = 0; i < count; i++) matmulInto(c, a, b, shape);
    const times = byClock ? await device.stopProfile() : [];
    await device.sync();
    const wall = (performance.now() - before) / 1000;
    return { wall, clocked: times.reduce((sum, { seconds }) => sum + seconds, 0) };
  };
  await run(1); // compiles
  for (let count = 1;; count *= 4) {
    const { wall, clocked } = await run(count);
    if (wall < (byClock ? CLOCKED_SECONDS : RUN_SECONDS)) continue;
    // A driver may give no times.
    return (clocked > 0 ? clocked : wall) / count;
  }
}

function memoryKey(adapterKey: string): string {
  return `tilings ${VERSION} ${adapterKey} Deno ${Deno.version.deno}`;
}

function tryingKey(adapterKey: string): string {
  return `trying ${memoryKey(adapterKey)}`;
}
