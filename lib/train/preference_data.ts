/**
 * The data of a training on preferences: which pairs, in which batches, how many steps.
 *
 * @module
 */

import {
  type EncodedPair,
  type PreferenceBatch,
  preferenceForest,
} from "../dataset/preferences.ts";
import { toSequence } from "../dataset/sequences.ts";
import type { Network } from "../model/mod.ts";
import type { DpoSettings } from "./dpo_options.ts";
import { rankLeader } from "./notebook_ranks.ts";
import { assertValidated } from "./options.ts";
import { StepOrder } from "./step_order.ts";

/** A batch with its reference: log-probabilities of its answers, (2 B), those of a pair one after the other. */
export interface ReferredBatch extends PreferenceBatch {
  readonly reference: Float32Array<ArrayBuffer>;
}

/** The prepared pairs of a training. */
export class PreferenceData {
  /** The training pairs. */
  readonly pairs: readonly EncodedPair[];
  /** The validation pairs. */
  readonly validation: readonly EncodedPair[];
  /** Warnings to show before it begins: pairs that are cut or left out. */
  readonly notices: readonly string[];
  /** The number of steps per epoch. */
  readonly stepsPerEpoch: number;
  readonly #settings: DpoSettings;
  readonly #order: StepOrder;

  /**
   * @param model The network, whose dropout is off.
   * @param settings Data, order, batch size and lengths.
   * @throws {RangeError} If no pair has tokens of both answers left.
   */
  constructor(model: Pick<Network, "hasDropout">, settings: DpoSettings) {
    this.#settings = settings;
    const { pairs, validation, order, maxLength } = settings;
    const [learnt, left] = withAnswers(pairs, maxLength);
    const [validated, leftOfValidation] = withAnswers(validation, maxLength);
    // Explicit orders refer to pairs by index, so none may be left out.
    if (learnt.length === 0 || (left !== undefined && typeof order !== "string")) {
      throw new RangeError(
        `Cannot learn from ${pairs.length} pairs: ${left ?? "expected at least one"}`,
      );
    }
    this.pairs = learnt;
    this.validation = validated;
    assertValidated(settings, validated);
    this.#order = new StepOrder(learnt.length, settings);
    this.stepsPerEpoch = this.#order.stepsPerEpoch;
    this.notices = [
      left,
      leftOfValidation && `Validation: ${leftOfValidation}`,
      describeCut([...learnt, ...validated], maxLength),
      model.hasDropout
        ? "the model's dropout is off, because it would make the answers' log-probabilities noisy"
        : undefined,
      this.#order.describeRemainder("pairs"),
      rankLeader() && "other ranks take no part in a training on preferences",
    ].filter((notice) => notice !== undefined);
  }

  /**
   * The batches of a step.
   *
   * @param taken The number of steps before it.
   * @returns Indices of training pairs: one batch, or several whose gradients are accumulated.
   */
  indicesOf(taken: number): number[][] {
    return this.#order.batchesOf(taken);
  }

  /**
   * The first pairs in batches, in their order.
   *
   * @param count How many of them.
   * @returns Indices.
   */
  *inOrder(count: number): Generator<number[]> {
    const { batchSize } = this.#settings;
    for (let first = 0; first < count; first += batchSize) {
      yield Array.from({ length: Math.min(batchSize, count - first) }, (_, i) => first + i);
    }
  }

  /**
   * Lays out a batch.
   *
   * @param pairs The pairs that the indices refer to.
   * @param reference Log-probabilities of their answers, (2 N).
   * @param indices Which pairs.
   * @returns The batch.
   */
  batchOf(
    pairs: readonly EncodedPair[],
    reference: Float32Array,
    indices: readonly number[],
  ): ReferredBatch {
    const { maxLength, layout } = this.#settings;
    return {
      ...preferenceForest(indices.map((i) => pairs[i]!), { maxLength, layout }),
      reference: Float32Array.from(
        indices.flatMap((i) => [reference[2 * i]!, reference[2 * i + 1]!]),
      ),
    };
  }
}

/**
 * The examples of pairs.
 *
 * @param pairs The pairs.
 * @returns Those of a pair one after the other, the chosen one first.
 */
export function examplesOf(pairs: readonly EncodedPair[]) {
  return pairs.flatMap(({ chosen, rejected }) => [chosen, rejected]);
}

/** The pairs of which some tokens of both answers are left, and a sentence about the others. */
function withAnswers(
  pairs: readonly EncodedPair[],
  maxLength: number,
): [kept: readonly EncodedPair[], left: string | undefined] {
  const isLeft = (pair: EncodedPair) =>
    examplesOf([pair]).every((example) => toSequence(example, { maxLength }).counted.length > 0);
  const kept = pairs.filter(isLeft);
  if (kept.length === pairs.length) return [pairs, undefined];
  const first = pairs.findIndex((pair) => !isLeft(pair));
  const count = pairs.length - kept.length;
  return [
    kept,
    `${count} of ${pairs.length} pairs are left out, because no token of an answer is within ` +
    `${maxLength} tokens (the first is pair ${first + 1})`,
  ];
}

function describeCut(pairs: readonly EncodedPair[], maxLength: number): string | undefined {
  const cut = examplesOf(pairs).filter((example) => toSequence(example, { maxLength }).cut).length;
  if (cut === 0) return undefined;
  return `${cut} of ${
    2 * pairs.length
  } answers are cut, because they are not within ${maxLength} tokens`;
}
