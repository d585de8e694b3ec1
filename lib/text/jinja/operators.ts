/**
 * Python's operators between values, and its subscripts.
 *
 * @module
 */

import { formatPercent } from "./format.ts";
import {
  assertLength,
  compare,
  contains,
  entryOf,
  equals,
  Float,
  isHashable,
  isIndexed,
  numberOf,
  Range,
  rangeOf,
  representation,
  TemplateError,
  text,
  Tuple,
  tuple,
  typeName,
  Undefined,
  type Value,
  View,
} from "./values.ts";

/**
 * Applies an operator that needs both sides.
 *
 * @param operator As it is written, such as `+` or `not in`.
 * @param left The left side.
 * @param right The right side.
 * @returns The result.
 * @throws {TemplateError} If Python has none for these types.
 */
export function operate(operator: string, left: Value, right: Value): Value {
  switch (operator) {
    case "==":
      return equals(left, right);
    case "!=":
      return !equals(left, right);
    case "in":
      return contains(right, left);
    case "not in":
      return !contains(right, left);
    case "~":
      return text(left) + text(right);
  }
  assertDefined(left);
  if (operator === "%" && typeof left === "string") return formatPercent(left, right);
  assertDefined(right);
  switch (operator) {
    case "<":
      return compare(left, right, operator) < 0;
    case ">":
      return compare(left, right, operator) > 0;
    case "<=":
      return compare(left, right, operator) <= 0;
    case ">=":
      return compare(left, right, operator) >= 0;
    case "+":
      if (typeof left === "string" && typeof right === "string") return left + right;
      if (left instanceof Tuple && right instanceof Tuple) return tuple(...left, ...right);
      if (areLists(left, right)) return [...left as Value[], ...right as Value[]];
      break;
    case "*": {
      const [a, b] = [left, right].map((side) =>
        side instanceof Float ? undefined : numberOf(side)
      );
      const made = a !== undefined
        ? repeated(right, a)
        : b !== undefined
        ? repeated(left, b)
        : undefined;
      if (made !== undefined) return made;
      break;
    }
  }
  return arithmetic(operator, left, right);
}

/**
 * Throws where a value is undefined.
 *
 * @param value The value.
 * @returns The same.
 */
export function assertDefined(value: Value): Value {
  if (value instanceof Undefined) throw new TemplateError(value.what);
  return value;
}

function areLists(left: Value, right: Value): boolean {
  return [left, right].every((side) =>
    Array.isArray(side) && !(side instanceof Tuple) && !(side instanceof View)
  );
}

function repeated(value: Value, times: number): Value | undefined {
  const count = Math.max(0, times);
  if (typeof value === "string") {
    assertLength(value.length * count);
    return value.repeat(count);
  }
  if (!Array.isArray(value) || value instanceof View) return undefined;
  assertLength(value.length * count);
  const items = Array.from({ length: count }, () => Array.from(value)).flat();
  return value instanceof Tuple ? tuple(...items) : items;
}

function arithmetic(operator: string, left: Value, right: Value): Value {
  const [a, b] = [numberOf(left), numberOf(right)];
  if (a === undefined || b === undefined) {
    throw new TemplateError(
      `unsupported operand type(s) for ${operator}: '${typeName(left)}' and '${typeName(right)}'`,
    );
  }
  const isFloat = left instanceof Float || right instanceof Float;
  const result = (value: number) => isFloat ? new Float(value) : wholeNumber(value);
  switch (operator) {
    case "+":
      return result(a + b);
    case "-":
      return result(a - b);
    case "*":
      return result(a * b);
    case "/":
      return new Float(a / nonZero(b));
    case "//":
      return result(Math.floor(a / nonZero(b)));
    case "%": {
      const remainder = a % nonZero(b);
      if (remainder === 0) return result(b < 0 ? -0 : 0);
      return result((remainder < 0) !== (b < 0) ? remainder + b : remainder);
    }
    case "**":
      if (a < 0 && !Number.isInteger(b) && Number.isFinite(b)) {
        throw new TemplateError("a power that is a complex number is not supported");
      }
      if (a === 0 && b < 0) throw new TemplateError("0.0 cannot be raised to a negative power");
      if (!isFloat && b >= 0) return wholeNumber(a ** b);
      if (Number.isFinite(a) && Number.isFinite(b) && !Number.isFinite(a ** b)) {
        throw new TemplateError("Numerical result out of range");
      }
      return new Float(a ** b);
    default:
      throw new TemplateError(`unknown operator "${operator}"`);
  }
}

function nonZero(value: number): number {
  if (value === 0) throw new TemplateError("division by zero");
  return value;
}

/** Python's ints have no bound; these end where a number is no longer exact. */
function wholeNumber(value: number): number {
  if (!Number.isSafeInteger(value)) {
    throw new RangeError("a whole number is too large for a template");
  }
  return value === 0 ? 0 : value;
}

/**
 * Changes a number's sign, or not.
 *
 * @param operator `-` or `+`.
 * @param value The number.
 * @returns The result.
 */
export function signed(operator: string, value: Value): Value {
  assertDefined(value);
  const number = numberOf(value);
  if (number === undefined) {
    throw new TemplateError(`bad operand type for unary ${operator}: '${typeName(value)}'`);
  }
  const result = operator === "-" ? -number : number;
  return value instanceof Float ? new Float(result) : result === 0 ? 0 : result;
}

/**
 * Python's `value[key]`.
 *
 * @param value A list, tuple, string or dict.
 * @param key An index, from the end where it is below 0, or a key.
 * @returns The item; undefined where there is none.
 */
export function itemOf(value: Value, key: Value): Value | undefined {
  if (value instanceof Map) return isHashable(key) ? entryOf(value, key) : undefined;
  if (Array.isArray(value) && !isIndexed(value)) return undefined;
  const index = typeof key === "boolean" ? Number(key) : key;
  if (typeof index !== "number") return undefined;
  if (typeof value === "string") return Array.from(value).at(index);
  return Array.isArray(value) ? value.at(index) : undefined;
}

/**
 * Python's `value[start:stop:step]`.
 *
 * @param value A list, tuple or string.
 * @param bounds Start, stop and step; none where they are left out or None.
 * @returns The part, of the same type.
 */
export function sliceOf(value: Value, bounds: readonly (Value | undefined)[]): Value {
  assertDefined(value);
  if (typeof value !== "string" && !(Array.isArray(value) && isIndexed(value))) {
    throw new TemplateError(`'${typeName(value)}' object is not subscriptable`);
  }
  const [start, stop, step = 1] = bounds.map((bound) => {
    if (bound === undefined || bound === null) return undefined;
    if (typeof bound === "number") return bound;
    if (typeof bound === "boolean") return Number(bound);
    throw new TemplateError(
      `slice indices must be integers or None, not ${representation(typeName(bound))}`,
    );
  });
  if (step === 0) throw new TemplateError("slice step cannot be zero");
  const items: Value[] = Array.from(value as Iterable<Value>);
  const { length } = items;
  const [least, most] = step > 0 ? [0, length] : [-1, length - 1];
  const within = (index: number | undefined, otherwise: number) =>
    index === undefined
      ? otherwise
      : Math.min(Math.max(index < 0 ? index + length : index, least), most);
  const first = within(start, step > 0 ? least : most);
  const last = within(stop, step > 0 ? most : least);
  if (value instanceof Range) {
    const at = (index: number) => value.start + index * value.step;
    return rangeOf(at(first), at(last), value.step * step);
  }
  const chosen: Value[] = [];
  for (let i = first; step > 0 ? i < last : i > last; i += step) chosen.push(items[i]!);
  if (typeof value === "string") return chosen.join("");
  return value instanceof Tuple ? tuple(...chosen) : chosen;
}
