/**
 * Hashes of what filters are made of, for their signatures.
 *
 * @module
 */

import { createHash } from "node:crypto";

/**
 * Hashes texts, whatever their order.
 *
 * @param texts The texts.
 * @returns The first 12 hexadecimal digits of the SHA-256 of their sorted JSON.
 */
export function textsHash(texts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify([...texts].sort())).digest("hex").slice(0, 12);
}
