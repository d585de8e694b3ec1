/**
 * Python's two ways of putting values into text: `"%s: %.2f" % (name, score)`, which the `format` filter uses too, and
 * `"{}: {score}".format(name, score=1)`.
 *
 * @module
 */

import { pythonFloat } from "../../python_float.ts";
import {
  assertLength,
  Float,
  numberOf,
  representation,
  TemplateError,
  text,
  Tuple,
  typeName,
  type Value,
} from "./values.ts";

/**
 * Fills the places of a `%` format.
 *
 * @param format The text with places such as `%s`, `%5d`, `%-8s`, `%.2f`, `%(name)s`.
 * @param values One value, a tuple of as many as there are places, or a dict for named places.
 * @returns The text.
 */
export function formatPercent(format: string, values: Value): string {
  const queue = values instanceof Tuple ? Array.from(values) : [values];
  let used = 0;
  let named = false;
  const result = format.replace(
    /%(?:\(([^)]*)\))?([-+ 0#]*)(\d+|\*)?(?:\.(\d+|\*))?[hlL]?(.)|%$/gs,
    (whole, name, flags = "", width, precision, kind) => {
      if (kind === undefined) throw new TemplateError("incomplete format");
      if (kind === "%") return "%";
      if (width === "*" || precision === "*") {
        throw new TemplateError(
          `the place "${whole}" takes its width from a value, which is not supported`,
        );
      }
      let value: Value;
      if (name !== undefined) {
        if (!(values instanceof Map)) throw new TemplateError("format requires a mapping");
        const entry = values.get(name);
        if (entry === undefined) throw new TemplateError(representation(name));
        named = true;
        value = entry;
      } else {
        if (used >= queue.length) throw new TemplateError("not enough arguments for format string");
        value = queue[used++]!;
      }
      const digits = precision === undefined ? undefined : Number(precision);
      return pad(place(kind, value, flags, digits), flags, Number(width ?? 0), kind);
    },
  );
  const all = used === queue.length || named || values instanceof Map ||
    (used === 0 && Array.isArray(values) && !(values instanceof Tuple));
  if (!all) throw new TemplateError("not all arguments converted during string formatting");
  return result;
}

/** One place's text, before it is padded. */
function place(kind: string, value: Value, flags: string, digits: number | undefined): string {
  const cut = (written: string) =>
    digits === undefined ? written : Array.from(written).slice(0, digits).join("");
  switch (kind) {
    case "s":
      return cut(text(value));
    case "r":
    case "a":
      return cut(representation(value));
    case "c":
      return typeof value === "number" ? String.fromCodePoint(value) : text(value);
  }
  const number = numberOf(value);
  if (number === undefined) {
    throw new TemplateError(
      `%${kind} format: a real number is required, not ${typeName(value)}`,
    );
  }
  const sign = number < 0 || Object.is(number, -0) && "feEgGF".includes(kind)
    ? "-"
    : flags.includes("+")
    ? "+"
    : flags.includes(" ")
    ? " "
    : "";
  return sign + magnitude(kind, Math.abs(number), digits, flags.includes("#"));
}

function magnitude(
  kind: string,
  size: number,
  digits: number | undefined,
  alternative: boolean,
): string {
  if (digits !== undefined && digits > 100) {
    throw new TemplateError(`a precision of ${digits} is not supported`);
  }
  const whole = String(Math.trunc(size)).padStart(digits ?? 0, "0");
  switch (kind) {
    case "d":
    case "i":
    case "u":
      return whole;
    case "x":
      return (alternative ? "0x" : "") + Math.trunc(size).toString(16).padStart(digits ?? 0, "0");
    case "X":
      return (alternative ? "0X" : "") +
        Math.trunc(size).toString(16).toUpperCase().padStart(digits ?? 0, "0");
    case "o":
      return (alternative ? "0o" : "") + Math.trunc(size).toString(8).padStart(digits ?? 0, "0");
    case "f":
    case "F":
      return Number.isFinite(size) ? fixed(size, digits ?? 6) : pythonFloat(size);
    case "e":
    case "E":
    case "g":
    case "G": {
      const written = "eE".includes(kind)
        ? exponential(size, digits ?? 6)
        : general(size, digits ?? 6);
      return kind === kind.toUpperCase() ? written.toUpperCase() : written;
    }
    default:
      throw new TemplateError(`unsupported format character '${kind}'`);
  }
}

/**
 * As many digits behind the point as asked for. Between two numbers that are as near, Python takes the even one, JavaScript the
 * larger.
 */
function fixed(size: number, digits: number): string {
  const rounded = size.toFixed(digits);
  const more = 100 - digits;
  if (more < 1) return rounded;
  const exact = size.toFixed(100);
  const isTie = /^50*$/.test(exact.slice(-more));
  if (!isTie || Number(rounded.at(-1)) % 2 === 0) return rounded;
  return exact.slice(0, -more).replace(/\.$/, "");
}

function exponential(size: number, digits: number): string {
  const [mantissa, exponent] = size.toExponential(digits).split("e") as [string, string];
  return `${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
}

/** C's `%g`: as many digits as asked for, with an exponent where that is shorter, without zeros at the end. */
function general(size: number, digits: number): string {
  const significant = Math.max(1, digits);
  if (size === 0) return "0";
  const exponent = Number(size.toExponential(significant - 1).split("e")[1]);
  if (exponent < -4 || exponent >= significant) {
    const [mantissa, power] = exponential(size, significant - 1).split("e") as [string, string];
    return `${trimZeros(mantissa)}e${power}`;
  }
  return trimZeros(size.toFixed(Math.max(0, significant - 1 - exponent)));
}

function trimZeros(digits: string): string {
  return digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
}

function pad(written: string, flags: string, width: number, kind: string): string {
  const missing = width - Array.from(written).length;
  if (missing <= 0) return written;
  assertLength(missing);
  if (flags.includes("-")) return written + " ".repeat(missing);
  if (flags.includes("0") && !"srca".includes(kind)) {
    const sign = /^[-+ ]/.exec(written)?.[0] ?? "";
    return sign + "0".repeat(missing) + written.slice(sign.length);
  }
  return " ".repeat(missing) + written;
}

/**
 * Fills the places of `str.format`.
 *
 * @param format The text with places such as `{}`, `{0}`, `{name}`, `{:>8}`, `{:.2f}`.
 * @param positional Values by position.
 * @param named Values by name.
 * @returns The text.
 */
export function formatBraces(
  format: string,
  positional: readonly Value[],
  named: ReadonlyMap<string, Value>,
): string {
  let next = 0;
  return format.replace(
    /\{\{|\}\}|\{([^{}:!]*)(?:!([rs]))?(?::([^{}]*))?\}|[{}]/g,
    (whole, field, conversion, specification = "") => {
      if (whole === "{{") return "{";
      if (whole === "}}") return "}";
      if (whole === "{" || whole === "}") {
        throw new TemplateError(`Single '${whole}' encountered in format string`);
      }
      if (!/^\w*$/.test(field)) {
        throw new TemplateError(`the place "${whole}" looks into a value, which is not supported`);
      }
      const index = field === "" ? next++ : /^\d+$/.test(field) ? Number(field) : undefined;
      const value = index === undefined ? named.get(field) : positional[index];
      if (value === undefined) {
        throw new TemplateError(
          index === undefined
            ? representation(field)
            : `Replacement index ${index} out of range for positional args tuple`,
        );
      }
      const shown = conversion === "r"
        ? representation(value)
        : conversion === "s"
        ? text(value)
        : value;
      return formatSpecified(shown, specification);
    },
  );
}

/** One value by a format specification: `[[fill]align][sign][0][width][,][.precision][type]`. */
function formatSpecified(value: Value, specification: string): string {
  const parts = /^(?:(.)?([<>=^]))?([-+ ])?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([bcdeEfFgGnosxX%])?$/u
    .exec(specification);
  if (!parts) throw new TemplateError(`Invalid format specifier '${specification}'`);
  const [, fill, align, sign = "", alternative, zero, width, group, precision, kind] = parts;
  const digits = precision === undefined ? undefined : Number(precision);
  const number = typeof value === "boolean" && !kind ? undefined : numberOf(value);
  let written: string;
  if (number === undefined || kind === "s") {
    if (kind && kind !== "s") {
      throw new TemplateError(
        `Unknown format code '${kind}' for object of type '${typeName(value)}'`,
      );
    }
    written = Array.from(text(value)).slice(0, digits).join("");
  } else {
    const size = Math.abs(number);
    const body = kind === "%"
      ? `${(size * 100).toFixed(digits ?? 6)}%`
      : kind
      ? magnitude(kind === "n" ? "g" : kind, size, digits, alternative !== undefined)
      : digits !== undefined
      ? general(size, digits)
      : value instanceof Float
      ? pythonFloat(size)
      : String(size);
    const grouped = group
      ? body.replace(/^\d+/, (w) => w.replace(/\B(?=(\d{3})+$)/g, group))
      : body;
    written = (number < 0 ? "-" : sign === "-" ? "" : sign) + grouped;
  }
  const missing = Number(width ?? 0) - Array.from(written).length;
  if (missing <= 0) return written;
  assertLength(missing);
  const filling = fill ?? (zero ? "0" : " ");
  const where = align ?? (zero && number !== undefined ? "=" : number === undefined ? "<" : ">");
  const left = where === "<" ? 0 : where === "^" ? Math.floor(missing / 2) : missing;
  if (where === "=") {
    const before = /^[-+ ]/.exec(written)?.[0] ?? "";
    return before + filling.repeat(missing) + written.slice(before.length);
  }
  return filling.repeat(left) + written + filling.repeat(missing - left);
}
