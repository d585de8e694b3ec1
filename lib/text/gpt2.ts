/** GPT-2's tokenizer: tiktoken's `gpt2` encoding. */
import { decodeBase64 } from "@std/encoding/base64";
import { BytePairTokenizer, GPT2_PATTERN } from "./bpe.ts";
import merges from "./gpt2_merges/merges.base64" with { type: "text" };
import { BYTE_ALPHABET } from "./token_bytes.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** GPT-2's only special token: it ends a text and is used for padding. */
export const END_OF_TEXT = "<|endoftext|>";

let tokenizer: Tokenizer | undefined;

/**
 * GPT-2's tokenizer, 50,257 tokens, equal to tiktoken's `gpt2` encoding. `<|endoftext|>` (50256) in
 * a text is ordinary text unless `allowedSpecial` names it.
 *
 * @returns The tokenizer; every call returns the same object.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { gpt2Tokenizer } from "tunebook";
 *
 * assertEquals(gpt2Tokenizer().encode("hello world"), [31373, 995]);
 * ```
 */
export function gpt2Tokenizer(): Tokenizer {
  if (tokenizer === undefined) {
    const tokens = readTokens();
    tokenizer = new BytePairTokenizer({
      name: "gpt2",
      tokens,
      specialTokens: new Map([[END_OF_TEXT, tokens.length]]),
      eosId: tokens.length,
      pattern: GPT2_PATTERN,
    });
  }
  return tokenizer;
}

/**
 * The tokens' bytes by id: single bytes, those first that GPT-2 writes as themselves, and then what
 * each merge makes. The table holds a merge as the ids of its two tokens, 16 bits each.
 */
function readTokens(): number[][] {
  const printable = (byte: number) => BYTE_ALPHABET[byte] === String.fromCharCode(byte);
  const bytes = BYTE_ALPHABET.map((_, byte) => byte);
  const tokens = [...bytes.filter(printable), ...bytes.filter((byte) => !printable(byte))]
    .map((byte) => [byte]);
  const pairs = new DataView(decodeBase64(merges.trimEnd()).buffer);
  for (let at = 0; at < pairs.byteLength; at += 4) {
    tokens.push([...tokens[pairs.getUint16(at, true)], ...tokens[pairs.getUint16(at + 2, true)]]);
  }
  return tokens;
}
