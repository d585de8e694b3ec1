/**
 * jinja2's filters: what may stand after `|`. `tojson` is transformers', which escapes nothing for HTML.
 *
 * Left out, since no chat template needs them and each is a library of its own: `pprint`, `random`, `urlize`.
 *
 * @module
 */

import { pythonFloat } from "../../python_float.ts";
import { bind } from "./bind.ts";
import { capitalize } from "./case.ts";
import { fixed, formatPercent } from "./format.ts";
import { type JsonOptions, toJson } from "./json.ts";
import {
  attributeIn,
  joined,
  LINE_END,
  methodOf,
  replace,
  SPACE,
  splitLines,
  strip,
} from "./methods.ts";
import { parseFloatText, parseInteger, roundHalfEven, wholeOf } from "./numbers.ts";
import { stripTags } from "./markup.ts";
import { assertDefined, itemOf, operate } from "./operators.ts";
import { TESTS } from "./tests.ts";
import {
  type Arguments,
  assertHashable,
  assertLength,
  compare,
  equals,
  Float,
  Generator,
  Group,
  isTrue,
  iterate,
  lengthOf,
  Namespace,
  numberOf,
  representation,
  TemplateError,
  text,
  tuple,
  typeName,
  Undefined,
  type Value,
} from "./values.ts";
import { wrap } from "./wordwrap.ts";

/** A filter: what it is applied to, and its arguments. */
export type Filter = (value: Value, args: Arguments) => Value;

/** Applies the filter of a name. */
export function applyFilter(name: string, value: Value, args: Arguments): Value {
  if (UNSUPPORTED.includes(name)) throw new TemplateError(`the filter "${name}" is not supported`);
  if (!Object.hasOwn(FILTERS, name)) throw new TemplateError(`No filter named '${name}'`);
  return FILTERS[name]!(value, args);
}

/** Applies the test of a name. */
export function applyTest(name: string, value: Value, others: readonly Value[]): boolean {
  if (name === "filter" || name === "test") {
    assertHashable(value);
    if (typeof value !== "string") return false;
    if (name === "filter") return UNSUPPORTED.includes(value) || Object.hasOwn(FILTERS, value);
    return value === "filter" || value === "test" || Object.hasOwn(TESTS, value);
  }
  if (!Object.hasOwn(TESTS, name)) throw new TemplateError(`No test named '${name}'`);
  return TESTS[name]!(value, ...others);
}

/** The value at a path such as `user.name` or `0`, as `map(attribute=…)` and its kin take it. */
function attributeOf(value: Value, path: Value): Value {
  const parts = typeof path === "string" ? path.split(".") : [path];
  let found = value;
  for (const part of parts) {
    const key = typeof part === "string" && /^\d+$/.test(part) ? Number(part) : part;
    const owner: Value = assertDefined(found);
    let item = owner instanceof Namespace ? owner.attributes.get(String(key)) : itemOf(owner, key);
    if (item === undefined && typeof key === "string") item = attributeIn(owner, key);
    found = item === undefined
      ? new Undefined(`'${typeName(owner)} object' has no attribute ${representation(key)}`)
      : item;
  }
  return found;
}

/** How `sort`, `unique`, `min` and their kin see a value. */
function sortKey(path: Value, caseSensitive: Value): (item: Value) => Value {
  return (item) => {
    const value = path === null ? item : attributeOf(item, path);
    return typeof value === "string" && !isTrue(caseSensitive) ? value.toLowerCase() : value;
  };
}

function sorted(items: readonly Value[], key: (item: Value) => Value, reverse: Value): Value[] {
  const keyed = items.map((item) => ({ item, key: key(item) }));
  const sign = isTrue(reverse) ? -1 : 1;
  return keyed.sort((a, b) => sign * compare(a.key, b.key)).map(({ item }) => item);
}

function extreme(name: string, sign: number): Filter {
  return (value, args) => {
    const { case_sensitive, attribute } = bind(name, args, {
      case_sensitive: false,
      attribute: null,
    });
    const items = iterate(value);
    if (items.length === 0) return new Undefined("No aggregated item, sequence was empty.");
    const key = sortKey(attribute, case_sensitive);
    return items.reduce((best, item) => sign * compare(key(item), key(best)) > 0 ? item : best);
  };
}

/** `select`, `reject`, `selectattr` and `rejectattr`: by a test, or by truth. */
function chosen(name: string, byAttribute: boolean, wanted: boolean): Filter {
  return (value, { positional, named }) => {
    if (named.size > 0) throw new TemplateError(`${name}() takes no keyword arguments`);
    const path = byAttribute ? positional[0] : undefined;
    if (byAttribute && path === undefined) {
      throw new TemplateError("Missing parameter for attribute name");
    }
    const [test, ...others] = byAttribute ? positional.slice(1) : positional;
    if (!isTrue(value)) return new Generator([]);
    const passing = iterate(value).filter((item) => {
      const seen = path === undefined ? item : attributeOf(item, path);
      const passes = test === undefined ? isTrue(seen) : applyTest(String(test), seen, others);
      return passes === wanted;
    });
    return new Generator(passing);
  };
}

const defaulted: Filter = (value, args) => {
  const given = bind("default", args, { default_value: "", boolean: false });
  const missing = value instanceof Undefined || (isTrue(given.boolean) && !isTrue(value));
  return missing ? given.default_value : value;
};

const escaped: Filter = (value) =>
  text(value).replace(/[&<>'"]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replaceAll("&#38;", "&amp;").replaceAll("&#60;", "&lt;").replaceAll("&#62;", "&gt;");

const length: Filter = (value) => lengthOf(value);

function endOf(value: Value, at: 0 | -1, which: string): Value {
  const item = iterate(value).at(at);
  return item === undefined ? new Undefined(`No ${which} item, sequence was empty.`) : item;
}

const NONE: Arguments = { positional: [], named: new Map() };

/** jinja2's filters that are not built. */
const UNSUPPORTED = ["pprint", "random", "urlize"];

/** Where the filter `title` begins a word. */
const WORD_BEGINNING = new RegExp(`([-${SPACE}({[<]+)`);

/** Every filter, by name. */
export const FILTERS: Readonly<Record<string, Filter>> = {
  abs: (value) => {
    const number = numberOf(assertDefined(value));
    if (number === undefined) {
      throw new TemplateError(`bad operand type for abs(): '${typeName(value)}'`);
    }
    return value instanceof Float ? new Float(Math.abs(number)) : Math.abs(number);
  },
  attr: (value, args) => {
    const { name } = bind("attr", args, { name: undefined });
    assertDefined(value);
    const found = value instanceof Namespace
      ? value.attributes.get(String(name))
      : attributeIn(value, String(name));
    return found ?? new Undefined(`no attribute ${representation(name)}`);
  },
  batch: (value, args) => {
    const { linecount, fill_with } = bind("batch", args, { linecount: undefined, fill_with: null });
    const size = numberOf(linecount);
    const lines: Value[][] = [];
    // as in jinja2, a line is full only at exactly this length
    for (const item of iterate(value)) {
      const last = lines.at(-1);
      if (!last && size !== 0) lines.push([item]);
      else if (!last) lines.push([], [item]);
      else if (last.length === size) lines.push([item]);
      else last.push(item);
    }
    const last = lines.at(-1);
    if (fill_with !== null && last && size === undefined) {
      throw new TemplateError(`batch() takes a number of items, not ${typeName(linecount)}`);
    }
    if (fill_with !== null && last && last.length < size!) {
      if (!Number.isInteger(size)) throw new TemplateError("batch() takes a whole number of items");
      assertLength(size!);
      while (last.length < size!) last.push(fill_with);
    }
    return new Generator(lines);
  },
  capitalize: (value) => capitalize(text(value)),
  center: (value, args) => {
    const { width } = bind("center", args, { width: 80 });
    return methodOf(text(value), "center")!({ positional: [width], named: new Map() });
  },
  count: length,
  d: defaulted,
  default: defaulted,
  dictsort: (value, args) => {
    const given = bind("dictsort", args, { case_sensitive: false, by: "key", reverse: false });
    if (!(value instanceof Map)) {
      throw new TemplateError(`'${typeName(value)}' object has no attribute 'items'`);
    }
    const at = given.by === "key" ? 0 : given.by === "value" ? 1 : undefined;
    if (at === undefined) throw new TemplateError("You can only sort by either 'key' or 'value'");
    const items = Array.from(value, ([key, item]) => tuple(key, item));
    return sorted(items, sortKey(at, given.case_sensitive), given.reverse);
  },
  e: escaped,
  escape: escaped,
  filesizeformat: (value, args) => {
    const { binary } = bind("filesizeformat", args, { binary: false });
    const bytes = typeof value === "string"
      ? parseFloatText(value)
      : numberOf(assertDefined(value));
    if (bytes === undefined) {
      throw new TemplateError(`could not convert ${typeName(value)} to float`);
    }
    const base = isTrue(binary) ? 1024 : 1000;
    if (bytes === 1) return "1 Byte";
    if (bytes < base) return `${Math.trunc(bytes)} Bytes`;
    const prefixes = isTrue(binary) ? "KMGTPEZY" : "kMGTPEZY";
    const at = Array.from(prefixes).findIndex((_, i) => bytes < base ** (i + 2));
    const i = at < 0 ? prefixes.length - 1 : at;
    const number = base * bytes / base ** (i + 2);
    const size = Number.isFinite(number) ? fixed(number, 1) : pythonFloat(number);
    return `${size} ${prefixes[i]}${isTrue(binary) ? "i" : ""}B`;
  },
  first: (value) => endOf(value, 0, "first"),
  float: (value, args) => {
    const given = bind("float", args, { default: new Float(0) });
    const number = typeof value === "string"
      ? parseFloatText(value)
      : numberOf(assertDefined(value));
    return number === undefined ? given.default : new Float(number);
  },
  forceescape: escaped,
  format: (value, { positional, named }) => {
    if (positional.length > 0 && named.size > 0) {
      throw new TemplateError("can't handle positional and keyword arguments at the same time");
    }
    const values = named.size > 0 ? new Map<Value, Value>(named) : tuple(...positional);
    return formatPercent(text(value), values);
  },
  groupby: (value, args) => {
    const given = bind("groupby", args, {
      attribute: undefined,
      default: null,
      case_sensitive: false,
    });
    const plain = (item: Value) => {
      const found = attributeOf(item, given.attribute);
      return found instanceof Undefined && given.default !== null ? given.default : found;
    };
    const key = (item: Value) => {
      const found = plain(item);
      return typeof found === "string" && !isTrue(given.case_sensitive)
        ? found.toLowerCase()
        : found;
    };
    const groups: { key: Value; grouper: Value; list: Value[] }[] = [];
    for (const item of sorted(iterate(value), key, false)) {
      const last = groups.at(-1);
      if (last && equals(last.key, key(item))) last.list.push(item);
      else groups.push({ key: key(item), grouper: plain(item), list: [item] });
    }
    return groups.map(({ grouper, list }) => {
      const group = new Group();
      group.push(grouper, list);
      return group;
    });
  },
  indent: (value, args) => {
    const { width, first, blank } = bind("indent", args, { width: 4, first: false, blank: false });
    if (typeof assertDefined(value) !== "string") {
      throw new TemplateError(`indent takes a string, not ${typeName(value)}`);
    }
    if (typeof width === "number") assertLength(width);
    const step = typeof width === "number" ? " ".repeat(Math.max(0, width)) : text(width);
    // A line end stands at the end, as jinja2 has it: so the last line is seen.
    const lines = `${text(value)}\n`.split(LINE_END).slice(0, -1);
    const [head = "", ...rest] = lines;
    assertLength(step.length * lines.length);
    const indented = isTrue(blank)
      ? rest.map((line) => step + line)
      : rest.map((line) => line === "" ? "" : step + line);
    return (isTrue(first) ? step : "") + [head, ...indented].join("\n");
  },
  int: (value, args) => {
    const given = bind("int", args, { default: 0, base: 10 });
    if (typeof value === "bigint") return value;
    const whole = typeof value === "string"
      ? parseInteger(value, numberOf(given.base) ?? 10)
      : undefined;
    if (whole !== undefined) return wholeOf(whole);
    const number = typeof value === "string"
      ? parseFloatText(value)
      : numberOf(assertDefined(value));
    if (typeof value !== "string" && Math.abs(number ?? 0) === Infinity) {
      throw new TemplateError("cannot convert float infinity to integer");
    }
    if (number === undefined || !Number.isFinite(number)) return given.default;
    return wholeOf(BigInt(Math.trunc(number)));
  },
  items: (value) => {
    if (value instanceof Undefined) return new Generator([]);
    if (value instanceof Map) {
      return new Generator(Array.from(value, ([key, item]) => tuple(key, item)));
    }
    throw new TemplateError("Can only get item pairs from a mapping.");
  },
  join: (value, args) => {
    const { d, attribute } = bind("join", args, { d: "", attribute: null });
    const items = iterate(value);
    const seen = attribute === null ? items : items.map((item) => attributeOf(item, attribute));
    return joined(seen.map(text), text(d));
  },
  last: (value) => {
    if (value instanceof Generator) {
      throw new TemplateError("'generator' object is not reversible: list() makes a list of it");
    }
    return endOf(value, -1, "last");
  },
  length,
  list: (value) => iterate(value),
  lower: (value) => text(value).toLowerCase(),
  map: (value, { positional, named }) => {
    if (!isTrue(value)) return new Generator([]);
    const path = named.get("attribute");
    if (positional.length === 0 && path !== undefined) {
      const otherwise = named.get("default");
      const unknown = [...named.keys()].find((name) => name !== "attribute" && name !== "default");
      if (unknown) throw new TemplateError(`Unexpected keyword argument '${unknown}'`);
      return new Generator(
        iterate(value).map((item) => {
          const found = attributeOf(item, path);
          return found instanceof Undefined && otherwise !== undefined ? otherwise : found;
        }),
      );
    }
    const [filter, ...others] = positional;
    if (filter === undefined) throw new TemplateError("map requires a filter argument");
    return new Generator(
      iterate(value).map((item) =>
        applyFilter(String(filter), item, { positional: others, named })
      ),
    );
  },
  max: extreme("max", 1),
  min: extreme("min", -1),
  reject: chosen("reject", false, false),
  rejectattr: chosen("rejectattr", true, false),
  replace: (value, args) => {
    const given = bind("replace", args, { old: undefined, new: undefined, count: null });
    const count = given.count === null ? -1 : given.count as number;
    return replace(text(value), text(given.old), text(given.new), count);
  },
  reverse: (value) =>
    typeof value === "string"
      ? Array.from(value).reverse().join("")
      : new Generator(iterate(value).reverse()),
  round: (value, args) => {
    const { precision, method } = bind("round", args, { precision: 0, method: "common" });
    const number = numberOf(assertDefined(value));
    if (number === undefined) {
      throw new TemplateError(`type ${typeName(value)} doesn't define __round__ method`);
    }
    const digits = numberOf(precision);
    if (digits === undefined || precision instanceof Float) {
      throw new TemplateError(`round() takes a whole number of digits, not ${typeName(precision)}`);
    }
    if (method !== "common" && method !== "ceil" && method !== "floor") {
      throw new TemplateError("method must be common, ceil or floor");
    }
    if (method === "common") {
      const rounded = roundHalfEven(number, digits);
      return value instanceof Float ? new Float(rounded) : rounded;
    }
    if (!Number.isFinite(number)) {
      throw new TemplateError(`cannot convert float ${text(value)} to integer`);
    }
    // Python's ints have no bound, so that these stay as they are
    if (!(value instanceof Float) && digits >= 0) return new Float(number);
    const factor = Number(`1e${digits}`);
    const whole = method === "ceil" ? Math.ceil(number * factor) : Math.floor(number * factor);
    return new Float((whole === 0 ? 0 : whole) / factor);
  },
  safe: (value) => text(value),
  select: chosen("select", false, true),
  selectattr: chosen("selectattr", true, true),
  slice: (value, args) => {
    const { slices, fill_with } = bind("slice", args, { slices: undefined, fill_with: null });
    const [items, count] = [iterate(value), slices as number];
    if (!(count >= 1)) throw new TemplateError("1 slice or more was expected");
    assertLength(count);
    const [each, more] = [Math.floor(items.length / count), items.length % count];
    return new Generator(Array.from({ length: count }, (_, i) => {
      const start = i * each + Math.min(i, more);
      const part = items.slice(start, start + each + (i < more ? 1 : 0));
      if (fill_with !== null && i >= more) part.push(fill_with);
      return part;
    }));
  },
  sort: (value, args) => {
    const given = bind("sort", args, { reverse: false, case_sensitive: false, attribute: null });
    const paths = typeof given.attribute === "string"
      ? given.attribute.split(",")
      : [given.attribute];
    const keys = paths.map((path) => sortKey(path, given.case_sensitive));
    return sorted(iterate(value), (item) => keys.map((key) => key(item)), given.reverse);
  },
  string: (value) => text(value),
  striptags: (value) => stripTags(text(value)),
  sum: (value, args) => {
    const { attribute, start } = bind("sum", args, { attribute: null, start: 0 });
    const items = iterate(value);
    const seen = attribute === null ? items : items.map((item) => attributeOf(item, attribute));
    if (typeof start === "string") {
      throw new TemplateError("sum() can't sum strings [use ''.join(seq) instead]");
    }
    return seen.reduce((total, item) => operate("+", total, item), start);
  },
  title: (value) =>
    text(value).split(WORD_BEGINNING).map((part) => {
      const [first = "", ...rest] = Array.from(part);
      return first.toUpperCase() + rest.join("").toLowerCase();
    }).join(""),
  tojson: (value, args) => {
    const given = bind("tojson", args, {
      ensure_ascii: false,
      indent: null,
      separators: null,
      sort_keys: false,
    });
    const separators = given.separators === null ? undefined : iterate(given.separators).map(text);
    return toJson(value, {
      ...(given.indent !== null && { indent: given.indent as number | string }),
      ensureAscii: isTrue(given.ensure_ascii),
      ...(separators && { separators: separators as unknown as JsonOptions["separators"] }),
      sortKeys: isTrue(given.sort_keys),
    });
  },
  trim: (value, args) => {
    const { chars } = bind("trim", args, { chars: null });
    if (chars !== null && typeof chars !== "string") {
      throw new TemplateError("strip arg must be None or str");
    }
    return strip(text(value), chars);
  },
  truncate: (value, args) => {
    const given = bind("truncate", args, { length: 255, killwords: false, end: "...", leeway: 5 });
    const [most, leeway, end] = [numberOf(given.length), numberOf(given.leeway), text(given.end)];
    if (most === undefined || most < Array.from(end).length) {
      throw new TemplateError(
        `expected length >= ${Array.from(end).length}, got ${text(given.length)}`,
      );
    }
    if (leeway === undefined || leeway < 0) {
      throw new TemplateError(`expected leeway >= 0, got ${text(given.leeway)}`);
    }
    // lists too have a length, but no end can be put to them
    if (lengthOf(value) <= most + leeway) return value;
    if (typeof value !== "string") {
      throw new TemplateError(`truncate() takes a string, not ${typeName(value)}`);
    }
    const all = Array.from(value);
    const kept = all.slice(0, most - Array.from(end).length).join("");
    if (isTrue(given.killwords)) return kept + end;
    const space = kept.lastIndexOf(" ");
    return (space < 0 ? kept : kept.slice(0, space)) + end;
  },
  unique: (value, args) => {
    const given = bind("unique", args, { case_sensitive: false, attribute: null });
    const key = sortKey(given.attribute, given.case_sensitive);
    const seen: Value[] = [];
    const first = iterate(value).filter((item) => {
      const own = key(item);
      assertHashable(own);
      if (seen.some((other) => equals(own, other))) return false;
      seen.push(own);
      return true;
    });
    return new Generator(first);
  },
  upper: (value) => text(value).toUpperCase(),
  urlencode: (value) => {
    const encode = (part: Value) =>
      encodeURIComponent(text(part)).replace(
        /[!'()*]/g,
        (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
      );
    if (typeof value === "string") return encode(value).replaceAll("%2F", "/");
    if (!(value instanceof Map) && !Array.isArray(value)) return encode(value);
    const pairs = value instanceof Map
      ? [...value]
      : value.map((pair) => iterate(pair) as [Value, Value]);
    const plus = (part: Value) => encode(part).replaceAll("%20", "+");
    return pairs.map(([key, item]) => `${plus(key)}=${plus(item)}`).join("&");
  },
  wordwrap: (value, args) => {
    const given = bind("wordwrap", args, {
      width: 79,
      break_long_words: true,
      wrapstring: null,
      break_on_hyphens: true,
    });
    if (typeof assertDefined(value) !== "string") {
      throw new TemplateError(`wordwrap takes a string, not ${typeName(value)}`);
    }
    const width = numberOf(given.width);
    if (width === undefined || given.width instanceof Float) {
      throw new TemplateError(
        `wordwrap takes a whole number as width, not ${typeName(given.width)}`,
      );
    }
    const options = {
      width,
      breakLongWords: isTrue(given.break_long_words),
      breakOnHyphens: isTrue(given.break_on_hyphens),
    };
    const end = given.wrapstring === null ? "\n" : text(given.wrapstring);
    // an empty paragraph is an empty line
    return joined(
      splitLines(value as string, false).map((line) => joined(wrap(line, options), end)),
      end,
    );
  },
  xmlattr: (value, args) => {
    const { autospace } = bind("xmlattr", args, { autospace: true });
    if (!(value instanceof Map)) {
      throw new TemplateError(`'${typeName(value)}' object has no attribute 'items'`);
    }
    const items = [...value].filter(([, item]) => item !== null && !(item instanceof Undefined));
    const written = items.map(([key, item]) => {
      if (typeof key !== "string") {
        throw new TemplateError(`expected string or bytes-like object, got '${typeName(key)}'`);
      }
      if (/[\s/>=]/.test(key)) {
        throw new TemplateError(`Invalid character in attribute name: ${representation(key)}`);
      }
      return `${escaped(key, NONE)}="${escaped(item, NONE)}"`;
    }).join(" ");
    return (isTrue(autospace) && written !== "" ? " " : "") + written;
  },
  wordcount: (value) => text(value).match(/[\p{L}\p{N}_]+/gu)?.length ?? 0,
};
