/**
 * Says what a value is, for errors, and refuses what is not an array. A leaf: any room may import it.
 *
 * @module
 */

/**
 * Names the kind of a value.
 *
 * @param value Any value.
 * @returns Its type or class with an article, such as `an array`; `null` or `undefined` where it is that.
 */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return `${value}`;
  if (Array.isArray(value)) return "an array";
  if (typeof value !== "object") return `a ${typeof value}`;
  const name = value.constructor?.name || "Object";
  if (name === "Object") return "an object";
  return `${/^[AEIOU]/.test(name) ? "an" : "a"} ${name}`;
}

/**
 * Refuses what is not an array.
 *
 * @param action What is being done, before the value: `"draw a loss curve of"`.
 * @param value What was given.
 * @param expected What its elements are: `"steps"`.
 * @throws {TypeError} If it is not an array.
 */
export function assertArray(action: string, value: unknown, expected: string): void {
  if (Array.isArray(value)) return;
  throw new TypeError(`Cannot ${action} ${kindOf(value)}: expected an array of ${expected}`);
}
