// The speed of a device, measured so that a second measurement gives about the same: a CPU's by the time that its threads
// computed, whatever other programs took meanwhile.

import { cpuUsage } from "node:process";
import { type Device, matmul, scope, sizeOf, Tensor } from "../tensor/mod.ts";

/** A device's speed. */
export interface Speed {
  /** Multiplications and additions per second: the median of all measurements. */
  readonly flopsPerSecond: number;
  /** From the lower to the upper quartile of the measurements, as a share of the median. */
  readonly spread: number;
  /** The share of the device's threads that other programs left, at most 1; 1 where the device is a GPU. */
  readonly share: number;
}

/** How long products took. */
interface Timing {
  /** If nothing else had computed, in milliseconds. */
  readonly alone: number;
  /** By the clock, in milliseconds. */
  readonly wall: number;
}

/** Clocks rise, caches fill and threads wake before it is measured. */
const WARM_UP_MS = 150;
/** A measurement takes as many products as this needs, beside which the timer is exact. */
const LEAST_MS = 12;
const MEASUREMENTS = 31;

/**
 * Measures the arithmetic per second of a product of a model's shape, as if no other program computed.
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
  const threads = device.kind === "cpu" ? Number(device.facts.threads) : undefined;
  const timeOf = async (products: number): Promise<Timing> => {
    const [began, before] = [performance.now(), cpuUsage()];
    for (let i = 0; i < products; i++) scope(() => void matmul(a, b));
    await device.sync();
    const wall = performance.now() - began;
    if (threads === undefined) return { alone: wall, wall };
    const { user, system } = cpuUsage(before); // in microseconds, of all threads
    return { alone: Math.min(wall, (user + system) / 1000 / threads), wall };
  };
  let products = 1;
  for (let warm = 0; warm < WARM_UP_MS;) {
    const { alone: taken, wall } = await timeOf(products);
    warm += wall;
    if (taken < LEAST_MS) products = Math.ceil(products * Math.min(8, 1.2 * LEAST_MS / taken));
  }
  const timings: Timing[] = [];
  while (timings.length < MEASUREMENTS) timings.push(await timeOf(products));
  for (const tensor of [a, b]) tensor.dispose();
  const times = timings.map(({ alone }) => alone).sort((one, two) => one - two);
  const at = (share: number) => times[Math.round(share * (MEASUREMENTS - 1))];
  const median = at(0.5);
  const sum = (name: keyof Timing) => timings.reduce((all, timing) => all + timing[name], 0);
  return {
    flopsPerSecond: products * 8 * rows * width * width / (median / 1000),
    spread: (at(0.75) - at(0.25)) / median,
    share: sum("alone") / sum("wall"),
  };
}
