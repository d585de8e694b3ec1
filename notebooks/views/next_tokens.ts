// What chapters 6 and 7 ask of a model beside text: its guesses of the next token.

import { attendWithin, embedding, type LanguageModel, logitsOf, noGrad, scope } from "tunebook";

/**
 * A model's logits after a text.
 *
 * @param model The model.
 * @param ids The text's tokens, at least one.
 * @returns One number a token of the vocabulary.
 */
export async function nextLogits(
  model: LanguageModel,
  ids: readonly number[],
): Promise<Float32Array> {
  const tokens = Int32Array.from(ids);
  const sequence = {
    positions: tokens.map((_, i) => i),
    end: new Int32Array(tokens.length).fill(tokens.length), // one branch
  };
  using logits = scope(() =>
    noGrad(() => {
      const hidden = model.hidden({ tokens, ...sequence, attend: attendWithin(sequence) });
      return logitsOf(model, embedding(hidden, Int32Array.of(tokens.length - 1)));
    })
  );
  return await logits.data() as Float32Array;
}
