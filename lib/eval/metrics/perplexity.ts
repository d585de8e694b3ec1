/**
 * Perplexity of the references under the model: e to the mean negative log-likelihood of a token. It needs the model and
 * not only its answers, so `model.evaluate()` and `tunebook evaluate` write what it is made from beside each answer:
 * `reference_loss`, the mean in nats over the reference's tokens, and `reference_tokens`, their number.
 *
 * @module
 */
import type { Metric } from "./metric.ts";

/** The row in the table of metrics. */
export const perplexity: Metric = {
  name: "perplexity",
  label: "perplexity",
  summary: "how surprised the model is by the references, lower is better; 1 is not at all",
  variants: ["tokens"],
  prepare: () => ({
    signature: "metric:perplexity|nrefs:1|per:token|version:1",
    measure(entry, index) {
      const { reference_loss: loss, reference_tokens: tokens } = entry as Record<string, unknown>;
      if (typeof loss === "number" && typeof tokens === "number") return [loss * tokens, tokens];
      throw new TypeError(
        `Cannot measure the perplexity of entry ${
          index + 1
        }: expected the numbers "reference_loss" and ` +
          '"reference_tokens", which "tunebook evaluate" writes',
      );
    },
    score: (sum) => Math.exp(sum[0] / sum[1]),
  }),
};
