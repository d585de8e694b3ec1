/**
 * A linear layer and cross-entropy in one, over the edges of a batch that carry loss.
 *
 * An edge says: after row `rows[e]` comes token `targets[e]`, and that counts `counts[e]` times. Rows without an edge
 * never reach the vocabulary matrix. The vocabulary is taken in chunks, so that no buffer need fit one binding: one
 * running maximum and sum a row (Milakov & Gimelshein, "Online normalizer calculation for softmax", 2018), and logits
 * that are overwritten by their gradients.
 *
 * @module
 */

import type { LossEdges } from "../../../forest.ts";
import { defineKernel } from "../../device.ts";
import { add } from "../../elementwise/add.ts";
import { log } from "../../elementwise/log.ts";
import { sub } from "../../elementwise/sub.ts";
import { isRecorded, noGrad, record } from "../../recording.ts";
import { scope } from "../../scope.ts";
import { formatShape, type Gradients, Tensor } from "../../tensor.ts";
import { fold, overRows } from "../../webgpu/plans.ts";
import sumOverGroup from "../../webgpu/wgsl/sum_over_group.wgsl" with { type: "text" };
import { embedding } from "../embedding/embedding.ts";
import { matmulInto } from "../matmul/matmul.ts";
import { reshape } from "../reshape/reshape.ts";
import { cappedCrossEntropy, cappedLogProbs } from "../soft_cap/soft_cap.ts";
import { split } from "../split/split.ts";
import backwardWgsl from "./backward.wgsl" with { type: "text" };
import forwardWgsl from "./forward.wgsl" with { type: "text" };
import lossWgsl from "./loss.wgsl" with { type: "text" };
import { assertKnownOptions, type OptionNames } from "../../../options.ts";

/**
 * Goes over the logits (rows, tokens) of tokens `firstToken` … of the vocabulary: updates each row's running maximum
 * and sum of exponentials in `statistics` (rows, 2), initialized if `firstToken` is 0, and writes
 * the logits of targets within this chunk to `targetLogits` (edges). Row r's edges are starts[r] …
 * starts[r + 1].
 */
export const forwardKernel = defineKernel({
  name: "crossEntropy.forward",
  buffers: {
    logits: "read",
    starts: "read",
    targets: "read",
    statistics: "update",
    targetLogits: "update",
  },
  params: { rows: "u32", tokens: "u32", firstToken: "u32" },
  webgpu: overRows({
    source: forwardWgsl,
    uniforms: { firstRow: "u32" },
    rows: ({ rows }) => rows,
    widths: ({ tokens }) => ({ logits: tokens }),
    dispatch: ({ first, count }) => ({
      params: { rows: count },
      uniforms: { firstRow: first },
      workgroups: fold(count),
    }),
  }),
});

/** loss = factor · Σ counts[e] · (log-sum-exp of e's row − targetLogits[e]), summed in the order of edges. */
export const lossKernel = defineKernel({
  name: "crossEntropy.loss",
  buffers: {
    statistics: "read",
    starts: "read",
    counts: "read",
    targetLogits: "read",
    loss: "write",
  },
  params: { rows: "u32", factor: "f32" },
  webgpu: { source: sumOverGroup + lossWgsl, plan: () => [{ workgroups: [1] }] },
});

/** logits = dLoss · factor · (Σ counts of the row · softmax − Σ counts of the row's edges to this token). */
export const backwardKernel = defineKernel({
  name: "crossEntropy.backward",
  buffers: {
    logits: "update",
    starts: "read",
    targets: "read",
    counts: "read",
    statistics: "read",
    dLoss: "read",
  },
  params: { rows: "u32", tokens: "u32", firstToken: "u32", factor: "f32" },
  webgpu: overRows({
    source: backwardWgsl,
    uniforms: { firstRow: "u32" },
    rows: ({ rows }) => rows,
    widths: ({ tokens }) => ({ logits: tokens }),
    dispatch: ({ first, count }) => ({
      params: { rows: count },
      uniforms: { firstRow: first },
      workgroups: fold(count),
    }),
  }),
});

/** Options of {@linkcode linearCrossEntropy}. */
export interface LinearCrossEntropyOptions {
  /** What the summed loss is divided by; the sum of counts by default, which makes it a mean. */
  readonly normalizer?: number;
  /** Tokens of the vocabulary that are taken at a time; by default what fits a binding and a cache. */
  readonly chunkSize?: number;
  /** Logits are bent towards this limit, as by `softCap`; not at all by default. They are then whole rows. */
  readonly softCap?: number;
}

/** Options of {@linkcode linearLogProbs}. */
export type LinearLogProbsOptions = Omit<LinearCrossEntropyOptions, "normalizer">;

const LINEAR_LOG_PROBS_OPTIONS: OptionNames<LinearLogProbsOptions> = {
  chunkSize: true,
  softCap: true,
};
const LINEAR_CROSS_ENTROPY_OPTIONS: OptionNames<LinearCrossEntropyOptions> = {
  normalizer: true,
  ...LINEAR_LOG_PROBS_OPTIONS,
};

/** Logits of a chunk take at most this many bytes by default. */
const CHUNK_BYTES = 16 * 1024 * 1024;

/**
 * Mean negative log-likelihood of the edges' targets under softmax(hidden · weightᵀ).
 *
 * @param hidden (T, C).
 * @param weight (V, C): the output head, or the embedding that is tied to it.
 * @param edges Which rows predict which tokens; at least one.
 * @param options Normalisation and chunks.
 * @returns A scalar, in nats.
 * @throws {TypeError} If the shapes do not fit.
 * @throws {RangeError} If there is no edge, rows do not ascend, or a row or target is out of range.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { linearCrossEntropy, zeros } from "tunebook/tensor";
 *
 * const edges = { rows: Int32Array.of(0), targets: Int32Array.of(3), counts: Float32Array.of(1) };
 * const loss = linearCrossEntropy(zeros([1, 4]), zeros([8, 4]), edges); // all of 8 tokens alike
 * assertEquals((await loss.item()).toFixed(4), Math.log(8).toFixed(4));
 * ```
 */
export function linearCrossEntropy(
  hidden: Tensor,
  weight: Tensor,
  edges: LossEdges,
  options: LinearCrossEntropyOptions = {},
): Tensor {
  assertKnownOptions("compute the loss", options, LINEAR_CROSS_ENTROPY_OPTIONS);
  const vocabularySize = assertWidths(hidden, weight);
  const { rows, starts } = groupEdges(edges, hidden.rows, vocabularySize);
  const { device } = hidden;
  const count = edges.counts.reduce((sum, value) => sum + value, 0);
  const factor = 1 / (options.normalizer ?? count);
  const { softCap } = options;
  if (softCap !== undefined) return cappedCrossEntropy(hidden, weight, edges, { factor, softCap });

  const pass = passVocabulary(hidden, weight, { rows, starts, targets: edges.targets }, options);
  const counts = Tensor.from(device, edges.counts);
  const loss = Tensor.empty(device, []);
  device.run(
    lossKernel,
    {
      statistics: pass.statistics.buffer,
      starts: pass.starts.buffer,
      counts: counts.buffer,
      targetLogits: pass.targetLogits.buffer,
      loss: loss.buffer,
    },
    { rows: rows.length, factor },
  );
  return record(loss, [pass.selected, weight], (dLoss, gradients) => {
    pass.backward(gradients, { counts, dLoss, factor });
    counts.dispose();
  });
}

/**
 * Log-probabilities of the edges' targets under softmax(hidden · weightᵀ): what `linearCrossEntropy` sums, one by one, for
 * losses that are not a mean of them. The edges' counts are not used.
 *
 * @param hidden (T, C).
 * @param weight (V, C): the output head, or the embedding that is tied to it.
 * @param edges Which rows predict which tokens; at least one.
 * @param options Chunks and the soft cap.
 * @returns (E), in nats; none is above 0.
 * @throws {TypeError} If the shapes do not fit.
 * @throws {RangeError} If there is no edge, rows do not ascend, or a row or target is out of range.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { linearLogProbs, zeros } from "tunebook/tensor";
 *
 * const edges = { rows: Int32Array.of(0), targets: Int32Array.of(3), counts: Float32Array.of(1) };
 * const logProbs = linearLogProbs(zeros([1, 4]), zeros([8, 4]), edges); // all of 8 tokens alike
 * assertEquals((await logProbs.data())[0].toFixed(4), (-Math.log(8)).toFixed(4));
 * ```
 */
export function linearLogProbs(
  hidden: Tensor,
  weight: Tensor,
  edges: LossEdges,
  options: LinearLogProbsOptions = {},
): Tensor {
  assertKnownOptions("compute log-probabilities", options, LINEAR_LOG_PROBS_OPTIONS);
  const vocabularySize = assertWidths(hidden, weight);
  const { rows, starts } = groupEdges(edges, hidden.rows, vocabularySize);
  const { device } = hidden;
  const { targets } = edges;
  if (options.softCap !== undefined) {
    return reshape(cappedLogProbs(hidden, weight, edges, options.softCap), [targets.length]);
  }
  const pass = passVocabulary(hidden, weight, { rows, starts, targets }, options);
  const logProbs = noGrad(() =>
    scope(() => {
      const [maxima, sums] = split(pass.statistics, [1, 1]); // (R, 1)
      const rowOf = Int32Array.from(targets);
      for (let row = 0; row < rows.length; row++) rowOf.fill(row, starts[row], starts[row + 1]);
      const logSums = embedding(add(maxima, log(sums)), rowOf); // (E, 1)
      return sub(pass.targetLogits, reshape(logSums, [targets.length]));
    })
  );
  return record(logProbs, [pass.selected, weight], (dLogProbs, gradients) => {
    // A log-probability's gradient is that of an edge's loss that counts −1 times.
    const one = Tensor.from(device, Float32Array.of(1));
    pass.backward(gradients, { counts: dLogProbs, dLoss: one, factor: -1 });
    one.dispose();
  });
}

/** Which rows predict what: distinct rows, where each one's edges start, and the edges' targets. */
interface GroupedEdges {
  readonly rows: Int32Array;
  readonly starts: Int32Array;
  readonly targets: Int32Array;
}

/** All logits, a part of the vocabulary at a time, and what is kept of them. */
interface VocabularyPass {
  /** The rows that have edges, (R, C). */
  readonly selected: Tensor;
  /** Where each row's edges start, (R + 1). */
  readonly starts: Tensor;
  /** Each row's maximum, and the sum of exponentials of what is below it, (R, 2). */
  readonly statistics: Tensor;
  /** Each edge's logit, (E). */
  readonly targetLogits: Tensor;
  /** Adds the gradients of factor · dLoss · Σ counts[e] · (log-sum-exp of e's row − targetLogits[e]); once. */
  backward(
    gradients: Gradients,
    upstream: { readonly counts: Tensor; readonly dLoss: Tensor; readonly factor: number },
  ): void;
}

function passVocabulary(
  hidden: Tensor,
  weight: Tensor,
  { rows, starts, targets }: GroupedEdges,
  { chunkSize }: { readonly chunkSize?: number },
): VocabularyPass {
  const { device } = hidden;
  const { width } = weight;
  const chunks = chunkVocabulary(weight, rows.length, chunkSize);
  const keepLogits = isRecorded(hidden, weight);
  const selected = rows.length === hidden.rows ? hidden : embedding(hidden, rows); // (R, C)
  const startsTensor = Tensor.from(device, starts);
  const targetsTensor = Tensor.from(device, targets);
  const statistics = Tensor.empty(device, [rows.length, 2]);
  const targetLogits = Tensor.empty(device, [targets.length]);

  const logitsOfChunks = chunks.map(({ first, tokens }) => {
    const logits = Tensor.empty(device, [rows.length, tokens]);
    matmulInto(logits, selected, weight, {
      m: rows.length,
      n: tokens,
      k: width,
      transposeB: true,
      bOffset: first * width,
    });
    device.run(
      forwardKernel,
      {
        logits: logits.buffer,
        starts: startsTensor.buffer,
        targets: targetsTensor.buffer,
        statistics: statistics.buffer,
        targetLogits: targetLogits.buffer,
      },
      { rows: rows.length, tokens, firstToken: first },
    );
    if (!keepLogits) logits.dispose();
    return logits;
  });

  const backward: VocabularyPass["backward"] = (gradients, { counts, dLoss, factor }) => {
    // Chunks are disjoint rows of the weight: each is written once, so all share one `accumulate`.
    const dWeight = gradients.wants(weight) ? gradients.into(weight) : undefined;
    chunks.forEach(({ first, tokens }, i) => {
      const dLogits = logitsOfChunks[i];
      device.run(
        backwardKernel,
        {
          logits: dLogits.buffer,
          starts: startsTensor.buffer,
          targets: targetsTensor.buffer,
          counts: counts.buffer,
          statistics: statistics.buffer,
          dLoss: dLoss.buffer,
        },
        { rows: rows.length, tokens, firstToken: first, factor },
      );
      if (dWeight) {
        matmulInto(dWeight.gradient, dLogits, selected, {
          m: tokens,
          n: width,
          k: rows.length,
          transposeA: true,
          cOffset: first * width,
          accumulate: dWeight.accumulate,
        });
      }
      if (gradients.wants(selected)) {
        const { gradient, accumulate } = gradients.into(selected);
        matmulInto(gradient, dLogits, weight, {
          m: rows.length,
          n: width,
          k: tokens,
          bOffset: first * width,
          accumulate,
        });
      }
      dLogits.dispose();
    });
    for (const saved of [startsTensor, targetsTensor, statistics]) saved.dispose();
  };
  return { selected, starts: startsTensor, statistics, targetLogits, backward };
}

/** Checks that a head fits hidden states; returns the size of its vocabulary. */
function assertWidths(hidden: Tensor, weight: Tensor): number {
  const [vocabularySize, width] = weight.shape;
  if (weight.shape.length === 2 && hidden.width === width) return vocabularySize;
  throw new TypeError(
    `Cannot compute the loss of hidden states of shape ${formatShape(hidden.shape)} with a ` +
      `weight of shape ${formatShape(weight.shape)}: widths must be equal`,
  );
}

/** Finds the distinct rows and where each one's edges start. */
function groupEdges(
  { rows, targets, counts }: LossEdges,
  hiddenRows: number,
  vocabularySize: number,
): { rows: Int32Array; starts: Int32Array } {
  if (rows.length === 0) {
    throw new RangeError("Cannot compute a loss without edges: no token of the batch counts");
  }
  if (targets.length !== rows.length || counts.length !== rows.length) {
    throw new TypeError(
      `Cannot compute a loss of ${rows.length} rows, ${targets.length} targets and ` +
        `${counts.length} counts: expected one of each an edge`,
    );
  }
  const distinct: number[] = [];
  const starts: number[] = [];
  for (let edge = 0; edge < rows.length; edge++) {
    const row = rows[edge];
    const previous = edge === 0 ? 0 : rows[edge - 1];
    if (row < previous || row >= hiddenRows) {
      throw new RangeError(
        `Cannot use row ${row} of edge ${edge}: rows ascend and end before ${hiddenRows}`,
      );
    }
    if (targets[edge] < 0 || targets[edge] >= vocabularySize) {
      throw new RangeError(
        `Cannot use target ${targets[edge]} of edge ${edge}: expected 0 to ${vocabularySize - 1}`,
      );
    }
    if (edge > 0 && row === previous) continue;
    distinct.push(row);
    starts.push(edge);
  }
  starts.push(rows.length);
  return { rows: Int32Array.from(distinct), starts: Int32Array.from(starts) };
}

/** Divides the vocabulary so that neither a chunk's logits nor its weights outgrow a binding. */
function chunkVocabulary(
  weight: Tensor,
  rows: number,
  chunkSize?: number,
): { first: number; tokens: number }[] {
  const [vocabularySize, width] = weight.shape;
  const { maxBindingSize } = weight.device;
  const fitting = Math.min(
    CHUNK_BYTES / (4 * rows),
    maxBindingSize / (4 * rows),
    maxBindingSize / (4 * width),
  );
  // Multiples of 64 rows keep every chunk's offset aligned as bindings need it.
  const size = chunkSize ?? Math.max(64, Math.floor(fitting / 64) * 64);
  const chunks: { first: number; tokens: number }[] = [];
  for (let first = 0; first < vocabularySize; first += size) {
    chunks.push({ first, tokens: Math.min(size, vocabularySize - first) });
  }
  return chunks;
}
