// What a training takes, estimated from a model's shapes: arithmetic, memory, and how much learns.

import { assertBlocks, matchesName } from "../model/trainable.ts";
import type { ModelPlan } from "../model/families/family.ts";
import { isLinearWeight } from "../model/families/traits.ts";
import type { QuantizedType } from "../model/quantize.ts";
import type { NamePattern } from "../model/trainable.ts";
import { sizeOf } from "../tensor/tensor.ts";
import { packedBytes } from "../tensor/packed.ts";

/** What is asked of a model's configuration. */
export type Shape = Pick<
  ModelPlan,
  "family" | "contextLength" | "vocabularySize" | "width" | "layers" | "shapes"
>;

/** How the model is trained: all of it, or adapters beside weights that may be packed. */
export interface Way {
  /** Rank of the adapters; without it all weights learn. */
  readonly loraRank?: number;
  /** Which layers are adapted; all linear ones by default. */
  readonly loraTargets?: NamePattern;
  /** How linear layers are packed, if they are. */
  readonly quantize?: QuantizedType;
  /** Which weights do not learn; none by default. */
  readonly freeze?: NamePattern;
}

/** What one epoch computes. */
export interface Work {
  steps: number;
  tokensPadded: number;
  tokensComputed: number;
  tokensCounted: number;
  largestBatch: number;
  largestLossRows: number;
  flops: number;
}

/** The linear layers' names and shapes: each block's matrices. */
function linearsOf({ family, shapes }: Shape): [name: string, shape: readonly number[]][] {
  return [...shapes].filter(([name, shape]) => isLinearWeight(family, name, shape)).map((
    [name, shape],
  ) => [
    name.slice(0, -".weight".length),
    shape,
  ]);
}

/** How many weights the model has. */
export function countWeights({ shapes }: Pick<Shape, "shapes">): number {
  return [...shapes.values()].reduce((sum, shape) => sum + sizeOf(shape), 0);
}

/** How many numbers learn: all weights, or A and B of each adapter. */
export function countLearning(config: Shape, way: Way): number {
  const { loraRank, loraTargets = /(?:)/, freeze } = way;
  if (loraRank === undefined) {
    if (freeze === undefined) return countWeights(config);
    assertBlocks(freeze, config.layers);
    const learnt = [...config.shapes].filter(([name]) => !matchesName(name, freeze));
    return countWeights({ shapes: new Map(learnt) });
  }
  assertBlocks(loraTargets, config.layers);
  const adapted = linearsOf(config).filter(([name]) => matchesName(name, loraTargets));
  return adapted.reduce((sum, [, [rows, columns]]) => sum + loraRank * (rows + columns), 0);
}

/**
 * Multiplications and additions of one step: forward, the gradients of what flows through the layers, and as much again
 * for the weights' own where these learn.
 */
export function stepFlops(config: Shape, way: Way, tokens: number, lossRows: number): number {
  const { width, vocabularySize } = config;
  const elements = linearsOf(config).reduce((sum, [, shape]) => sum + sizeOf(shape), 0);
  const projections = 2 * tokens * elements;
  const head = 2 * lossRows * width * vocabularySize;
  if (way.loraRank === undefined) return 3 * (projections + head);
  return 2 * (projections + head) + 6 * tokens * countLearning(config, way);
}

/** Weights; gradients and two moments of what learns; activations kept for the backward; logits. */
export function estimateMemory(config: Shape, way: Way, work: Work): number {
  const { width, layers, vocabularySize } = config;
  const linears = linearsOf(config);
  let weights = 4 * countWeights(config);
  if (way.quantize) {
    for (const [, [rows, columns]] of linears) {
      weights += packedBytes(way.quantize, rows, columns).total - 4 * rows * columns;
    }
  }
  const learning = countLearning(config, way);
  const states = (way.loraRank === undefined ? 12 : 16) * learning;
  const perToken = linears.reduce((sum, [, [a, b]]) => sum + a + b, 0) + 4 * width * (layers + 1);
  const logits = work.largestLossRows * vocabularySize;
  return weights + states + 4 * (work.largestBatch * perToken + logits);
}
