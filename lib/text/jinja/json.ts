/**
 * Python's `json.dumps`, as the `tojson` filter of transformers calls it.
 *
 * @module
 */

import { pythonFloat } from "../../python_float.ts";
import { compare, Float, numberOf, TemplateError, typeName, View } from "./values.ts";
import type { Value } from "./values.ts";

/** Options of {@linkcode toJson}, with Python's names in TypeScript's spelling. */
export interface JsonOptions {
  /** Spaces, or a string, for each level; everything on one line by default. */
  readonly indent?: number | string;
  /** Whether what is not ASCII is escaped. transformers says no by default. */
  readonly ensureAscii?: boolean;
  /** What stands between items, and between key and value. */
  readonly separators?: readonly [string, string];
  /** Whether keys are sorted. */
  readonly sortKeys?: boolean;
}

/**
 * Writes a value as JSON.
 *
 * @param value The value.
 * @param options As Python's.
 * @returns The text.
 * @throws {TemplateError} If it holds what JSON has no word for.
 */
export function toJson(value: Value, options: JsonOptions = {}): string {
  const { indent, ensureAscii = false, sortKeys = false } = options;
  const step = typeof indent === "number" ? " ".repeat(Math.max(0, indent)) : indent;
  const [between, afterKey] = options.separators ?? [step === undefined ? ", " : ",", ": "];
  const string = (content: string) => {
    const escaped = JSON.stringify(content);
    if (!ensureAscii) return escaped;
    return escaped.replace(
      /[\x7f-\uffff]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
  };
  const container = (open: string, close: string, items: string[], level: number) => {
    if (items.length === 0) return open + close;
    if (step === undefined) return open + items.join(between) + close;
    const inner = `\n${step.repeat(level + 1)}`;
    return `${open}${inner}${items.join(between + inner)}\n${step.repeat(level)}${close}`;
  };
  const key = (name: Value): string => {
    if (typeof name === "string") return string(name);
    if (name === null || typeof name === "boolean") return `"${write(name, 0)}"`;
    if (typeof name === "bigint" || numberOf(name) !== undefined) return `"${write(name, 0)}"`;
    throw new TemplateError(
      `keys must be str, int, float, bool or None, not ${typeName(name)}`,
    );
  };
  const write = (item: Value, level: number): string => {
    if (typeof item === "string") return string(item);
    if (["boolean", "number", "bigint"].includes(typeof item)) return String(item);
    if (item === null) return "null";
    if (item instanceof Float) {
      const written = pythonFloat(item.value);
      const words: Record<string, string> = { nan: "NaN", inf: "Infinity", "-inf": "-Infinity" };
      return words[written] ?? written;
    }
    if (Array.isArray(item) && !(item instanceof View)) {
      return container("[", "]", Array.from(item, (each) => write(each, level + 1)), level);
    }
    if (item instanceof Map) {
      let entries = [...item];
      if (sortKeys) {
        entries = entries.sort(([a], [b]) => compare(a, b));
      }
      const written = entries.map(([name, each]) => key(name) + afterKey + write(each, level + 1));
      return container("{", "}", written, level);
    }
    throw new TemplateError(`Object of type ${typeName(item)} is not JSON serializable`);
  };
  return write(value, 0);
}
