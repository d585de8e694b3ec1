/**
 * jinja2's tests: what may stand after `is`.
 *
 * @module
 */

import { isLower, isUpper } from "./case.ts";
import {
  compare,
  contains,
  equals,
  Float,
  Instance,
  isIndexed,
  iterate,
  Namespace,
  numberOf,
  TemplateError,
  text,
  Undefined,
  type Value,
} from "./values.ts";

/** A test of a value, with what stands after its name. */
export type Test = (value: Value, ...others: Value[]) => boolean;

const equal: Test = (value, other) => equals(value, other!);
const notEqual: Test = (value, other) => !equals(value, other!);
const less: Test = (value, other) => compare(value, other!, "<") < 0;
const lessOrEqual: Test = (value, other) => compare(value, other!, "<=") <= 0;
const greater: Test = (value, other) => compare(value, other!, ">") > 0;
const greaterOrEqual: Test = (value, other) => compare(value, other!, ">=") >= 0;

/** Every test, by name. */
export const TESTS: Readonly<Record<string, Test>> = {
  "==": equal,
  eq: equal,
  equalto: equal,
  "!=": notEqual,
  ne: notEqual,
  "<": less,
  lt: less,
  lessthan: less,
  "<=": lessOrEqual,
  le: lessOrEqual,
  ">": greater,
  gt: greater,
  greaterthan: greater,
  ">=": greaterOrEqual,
  ge: greaterOrEqual,
  boolean: (value) => typeof value === "boolean",
  callable: (value) =>
    typeof value === "function" || value instanceof Undefined ||
    (value instanceof Instance && value.options.call !== undefined),
  defined: (value) => !(value instanceof Undefined),
  divisibleby: (value, by) => remainder(value, by!) === 0,
  escaped: () => false,
  even: (value) => remainder(value, 2) === 0,
  false: (value) => value === false,
  float: (value) => value instanceof Float,
  in: (value, container) => contains(container!, value),
  integer: (value) => typeof value === "number" || typeof value === "bigint",
  iterable: (value) => {
    if (value instanceof Instance && value.kind === "LoopContext") return true;
    try {
      iterate(value);
      return true;
    } catch {
      return false;
    }
  },
  lower: (value) => !(value instanceof Namespace) && isLower(text(value)),
  mapping: (value) => value instanceof Map,
  none: (value) => value === null,
  number: (value) => typeof value === "bigint" || numberOf(value) !== undefined,
  odd: (value) => Math.abs(remainder(value, 2)) === 1,
  sameas: (value, other) =>
    value === other || (value instanceof Undefined && other instanceof Undefined),
  // what has a length and items by index: jinja2 asks for no more, so that dicts are sequences too
  sequence: (value) =>
    typeof value === "string" || value instanceof Map || value instanceof Undefined ||
    Array.isArray(value) && isIndexed(value),
  string: (value) => typeof value === "string",
  // The tests "filter" and "test" are in filters.ts, which knows both.
  true: (value) => value === true,
  undefined: (value) => value instanceof Undefined,
  upper: (value) => !(value instanceof Namespace) && isUpper(text(value)),
};

function remainder(value: Value, by: Value): number {
  const [a, b] = [numberOf(value), numberOf(by)];
  if (value instanceof Undefined) throw new TemplateError(value.what);
  if (a === undefined || b === undefined) throw new TemplateError("a number was expected");
  if (b === 0) throw new TemplateError("integer modulo by zero");
  return a % b;
}
