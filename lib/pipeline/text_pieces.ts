/**
 * Text from tokens while they are generated.
 *
 * @module
 */

import { TokenDecoder, type Tokenizer } from "../text/tokenizer.ts";

/**
 * Converts tokens to text while they are generated. The bytes of a character that spans several tokens are held back until
 * it is complete.
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
