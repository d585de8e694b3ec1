// Chapter 5: a training with too many epochs, its three losses by epoch, and where early stopping would have ended it.

import { type EncodedExample, measureLoss, type Network } from "tunebook";
import { figure, frames, lineChart, type View } from "tunebook/show";

/** A model's losses after an epoch, in nats per token. */
export interface EpochLosses {
  /** The number of epochs so far; 0 before the first step. */
  readonly epoch: number;
  /** On the entries that it is trained on. */
  readonly training: number;
  /** On entries that it has never seen. */
  readonly heldOut: number;
  /** On plain text, such as it was pre-trained on. */
  readonly plain: number;
}

/**
 * Measures the three losses.
 *
 * @param network The model as it is now.
 * @param epoch The number of epochs so far.
 * @param parts The examples of each part.
 * @returns The losses.
 */
export async function measureEpoch(
  network: Network,
  epoch: number,
  parts: Record<"training" | "heldOut" | "plain", readonly EncodedExample[]>,
): Promise<EpochLosses> {
  const loss = async (part: readonly EncodedExample[]) => (await measureLoss(network, part)).loss;
  return {
    epoch,
    training: await loss(parts.training),
    heldOut: await loss(parts.heldOut),
    plain: await loss(parts.plain),
  };
}

/** What early stopping does with a list of losses. */
export interface EarlyStop {
  /** The index of the lowest loss up to the stop: the weights that are kept. */
  readonly best: number;
  /** The index of the evaluation after which the training ends; undefined if it never does. */
  readonly stop?: number;
}

/**
 * Applies early stopping to losses that are known already.
 *
 * @param losses The held-out losses, one per evaluation.
 * @param patience How many evaluations without a new lowest loss end the training.
 * @returns Which weights are kept, and where the training ends.
 */
export function stopEarly(losses: readonly number[], patience: number): EarlyStop {
  let best = 0;
  for (let i = 1; i < losses.length; i++) {
    if (losses[i] < losses[best]) best = i;
    else if (i - best >= patience) return { best, stop: i };
  }
  return { best };
}

/**
 * Draws the three losses, the epoch whose weights early stopping keeps, and the one where it stops.
 *
 * @param epochs The losses, one per epoch.
 * @returns A slider over the patience.
 */
export function overfittingView(epochs: readonly EpochLosses[]): View {
  const x = epochs.map(({ epoch }) => epoch);
  const highest = Math.max(...epochs.flatMap((e) => [e.training, e.heldOut, e.plain]));
  return frames(
    { patience: [1, 2, 3, 4] },
    ({ patience }) => {
      const { best, stop } = stopEarly(epochs.map(({ heldOut }) => heldOut), patience);
      const ending = stop === undefined ? "it never stops" : `it stops after epoch ${x[stop]}`;
      const { data, layout } = lineChart([
        { name: "training entries", x, y: epochs.map(({ training }) => training) },
        { name: "held-out entries", x, y: epochs.map(({ heldOut }) => heldOut) },
        { name: "plain text", x, y: epochs.map(({ plain }) => plain) },
      ], {
        title: `Epoch ${x[best]} is kept, ${ending}`,
        xLabel: "epochs",
        yLabel: "loss (nats per token)",
      });
      const mark = (at: number, text: string, dash: "solid" | "dot") => ({
        type: "line" as const,
        ...{ x0: x[at], x1: x[at], yref: "paper" as const, y0: 0, y1: 1 },
        line: { color: "gray", width: 1, dash },
        label: { text },
      });
      return figure(data, {
        ...layout,
        yaxis: { ...layout.yaxis, range: [0, 1.05 * highest] },
        shapes: [
          mark(best, "kept", "solid"),
          ...(stop === undefined ? [] : [mark(stop, "stop", "dot")]),
        ],
      });
    },
    { title: "When early stopping would end this training", start: { patience: 2 } },
  );
}
