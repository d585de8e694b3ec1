/**
 * Losses of preferences: how much more a model prefers the better of two answers than a reference model does.
 *
 * @module
 */

import type { PreferenceBatch } from "../dataset/preferences.ts";
import { attendWithin, wantedRows } from "../model/model.ts";
import type { Network } from "../model/mod.ts";
import {
  add,
  linearLogProbs,
  logSigmoid,
  matmul,
  mul,
  relu,
  reshape,
  scale,
  split,
  sub,
  sum,
  Tensor,
} from "../tensor/mod.ts";

/** The name of a loss of preferences. */
export type PreferenceLoss = "sigmoid" | "hinge" | "ipo" | "robust";

/** The settings of a loss. */
export interface PreferenceLossSettings {
  /** The loss's name. */
  readonly loss: PreferenceLoss;
  /** β: how strongly the model is held to the reference. */
  readonly beta: number;
  /** The share of pairs whose answers are taken to be exchanged by mistake. */
  readonly labelSmoothing: number;
}

/** A loss, from the margin Δ between the answers' log-ratios log π/π_ref. */
interface LossRow {
  /** Whether log-ratios are means over an answer's tokens, not sums. */
  readonly perToken: boolean;
  /** The losses of pairs, (B, 1), from their margins, (B, 1). */
  of(margin: Tensor, settings: PreferenceLossSettings): Tensor;
}

/** −log σ(β Δ). */
const logistic = (margin: Tensor, beta: number): Tensor =>
  scale(logSigmoid(scale(margin, beta)), -1);

/** The losses by name, with TRL's names and formulas. */
const LOSSES: Readonly<Record<PreferenceLoss, LossRow>> = {
  /** Rafailov et al., "Direct Preference Optimization", 2023, equation 7. */
  sigmoid: { perToken: false, of: (margin, { beta }) => logistic(margin, beta) },
  /** Zhao et al., "SLiC-HF", 2023, with the normalization of Liu et al., "Statistical Rejection Sampling", 2023. */
  hinge: {
    perToken: false,
    of: (margin, { beta }) => relu(add(scale(margin, -beta), constant(margin, 1))),
  },
  /** Azar et al., "A General Theoretical Paradigm to Understand Learning from Human Preferences", 2023, equation 17. */
  ipo: {
    perToken: true,
    of(margin, { beta }) {
      const missed = sub(margin, constant(margin, 1 / (2 * beta)));
      return mul(missed, missed);
    },
  },
  /** Chowdhury et al., "Provably Robust DPO", 2024. */
  robust: {
    perToken: false,
    of(margin, { beta, labelSmoothing: share }) {
      const clean = scale(logistic(margin, beta), 1 - share);
      const flipped = scale(logistic(margin, -beta), share);
      return scale(sub(clean, flipped), 1 / (1 - 2 * share));
    },
  },
};

/** The names of the losses. */
export const PREFERENCE_LOSSES = Object.keys(LOSSES) as readonly PreferenceLoss[];

function constant(like: Tensor, value: number): Tensor {
  return Tensor.from(like.device, new Float32Array(like.size).fill(value), like.shape);
}

/**
 * Log-probabilities of a batch's answers, given their prompts. Nothing is dropped out.
 *
 * @param network The network.
 * @param batch The pairs.
 * @param options Whether blocks are recomputed for the gradients.
 * @returns (2 B), in nats: the chosen and the rejected answer of each pair.
 */
export function answerLogProbs(
  network: Network,
  batch: PreferenceBatch,
  { recompute }: { readonly recompute?: boolean } = {},
): Tensor {
  const { tokens, positions, answers, pairs } = batch;
  const { rows, edges } = wantedRows(batch.edges, tokens.length);
  const attend = attendWithin(batch);
  const hidden = network.hidden({ tokens, positions, attend, recompute, rows });
  const logProbs = linearLogProbs(hidden, network.head, edges, { softCap: network.logitCap });
  const count = edges.rows.length;
  const weights = Tensor.from(network.device, answers, [2 * pairs, count]);
  return reshape(matmul(weights, reshape(logProbs, [count, 1])), [2 * pairs]);
}

/**
 * The summed loss of pairs.
 *
 * @param logProbs Of the answers under the model, (2 B): the chosen and the rejected answer of each pair.
 * @param reference The same under the reference model.
 * @param batch The pairs.
 * @param settings The loss and β.
 * @param normalizer What the sum is divided by.
 * @returns A scalar.
 */
export function preferenceLoss(
  logProbs: Tensor,
  reference: Float32Array<ArrayBuffer>,
  { pairs, lengths }: Pick<PreferenceBatch, "pairs" | "lengths">,
  settings: PreferenceLossSettings,
  normalizer: number,
): Tensor {
  const { perToken, of } = LOSSES[settings.loss];
  const { device } = logProbs;
  let ratios = sub(logProbs, Tensor.from(device, reference));
  if (perToken) ratios = mul(ratios, Tensor.from(device, lengths.map((length) => 1 / length)));
  const [chosen, rejected] = split(reshape(ratios, [pairs, 2]), [1, 1]); // (B, 1)
  return scale(sum(of(sub(chosen, rejected), settings)), 1 / normalizer);
}

/** What is measured of pairs; all are means over them. Names in parentheses are TRL's. */
export interface PreferenceMetrics {
  /** The loss (`loss`). */
  readonly loss: number;
  /** β times the log-probability of the chosen answer above the reference's, in nats (`rewards/chosen`). */
  readonly chosenReward: number;
  /** The same of the rejected answer (`rewards/rejected`). */
  readonly rejectedReward: number;
  /** The share of pairs whose chosen answer has the higher reward (`rewards/accuracies`). */
  readonly accuracy: number;
  /** The chosen answer's reward minus the rejected one's (`rewards/margins`). */
  readonly margin: number;
  /** The log-probability of the chosen answer, in nats (`logps/chosen`). It may fall while the margin grows. */
  readonly chosenLogProb: number;
  /** The log-probability of the rejected answer, in nats (`logps/rejected`). */
  readonly rejectedLogProb: number;
}

/**
 * Measures pairs.
 *
 * @param logProbs Of the answers under the model, (2 B).
 * @param reference The same under the reference model.
 * @param beta β.
 * @returns The means, without the loss.
 */
export function measurePairs(
  logProbs: ArrayLike<number>,
  reference: ArrayLike<number>,
  beta: number,
): Omit<PreferenceMetrics, "loss"> {
  const pairs = logProbs.length / 2;
  const sums = [0, 0, 0, 0, 0];
  for (let at = 0; at < logProbs.length; at += 2) {
    const chosen = beta * (logProbs[at]! - reference[at]!);
    const rejected = beta * (logProbs[at + 1]! - reference[at + 1]!);
    const row = [chosen, rejected, Number(chosen > rejected), logProbs[at]!, logProbs[at + 1]!];
    for (const [i, value] of row.entries()) sums[i]! += value;
  }
  const [chosenReward, rejectedReward, accuracy, chosenLogProb, rejectedLogProb] = sums.map((
    total,
  ) => total / pairs) as [number, number, number, number, number];
  return {
    chosenReward,
    rejectedReward,
    accuracy,
    margin: chosenReward - rejectedReward,
    chosenLogProb,
    rejectedLogProb,
  };
}
