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
  isIndexed,
  numberOf,
  representation,
  TemplateError,
  text,
  Tuple,
  typeName,
  Undefined,
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
    (used === 0 && (values instanceof Undefined ||
      Array.isArray(values) && !(values instanceof Tuple) && isIndexed(values)));
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
      return cut(representation(value));
    case "a":
      return cut(asciiOf(representation(value)));
    case "c": {
      if (typeof value === "number" || typeof value === "boolean") return character(Number(value));
      if (typeof value === "string" && Array.from(value).length === 1) return value;
      throw new TemplateError("%c requires int or char");
    }
  }
  const number = numberOf(value);
  if (number === undefined) {
    throw new TemplateError(
      `%${kind} format: a real number is required, not ${typeName(value)}`,
    );
  }
  if ("xXo".includes(kind) && value instanceof Float) {
    throw new TemplateError(`%${kind} format: an integer is required, not float`);
  }
  if ("diu".includes(kind) && !Number.isFinite(number)) {
    throw new TemplateError(`cannot convert float ${text(value)} to integer`);
  }
  const sign =
    isNegative(number) && (number < 0 && Math.trunc(number) !== 0 || "feEgGF".includes(kind))
      ? "-"
      : flags.includes("+")
      ? "+"
      : flags.includes(" ")
      ? " "
      : "";
  return sign + magnitude(kind, Math.abs(number), digits, flags.includes("#"));
}

function isNegative(number: number): boolean {
  return number < 0 || Object.is(number, -0);
}

/** A text with what is not ASCII escaped, as Python's `ascii()` has it. */
function asciiOf(written: string): string {
  return written.replace(/[^\0-\x7f]/gu, (symbol) => {
    const code = symbol.codePointAt(0)!;
    const [letter, digits] = code < 0x100 ? ["x", 2] : code < 0x10000 ? ["u", 4] : ["U", 8];
    return `\\${letter}${code.toString(16).padStart(digits as number, "0")}`;
  });
}

function character(code: number): string {
  if (code >= 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)) {
    return String.fromCodePoint(code);
  }
  throw new TemplateError(`there is no character ${code}`);
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
  if ("feEgGF".includes(kind) && !Number.isFinite(size)) {
    return kind === kind.toUpperCase() ? pythonFloat(size).toUpperCase() : pythonFloat(size);
  }
  switch (kind) {
    case "d":
    case "i":
    case "u":
      return BigInt(Math.trunc(size)).toString().padStart(digits ?? 0, "0");
    case "x":
      return (alternative ? "0x" : "") + Math.trunc(size).toString(16).padStart(digits ?? 0, "0");
    case "X":
      return (alternative ? "0X" : "") +
        Math.trunc(size).toString(16).toUpperCase().padStart(digits ?? 0, "0");
    case "o":
      return (alternative ? "0o" : "") + Math.trunc(size).toString(8).padStart(digits ?? 0, "0");
    case "b":
      return (alternative ? "0b" : "") + size.toString(2);
    case "f":
    case "F":
      return fixed(size, digits ?? 6);
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
export function fixed(size: number, digits: number): string {
  // JavaScript writes these with an exponent
  if (size >= 1e21) return BigInt(size).toString() + (digits > 0 ? `.${"0".repeat(digits)}` : "");
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
function general(size: number, digits: number, isFloat = false): string {
  const significant = Math.max(1, digits);
  if (size === 0) return isFloat ? "0.0" : "0";
  const exponent = Number(size.toExponential(significant - 1).split("e")[1]);
  // of a float with no kind a digit stands behind the point
  if (exponent < -4 || exponent >= significant - (isFloat ? 1 : 0)) {
    const [mantissa, power] = exponential(size, significant - 1).split("e") as [string, string];
    return `${trimZeros(mantissa)}e${power}`;
  }
  const plain = trimZeros(size.toFixed(Math.max(0, significant - 1 - exponent)));
  return isFloat && !plain.includes(".") ? `${plain}.0` : plain;
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
    /\{\{|\}\}|\{([^{}:!]*)(?:!([rsa]))?(?::([^{}]*))?\}|[{}]/g,
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
        : conversion === "a"
        ? asciiOf(representation(value))
        : conversion === "s"
        ? text(value)
        : value;
      return formatSpecified(shown, specification);
    },
  );
}

/** One value by a format specification: `[[fill]align][sign][#][0][width][,][.precision][type]`. */
function formatSpecified(value: Value, specification: string): string {
  if (specification === "") return text(value);
  const parts = /^(?:(.)?([<>=^]))?([-+ ])?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([bcdeEfFgGnosxX%])?$/su
    .exec(specification);
  if (!parts) throw new TemplateError(`Invalid format specifier '${specification}'`);
  const [, fill, align, sign = "", alternative, zero, width, group, precision, kind] = parts;
  const digits = precision === undefined ? undefined : Number(precision);
  const number = numberOf(value);
  const places: Places = { sign, alternative: alternative !== undefined, group, digits, kind };
  let written: string;
  if (typeof value === "string") {
    assertPlaces(value, places, [undefined, "s"], {
      "Sign not allowed in string format specifier": sign !== "",
      "Alternate form (#) not allowed in string format specifier": places.alternative,
      "Cannot specify ',' with 's'.": group !== undefined,
      "'=' alignment not allowed in string format specifier": align === "=",
    });
    written = Array.from(value).slice(0, digits).join("");
  } else if (number === undefined) {
    throw new TemplateError(`unsupported format string passed to ${typeName(value)}.__format__`);
  } else {
    written = formatNumber(value, number, places);
  }
  const missing = Number(width ?? 0) - Array.from(written).length;
  if (missing <= 0) return written;
  assertLength(missing);
  const filling = fill ?? (zero ? "0" : " ");
  const where = align ?? (number === undefined ? "<" : zero ? "=" : ">");
  if (where === "=" && filling === "0" && group) {
    throw new TemplateError("zeros before grouped digits are not supported");
  }
  const left = where === "<" ? 0 : where === "^" ? Math.floor(missing / 2) : missing;
  if (where === "=") {
    const before = /^[-+ ]/.exec(written)?.[0] ?? "";
    return before + filling.repeat(missing) + written.slice(before.length);
  }
  return filling.repeat(left) + written + filling.repeat(missing - left);
}

/** What of a specification says how a value is written, before it is padded. */
interface Places {
  readonly sign: string;
  readonly alternative: boolean;
  readonly group: string | undefined;
  readonly digits: number | undefined;
  readonly kind: string | undefined;
}

/** Refuses a kind that a type does not have, and what Python refuses beside it. */
function assertPlaces(
  value: Value,
  { kind }: Places,
  kinds: readonly (string | undefined)[],
  refused: Readonly<Record<string, boolean>>,
): void {
  if (!kinds.includes(kind)) {
    throw new TemplateError(
      `Unknown format code '${kind}' for object of type '${typeName(value)}'`,
    );
  }
  const reason = Object.keys(refused).find((each) => refused[each]);
  if (reason) throw new TemplateError(reason);
}

const OF_FLOATS = [..."eEfFgG%"];
const OF_INTS = [..."bcdoxXn"];

function formatNumber(value: Value, number: number, places: Places): string {
  const { sign, alternative, group, digits, kind } = places;
  const isWhole = !(value instanceof Float) && !OF_FLOATS.includes(kind ?? "");
  assertPlaces(value, places, [undefined, ...OF_FLOATS, ...(isWhole ? OF_INTS : ["n"])], {
    "Precision not allowed in integer format specifier": isWhole && digits !== undefined,
    [`Cannot specify '${group}' with '${kind}'.`]: group !== undefined &&
      (kind === "n" || kind === "c" || group === "," && [..."boxX"].includes(kind ?? "")),
    "Sign not allowed with integer format specifier 'c'": kind === "c" && sign !== "",
    "the alternate form (#) is only supported with b, o, x and X": alternative &&
      ![..."boxX"].includes(kind ?? ""),
  });
  const size = Math.abs(number);
  const plain = () => {
    if (isWhole && kind === "c") return character(number);
    if (isWhole) {
      return magnitude(kind === undefined || kind === "n" ? "d" : kind, size, digits, alternative);
    }
    if (kind === "%") {
      return Number.isFinite(size) ? `${fixed(size * 100, digits ?? 6)}%` : `${pythonFloat(size)}%`;
    }
    if (kind) return magnitude(kind === "n" ? "g" : kind, size, digits, alternative);
    return digits === undefined || !Number.isFinite(size)
      ? pythonFloat(size)
      : general(size, digits, true);
  };
  const body = plain();
  const every = isWhole && [..."boxX"].includes(kind ?? "") ? 4 : 3;
  const grouped = group
    ? body.replace(
      /^(0[box])?([\da-f]+)/i,
      (_, prefix = "", digits) =>
        prefix + digits.replace(new RegExp(`\\B(?=([\\da-f]{${every}})+$)`, "gi"), group),
    )
    : body;
  return (isNegative(number) && kind !== "c" ? "-" : sign === "-" ? "" : sign) + grouped;
}
