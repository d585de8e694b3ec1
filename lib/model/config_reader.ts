/**
 * Reads a Hugging Face `config.json`, with a clear error for missing or wrong values.
 *
 * @module
 */

import type { RotaryScaling } from "../tensor/mod.ts";

/**
 * Ids of special tokens; values of a `config.json` are kept for the next one.
 *
 * @internal
 */
export interface SpecialTokens {
  /** Begins a text. */
  readonly bos?: number;
  /** Ends a text; several may. */
  readonly eos?: number | readonly number[];
  /** Fills a batch. */
  readonly pad?: number;
}

/**
 * A configuration's values by key, checked when they are read. An absent key is the same as null.
 */
export class ConfigReader {
  /**
   * @param json The file's object.
   * @param path The file, for messages.
   */
  constructor(readonly json: Readonly<Record<string, unknown>>, readonly path: string) {}

  /**
   * A positive integer.
   *
   * @param key Its key.
   * @param otherwise Its value if the key is absent; without a default the key is required.
   * @returns The number.
   * @throws {TypeError} If it is something else.
   */
  count(key: string, otherwise?: number): number {
    const value = this.json[key] ?? otherwise;
    if (typeof value !== "number" || !Number.isInteger(value) || value < 1) {
      return this.fail(key, "a positive integer");
    }
    return value;
  }

  /**
   * A positive integer, or nothing.
   *
   * @param key Its key.
   * @returns The number; undefined if the key is absent.
   * @throws {TypeError} If it is something else.
   */
  optionalCount(key: string): number | undefined {
    return this.json[key] == null ? undefined : this.count(key);
  }

  /**
   * A positive number.
   *
   * @param key Its key.
   * @param otherwise Its value if the key is absent; without a default the key is required.
   * @returns The number.
   * @throws {TypeError} If it is something else.
   */
  number(key: string, otherwise?: number): number {
    const value = this.json[key] ?? otherwise;
    if (typeof value !== "number" || !(value > 0 && value < Infinity)) {
      return this.fail(key, "a positive number");
    }
    return value;
  }

  /**
   * True or false.
   *
   * @param key Its key.
   * @param otherwise Its value if the key is absent.
   * @returns The value.
   * @throws {TypeError} If it is something else.
   */
  flag(key: string, otherwise: boolean): boolean {
    const value = this.json[key] ?? otherwise;
    return typeof value === "boolean" ? value : this.fail(key, "true or false");
  }

  /**
   * Checks that a key, if present, has one of some values.
   *
   * @param key The key.
   * @param values The allowed values; the message names the first.
   * @throws {TypeError} If it is something else.
   */
  expect(key: string, ...values: readonly unknown[]): void {
    const value = this.json[key];
    if (value != null && !values.includes(value)) this.fail(key, JSON.stringify(values[0]));
  }

  /**
   * An object.
   *
   * @param key Its key.
   * @returns A reader of the object; undefined if the key is absent.
   * @throws {TypeError} If it is something else.
   */
  object(key: string): ConfigReader | undefined {
    const value = this.json[key];
    if (value == null) return undefined;
    if (typeof value !== "object" || Array.isArray(value)) return this.fail(key, "an object");
    return new ConfigReader(value as Record<string, unknown>, this.path);
  }

  /**
   * How rotary positions are scaled, from Hugging Face's `rope_scaling` or `rope_parameters`.
   *
   * @returns The scaling; undefined if there is none.
   * @throws {TypeError} If its kind is not supported.
   */
  rotaryScaling(): RotaryScaling | undefined {
    const key = this.json.rope_type == null && this.json.type != null ? "type" : "rope_type";
    const type = this.json[key] ?? "default";
    if (type === "default") return undefined;
    if (type === "linear") return { type, factor: this.number("factor") };
    if (type !== "llama3") return this.fail(key, '"default", "linear" or "llama3"');
    return {
      type,
      factor: this.number("factor"),
      lowFrequencyFactor: this.number("low_freq_factor"),
      highFrequencyFactor: this.number("high_freq_factor"),
      originalContext: this.count("original_max_position_embeddings"),
    };
  }

  /**
   * The ids of special tokens.
   *
   * @returns Those in the file.
   * @throws {TypeError} If a value is not a token id.
   */
  specialTokens(): SpecialTokens {
    const isId = (value: unknown) => Number.isInteger(value) && (value as number) >= 0;
    const id = (key: string): number | undefined => {
      const value = this.json[key];
      // Some files use −1 for none.
      if (value == null || value === -1) return undefined;
      return isId(value) ? value as number : this.fail(key, "a token id");
    };
    const several = this.json.eos_token_id;
    const eos = Array.isArray(several)
      ? several.every(isId) ? several as number[] : this.fail("eos_token_id", "token ids")
      : id("eos_token_id");
    return { bos: id("bos_token_id"), eos, pad: id("pad_token_id") };
  }

  /**
   * Throws the error for a wrong value.
   *
   * @param key Its key.
   * @param expected What was expected, in words.
   * @throws {TypeError} Always.
   */
  fail(key: string, expected: string): never {
    const value = this.json[key];
    const found = value === undefined ? "nothing" : JSON.stringify(value);
    throw new TypeError(`Cannot load "${this.path}": "${key}" is ${found}, expected ${expected}`);
  }
}

/**
 * Converts token ids to the form of a `config.json`.
 *
 * @param special The ids.
 * @returns The keys and values; null for absent ids.
 */
export function specialTokensToConfig(special: SpecialTokens = {}): Record<string, unknown> {
  return {
    bos_token_id: special.bos ?? null,
    eos_token_id: special.eos ?? null,
    pad_token_id: special.pad ?? null,
  };
}

/**
 * Converts a scaling to the form of `rope_scaling` in a `config.json`.
 *
 * @param scaling The scaling.
 * @returns The object; null if there is no scaling.
 */
export function rotaryScalingToConfig(
  scaling: RotaryScaling | undefined,
): Record<string, unknown> | null {
  if (!scaling) return null;
  const common = { rope_type: scaling.type, factor: scaling.factor };
  if (scaling.type === "linear") return common;
  return {
    ...common,
    low_freq_factor: scaling.lowFrequencyFactor,
    high_freq_factor: scaling.highFrequencyFactor,
    original_max_position_embeddings: scaling.originalContext,
  };
}
