/**
 * Python's values in JavaScript, as templates see them, and what Python does with any of them: truth, text, equality,
 * order, iteration.
 *
 * | Python | here |
 * |---|---|
 * | `str`, `bool`, `None` | string, boolean, null |
 * | `int` | a number that is whole; a bigint where a number is not exact, to print and compare |
 * | `float` | {@linkcode Float} |
 * | `list`, `tuple` | an array, a {@linkcode Tuple} |
 * | `dict` | a Map |
 * | a function, method or macro | a {@linkcode Callable} |
 * | jinja2's `Undefined`, `namespace()` | {@linkcode Undefined}, {@linkcode Namespace} |
 *
 * @module
 */

import { writtenKeys, writtenNumber } from "../../json_source.ts";
import { pythonFloat } from "../../python_float.ts";

/** A value of a template. */
export type Value =
  | string
  | boolean
  | null
  | number
  | bigint
  | Float
  | Value[]
  | Map<Value, Value>
  | Namespace
  | Generator
  | Undefined
  | Callable;

/** Arguments of a call: those by position, and those by name. */
export interface Arguments {
  readonly positional: readonly Value[];
  readonly named: ReadonlyMap<string, Value>;
}

/** What can be called. */
export type Callable = (args: Arguments) => Value;

/** A float, which a number cannot tell from an int: `1.0` prints otherwise than `1`. */
export class Float {
  constructor(readonly value: number) {}
}

/** A tuple: a list that prints with parentheses. Made by {@linkcode tuple}. */
export class Tuple extends Array<Value> {
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
}

/** Makes a tuple. */
export function tuple(...items: Value[]): Tuple {
  const made = new Tuple();
  made.push(...items);
  return made;
}

/** What `groupby` gives: a tuple of what its items share and of them, which have names too. */
export class Group extends Tuple {
  get grouper(): Value {
    return this[0]!;
  }
  get list(): Value {
    return this[1]!;
  }
}

/** What a dict's `items()`, `keys()` and `values()` give: a list that prints its kind. Made by {@linkcode view}. */
export class View extends Array<Value> {
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
  /** Such as `dict_items`; of a range, how it prints as a whole. */
  kind = "list";
}

/** Makes a view of a dict. */
export function view(kind: string, items: readonly Value[]): View {
  const made = new View();
  made.kind = kind;
  made.push(...items);
  return made;
}

/** What `range()` gives. Made by {@linkcode rangeOf}. */
export class Range extends View {
  start = 0;
  stop = 0;
  step = 1;
}

/** Whether a list has items by index: views of dicts have none. */
export function isIndexed(list: readonly Value[]): boolean {
  return !(list instanceof View) || list instanceof Range;
}

/** Makes a range; its length must have been checked. */
export function rangeOf(start: number, stop: number, step = 1): Range {
  const made = new Range();
  Object.assign(made, { start, stop, step });
  made.kind = `range(${[start, stop, ...(step === 1 ? [] : [step])].join(", ")})`;
  const count = Math.max(0, Math.ceil((stop - start) / step));
  for (let i = 0; i < count; i++) made.push(start + i * step);
  return made;
}

/** What `map`, `select` and their kin give: items that can be looped over once, and not counted, indexed or printed. */
export class Generator {
  #items: readonly Value[] | undefined;

  constructor(items: readonly Value[]) {
    this.#items = items;
  }

  /** The items; empty from the second time. */
  take(): Value[] {
    const items = this.#items ?? [];
    this.#items = undefined;
    return Array.from(items);
  }
}

/** What `namespace()` makes: attributes that a template may set. */
export class Namespace {
  constructor(readonly attributes: Map<string, Value>) {}
}

/** jinja2's own objects, such as `loop` and `cycler()`: attributes that a template may only read. */
export class Instance extends Namespace {
  /**
   * @param kind Its type's name.
   * @param attributes What it has.
   * @param options What it is called with, and how it prints; it cannot without.
   */
  constructor(
    readonly kind: string,
    attributes: Map<string, Value>,
    readonly options: { readonly call?: Callable; readonly shown?: string } = {},
  ) {
    super(attributes);
  }
}

/** What a name is that nobody defined: empty text, empty list, false; an error where more is asked of it. */
export class Undefined {
  /** @param what What is undefined, for the message, such as `'name' is undefined`. */
  constructor(readonly what: string) {}
}

/** An error that Python would throw, such as `TypeError`. Its message is for the author of the template. */
export class TemplateError extends Error {
  override name = "TemplateError";
}

/** The longest text, in UTF-16 units, and the longest list that a template may make. */
export const LONGEST = 1 << 24;

/**
 * Checks that a text or list is not too long, before it is made.
 *
 * @param length How long it would be.
 * @throws {RangeError} If that is more than a template may make.
 */
export function assertLength(length: number): void {
  if (length > LONGEST) throw new RangeError(`it makes a text or list longer than ${LONGEST}`);
}

/** Converts JSON-like data and functions of plain values. */
export function fromJavaScript(value: unknown): Value {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      if (!Number.isInteger(value)) return new Float(value);
      // JavaScript has rounded it, where Python writes every digit
      if (!Number.isSafeInteger(value)) {
        throw new TemplateError(
          `the whole number ${value} is too large for a template; give it as a bigint or a text`,
        );
      }
      return value;
    case "bigint":
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    case "undefined":
      return new Undefined("a variable is undefined");
    case "function":
      return value as Callable;
    case "object":
      if (value === null || value instanceof Float || value instanceof Undefined) return value;
      if (
        value instanceof Namespace || value instanceof Generator || value instanceof Map ||
        value instanceof Tuple
      ) {
        return value;
      }
      if (Array.isArray(value)) return value.map((item, i) => itemFrom(value, i, item));
      return new Map(
        writtenKeys(value)
          .map((key) => [key, (value as Record<string, unknown>)[key]] as const)
          .filter(([, item]) => item !== undefined)
          .map(([key, item]): [Value, Value] => [key, itemFrom(value, key, item)]),
      );
    default:
      throw new TypeError(`Cannot give a ${typeof value} to a template`);
  }
}

/** Python's `sys.get_int_max_str_digits()`. */
const MOST_DIGITS = 4300;

/** An item of a list or dict: a number from JSON is the int or float that Python reads from the same text. */
function itemFrom(holder: object, key: string | number, item: unknown): Value {
  const written = typeof item === "number" ? writtenNumber(holder, key) : undefined;
  if (written === undefined) return fromJavaScript(item);
  if (/[.eE]/.test(written)) return new Float(Number(written));
  if (written.replace("-", "").length <= MOST_DIGITS) return BigInt(written);
  throw new TemplateError(
    `a whole number has more than ${MOST_DIGITS} digits, which Python refuses to read`,
  );
}

/** The name of a value's type in Python. */
export function typeName(value: Value): string {
  if (typeof value === "string") return "str";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number" || typeof value === "bigint") return "int";
  if (typeof value === "function") return "function";
  if (value === null) return "NoneType";
  if (value instanceof Float) return "float";
  if (value instanceof Tuple) return "tuple";
  if (value instanceof View) return value.kind.split("(")[0]!;
  if (Array.isArray(value)) return "list";
  if (value instanceof Map) return "dict";
  if (value instanceof Instance) return value.kind;
  if (value instanceof Namespace) return "Namespace";
  if (value instanceof Generator) return "generator";
  return "Undefined";
}

/** Whether a value counts as true. */
export function isTrue(value: Value): boolean {
  if (value instanceof Float) return value.value !== 0;
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Map) return value.size > 0;
  if (value instanceof Undefined) return false;
  return Boolean(value);
}

/**
 * The numeric value in arithmetic, bools included; undefined for other values.
 *
 * @throws {TemplateError} For an int that a number does not hold.
 */
export function numberOf(value: Value): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return Number(value);
  if (typeof value === "bigint") {
    throw new TemplateError(
      `the whole number ${value} is too large for a template to compute with; give it as a text`,
    );
  }
  return value instanceof Float ? value.value : undefined;
}

/** The numeric value in comparisons. */
function sizeOf(value: Value): number | bigint | undefined {
  return typeof value === "bigint" ? value : numberOf(value);
}

/** Python's `str()`: what a template writes for a value. */
export function text(value: Value): string {
  if (typeof value === "string") return value;
  if (value instanceof Undefined) return "";
  return representation(value);
}

/** Python's `repr()`: what is written for a value within a list. */
export function representation(value: Value): string {
  if (typeof value === "string") return quoted(value);
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (value === null) return "None";
  if (value instanceof Float) return pythonFloat(value.value);
  if (value instanceof Tuple) {
    const items = Array.from(value, representation);
    return items.length === 1 ? `(${items[0]},)` : `(${items.join(", ")})`;
  }
  if (value instanceof View) {
    return value.kind.endsWith(")")
      ? value.kind
      : `${value.kind}(${representation(Array.from(value))})`;
  }
  if (Array.isArray(value)) return `[${value.map(representation).join(", ")}]`;
  if (value instanceof Map) {
    const entries = Array.from(value, ([k, v]) => `${representation(k)}: ${representation(v)}`);
    return `{${entries.join(", ")}}`;
  }
  if (value instanceof Undefined) return "Undefined";
  if (value instanceof Instance && value.options.shown) return value.options.shown;
  if (value instanceof Namespace && !(value instanceof Instance)) {
    return `<Namespace ${representation(new Map(value.attributes))}>`;
  }
  throw new TemplateError(`a ${typeName(value)} has no text`);
}

/** A string as Python's source would have it. */
function quoted(value: string): string {
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
  let result = "";
  for (const character of value) {
    const code = character.codePointAt(0)!;
    if (character === quote || character === "\\") result += `\\${character}`;
    else if (character === "\n") result += "\\n";
    else if (character === "\r") result += "\\r";
    else if (character === "\t") result += "\\t";
    else if (isPrintable(character)) result += character;
    else if (code < 0x100) result += `\\x${code.toString(16).padStart(2, "0")}`;
    else if (code < 0x10000) result += `\\u${code.toString(16).padStart(4, "0")}`;
    else result += `\\U${code.toString(16).padStart(8, "0")}`;
  }
  return quote + result + quote;
}

/** Python's `str.isprintable()` of one character. */
export function isPrintable(character: string): boolean {
  return character === " " || !/[\p{C}\p{Z}]/u.test(character);
}

/** Python's `==`. */
export function equals(a: Value, b: Value): boolean {
  const [x, y] = [sizeOf(a), sizeOf(b)];
  // deno-lint-ignore eqeqeq -- exact between a bigint and a number
  if (x !== undefined && y !== undefined) return x == y;
  if (a instanceof Undefined && b instanceof Undefined) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return (a instanceof Tuple) === (b instanceof Tuple) &&
      (a instanceof View) === (b instanceof View) && a.length === b.length &&
      a.every((item, i) => equals(item, b[i]!));
  }
  if (a instanceof Map && b instanceof Map) {
    return a.size === b.size && [...a].every(([key, value]) => {
      const other = entryOf(b, key);
      return other !== undefined && equals(value, other);
    });
  }
  return a === b;
}

/** Python's `<` as a number below, at or above 0. */
export function compare(a: Value, b: Value, operator = "<"): number {
  const [x, y] = [sizeOf(a), sizeOf(b)];
  // deno-lint-ignore eqeqeq -- as in equals()
  if (x !== undefined && y !== undefined) return x < y ? -1 : x > y ? 1 : x == y ? 0 : NaN;
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  const areRanked = Array.isArray(a) && Array.isArray(b) && !(a instanceof View) &&
    !(b instanceof View) && (a instanceof Tuple) === (b instanceof Tuple);
  if (areRanked) {
    for (let i = 0; i < Math.min(a.length, b.length); i++) {
      if (!equals(a[i]!, b[i]!)) return compare(a[i]!, b[i]!, operator);
    }
    return a.length - b.length;
  }
  throw new TemplateError(
    `'${operator}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`,
  );
}

/** By code points, as Python does; JavaScript compares UTF-16 units. */
function compareText(a: string, b: string): number {
  const [x, y] = [Array.from(a), Array.from(b)];
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const difference = x[i]!.codePointAt(0)! - y[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return x.length - y.length;
}

/** Looks a key up in a dict, where 1, 1.0 and True are one key. */
export function entryOf(dict: ReadonlyMap<Value, Value>, key: Value): Value | undefined {
  if (typeof key === "string" || key === null) return dict.get(key);
  assertHashable(key);
  for (const [candidate, value] of dict) if (equals(candidate, key)) return value;
  return undefined;
}

/** Sets a key of a dict, which may be there under an equal one. */
export function setEntry(dict: Map<Value, Value>, key: Value, value: Value): void {
  assertHashable(key);
  if (typeof key !== "string") {
    for (const candidate of dict.keys()) {
      if (equals(candidate, key)) return void dict.set(candidate, value);
    }
  }
  dict.set(key, value);
}

/** Throws where a value cannot be a dict's key. */
export function assertHashable(key: Value): void {
  if (!isHashable(key)) throw new TemplateError(`unhashable type: '${typeName(key)}'`);
}

/** Whether a value can be a dict's key. */
export function isHashable(key: Value): boolean {
  const isList = Array.isArray(key) && !(key instanceof Tuple) && !(key instanceof Range);
  return !isList && !(key instanceof Map);
}

/** The items of what can be looped over: a string's characters, a dict's keys, nothing of what is undefined. */
export function iterate(value: Value): Value[] {
  if (Array.isArray(value)) return Array.from(value);
  if (typeof value === "string") return Array.from(value);
  if (value instanceof Map) return [...value.keys()];
  if (value instanceof Undefined) return [];
  if (value instanceof Generator) return value.take();
  throw new TemplateError(`'${typeName(value)}' object is not iterable`);
}

/** Python's `len()`. */
export function lengthOf(value: Value): number {
  if (Array.isArray(value)) return value.length;
  if (typeof value === "string") return characterCount(value);
  if (value instanceof Map) return value.size;
  if (value instanceof Undefined) return 0;
  throw new TemplateError(`object of type '${typeName(value)}' has no len()`);
}

function characterCount(value: string): number {
  let count = 0;
  for (const _ of value) count++;
  return count;
}

/** Python's `in`. */
export function contains(container: Value, item: Value): boolean {
  if (typeof container === "string") {
    if (typeof item === "string") return container.includes(item);
    throw new TemplateError(
      `'in <string>' requires string as left operand, not ${typeName(item)}`,
    );
  }
  if (container instanceof Map) return entryOf(container, item) !== undefined;
  return iterate(container).some((candidate) => equals(candidate, item));
}
