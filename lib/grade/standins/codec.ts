/**
 * Values as text, and back: what crosses between the examiner's process and the student's. The text
 * is devalue's, a flat form of JSON that is data and never code; it is bounded before it is read.
 *
 * @module
 */

import { stringify, unflatten } from "devalue";

/** How values of one more class cross, such as tensors. */
export interface ValueCodec {
  /** The codec's name, which both sides know. */
  readonly name: string;
  /** Whether a value is one of these. */
  test(value: unknown): boolean;
  /** Says what the value is, in values that cross by themselves. */
  encode(value: unknown): unknown;
  /** Makes the value of what the other side has said, which may be anything. */
  decode(parts: unknown): unknown;
}

/**
 * Loads codecs.
 *
 * @param modules URLs of modules that export `codecs`, a list of {@linkcode ValueCodec}.
 */
export async function loadCodecs(modules: readonly string[]): Promise<ValueCodec[]> {
  const loaded = await Promise.all(modules.map((url) => import(url)));
  return loaded.flatMap(({ codecs }) => codecs);
}

/** Something that stays where it is, by its number there. */
export interface Reference {
  readonly id: number;
  readonly kind: "function" | "class" | "instance";
  readonly name: string;
  /** The numbers of the classes that it is an instance of, the nearest first. */
  readonly classes: readonly number[];
}

/** An error as data. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  /** The class of the language's or Deno's that it is an instance of, if it is one of a subclass of `Error`. */
  readonly base?: string;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
  readonly classes: readonly number[];
}

/** How one side writes values. */
export interface Writer {
  readonly codecs: readonly ValueCodec[];
  /**
   * Names something that cannot be copied.
   *
   * @throws {TypeError} If it cannot be named either.
   */
  refer(value: object): Reference;
  /** The numbers of the classes that an error is an instance of, built-in ones left out. */
  classesOf(error: Error): readonly number[];
}

/** How one side reads values. */
export interface Reader {
  readonly codecs: readonly ValueCodec[];
  /** Makes what stands for something on the other side, or finds what is here. */
  resolve(reference: Reference): unknown;
  /** Called with each error that is read. */
  onError?(error: Error, classes: readonly number[]): void;
}

/** What a value may have. */
export const VALUE_LIMITS = {
  /** Characters of its text. */
  size: 32 * 2 ** 20,
  /** Objects, strings and numbers that differ. */
  nodes: 2 ** 21,
  /** Levels of nesting. */
  depth: 1000,
  /** Items of a list most of which are holes. */
  sparse: 2 ** 24,
};

/**
 * Writes a value.
 *
 * @param value The value.
 * @param writer The side that writes.
 * @returns The text.
 * @throws {TypeError} If something in it cannot cross; the message says what and where.
 */
export function encodeValue(value: unknown, writer: Writer): string {
  const codecOf = (thing: unknown) => writer.codecs.find((codec) => codec.test(thing));
  let text: string;
  try {
    text = stringify(value, {
      Codec: (thing: unknown) => {
        const codec = isObject(thing) ? codecOf(thing) : undefined;
        return codec && [codec.name, codec.encode(thing)];
      },
      Error: (thing: unknown) => thing instanceof Error && sendError(thing, writer),
      View: (thing: unknown) => ArrayBuffer.isView(thing) && isPart(thing) && copyOf(thing),
      Reference: (thing: unknown) =>
        isObject(thing) && !isCopied(thing) && !isPart(thing) && writer.refer(thing),
    });
  } catch (error) {
    if (error instanceof RangeError) {
      throw new TypeError("the value is nested too deep to be copied");
    }
    const message = lower(messageOf(error)), path = pathOf(error);
    throw new TypeError(path ? `${message} (at ${path.replace(/^\./, "")})` : message);
  }
  if (text.length > VALUE_LIMITS.size) {
    throw new TypeError(
      `the value takes ${text.length} characters: at most ${VALUE_LIMITS.size} can be copied`,
    );
  }
  return text;
}

/**
 * Reads a value, which may come from anybody.
 *
 * @param text The text.
 * @param reader The side that reads.
 * @returns The value.
 * @throws {SyntaxError} If it does not encode a value, or exceeds {@linkcode VALUE_LIMITS}.
 */
export function decodeValue(text: string, reader: Reader): unknown {
  const refuse = (reason: string) => new SyntaxError(`Cannot read a value: ${reason}`);
  if (text.length > VALUE_LIMITS.size) {
    throw refuse(`it has ${text.length} characters, expected at most ${VALUE_LIMITS.size}`);
  }
  let flat: unknown;
  try {
    flat = JSON.parse(text);
  } catch {
    throw refuse("it is not JSON");
  }
  const fault = boundsFault(flat);
  if (fault !== undefined) throw refuse(fault);
  try {
    // deno-lint-ignore no-explicit-any
    return unflatten(flat as any, {
      Codec: (parts: unknown) => {
        const [name, rest] = Array.isArray(parts) ? parts : [];
        const codec = reader.codecs.find((one) => one.name === name);
        if (codec === undefined) throw new TypeError(`no codec is called "${String(name)}"`);
        return codec.decode(rest);
      },
      Error: (sent: unknown) => receiveError(sent, reader),
      View: (view: unknown) => view,
      Reference: (sent: unknown) => reader.resolve(readReference(sent)),
    });
  } catch (error) {
    throw refuse(error instanceof RangeError ? "it is nested too deep" : (error as Error).message);
  }
}

/** Why a flat value is too much to be read, found without recursion. */
function boundsFault(flat: unknown): string | undefined {
  if (typeof flat === "number") return undefined;
  if (!Array.isArray(flat)) return "it is not devalue's form";
  if (flat.length > VALUE_LIMITS.nodes) return `it has more than ${VALUE_LIMITS.nodes} parts`;
  const seen = new Uint8Array(flat.length);
  let level = [0];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > VALUE_LIMITS.depth) return `it is nested deeper than ${VALUE_LIMITS.depth} levels`;
    const next: number[] = [];
    for (const at of level) {
      if (seen[at]) continue;
      seen[at] = 1;
      const node = flat[at];
      if (typeof node !== "object" || node === null) continue;
      // In a list that starts with -7 the length comes next, then places and items.
      if (Array.isArray(node) && node[0] === -7 && !(node[1] <= VALUE_LIMITS.sparse)) {
        return `a list has ${node[1]} places`;
      }
      for (const part of Object.values<unknown>(node as Record<string, unknown>)) {
        const isPlace = typeof part === "number" && Number.isInteger(part) && part >= 0;
        if (isPlace && part < flat.length) next.push(part);
      }
    }
    level = next;
  }
}

const isObject = (value: unknown): value is object =>
  typeof value === "function" || typeof value === "object" && value !== null;

const TypedArray = Object.getPrototypeOf(Uint8Array);

/** The classes whose instances are copied: subclasses have behaviour of their own. */
const COPIED = new Set<unknown>([
  null,
  ...[Object, Array, Map, Set, Date, RegExp, ArrayBuffer, DataView, URL, URLSearchParams]
    .map(({ prototype }) => prototype),
  ...[Number, String, Boolean, BigInt].map(({ prototype }) => prototype),
]);

/** Whether an object is data and is copied; what has methods stays where it is. */
function isCopied(value: object): boolean {
  if (typeof value === "function") return false;
  const prototype = Object.getPrototypeOf(value);
  if (value instanceof TypedArray) {
    return prototype !== null && Object.getPrototypeOf(prototype) === TypedArray.prototype;
  }
  if (!COPIED.has(prototype)) return Object.prototype.toString.call(value).includes("Temporal.");
  if (prototype !== null && prototype !== Object.prototype) return true;
  return !Object.values(Object.getOwnPropertyDescriptors(value))
    .some((property) => typeof property.value === "function");
}

/** Whether a view shows a part of its memory only: the rest is not sent. */
function isPart(value: object): boolean {
  return ArrayBuffer.isView(value) && isCopied(value) &&
    (value.byteLength < value.buffer.byteLength || !(value.buffer instanceof ArrayBuffer));
}

function copyOf(view: ArrayBufferView): unknown {
  if (view instanceof DataView) {
    return new DataView(
      new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice().buffer,
    );
  }
  return (view as Uint8Array).slice();
}

function sendError(error: Error, writer: Writer): SentError {
  return {
    name: String(error.name),
    message: String(error.message),
    base: baseOf(error),
    ..."cause" in error && { cause: error.cause },
    ...error instanceof AggregateError && { errors: [...error.errors] },
    classes: [...writer.classesOf(error)],
  };
}

type ErrorClass = new (message: string, options?: ErrorOptions) => Error;

/** The errors that keep their class, which is not what their `name` says. */
const ERRORS: ReadonlyMap<string, ErrorClass> = new Map<string, ErrorClass>([
  ...[EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]
    .map((one): [string, ErrorClass] => [one.name, one]),
  ...Object.entries(Deno.errors as Record<string, ErrorClass>)
    .map(([name, one]): [string, ErrorClass] => [`Deno.errors.${name}`, one]),
  ["DOMException", DOMException as unknown as ErrorClass],
]);

function baseOf(error: Error): string | undefined {
  for (const [name, one] of ERRORS) if (error instanceof one) return name;
}

function receiveError(sent: unknown, reader: Reader): Error {
  const { name, message, base, cause, errors, classes } = sent as Partial<SentError>;
  if (typeof name !== "string" || typeof message !== "string") throw new TypeError("not an error");
  const options = Object.hasOwn(sent as object, "cause") ? { cause } : undefined;
  const BuiltIn = ERRORS.get(base ?? "") ?? Error;
  const error = Array.isArray(errors)
    ? new AggregateError(errors, message, options)
    : new BuiltIn(message, options);
  if (error.name !== name) {
    Object.defineProperty(error, "name", { value: name, configurable: true, writable: true });
  }
  reader.onError?.(error, readNumbers(classes));
  return error;
}

function readReference(sent: unknown): Reference {
  const { id, kind, name, classes } = (sent ?? {}) as Partial<Reference>;
  const kinds = ["function", "class", "instance"] as const;
  const known = kinds.find((one) => one === kind);
  if (!Number.isSafeInteger(id) || known === undefined || typeof name !== "string") {
    throw new TypeError("a reference has another form");
  }
  return { id: id!, kind: known, name: name.slice(0, 200), classes: readNumbers(classes) };
}

function readNumbers(given: unknown): number[] {
  return Array.isArray(given) ? given.filter((one) => Number.isSafeInteger(one)).slice(0, 100) : [];
}

/** The message of what was thrown, which may be anything. */
export function messageOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.message) : `it throws ${String(thrown)}`;
  } catch {
    return "it throws what cannot be read";
  }
}

/** Where devalue says that a value cannot be written. */
function pathOf(error: unknown): string | undefined {
  try {
    const { path } = error as { path?: unknown };
    return typeof path === "string" ? path : undefined;
  } catch {
    return undefined;
  }
}

function lower(message: string): string {
  return message.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase());
}
