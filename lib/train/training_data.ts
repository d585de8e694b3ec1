/**
 * What a training learns from and is measured on: which examples, in which batches, how many steps.
 *
 * @module
 */

import { chunk } from "@std/collections";
import {
  type BatchLayout,
  type BatchSizes,
  type EncodedExample,
  forest,
  type ForestBatch,
  orderBatches,
  reportLengths,
} from "../dataset/mod.ts";
import type { Network } from "../model/mod.ts";
import type { Mask } from "../text/mod.ts";
import { withCounted } from "./evaluate.ts";
import type { TrainingSettings } from "./settings.ts";

/** The data of a training, put in order. */
export class TrainingData {
  /** What is trained on. */
  readonly examples: readonly EncodedExample[];
  /** What is evaluated on, examples of which nothing counts left out. */
  readonly evaluated: {
    readonly train: readonly EncodedExample[];
    readonly validation: readonly EncodedExample[];
  };
  /** What a person should know before it begins: examples that are cut or left out. */
  readonly notices: readonly string[];
  /** Which tokens count, and the most tokens of a sequence. */
  readonly count: { readonly mask: Mask; readonly maxLength: number };
  /** How a batch's sequences stand together. */
  readonly layout: BatchLayout;
  /** Steps that go once through the examples. */
  readonly stepsPerEpoch: number;
  readonly #options: TrainingSettings;
  readonly #counted: ReadonlySet<EncodedExample>;
  #epochSteps: { epoch: number; steps: number[][][] } | undefined;

  /**
   * @param model The network, whose dropout keeps sequences apart.
   * @param options Data, order, batch size, mask and lengths.
   * @throws {TypeError} If the layout is a forest, in which dropout cannot keep examples apart.
   * @throws {RangeError} If in a step, or in all examples, nothing counts.
   */
  constructor(model: Pick<Network, "hasDropout">, options: TrainingSettings) {
    this.#options = options;
    const { examples, validation, mask, maxLength, order } = options;
    this.count = { mask, maxLength };
    if (options.layout === "forest" && model.hasDropout) {
      throw new TypeError(
        'Cannot train a model with dropout in the layout "forest", in which examples would share what is dropped: ' +
          'expected "packed" or "padded"',
      );
    }
    this.layout = options.layout;
    const counted = withCounted(examples, this.count);
    if (counted.length === 0) {
      throw new RangeError(
        `Cannot learn from ${examples.length} examples: under the mask "${mask}" and with at most ` +
          `${maxLength} tokens a sequence, no token of them counts`,
      );
    }
    this.evaluated = { train: counted, validation: withCounted(validation, this.count) };
    this.notices = [
      reportLengths(examples, this.count).message,
      prefixed("Validation: ", reportLengths(validation, this.count).message),
    ].filter((notice) => notice !== undefined);
    // Explicit orders name examples by index, so those must stay where they are.
    this.examples = typeof order === "string" ? counted : examples;
    this.#counted = new Set(counted);
    this.#assertStepsCount();
    this.stepsPerEpoch = this.#steps(0).length;
  }

  /**
   * The batches of a step, of which something counts in each.
   *
   * @param taken How many steps were taken before it.
   * @returns One batch, or several whose gradients are added up.
   */
  batchesOf(taken: number): (ForestBatch & BatchSizes)[] {
    const steps = this.#steps(Math.floor(taken / this.stepsPerEpoch));
    return steps[taken % this.stepsPerEpoch]
      .map((indices) => indices.map((i) => this.examples[i]))
      .filter((examples) => examples.some((example) => this.#counted.has(example)))
      .map((examples) => forest(examples, { ...this.count, layout: this.layout }));
  }

  /** An epoch's steps, each of one or more batches of indices. */
  #steps(epoch: number): number[][][] {
    if (this.#epochSteps?.epoch !== epoch) {
      this.#epochSteps = { epoch, steps: this.#orderSteps(epoch) };
    }
    return this.#epochSteps.steps;
  }

  #orderSteps(epoch: number): number[][][] {
    const { batchSize, accumulate, order, seed, dropLast } = this.#options;
    const { length } = this.examples;
    if (typeof order !== "string") {
      return chunk(orderBatches(length, { order }), accumulate);
    }
    // The same examples as a batch so many times as large, in parts.
    const stepSize = batchSize * accumulate;
    const full = dropLast && length >= stepSize;
    const options = { batchSize: stepSize, order, seed, epoch, dropLast: full };
    return orderBatches(length, options).map((indices) => chunk(indices, batchSize));
  }

  /** Finds a step of which nothing counts before hours are spent on those before it. */
  #assertStepsCount(): void {
    const { mask, maxLength } = this.count;
    const { accumulate } = this.#options;
    for (const [at, batches] of this.#steps(0).entries()) {
      const indices = batches.flat();
      if (indices.some((i) => this.#counted.has(this.examples[i]))) continue;
      const name = accumulate === 1
        ? `batch ${at + 1}`
        : `batches ${at * accumulate + 1} to ${at * accumulate + batches.length}`;
      throw new RangeError(
        `Cannot learn from ${name} of the order (examples ${indices.join(", ")}): under ` +
          `the mask "${mask}" and with at most ${maxLength} tokens a sequence, no token of it counts`,
      );
    }
  }
}

function prefixed(prefix: string, message: string | undefined): string | undefined {
  return message === undefined ? undefined : prefix + message;
}
