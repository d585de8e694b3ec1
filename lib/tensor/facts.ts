/**
 * The facts of a device that decide the bits of its results: recorded for reports, compared where a result is to be made
 * again.
 *
 * @module
 */

import { recordProvenance } from "../provenance.ts";
import type { Device } from "./device.ts";

const recorded = new WeakSet<Device>();

/**
 * Records a device's facts for the report's manifest, once per device.
 *
 * @param device The device.
 */
export async function recordDevice(device: Device): Promise<void> {
  if (recorded.has(device)) return;
  recorded.add(device);
  await recordProvenance("device", device.facts);
}

/**
 * Takes a device as recorded, where an earlier run's record is kept.
 *
 * @param device The device.
 */
export function assumeRecorded(device: Device): void {
  recorded.add(device);
}

/**
 * Says where two sets of facts differ.
 *
 * @param before The earlier facts.
 * @param now The present ones.
 * @returns One phrase for each, such as `blasCore was "Haswell", is "SkylakeX"`; empty where all are equal.
 */
export function describeDifferences(
  before: Readonly<Record<string, unknown>>,
  now: Readonly<Record<string, unknown>>,
): string[] {
  const say = (value: unknown) => JSON.stringify(value) ?? "not set";
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...names].filter((name) => say(before[name]) !== say(now[name]))
    .map((name) => `${name} was ${say(before[name])}, is ${say(now[name])}`);
}
