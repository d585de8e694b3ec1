/**
 * Numbers in a row and in words, and units with their exact factors.
 *
 * @module
 */

/** The whole numbers from `low` to `high`, both included. */
export function range(low: number, high: number): number[] {
  return Array.from({ length: high - low + 1 }, (_, i) => low + i);
}

const small = (
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen " +
  "sixteen seventeen eighteen nineteen"
).split(" ");
const tens = "- - twenty thirty forty fifty sixty seventy eighty ninety".split(" ");

/** A whole number from 0 to 999 in words: 42 is "forty-two", 305 is "three hundred five". */
export function inWords(value: number): string {
  if (!Number.isInteger(value) || value < 0 || value > 999) {
    throw new RangeError(`Cannot write ${value} in words: expected an integer from 0 to 999`);
  }
  if (value < 20) return small[value];
  if (value < 100) {
    const rest = value % 10;
    return tens[Math.floor(value / 10)] + (rest ? `-${small[rest]}` : "");
  }
  const rest = value % 100;
  return `${small[Math.floor(value / 100)]} hundred${rest ? ` ${inWords(rest)}` : ""}`;
}

/** A conversion: one `from` is `factor` of `to` (plural names). */
export interface Unit {
  one: string;
  from: string;
  to: string;
  factor: number;
}

/** Exact conversions, from the larger unit to the smaller. */
export const units: readonly Unit[] = [
  { one: "meter", from: "meters", to: "centimeters", factor: 100 },
  { one: "kilometer", from: "kilometers", to: "meters", factor: 1000 },
  { one: "centimeter", from: "centimeters", to: "millimeters", factor: 10 },
  { one: "kilogram", from: "kilograms", to: "grams", factor: 1000 },
  { one: "liter", from: "liters", to: "milliliters", factor: 1000 },
  { one: "hour", from: "hours", to: "minutes", factor: 60 },
  { one: "minute", from: "minutes", to: "seconds", factor: 60 },
  { one: "day", from: "days", to: "hours", factor: 24 },
  { one: "week", from: "weeks", to: "days", factor: 7 },
  { one: "year", from: "years", to: "months", factor: 12 },
  { one: "foot", from: "feet", to: "inches", factor: 12 },
  { one: "yard", from: "yards", to: "feet", factor: 3 },
  { one: "dollar", from: "dollars", to: "cents", factor: 100 },
];
