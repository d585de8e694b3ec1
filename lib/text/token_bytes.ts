/** How Hugging Face vocabularies spell bytes, spaces and text. */

/** GPT-2's alphabet: a printable character for each byte (Radford et al., 2019, `bytes_to_unicode`). */
export const BYTE_ALPHABET: readonly string[] = makeAlphabet();

function makeAlphabet(): string[] {
  let others = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) ||
      byte >= 0xae;
    return String.fromCharCode(printable ? byte : others++);
  });
}

const BYTE_OF = new Map(BYTE_ALPHABET.map((character, byte) => [character, byte]));

/** Whether a token is written in GPT-2's alphabet. */
export function isByteSpelled(token: string): boolean {
  for (const character of token) if (!BYTE_OF.has(character)) return false;
  return true;
}

/** A text in GPT-2's alphabet. */
export function spellBytes(text: string): string {
  let spelled = "";
  for (const byte of new TextEncoder().encode(text)) spelled += BYTE_ALPHABET[byte];
  return spelled;
}

/** The byte that a token such as `<0x0A>` denotes. */
export function fallbackByte(token: string): number | undefined {
  return token.length === 6 && /^<0x[0-9A-Fa-f]{2}>$/.test(token)
    ? parseInt(token.slice(3, 5), 16)
    : undefined;
}

/**
 * A token's bytes.
 *
 * @param token The token in GPT-2's alphabet; one that is not is text.
 * @returns Its bytes.
 */
export function bytesOf(token: string): Uint8Array<ArrayBuffer> {
  return isByteSpelled(token)
    ? Uint8Array.from(token, (character) => BYTE_OF.get(character)!)
    : new TextEncoder().encode(token);
}
