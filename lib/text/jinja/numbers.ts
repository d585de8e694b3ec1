/**
 * Numbers as Python reads them from text, and rounds them.
 *
 * @module
 */

import { fixed } from "./format.ts";
import { strip } from "./methods.ts";

/** Python's limit of decimal digits. */
const MOST_DIGITS = 4300;

const PREFIXES: Readonly<Record<string, number>> = { x: 16, o: 8, b: 2 };

/** An int as a number where that is exact, otherwise as a bigint. */
export function wholeOf(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/**
 * Python's `int()` of a text.
 *
 * @param text The text.
 * @param base Its base; 0 for the one that the text says.
 * @returns The number; undefined where Python throws a ValueError.
 */
export function parseInteger(text: string, base: number): bigint | undefined {
  if (base !== 0 && !(Number.isInteger(base) && base >= 2 && base <= 36)) return undefined;
  const plain = asciiDigits(strip(text));
  const unsigned = plain.replace(/^[+-]/, "");
  const prefixed = PREFIXES[/^0([xob])/i.exec(unsigned)?.[1]?.toLowerCase() ?? ""];
  const isPrefixed = prefixed !== undefined && (base === 0 || base === prefixed);
  const written = isPrefixed ? unsigned.slice(2).replace(/^_/, "") : unsigned;
  const actual = base !== 0 ? base : prefixed ?? 10;
  if (!/^[\da-z]+(_[\da-z]+)*$/i.test(written)) return undefined;
  const digits = written.replaceAll("_", "");
  if (base === 0 && !isPrefixed && /^0+[1-9]/.test(digits)) return undefined;
  if (digits.length > MOST_DIGITS) return undefined;
  let value = 0n;
  for (const digit of digits) {
    const size = parseInt(digit, 36);
    if (size >= actual) return undefined;
    value = value * BigInt(actual) + BigInt(size);
  }
  return plain.startsWith("-") ? -value : value;
}

/** Python's `float()` of a text; undefined where it throws a ValueError. */
export function parseFloatText(text: string): number | undefined {
  const plain = asciiDigits(strip(text)).replace(/(?<=\d)_(?=\d)/g, "");
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) return Number(plain);
  if (/^[+-]?(inf|infinity)$/i.test(plain)) return plain.startsWith("-") ? -Infinity : Infinity;
  return /^[+-]?nan$/i.test(plain) ? NaN : undefined;
}

/** A text with the digits of all scripts as those of ASCII. */
function asciiDigits(text: string): string {
  return text.replace(/\p{Nd}/gu, (digit) => {
    // ten digits have ten codes in a row; those of mathematics are five tens in a row
    const code = digit.codePointAt(0)!;
    let zero = code;
    while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero--;
    return String((code - zero) % 10);
  });
}

/**
 * Python's `round()`: a half goes to the even neighbour, by all digits of the number as it is stored.
 *
 * @param value The number.
 * @param precision How many digits behind the point; below 0, how many before it are 0.
 * @returns The rounded number.
 */
export function roundHalfEven(value: number, precision: number): number {
  if (!Number.isFinite(value) || precision > 100) return value;
  const size = Math.abs(value);
  const sign = value < 0 || Object.is(value, -0) ? -1 : 1;
  if (precision >= 0) return sign * Number(fixed(size, precision));
  const factor = 10n ** BigInt(Math.min(-precision, 400));
  const whole = BigInt(Math.trunc(size));
  const [floor, twice] = [whole / factor, whole % factor * 2n];
  const isMore = twice > factor || (twice === factor && (size % 1 > 0 || floor % 2n === 1n));
  return sign * Number((floor + (isMore ? 1n : 0n)) * factor);
}
