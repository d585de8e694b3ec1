// What chapters ask of a model beside text: its guesses of the next token.

import type { Network } from "tunebook";
import { attendWithin, logitsOf } from "tunebook/model";
import { embedding, noGrad, scope } from "tunebook/tensor";

/**
 * A model's logits at some places of a text.
 *
 * @param model The model.
 * @param ids The text's tokens, at least one.
 * @param rows The places: each one's logits are a guess of the token after it.
 * @returns For each place one number a token of the vocabulary, row by row.
 */
export async function logitsAt(
  model: Network,
  ids: readonly number[],
  rows: Int32Array,
): Promise<Float32Array> {
  const tokens = Int32Array.from(ids);
  const sequence = {
    positions: tokens.map((_, i) => i),
    end: new Int32Array(tokens.length).fill(tokens.length), // one branch
  };
  using logits = scope(() =>
    noGrad(() => {
      const hidden = model.hidden({ tokens, ...sequence, attend: attendWithin(sequence) });
      return logitsOf(model, embedding(hidden, rows));
    })
  );
  return await logits.data() as Float32Array;
}

/**
 * A model's logits after a text.
 *
 * @param model The model.
 * @param ids The text's tokens, at least one.
 * @returns One number a token of the vocabulary.
 */
export function nextLogits(model: Network, ids: readonly number[]): Promise<Float32Array> {
  return logitsAt(model, ids, Int32Array.of(ids.length - 1));
}
