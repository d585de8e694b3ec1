/**
 * The card's file, `README.md`. Its last line is a checksum, by which a card that nobody has edited is recognised.
 *
 * @module
 */

import { join } from "@std/path/join";
import { createHash } from "node:crypto";
import { writeFileBeside } from "../../write_beside.ts";

/** The card's file. */
export const CARD_FILE = "README.md";

const LAST_LINE = /<!-- Model card by Tunebook, SHA-256 of the lines above: ([0-9a-f]{64}) -->\n$/;

/**
 * Writes a card.
 *
 * @param directory The folder.
 * @param text The card.
 */
export async function writeCard(directory: string, text: string): Promise<void> {
  const last = `<!-- Model card by Tunebook, SHA-256 of the lines above: ${hash(text)} -->\n`;
  await writeFileBeside(join(directory, CARD_FILE), text + last);
}

/**
 * Whether a folder's card may be replaced: there is none, or one that was written here and not edited since.
 *
 * @param directory The folder, which need not exist.
 */
export async function isCardReplaceable(directory: string): Promise<boolean> {
  let text: string;
  try {
    text = await Deno.readTextFile(join(directory, CARD_FILE));
  } catch (error) {
    return error instanceof Deno.errors.NotFound;
  }
  const last = LAST_LINE.exec(text);
  return last !== null && hash(text.slice(0, last.index)) === last[1];
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
