/**
 * The order of a training: which examples, or pairs, are in each batch of each step.
 *
 * @module
 */

import { chunk } from "@std/collections/chunk";
import { orderBatches } from "../dataset/batches.ts";
import type { TrainingOptions } from "./options.ts";

/** The settings that decide the order. */
type OrderSettings = Required<
  Pick<TrainingOptions, "batchSize" | "accumulate" | "order" | "seed" | "dropLast">
>;

/** The order of a training's steps. */
export class StepOrder {
  /** The number of steps per epoch. */
  readonly stepsPerEpoch: number;
  readonly #length: number;
  readonly #settings: OrderSettings;
  #epochSteps: { epoch: number; steps: number[][][] } | undefined;

  /**
   * @param length How many examples there are.
   * @param settings Batch size, order, seed.
   * @throws {RangeError} If a given order names an example that does not exist.
   */
  constructor(length: number, settings: OrderSettings) {
    this.#length = length;
    this.#settings = settings;
    this.stepsPerEpoch = this.of(0).length;
  }

  /**
   * An epoch's steps.
   *
   * @param epoch The epoch, from 0.
   * @returns For each step, one or more batches of indices.
   */
  of(epoch: number): number[][][] {
    if (this.#epochSteps?.epoch !== epoch) {
      this.#epochSteps = { epoch, steps: this.#orderSteps(epoch) };
    }
    return this.#epochSteps.steps;
  }

  /**
   * The batches of a step.
   *
   * @param taken The number of steps before it.
   * @returns One batch of indices, or several whose gradients are accumulated.
   */
  batchesOf(taken: number): number[][] {
    return this.of(Math.floor(taken / this.stepsPerEpoch))[taken % this.stepsPerEpoch];
  }

  /**
   * Says what becomes of the examples that fill no batch.
   *
   * @param what What they are called: `examples`.
   * @returns A sentence; undefined if all fill one.
   */
  describeRemainder(what: string): string | undefined {
    const { batchSize, accumulate, order, dropLast } = this.#settings;
    const length = this.#length;
    const stepSize = batchSize * accumulate;
    const remainder = length % stepSize;
    if (typeof order !== "string" || length < stepSize || remainder === 0) return undefined;
    return dropLast
      ? `${remainder} of ${length} ${what} are left out of each epoch, because they fill no batch of ${stepSize}`
      : `the last step of each epoch has ${remainder} of ${stepSize} ${what}`;
  }

  #orderSteps(epoch: number): number[][][] {
    const { batchSize, accumulate, order, seed, dropLast } = this.#settings;
    const length = this.#length;
    if (typeof order !== "string") {
      return chunk(orderBatches(length, { order }), accumulate);
    }
    // The examples of one large batch, in parts.
    const stepSize = batchSize * accumulate;
    const full = dropLast && length >= stepSize;
    const options = { batchSize: stepSize, order, seed, epoch, dropLast: full };
    return orderBatches(length, options).map((indices) => chunk(indices, batchSize));
  }
}
