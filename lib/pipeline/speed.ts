// The speed of a device, measured so that a second measurement gives about the same.

import { type Device, matmul, scope, sizeOf, Tensor } from "../tensor/mod.ts";

/** A device's speed. */
export interface Speed {
  /** Multiplications and additions per second: the median of all measurements. */
  readonly flopsPerSecond: number;
  /** From the lower to the upper quartile of the measurements, as a share of the median. */
  readonly spread: number;
}

/** Clocks rise, caches fill and threads wake before it is measured. */
const WARM_UP_MS = 150;
/** A measurement takes as many products as this needs, beside which the timer is exact. */
const LEAST_MS = 12;
const MEASUREMENTS = 31;

/**
 * Measures the arithmetic per second of a product of a model's shape.
 *
 * @param device The device.
 * @param width The model's width.
 * @param rows How many rows a batch has.
 * @returns The speed.
 */
export async function measureSpeed(device: Device, width: number, rows: number): Promise<Speed> {
  const [a, b] = [[rows, width], [width, 4 * width]].map((shape) =>
    Tensor.from(device, new Float32Array(sizeOf(shape)).fill(0.5), shape)
  );
  const timeOf = async (products: number): Promise<number> => {
    const began = performance.now();
    for (let i = 0; i < products; i++) scope(() => void matmul(a, b));
    await device.sync();
    return performance.now() - began;
  };
  let products = 1;
  for (let warm = 0; warm < WARM_UP_MS;) {
    const taken = await timeOf(products);
    warm += taken;
    if (taken < LEAST_MS) products = Math.ceil(products * Math.min(8, 1.2 * LEAST_MS / taken));
  }
  const times: number[] = [];
  while (times.length < MEASUREMENTS) times.push(await timeOf(products));
  times.sort((one, two) => one - two);
  const at = (share: number) => times[Math.round(share * (MEASUREMENTS - 1))];
  for (const tensor of [a, b]) tensor.dispose();
  const median = at(0.5);
  return {
    flopsPerSecond: products * 8 * rows * width * width / (median / 1000),
    spread: (at(0.75) - at(0.25)) / median,
  };
}
