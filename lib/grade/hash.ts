/**
 * Hashes that tell whether the inputs of a grading have changed.
 *
 * @module
 */

import { encodeHex } from "@std/encoding/hex";

/**
 * Hashes bytes, or a value as its JSON.
 *
 * @param value What to hash.
 * @returns SHA-256, as 64 hexadecimal digits.
 */
export async function hashOf(value: unknown): Promise<string> {
  const bytes = value instanceof Uint8Array
    ? value as Uint8Array<ArrayBuffer>
    : new TextEncoder().encode(JSON.stringify(value));
  return encodeHex(await crypto.subtle.digest("SHA-256", bytes));
}
