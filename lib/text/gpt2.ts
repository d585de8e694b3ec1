/** GPT-2's tokenizer: tiktoken's `gpt2` encoding. */
import ranks from "gpt-tokenizer/ranks/r50k";
import { BytePairTokenizer, GPT2_PATTERN } from "./bpe.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** GPT-2's only special token: it closes a text, and pads. */
export const END_OF_TEXT = "<|endoftext|>";

let tokenizer: Tokenizer | undefined;

/**
 * GPT-2's tokenizer, 50,257 tokens, equal to tiktoken's `gpt2` encoding. `<|endoftext|>` (50256) in
 * a text is ordinary text unless `allowedSpecial` names it.
 *
 * @returns The tokenizer; every call gives the same one.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { gpt2Tokenizer } from "./gpt2.ts";
 *
 * assertEquals(gpt2Tokenizer().encode("hello world"), [31373, 995]);
 * ```
 */
export function gpt2Tokenizer(): Tokenizer {
  tokenizer ??= new BytePairTokenizer({
    name: "gpt2",
    tokens: ranks,
    specialTokens: new Map([[END_OF_TEXT, ranks.length]]),
    eosId: ranks.length,
    pattern: GPT2_PATTERN,
  });
  return tokenizer;
}
