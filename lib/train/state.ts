/**
 * What decides a training's steps and their bits, written into checkpoints and compared when one is resumed.
 *
 * @module
 */

import { encodeHex } from "@std/encoding";
import type { EncodedExample } from "../dataset/mod.ts";
import type { LanguageModel } from "../model/mod.ts";
import type { Mask } from "../text/mod.ts";
import type { BatchLayout } from "./batch.ts";
import type { SftOptions } from "./options.ts";

/** What `training.json` of a checkpoint holds. */
export interface TrainingState {
  /** The file's version. */
  readonly version: 1;
  /** Steps taken. */
  readonly step: number;
  /** What decides the steps: seeds, order, learning rate, the data's hash. Resuming needs the same. */
  readonly options: Readonly<Record<string, unknown>>;
  /** What decides the bits: device, BLAS, threads, tilings. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}

/** What {@linkcode describeOptions} needs beside the options: what was made of them. */
export interface Settled {
  /** The examples that are trained on. */
  readonly examples: readonly EncodedExample[];
  /** How a batch's sequences stand together. */
  readonly layout: BatchLayout;
  /** Which tokens count. */
  readonly mask: Mask;
  /** The most tokens of a sequence. */
  readonly maxLength: number;
}

/**
 * Describes all that decides a training's steps, but for how many there are: a training may be prolonged.
 *
 * @param model The model.
 * @param options What was asked for.
 * @param settled What was made of it.
 * @returns Plain values by name; long ones as hashes.
 */
export async function describeOptions(
  model: LanguageModel,
  options: SftOptions,
  { examples, layout, mask, maxLength }: Settled,
): Promise<Record<string, unknown>> {
  const { learningRate = 5e-5, maxGradientNorm = Infinity, seed = 123, batchSize = 8 } = options;
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.1 } = options;
  const { order = "shuffled", dropLast = true } = options;
  const config = Object.entries(model.toConfig()).map(([name, value]) => [`model.${name}`, value]);
  return {
    mask,
    maxLength,
    layout,
    batchSize,
    dropLast,
    order: typeof order === "string"
      ? order
      : await hash(order.flatMap((batch) => [batch.length, ...batch])),
    seed,
    learningRate,
    maxGradientNorm: maxGradientNorm === Infinity ? null : maxGradientNorm,
    beta1,
    beta2,
    epsilon,
    weightDecay,
    examples: await hash(
      examples.flatMap(({ promptIds, responseIds, instructionLength }) => [
        promptIds.length,
        responseIds.length,
        instructionLength,
        ...promptIds,
        ...responseIds,
      ]),
    ),
    ...Object.fromEntries(config),
  };
}

/**
 * Says where two sets of facts differ.
 *
 * @param before What was written.
 * @param now What is.
 * @returns One phrase for each fact, such as `seed was 1, is 2`.
 */
export function differences(
  before: Readonly<Record<string, unknown>>,
  now: Readonly<Record<string, unknown>>,
): string[] {
  const say = (value: unknown) => JSON.stringify(value) ?? "unknown";
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...names].filter((name) => say(before[name]) !== say(now[name]))
    .map((name) => `${name} was ${say(before[name])}, is ${say(now[name])}`);
}

async function hash(integers: readonly number[]): Promise<string> {
  return encodeHex(await crypto.subtle.digest("SHA-256", Int32Array.from(integers)));
}
