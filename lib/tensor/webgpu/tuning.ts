/**
 * Which tilings are fast on an adapter: measured once, then remembered.
 *
 * One portable tiling reaches 80 % of each GPU's best on average and 44 % at worst, so it pays to try. Tilings never
 * change the order of a sum, so that this decides speed, not bits.
 *
 * @module
 */

import type { Device } from "../device.ts";
import { matmulInto } from "../ops/matmul/matmul.ts";
import { GPU_TILINGS, TILINGS } from "../ops/matmul/tilings.ts";
import { Tensor } from "../tensor.ts";
import { recall, remember } from "./measurements.ts";

/** The tiling of each op that has several. */
export type Tuning = Readonly<Record<string, string>>;

/** Changes whenever tilings do, so that what was measured before is measured again. */
const VERSION = 1;

/** Products that a training step of a GPT-2 consists of, and shorter ones. */
const SHAPES = {
  matmul: { m: 1024, n: 2048, k: 1024 },
  matmulSmall: { m: 256, n: 1024, k: 1024 },
} as const;

/** Seconds that a timed run lasts at least: Deno asks a GPU whether it is done only every 10 ms. */
const RUN_SECONDS = 0.2;

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
 * Times every tiling on typical products and remembers the fastest. One that fails, as some drivers refuse some kernels,
 * is left out.
 *
 * @param adapterKey Which adapter.
 * @param device The device.
 * @param use Makes the device use a tuning, whether or not the last one failed.
 * @returns The fastest tilings, which the device then uses.
 * @throws {Error} If all fail.
 */
export async function tune(
  adapterKey: string,
  device: Device,
  use: (tuning: Tuning) => Promise<void>,
): Promise<Tuning> {
  const best: Record<string, string> = {};
  for (const [name, shape] of Object.entries(SHAPES)) {
    let fastest = Infinity;
    let failure: unknown;
    for (const { name: tiling } of GPU_TILINGS) {
      await use({ [name]: tiling });
      try {
        const seconds = await timeMatmul(device, shape);
        if (seconds < fastest) [fastest, best[name]] = [seconds, tiling];
      } catch (error) {
        failure = error;
      }
    }
    if (fastest === Infinity) throw failure;
  }
  await use(best);
  await remember(memoryKey(adapterKey), best);
  return best;
}

/**
 * Times a matrix product on a device.
 *
 * @param device The device.
 * @param shape Rows, columns and terms, and which matrices are transposed.
 * @returns Seconds a product takes among many.
 */
export async function timeMatmul(
  device: Device,
  shape: { m: number; n: number; k: number; transposeA?: boolean; transposeB?: boolean },
): Promise<number> {
  const { m, n, k } = shape;
  const halves = (size: number) => Tensor.from(device, new Float32Array(size).fill(0.5)).keep();
  using a = halves(m * k);
  using b = halves(k * n);
  using c = halves(m * n);
  const run = async (count: number): Promise<number> => {
    const before = performance.now();
    for (let i = 0; i < count; i++) matmulInto(c, a, b, shape);
    await device.sync();
    return (performance.now() - before) / 1000;
  };
  await run(1); // compiles
  for (let count = 1;; count *= 4) {
    const seconds = await run(count);
    if (seconds >= RUN_SECONDS) return seconds / count;
  }
}

function memoryKey(adapterKey: string): string {
  return `tilings ${VERSION} ${adapterKey}`;
}
