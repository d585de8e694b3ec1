// Compares two texts: character by character, or with numbers that may be near.

const TOKENS = /[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[^\d.+-]+|[.+-]/g;

/** Characters of a line on either side of the first difference. */
const AROUND = 30;

/**
 * Compares two texts.
 *
 * @param old The text that there was.
 * @param now The text that there is.
 * @param relative How near numbers must be, relative to the larger; 0 asks for the same characters.
 * @returns What differs first, as `"this" instead of "that"`; undefined where they are the same.
 */
export function compareText(old: string, now: string, relative: number): string | undefined {
  if (old === now || (relative > 0 && isNearText(old, now, relative))) return undefined;
  let from = 0;
  while (from < old.length && old[from] === now[from]) from++;
  return `${quoteAround(now, from)} instead of ${quoteAround(old, from)}`;
}

/**
 * Whether two texts are the same but for numbers, and those near.
 *
 * @param old One text. @param now The other.
 * @param relative How near, relative to the larger.
 * @param scale The size to which they may be relative besides.
 */
export function isNearText(old: string, now: string, relative: number, scale = 0): boolean {
  const [a, b] = [old.match(TOKENS) ?? [], now.match(TOKENS) ?? []];
  return a.length === b.length && a.every((token, i) => isNear(token, b[i], relative, scale));
}

function isNear(old: string, now: string, relative: number, scale: number): boolean {
  if (old === now) return true;
  // Blanks between numbers would count as 0.
  if (!/\d/.test(old) || !/\d/.test(now)) return false;
  const [a, b] = [Number(old), Number(now)];
  // Text such as 1e999 is not a number with a tolerance.
  if (!Number.isFinite(a) || !Number.isFinite(b)) return false;
  return Math.abs(a - b) <= relative * Math.max(Math.abs(a), Math.abs(b), scale);
}

/**
 * Quotes the line of a place, or what is around it in the line; characters that are not seen are written out.
 *
 * @param text The text. @param at The place.
 */
export function quoteAround(text: string, at: number): string {
  const start = text.lastIndexOf("\n", at - 1) + 1;
  const found = text.indexOf("\n", at);
  const end = found < 0 ? text.length : found;
  if (start >= end) return at >= text.length ? "nothing" : '""';
  const [from, to] = [Math.max(start, at - AROUND), Math.min(end, at + AROUND)];
  const shown = text.slice(from, to).replace(
    /\p{Cc}|\p{Cf}|[\u2028\u2029]/gu,
    (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, "0")}`,
  );
  return `"${from > start ? "…" : ""}${shown}${to < end ? "…" : ""}"`;
}
