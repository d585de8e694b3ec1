/**
 * Examples as sequences: inputs, targets, and which of the targets count. All batches and reports
 * use these, so that masks and lengths are applied in one place.
 *
 * @module
 */

import { assertKnownOptions, type OptionNames } from "../options.ts";
import { type CountedRange, countedRanges, type Mask } from "../text/mask.ts";
import type { EncodedExample } from "./encode.ts";

/** Which targets of a batch count, and how long its sequences may be. */
export interface CountOptions {
  /**
   * Which tokens count.
   *
   * @default {"prompt"}
   */
  readonly mask?: Mask;
  /** The most input tokens of a sequence; the rest is cut off. Unbounded by default. */
  readonly maxLength?: number;
}

/** The names of {@linkcode CountOptions}. */
export const COUNT_OPTIONS: OptionNames<CountOptions> = { mask: true, maxLength: true };

/** One example as inputs and targets, cut to the allowed length. */
export interface Sequence {
  /** The model's input, length n: prompt and response without the end token. */
  inputs: number[];
  /** Each input's successor, length n. */
  targets: number[];
  /** Ranges of indices whose targets count, in order, none empty, each with the weight of its targets. */
  counted: CountedRange[];
  /** Whether tokens were cut off. */
  cut: boolean;
}

/**
 * An example as inputs and targets: the targets are the joined tokens shifted left by one. Both are
 * cut at `maxLength`, as in Raschka's chapter 7.
 *
 * @param example The example.
 * @param options The mask and the allowed length.
 * @returns Inputs, targets, and which of them count.
 * @throws {RangeError} If `maxLength` is not a positive integer.
 */
export function toSequence(example: EncodedExample, options: CountOptions = {}): Sequence {
  const { mask = "prompt", maxLength = Infinity } = options;
  if (maxLength !== Infinity && !(Number.isInteger(maxLength) && maxLength >= 1)) {
    throw new RangeError(`Cannot cut at ${maxLength} tokens: maxLength must be a positive integer`);
  }
  const ids = [...example.promptIds, ...example.responseIds];
  const length = Math.min(ids.length - 1, maxLength);
  const { weight: ofExample = 1 } = example;
  return {
    inputs: ids.slice(0, length),
    targets: ids.slice(1, length + 1),
    counted: countedRanges(example, mask)
      .map(([start, end, weight]): CountedRange => [
        start - 1,
        Math.min(end - 1, length),
        weight * ofExample,
      ])
      .filter(([start, end]) => start < end),
    cut: ids.length - 1 > length,
  };
}

/** How many of a sequence's targets count. */
export function tokensCounted({ counted }: Sequence): number {
  return counted.reduce((sum, [start, end]) => sum + end - start, 0);
}

/** The sizes of a batch. */
export interface BatchSizes {
  /** Tokens that a network computes for the batch. */
  readonly tokensComputed: number;
  /** Targets that count. */
  readonly tokensCounted: number;
  /** Tokens that the padded batch computes. */
  readonly tokensPadded: number;
  /** The tokens of them that are not padding. */
  readonly tokensReal: number;
  /** Sequences that were cut at `maxLength`. */
  readonly cut: number;
}

/** Sequences of a batch, the length of the longest, and the sizes that do not depend on the layout. */
export interface BatchSequences {
  readonly sequences: readonly Sequence[];
  readonly length: number;
  readonly sizes: Omit<BatchSizes, "tokensComputed">;
}

/**
 * Converts a batch's examples to sequences.
 *
 * @param examples The examples.
 * @param options The mask and the allowed length.
 * @returns The sequences and their sizes.
 * @throws {RangeError} If there are no examples.
 */
export function toSequences(
  examples: readonly EncodedExample[],
  options: CountOptions,
): BatchSequences {
  if (examples.length === 0) throw new RangeError("Cannot make a batch of no examples");
  const sequences = examples.map((example) => toSequence(example, options));
  const lengths = sequences.map(({ inputs }) => inputs.length);
  const length = Math.max(...lengths);
  return {
    sequences,
    length,
    sizes: {
      tokensCounted: sequences.reduce((sum, one) => sum + tokensCounted(one), 0),
      tokensPadded: sequences.length * length,
      tokensReal: lengths.reduce((sum, one) => sum + one, 0),
      cut: sequences.filter(({ cut }) => cut).length,
    },
  };
}

/** The effect of a maximum length on a data set. */
export interface LengthReport {
  /** The number of examples. */
  examples: number;
  /** The indices of those longer than allowed. */
  cut: number[];
  /** The indices of those without counted tokens. */
  uncounted: number[];
  /** Both in one sentence; `undefined` if there is nothing to report. */
  message: string | undefined;
}

/**
 * Finds the examples that a maximum length cuts, and those without counted tokens, so that neither
 * happens silently.
 *
 * @param examples The examples.
 * @param options The mask and the allowed length.
 * @returns Their indices, and a sentence for users.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { reportLengths } from "tunebook/data";
 *
 * const example = { promptIds: [1, 2, 3], responseIds: [4, 5], instructionLength: 1 };
 * const { cut, uncounted } = reportLengths([example, example], { maxLength: 2 });
 * assertEquals([cut, uncounted], [[0, 1], [0, 1]]); // the response is cut off
 * ```
 */
export function reportLengths(
  examples: readonly EncodedExample[],
  options: CountOptions = {},
): LengthReport {
  assertKnownOptions("report lengths", options, COUNT_OPTIONS);
  const cut: number[] = [];
  const uncounted: number[] = [];
  for (const [index, example] of examples.entries()) {
    const sequence = toSequence(example, options);
    if (sequence.cut) cut.push(index);
    if (sequence.counted.length === 0) uncounted.push(index);
  }
  const total = examples.length;
  const sentences = [];
  if (cut.length > 0) {
    sentences.push(`${cut.length} of ${total} examples are cut to ${options.maxLength} tokens`);
  }
  if (uncounted.length > 0) {
    sentences.push(
      `${uncounted.length} of ${total} have no token that counts under the mask ` +
        `"${options.mask ?? "prompt"}" (the first is example ${uncounted[0]! + 1})`,
    );
  }
  return {
    examples: total,
    cut,
    uncounted,
    message: sentences.length > 0 ? sentences.join("; ") : undefined,
  };
}

/**
 * Removes examples without counted tokens.
 *
 * @param examples The examples.
 * @param options Mask and allowed length.
 * @returns The others, in their order.
 */
export function withCounted(
  examples: readonly EncodedExample[],
  options: CountOptions,
): readonly EncodedExample[] {
  const uncounted = new Set(reportLengths(examples, options).uncounted);
  return uncounted.size === 0 ? examples : examples.filter((_, i) => !uncounted.has(i));
}
