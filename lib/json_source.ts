/**
 * JSON whose numbers keep how they were written. In JavaScript `10.0` is `10`, and `9007199254740993` is another number;
 * a chat template prints both as Python reads them. The values stay plain numbers: how they were written is noted beside
 * the object that holds them.
 *
 * @module
 */

const WRITTEN = new WeakMap<object, Map<string, string>>();

/** Where a text may have such a number. It may find more, within strings. */
const MAY_FORGET = /[[:,\s]-?(?:\d+\.0|[\d.]+[eE]|\d{16})/;

/**
 * Parses JSON as `JSON.parse` does, and notes the numbers of which a number of JavaScript does not say all.
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

/**
 * Writes JSON as `JSON.stringify` does, with the numbers of {@linkcode parseJson} as they were written, and bigints.
 *
 * @param value The value.
 * @param indent Spaces for each level; everything on one line by default.
 * @returns The text.
 */
export function stringifyJson(value: unknown, indent?: number): string {
  const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };
  function restore(this: object, key: string, item: unknown): unknown {
    if (typeof item === "bigint") return rawJSON(String(item));
    const source = typeof item === "number" ? writtenNumber(this, key) : undefined;
    return source === undefined ? item : rawJSON(source);
  }
  return JSON.stringify(value, restore, indent);
}
