/**
 * Text from tokens while they come.
 *
 * @module
 */

import { TokenDecoder, type Tokenizer } from "../text/mod.ts";

/**
 * Turns tokens into text as they come, and never gives half a character: the bytes of one that several tokens share are
 * held back until it is whole.
 *
 * @param tokens The tokens.
 * @param tokenizer Their vocabulary.
 * @returns Pieces of text, none empty.
 */
export async function* textPieces(
  tokens: AsyncIterable<number> | Iterable<number>,
  tokenizer: Pick<Tokenizer, "bytes">,
): AsyncGenerator<string, void, void> {
  const decoder = new TokenDecoder(tokenizer);
  for await (const token of tokens) {
    const piece = decoder.push(token);
    if (piece !== "") yield piece;
  }
  const rest = decoder.end();
  if (rest !== "") yield rest;
}
