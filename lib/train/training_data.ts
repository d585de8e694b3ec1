/**
 * The data of a training: which examples, in which batches, how many steps.
 *
 * @module
 */

import type { EncodedExample } from "../dataset/encode.ts";
import { type BatchLayout, forest } from "../dataset/forest.ts";
import { type BatchSizes, reportLengths } from "../dataset/sequences.ts";
import type { ForestBatch } from "../forest.ts";
import type { Network } from "../model/mod.ts";
import type { Mask } from "../text/mod.ts";
import { withCounted } from "../dataset/sequences.ts";
import { type BatchPart, shareBatch } from "../dataset/share.ts";
import type { TrainingSettings } from "./settings.ts";
import { StepOrder } from "./step_order.ts";

/** The prepared data of a training. */
export class TrainingData {
  /** The training examples. */
  readonly examples: readonly EncodedExample[];
  /** The validation examples, without those that have no counted tokens. */
  readonly evaluated: {
    readonly train: readonly EncodedExample[];
    readonly validation: readonly EncodedExample[];
  };
  /** Warnings to show before it begins: examples that are cut or left out. */
  readonly notices: readonly string[];
  /** Which tokens count, and the most tokens of a sequence. */
  readonly count: { readonly mask: Mask; readonly maxLength: number };
  /** How the sequences of a batch are laid out. */
  readonly layout: BatchLayout;
  /** The number of steps per epoch. */
  readonly stepsPerEpoch: number;
  readonly #options: TrainingSettings;
  readonly #counted: ReadonlySet<EncodedExample>;
  readonly #order: StepOrder;

  /**
   * @param model The network, whose dropout requires separate sequences.
   * @param options Data, order, batch size, mask and lengths.
   * @throws {TypeError} If the model has dropout and the layout is a forest.
   * @throws {RangeError} If a step or all examples have no counted tokens.
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
          `${maxLength} tokens per sequence, no token of them counts`,
      );
    }
    this.evaluated = { train: counted, validation: withCounted(validation, this.count) };
    this.notices = [
      reportLengths(examples, this.count).message,
      prefixed("Validation: ", reportLengths(validation, this.count).message),
      this.#unwatchedTopics(),
    ].filter((notice) => notice !== undefined);
    // Explicit orders refer to examples by index, so none are removed.
    this.examples = typeof order === "string" ? counted : examples;
    this.#counted = new Set(counted);
    this.#order = new StepOrder(this.examples.length, options);
    this.#assertStepsCount();
    this.stepsPerEpoch = this.#order.stepsPerEpoch;
    const remainder = this.#order.describeRemainder("examples");
    if (remainder !== undefined) this.notices = [...this.notices, remainder];
  }

  /**
   * The batches of a step, each with counted tokens.
   *
   * @param taken The number of steps before it.
   * @returns One batch, or several whose gradients are accumulated.
   */
  batchesOf(taken: number): (ForestBatch & BatchSizes)[] {
    return this.#examplesOf(taken)
      .map((examples) => forest(examples, { ...this.count, layout: this.layout }));
  }

  /**
   * The batches of a step, shared among ranks.
   *
   * @param taken The number of steps before it.
   * @param ranks How many ranks.
   * @returns For each batch, every rank's part.
   */
  partsOf(taken: number, ranks: number): BatchPart[][] {
    return this.#examplesOf(taken)
      .map((examples) => shareBatch(examples, ranks, { ...this.count, layout: this.layout }));
  }

  /**
   * Compares steps without laying out their batches.
   *
   * @param taken The number of steps before it.
   * @returns The tokens of its largest batch, with none shared.
   */
  sizeOf(taken: number): number {
    const { maxLength } = this.count;
    return Math.max(
      ...this.#examplesOf(taken).map((examples) =>
        examples.reduce(
          (sum, { promptIds, responseIds }) =>
            sum + Math.min(promptIds.length + responseIds.length, maxLength),
          0,
        )
      ),
    );
  }

  #examplesOf(taken: number): EncodedExample[][] {
    return this.#order.batchesOf(taken)
      .map((indices) => indices.map((i) => this.examples[i]))
      .filter((examples) => examples.some((example) => this.#counted.has(example)));
  }

  /** Names topics whose loss no evaluation measures. */
  #unwatchedTopics(): string | undefined {
    const { evalEvery, evalIters, batchSize } = this.#options;
    const { train, validation } = this.evaluated;
    const topics = new Set(train.map(({ topic }) => topic));
    if (evalEvery === 0 || topics.size < 2) return undefined;
    const most = evalIters === "all" ? Infinity : evalIters * batchSize;
    const measured = (validation.length > 0 ? validation : train).slice(0, most);
    for (const { topic } of measured) topics.delete(topic);
    topics.delete(undefined);
    if (topics.size === 0) return undefined;
    return `No evaluation measures the loss of the topic${topics.size > 1 ? "s" : ""} ` +
      `"${
        [...topics].join('", "')
      }", of which the examples to evaluate on have none; a stratified split and ` +
      'evalIters "all" have each topic';
  }

  /** Finds a step without counted tokens before hours are spent on earlier steps. */
  #assertStepsCount(): void {
    const { mask, maxLength } = this.count;
    const { accumulate } = this.#options;
    for (const [at, batches] of this.#order.of(0).entries()) {
      const indices = batches.flat();
      if (indices.some((i) => this.#counted.has(this.examples[i]))) continue;
      const name = accumulate === 1
        ? `batch ${at + 1}`
        : `batches ${at * accumulate + 1} to ${at * accumulate + batches.length}`;
      throw new RangeError(
        `Cannot learn from ${name} of the order (examples ${indices.join(", ")}): under ` +
          `the mask "${mask}" and with at most ${maxLength} tokens per sequence, no token of it counts`,
      );
    }
  }
}

function prefixed(prefix: string, message: string | undefined): string | undefined {
  return message === undefined ? undefined : prefix + message;
}
