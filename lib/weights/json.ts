/**
 * JSON as weight files use it: UTF-8 bytes whose keys must not repeat.
 *
 * `JSON.parse` silently keeps the last of two equal keys. The safetensors format forbids repeated
 * keys, because two readers could see two different models in one file.
 *
 * @module
 */

/**
 * Parses JSON bytes and refuses invalid UTF-8 and repeated keys.
 *
 * @param bytes The document
 * @param what The document's name in error messages: `header of "model.safetensors"`
 * @returns The value
 * @throws {SyntaxError} If the bytes are not UTF-8, not JSON, or an object repeats a key
 */
export function parseStrictJson(bytes: Uint8Array, what: string): unknown {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new SyntaxError(`Cannot read the ${what}: it is not valid UTF-8`, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    // V8 quotes parts of the text, which may be binary, so keep only the beginning of the first
    // line.
    const reason = (cause as Error).message.split("\n")[0].slice(0, 120);
    throw new SyntaxError(`Cannot read the ${what}: it is not valid JSON: ${reason}`, { cause });
  }
  const repeated = findRepeatedKey(text);
  if (repeated !== undefined) {
    throw new SyntaxError(
      `Cannot read the ${what}: it holds the key ${quote(repeated)} twice`,
    );
  }
  return value;
}

/**
 * A string in double quotes for an error message, shortened if it is very long.
 *
 * @param text Any string
 * @returns The quoted string, at most about 100 characters
 */
export function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 97)}...` : text);
}

/**
 * Whether a value is a JSON object: neither null nor an array.
 *
 * @param value Any value that came from JSON
 * @returns Whether it is an object with string keys
 */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const QUOTE = 0x22, BACKSLASH = 0x5c, OPEN = 0x7b, CLOSE = 0x7d, COLON = 0x3a;

/**
 * The first key that an object in a valid JSON text repeats. One pass, no recursion.
 *
 * @param text The text
 * @returns The key; undefined if none is repeated
 */
export function findRepeatedKey(text: string): string | undefined {
  const scopes: Set<string>[] = [];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === OPEN) scopes.push(new Set());
    else if (code === CLOSE) scopes.pop();
    else if (code === QUOTE) {
      const start = i;
      for (i++; text.charCodeAt(i) !== QUOTE; i++) if (text.charCodeAt(i) === BACKSLASH) i++;
      let next = i + 1;
      while (text.charCodeAt(next) <= 0x20) next++;
      if (text.charCodeAt(next) !== COLON) continue; // a value, not a key
      const written = text.slice(start + 1, i);
      const key = written.includes("\\") ? JSON.parse(`"${written}"`) as string : written;
      const scope = scopes[scopes.length - 1];
      if (scope.has(key)) return key;
      scope.add(key);
    }
  }
  return undefined;
}
