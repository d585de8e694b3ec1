/**
 * JSON whose numbers keep how they were written, and whose keys their order. In JavaScript `10.0` is `10`,
 * `9007199254740993` is another number, and keys such as `"2"` are before all others; a chat template prints them as Python
 * reads them. The values stay plain numbers and objects: how they were written is noted beside them.
 *
 * @module
 */

/** Of objects and arrays that hold them, the numbers as they were written. */
const WRITTEN = new WeakMap<object, Map<string, string>>();

/** Of objects whose keys JavaScript puts in another order, the keys as they were written. */
const ORDER = new WeakMap<object, readonly string[]>();

/** A key that JavaScript takes for an index. */
const INDEX_KEY = /"(?:\d|\\u003\d)+"\s*:/i;

/** Where a text may have such a number. It may find more, within strings. */
const MAY_FORGET = /[[:,\s]-?(?:\d+\.0|[\d.]+[eE]|\d{16})/;

/**
 * Parses JSON as `JSON.parse` does, and notes the numbers of which a number of JavaScript does not say all, and the order of
 * keys where JavaScript has another. Of a number that nothing holds there is no note.
 *
 * @param text The text.
 * @param revive As `JSON.parse` takes it.
 * @returns The value.
 * @throws {SyntaxError} If the text is not JSON.
 */
export function parseJson(
  text: string,
  revive?: (key: string, value: unknown) => unknown,
): unknown {
  const value = parseNumbers(text, revive);
  if (INDEX_KEY.test(text)) noteOrder(value, objectKeys(text));
  return value;
}

function parseNumbers(text: string, revive?: (key: string, value: unknown) => unknown): unknown {
  if (!MAY_FORGET.test(text)) return JSON.parse(text, revive);
  function note(this: object, key: string, value: unknown, context?: { source?: string }) {
    const source = context?.source;
    if (typeof value === "number" && source !== undefined && isForgotten(value, source)) {
      noteNumber(this, key, source);
    }
    return revive ? revive(key, value) : value;
  }
  // TypeScript does not know the third argument
  return JSON.parse(text, note as (key: string, value: unknown) => unknown);
}

/** Whether a number prints differently than Python prints what it reads from the same text. */
function isForgotten(value: number, source: string): boolean {
  const isFloat = /[.eE]/.test(source);
  return isFloat
    ? Number.isInteger(value) || !Number.isFinite(value)
    : !Number.isSafeInteger(value);
}

/**
 * Notes how a number was written, which some other file says.
 *
 * @param holder The object or array that holds it.
 * @param key Its key or index.
 * @param source How it was written: such as `10.0`.
 */
export function noteNumber(holder: object, key: string | number, source: string): void {
  const numbers = WRITTEN.get(holder) ?? new Map<string, string>();
  WRITTEN.set(holder, numbers.set(String(key), source));
}

/**
 * Says how a number was written, where that matters.
 *
 * @param holder The object or array that holds it.
 * @param key Its key or index.
 * @returns Such as `10.0`; undefined if the value says it all, or another was set.
 */
export function writtenNumber(holder: object, key: string | number): string | undefined {
  const source = WRITTEN.get(holder)?.get(String(key));
  if (source === undefined) return undefined;
  return Object.is(Number(source), (holder as Record<string, unknown>)[key]) ? source : undefined;
}

/** The keys of each object of a JSON text, in the order in which the objects begin. */
function objectKeys(text: string): string[][] {
  const all: string[][] = [];
  const open: string[][] = [];
  const string = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}]/g;
  for (const [token, colon] of text.matchAll(string)) {
    if (token === "{") {
      open.push([]);
      all.push(open.at(-1)!);
    } else if (token === "}") open.pop();
    else if (colon !== undefined) {
      open.at(-1)!.push(JSON.parse(token.slice(0, token.length - colon.length)));
    }
  }
  return all;
}

/** Notes the order of keys within a value, which takes the keys of its objects one after the other. */
function noteOrder(value: unknown, keys: readonly string[][]): void {
  // of two keys of one name one is lost, so that the objects within it have no counterpart
  if (keys.some((each) => new Set(each).size < each.length)) return;
  let at = 0;
  const visit = (item: unknown): void => {
    if (typeof item !== "object" || item === null) return;
    if (Array.isArray(item)) return item.forEach(visit);
    const own = keys[at++]!;
    if (Object.keys(item).some((key, i) => key !== own[i])) ORDER.set(item, own);
    for (const key of own) visit((item as Record<string, unknown>)[key]);
  };
  visit(value);
}

/**
 * Lists the keys of an object in the order in which they were written.
 *
 * @param value The object.
 * @returns Its keys; those that were set after it was read are the last.
 */
export function writtenKeys(value: object): string[] {
  const keys = Object.keys(value);
  const order = ORDER.get(value);
  if (order === undefined) return keys;
  return [...new Set([...order.filter((key) => Object.hasOwn(value, key)), ...keys])];
}

/** Stands before a key in {@linkcode stringifyJson}, so that JavaScript does not take it for an index. */
const MARK = "\0#";

/**
 * Writes JSON as `JSON.stringify` does, with the numbers and the order of {@linkcode parseJson} as they were written, and
 * bigints.
 *
 * @param value The value.
 * @param indent Spaces for each level; everything on one line by default.
 * @returns The text.
 */
export function stringifyJson(value: unknown, indent?: number): string {
  const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };
  function restore(this: object, key: string, item: unknown): unknown {
    if (typeof item === "bigint") return rawJSON(String(item));
    if (typeof item === "object" && item !== null && ORDER.has(item)) return marked(item);
    const source = typeof item === "number" ? writtenNumber(this, key) : undefined;
    return source === undefined ? item : rawJSON(source);
  }
  const text = JSON.stringify(value, restore, indent);
  return text?.replace(/"\\u0000#(\d+)":/g, '"$1":');
}

/** A copy whose keys have the order in which they were written. */
function marked(value: object): object {
  const copy: Record<string, unknown> = {};
  for (const key of writtenKeys(value)) {
    const name = /^\d+$/.test(key) ? MARK + key : key;
    copy[name] = (value as Record<string, unknown>)[key];
    const source = writtenNumber(value, key);
    if (source !== undefined) noteNumber(copy, name, source);
  }
  return copy;
}
