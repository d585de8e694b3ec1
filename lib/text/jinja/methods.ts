/**
 * The methods that templates may call on strings, lists and dicts: Python's own, by Python's rules. Those that change a
 * list or dict are refused, as the sandbox of transformers refuses them.
 *
 * @module
 */

import { bind } from "./bind.ts";
import { capitalize, foldCase, isLower, isTitle, isUpper, swapCase, title } from "./case.ts";
import { formatBraces } from "./format.ts";
import {
  type Arguments,
  assertLength,
  type Callable,
  entryOf,
  equals,
  Float,
  Group,
  isIndexed,
  isPrintable,
  iterate,
  numberOf,
  Range,
  representation,
  TemplateError,
  text,
  Tuple,
  tuple,
  typeName,
  type Value,
  view,
} from "./values.ts";

/** A method: what it is called on, and its arguments. */
type Method<T> = (self: T, args: Arguments) => Value;

/**
 * Finds an attribute that Python's type has.
 *
 * @param value What has it.
 * @param name Its name.
 * @returns A method, bound, or a value; undefined where the type has none of that name.
 * @throws {TemplateError} Where the type has it, and templates may not read it, or it is not supported here.
 */
export function attributeIn(value: Value, name: string): Value | undefined {
  if (value instanceof Group && (name === "grouper" || name === "list")) return value[name];
  if (value instanceof Range && (name === "start" || name === "stop" || name === "step")) {
    return value[name];
  }
  const found = methodOf(value, name) ?? numberAttribute(value, name);
  if (found === undefined && UNSUPPORTED[typeName(value)]?.includes(name)) {
    throw new TemplateError(`"${name}" of '${typeName(value)}' objects is not supported`);
  }
  return found;
}

/** What Python's numbers have as attributes: of real ones, themselves. */
function numberAttribute(value: Value, name: string): Value | undefined {
  if (typeof value === "bigint" && ["real", "numerator"].includes(name)) return value;
  const number = typeof value === "bigint" ? 1 : numberOf(value);
  if (number === undefined) return undefined;
  const isFloat = value instanceof Float;
  if (name === "real") return isFloat ? value : number;
  if (name === "imag") return isFloat ? new Float(0) : 0;
  if (isFloat) {
    return name === "is_integer" ? () => Number.isInteger(number) : undefined;
  }
  return name === "numerator" ? number : name === "denominator" ? 1 : undefined;
}

const OF_INT = [
  "as_integer_ratio",
  "bit_count",
  "bit_length",
  "conjugate",
  "from_bytes",
  "to_bytes",
];
const OF_VIEW = ["isdisjoint", "mapping"];

/** Attributes of Python's types that are not built, so that they are not taken for undefined. */
const UNSUPPORTED: Readonly<Record<string, readonly string[]>> = {
  str: ["encode", "maketrans", "translate"],
  int: OF_INT,
  bool: OF_INT,
  float: ["as_integer_ratio", "conjugate", "fromhex", "hex"],
  dict: ["fromkeys"],
  dict_items: OF_VIEW,
  dict_keys: OF_VIEW,
  dict_values: ["mapping"],
};

/**
 * Finds a method.
 *
 * @param value What it is called on.
 * @param name Its name.
 * @returns The method, bound; undefined where the type has none of that name.
 */
export function methodOf(value: Value, name: string): Callable | undefined {
  if (typeof value === "string") return bound(STRING, value, name);
  if (value instanceof Map) return bound(DICT, value, name, CHANGES_DICT);
  if (Array.isArray(value) && !isIndexed(value)) return undefined;
  if (value instanceof Tuple || value instanceof Range) {
    return name === "copy" ? undefined : bound(LIST, value, name);
  }
  if (Array.isArray(value)) return bound(LIST, value, name, CHANGES_LIST);
  return undefined;
}

function bound<T extends Value>(
  methods: Readonly<Record<string, Method<T>>>,
  self: T,
  name: string,
  changing: readonly string[] = [],
): Callable | undefined {
  if (Object.hasOwn(methods, name)) return (args) => methods[name]!(self, args);
  if (!changing.includes(name)) return undefined;
  return () => {
    throw new TemplateError(
      `access to attribute '${name}' of '${
        typeName(self)
      }' object is unsafe: templates change nothing`,
    );
  };
}

const CHANGES_LIST = ["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"];
const CHANGES_DICT = ["clear", "pop", "popitem", "setdefault", "update"];

const LIST: Readonly<Record<string, Method<Value[]>>> = {
  copy: (self) => self.slice(),
  count: (self, args) => {
    const { value } = bind("count", args, { value: undefined });
    return self.filter((item) => equals(item, value)).length;
  },
  index: (self, args) => {
    const { value } = bind("index", args, { value: undefined });
    const at = self.findIndex((item) => equals(item, value));
    if (at < 0) throw new TemplateError(`${representation(value)} is not in list`);
    return at;
  },
};

const DICT: Readonly<Record<string, Method<Map<Value, Value>>>> = {
  copy: (self) => new Map(self),
  get: (self, args) => {
    const { key, default: otherwise } = bind("get", args, { key: undefined, default: null });
    const found = entryOf(self, key);
    return found === undefined ? otherwise : found;
  },
  items: (self) => view("dict_items", Array.from(self, ([key, value]) => tuple(key, value))),
  keys: (self) => view("dict_keys", [...self.keys()]),
  values: (self) => view("dict_values", [...self.values()]),
};

/** What Python's `str.strip()` and `str.split()` take as space, within a class of a regular expression. */
export const SPACE =
  "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const LEADING = new RegExp(`^[${SPACE}]+`);
const TRAILING = new RegExp(`[${SPACE}]+$`);
export const SPACES = new RegExp(`[${SPACE}]+`);
const ONLY_SPACE = new RegExp(`^[${SPACE}]+$`);
/** Where Python's `str.splitlines()` ends a line. */
// deno-lint-ignore no-control-regex
export const LINE_END = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/g;

/**
 * Python's `str.strip()`, `lstrip()` and `rstrip()`.
 *
 * @param self The text.
 * @param characters What to take off; white space by default.
 * @param sides Which ends.
 * @returns The text without them.
 */
export function strip(
  self: string,
  characters: string | null = null,
  sides: "left" | "right" | "both" = "both",
): string {
  if (characters === null) {
    const left = sides === "right" ? self : self.replace(LEADING, "");
    return sides === "left" ? left : left.replace(TRAILING, "");
  }
  const all = Array.from(self);
  const taken = new Set(characters);
  let [first, last] = [0, all.length];
  if (sides !== "right") { while (first < last && taken.has(all[first]!)) first++; }
  if (sides !== "left") { while (last > first && taken.has(all[last - 1]!)) last--; }
  return all.slice(first, last).join("");
}

/** Python's `str.replace()`. */
export function replace(self: string, old: string, by: string, count = -1): string {
  const places = old === "" ? self.length + 1 : self.split(old).length - 1;
  assertLength(self.length + places * by.length);
  if (count < 0 && old !== "") return self.replaceAll(old, () => by);
  let [result, rest, left] = ["", self, count < 0 ? Infinity : count];
  if (old === "") {
    const all = Array.from(self);
    return all.map((c, i) => (i < left ? by : "") + c).join("") + (left > all.length ? by : "");
  }
  for (let at = rest.indexOf(old); left > 0 && at >= 0; at = rest.indexOf(old), left--) {
    result += rest.slice(0, at) + by;
    rest = rest.slice(at + old.length);
  }
  return result + rest;
}

/** Joins texts, unless that makes too long a one. */
export function joined(parts: readonly string[], separator: string): string {
  const own = parts.reduce((sum, part) => sum + part.length, 0);
  assertLength(own + separator.length * parts.length);
  return parts.join(separator);
}

function split(self: string, separator: Value, most: number, fromRight: boolean): Value[] {
  if (separator !== null && typeof separator !== "string") {
    throw new TemplateError(`must be str or None, not ${typeName(separator)}`);
  }
  if (separator === "") throw new TemplateError("empty separator");
  const limit = most < 0 ? Infinity : most;
  if (separator !== null) {
    const parts = self.split(separator);
    if (parts.length - 1 <= limit) return parts;
    if (fromRight) {
      const kept = limit === 0 ? [] : parts.slice(-limit);
      return [parts.slice(0, parts.length - limit).join(separator), ...kept];
    }
    return [...parts.slice(0, limit), parts.slice(limit).join(separator)];
  }
  const parts: string[] = [];
  let rest = strip(self);
  if (rest === "") return [];
  if (!fromRight) rest = self.replace(LEADING, "");
  else rest = self.replace(TRAILING, "");
  while (rest !== "") {
    if (parts.length >= limit) {
      parts.push(rest);
      break;
    }
    const gap = fromRight ? lastGap(rest) : SPACES.exec(rest);
    if (!gap) {
      parts.push(rest);
      break;
    }
    const [before, after] = [rest.slice(0, gap.index), rest.slice(gap.index + gap[0].length)];
    parts.push(fromRight ? after : before);
    rest = fromRight ? before : after;
  }
  return fromRight ? parts.reverse() : parts;
}

function lastGap(value: string): RegExpExecArray | undefined {
  let found: RegExpExecArray | undefined;
  for (const gap of value.matchAll(new RegExp(SPACES, "g"))) found = gap;
  return found;
}

/** Python's `str.splitlines()`. */
export function splitLines(self: string, keepEnds: boolean): string[] {
  const lines: string[] = [];
  let start = 0;
  for (const end of self.matchAll(LINE_END)) {
    const stop = end.index + end[0].length;
    lines.push(self.slice(start, keepEnds ? stop : end.index));
    start = stop;
  }
  if (start < self.length) lines.push(self.slice(start));
  return lines;
}

/** Whether a text begins or ends with one of several, within a range of it. */
function meets(
  name: string,
  self: string,
  args: Arguments,
  test: (part: string, affix: string) => boolean,
) {
  const { prefix, start, end } = bind(name, args, { prefix: undefined, start: null, end: null });
  const all = Array.from(self);
  const [from = 0, to] = range(start, end);
  if (from > all.length) return false;
  const part = all.slice(from, to).join("");
  const affixes = prefix instanceof Tuple ? Array.from(prefix) : [prefix];
  return affixes.some((affix) => {
    if (typeof affix === "string") return test(part, affix);
    throw new TemplateError(
      `${name} first arg must be str or a tuple of str, not ${typeName(affix)}`,
    );
  });
}

function range(start: Value, end: Value): [number | undefined, number | undefined] {
  return [start === null ? undefined : start as number, end === null ? undefined : end as number];
}

/** Where a text is first or last found, in characters; -1 if nowhere. */
function find(name: string, self: string, args: Arguments, last: boolean): number {
  const { sub, start, end } = bind(name, args, { sub: undefined, start: null, end: null });
  const all = Array.from(self);
  const wanted = expectText(sub);
  const [from = 0, to = all.length] = range(start, end);
  const first = from < 0 ? Math.max(0, all.length + from) : from;
  const part = all.slice(first, to).join("");
  const at = last ? part.lastIndexOf(wanted) : part.indexOf(wanted);
  return at < 0 || first > all.length ? -1 : first + Array.from(part.slice(0, at)).length;
}

function partition(self: string, separator: string, at: number): Tuple {
  return tuple(self.slice(0, at), separator, self.slice(at + separator.length));
}

function expectText(value: Value): string {
  if (typeof value !== "string") {
    throw new TemplateError(`must be str, not ${typeName(value)}`);
  }
  return value;
}

function expectSeparator(value: Value): string {
  if (value === "") throw new TemplateError("empty separator");
  return expectText(value);
}

function justify(name: string, self: string, args: Arguments): string {
  const { width, fillchar } = bind(name, args, { width: undefined, fillchar: " " });
  const fill = expectText(fillchar);
  if (Array.from(fill).length !== 1) {
    throw new TemplateError("The fill character must be exactly one character long");
  }
  const missing = (width as number) - Array.from(self).length;
  if (missing <= 0) return self;
  assertLength(missing);
  // As CPython's: an odd space goes to the left where the width is odd.
  const left = name === "ljust"
    ? 0
    : name === "rjust"
    ? missing
    : Math.floor(missing / 2) + (missing & (width as number) & 1);
  return fill.repeat(left) + self + fill.repeat(missing - left);
}

const stripped =
  (name: string, sides: "left" | "right" | "both"): Method<string> => (self, args) => {
    const { chars } = bind(name, args, { chars: null });
    return strip(self, chars === null ? null : expectText(chars), sides);
  };

const every = (pattern: RegExp): Method<string> => (self) =>
  self !== "" && Array.from(self).every((character) => pattern.test(character));

const STRING: Readonly<Record<string, Method<string>>> = {
  capitalize,
  casefold: foldCase,
  center: (self, args) => justify("center", self, args),
  count: (self, args) => {
    const { sub, start, end } = bind("count", args, { sub: undefined, start: null, end: null });
    const wanted = expectText(sub);
    const all = Array.from(self);
    const [from = 0, to] = range(start, end);
    if (from > all.length) return 0;
    const part = all.slice(from, to);
    return wanted === "" ? part.length + 1 : part.join("").split(wanted).length - 1;
  },
  endswith: (self, args) => meets("endswith", self, args, (part, affix) => part.endsWith(affix)),
  expandtabs: (self, args) => {
    const { tabsize } = bind("expandtabs", args, { tabsize: 8 });
    let column = 0;
    return Array.from(self, (character) => {
      if (character === "\n" || character === "\r") column = 0;
      else if (character !== "\t") column++;
      else {
        const size = tabsize as number;
        assertLength(size);
        const spaces = size > 0 ? size - column % size : 0;
        column += spaces;
        return " ".repeat(spaces);
      }
      return character;
    }).join("");
  },
  find: (self, args) => find("find", self, args, false),
  format: (self, { positional, named }) => formatBraces(self, positional, named),
  format_map: (self, args) => {
    const { mapping } = bind("format_map", args, { mapping: undefined });
    if (!(mapping instanceof Map)) {
      throw new TemplateError(`format_map() takes a mapping, not ${typeName(mapping)}`);
    }
    return formatBraces(self, [], new Map([...mapping].map(([key, item]) => [text(key), item])));
  },
  index: (self, args) => found(find("index", self, args, false)),
  isalnum: every(/[\p{L}\p{N}]/u),
  isalpha: every(/\p{L}/u),
  isascii: (self) => Array.from(self).every((character) => character.codePointAt(0)! < 128),
  isdecimal: every(/\p{Nd}/u),
  isdigit: every(/[\p{Nd}\u00b2\u00b3\u00b9\u2070-\u2079\u2080-\u2089\u2460-\u2468]/u),
  isidentifier: (self) => /^[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Mn}\p{Mc}\p{Nd}\p{Pc}]*$/u.test(self),
  islower: isLower,
  isprintable: (self) => Array.from(self).every(isPrintable),
  isnumeric: every(/\p{N}/u),
  isspace: (self) => ONLY_SPACE.test(self),
  istitle: isTitle,
  isupper: isUpper,
  join: (self, args) => {
    const { iterable } = bind("join", args, { iterable: undefined });
    return joined(
      iterate(iterable).map((item, i) => {
        if (typeof item === "string") return item;
        throw new TemplateError(
          `sequence item ${i}: expected str instance, ${typeName(item)} found`,
        );
      }),
      self,
    );
  },
  ljust: (self, args) => justify("ljust", self, args),
  lower: (self) => self.toLowerCase(),
  lstrip: stripped("lstrip", "left"),
  partition: (self, args) => {
    const { sep } = bind("partition", args, { sep: undefined });
    const at = self.indexOf(expectSeparator(sep));
    return at < 0 ? tuple(self, "", "") : partition(self, sep as string, at);
  },
  removeprefix: (self, args) => {
    const { prefix } = bind("removeprefix", args, { prefix: undefined });
    return self.startsWith(expectText(prefix)) ? self.slice((prefix as string).length) : self;
  },
  removesuffix: (self, args) => {
    const suffix = expectText(bind("removesuffix", args, { suffix: undefined }).suffix);
    return suffix !== "" && self.endsWith(suffix) ? self.slice(0, -suffix.length) : self;
  },
  replace: (self, args) => {
    const given = bind("replace", args, { old: undefined, new: undefined, count: -1 });
    return replace(self, expectText(given.old), expectText(given.new), given.count as number);
  },
  rfind: (self, args) => find("rfind", self, args, true),
  rindex: (self, args) => found(find("rindex", self, args, true)),
  rjust: (self, args) => justify("rjust", self, args),
  rpartition: (self, args) => {
    const { sep } = bind("rpartition", args, { sep: undefined });
    const at = self.lastIndexOf(expectSeparator(sep));
    return at < 0 ? tuple("", "", self) : partition(self, sep as string, at);
  },
  rsplit: (self, args) => {
    const { sep, maxsplit } = bind("rsplit", args, { sep: null, maxsplit: -1 });
    return split(self, sep, maxsplit as number, true);
  },
  rstrip: stripped("rstrip", "right"),
  split: (self, args) => {
    const { sep, maxsplit } = bind("split", args, { sep: null, maxsplit: -1 });
    return split(self, sep, maxsplit as number, false);
  },
  splitlines: (self, args) => {
    const { keepends } = bind("splitlines", args, { keepends: false });
    return splitLines(self, Boolean(keepends));
  },
  startswith: (self, args) =>
    meets("startswith", self, args, (part, affix) => part.startsWith(affix)),
  strip: stripped("strip", "both"),
  swapcase: swapCase,
  title,
  upper: (self) => self.toUpperCase(),
  zfill: (self, args) => {
    const { width } = bind("zfill", args, { width: undefined });
    const sign = /^[+-]/.exec(self)?.[0] ?? "";
    const missing = Math.max(0, (width as number) - Array.from(self).length);
    assertLength(missing);
    return sign + "0".repeat(missing) + self.slice(sign.length);
  },
};

function found(at: number): number {
  if (at < 0) throw new TemplateError("substring not found");
  return at;
}
