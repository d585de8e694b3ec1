// Tokens as visible text, including blanks, line ends and bytes.

/** Converts token ids to text; all tokenizers of this library do. */
export interface Detokenizer {
  /**
   * Decodes tokens.
   *
   * @returns The text of some tokens.
   */
  decode(ids: number[]): string;
  /**
   * Returns the bytes of a token.
   *
   * @returns The bytes of one token, which may hold only part of a character.
   */
  bytes?(id: number): Uint8Array;
}

/**
 * The text of one token.
 *
 * @param id The token.
 * @param decoder The model's tokenizer.
 * @returns Its text or, if its bytes are not complete characters, the bytes, such as `⟨E2 80⟩`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { gpt2Tokenizer } from "tunebook";
 * import * as show from "tunebook/show";
 *
 * const tokenizer = gpt2Tokenizer();
 * const [first, second] = tokenizer.encode("two words");
 * assertEquals([first, second].map((id) => show.tokenText(id, tokenizer)), ["two", " words"]);
 * ```
 */
export function tokenText(id: number, decoder: Detokenizer): string {
  const bytes = decoder.bytes?.(id);
  if (!bytes) return decoder.decode([id]);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    const hex = Array.from(bytes, (byte) => byte.toString(16).toUpperCase().padStart(2, "0"));
    return `⟨${hex.join(" ")}⟩`;
  }
}

/**
 * Makes every character of a token visible and harmless: characters that would reverse, hide or
 * join the text around them are shown as code points.
 *
 * @param text The token's text.
 * @returns Text in which `·` is a space, `↵` a line feed and `⇥` a tab.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import * as show from "tunebook/show";
 *
 * assertEquals(show.visibleText(" two\n"), "·two↵");
 * ```
 */
export function visibleText(text: string): string {
  if (text === "") return "∅";
  const shown = text.replace(/[\p{C}\p{Z}]/gu, (character) => {
    const code = character.codePointAt(0)!;
    if (character === " ") return "·";
    if (character === "\n") return "↵";
    if (character === "\t") return "⇥";
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    if (code === 0x7f) return "␡";
    return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
  });
  // A combining mark would otherwise combine with the neighbouring token.
  return /^\p{M}/u.test(shown) ? `◌${shown}` : shown;
}
