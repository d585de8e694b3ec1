/**
 * BLEU (Papineni et al., 2002): the fractions of a response's 1- to 4-grams that are in the reference answer, with a penalty for
 * responses that are shorter. Equal to sacrebleu 2.6.0, signature included: `corpus_score` for many examples, and
 * `sentence_score` with effective order for one.
 *
 * @module
 */
import { BLEU_TOKENIZERS, type BleuTokenizer, tokenizeForBleu } from "./bleu_tokenizers.ts";
import type { Metric } from "./metric.ts";
import { countNgrams, sharedCount } from "./words.ts";

/** The longest n-grams. */
const ORDER = 4;

/** Where the numbers of each order stand: two lengths, then shared n-grams, then those of the response. */
const SHARED = 2;
const TOTAL = SHARED + ORDER;

/** The row in the table of metrics. */
export const bleu: Metric = {
  name: "bleu",
  label: "BLEU",
  summary: "shared 1- to 4-grams with a penalty for short answers, from 0 to 100 (sacrebleu)",
  top: 100,
  variants: BLEU_TOKENIZERS,
  prepare(variant) {
    const tokenizer = variant as BleuTokenizer;
    return {
      signature: `nrefs:1|case:mixed|eff:no|tok:${tokenizer}|smooth:exp|version:2.6.0`,
      measure: ({ output, model_response }) =>
        statisticsOf(
          tokenizeForBleu(tokenizer, output),
          tokenizeForBleu(tokenizer, model_response),
        ),
      score: (sum) => bleuOf(sum, { effectiveOrder: false }),
      each: (statistics) => bleuOf(statistics, { effectiveOrder: true }),
    };
  },
};

function statisticsOf(reference: readonly string[], response: readonly string[]): number[] {
  const statistics = new Array<number>(TOTAL + ORDER).fill(0);
  statistics[0] = response.length;
  statistics[1] = reference.length;
  for (let n = 1; n <= ORDER; n++) {
    const got = countNgrams(response, n);
    statistics[SHARED + n - 1] = sharedCount(got, countNgrams(reference, n));
    statistics[TOTAL + n - 1] = Math.max(0, response.length - n + 1);
  }
  return statistics;
}

/**
 * BLEU of summed statistics. An order without a match counts as half of the fraction that one match would be, a quarter
 * where it is the second such order, and so on ("exp" smoothing). With effective order, those that a short response has no
 * n-grams of are left out.
 */
function bleuOf(sum: ArrayLike<number>, { effectiveOrder }: { effectiveOrder: boolean }): number {
  const [length, expected] = [sum[0], sum[1]];
  let matched = 0;
  for (let n = 0; n < ORDER; n++) matched += sum[SHARED + n];
  if (matched === 0) return 0;
  let smoothing = 1;
  let logarithms = 0;
  let orders = 0;
  for (let n = 0; n < ORDER && sum[TOTAL + n] > 0; n++) {
    if (sum[SHARED + n] === 0) smoothing *= 2;
    const precision = sum[SHARED + n] === 0
      ? 100 / (smoothing * sum[TOTAL + n])
      : 100 * sum[SHARED + n] / sum[TOTAL + n];
    logarithms += Math.log(precision);
    orders++;
  }
  if (orders < ORDER && !effectiveOrder) return 0; // the logarithm of no 4-grams at all
  const penalty = length < expected ? Math.exp(1 - expected / length) : 1;
  return penalty * Math.exp(logarithms / orders);
}
