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

/** What {@linkcode ConfigReader.rotary} takes where a configuration says nothing. */
export interface RotaryDefaults {
  /** θ. 10000 by default. */
  readonly theta?: number;
  /** The key of θ beside the parameters. */
  readonly thetaKey?: string;
  /** The part of a head that is turned. 1 by default. */
  readonly part?: number;
  /** Its key beside the parameters. */
  readonly partKey?: string;
}

/** Rotary positions, as a configuration describes them. */
export interface RotarySettings {
  /** θ, the base of wavelengths. */
  readonly theta: number;
  /** How they are scaled; undefined if not at all. */
  readonly scaling: RotaryScaling | undefined;
  /** The part of a head's elements that is turned. */
  readonly part: number;
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
   * A list of positive numbers.
   *
   * @param key Its key.
   * @returns The numbers.
   * @throws {TypeError} If it is something else.
   */
  numbers(key: string): number[] {
    const value = this.json[key];
    const isNumber = (one: unknown) => typeof one === "number" && one > 0 && one < Infinity;
    if (!Array.isArray(value) || !value.every(isNumber)) {
      return this.fail(key, "a list of positive numbers");
    }
    return value;
  }

  /**
   * Rotary positions, in transformers' order of precedence: what `rope_scaling` says, which replaces
   * `rope_parameters`, then keys beside them, then the defaults.
   *
   * @param defaults Values of what is absent, and the names of keys where they are others.
   * @returns θ, the scaling, and which part of a head is turned.
   * @throws {TypeError} If the kind of scaling is not supported.
   */
  rotary(defaults: RotaryDefaults = {}): RotarySettings {
    const { theta = 10_000, thetaKey = "rope_theta", part, partKey = "partial_rotary_factor" } =
      defaults;
    const old = this.object("rope_scaling");
    const own = old && Object.keys(old.json).length > 0 ? old : this.object("rope_parameters");
    if (own?.json.full_attention !== undefined || own?.json.sliding_attention !== undefined) {
      return this.fail("rope_parameters", "the same parameters for all layers");
    }
    const from = (key: string, beside: string, otherwise: number) =>
      own?.json[key] != null ? own.number(key) : this.number(beside, otherwise);
    return {
      theta: from("rope_theta", thetaKey, theta),
      scaling: own?.rotaryScaling(this),
      part: from("partial_rotary_factor", partKey, part ?? 1),
    };
  }

  /**
   * How rotary positions are scaled, from Hugging Face's `rope_scaling` or `rope_parameters`. As in
   * transformers a factor without a type scales nothing.
   *
   * @param outer The whole configuration.
   * @returns The scaling; undefined if there is none.
   * @throws {TypeError} If its kind is not supported.
   */
  rotaryScaling(outer: ConfigReader = this): RotaryScaling | undefined {
    const key = this.json.rope_type == null && this.json.type != null ? "type" : "rope_type";
    const type = this.json[key] ?? "default";
    if (type === "default") return undefined;
    if (type === "linear") return { type, factor: this.number("factor") };
    const context = outer.json.max_position_embeddings;
    if (type === "dynamic") {
      const originalContext = outer.count("max_position_embeddings");
      return { type, factor: this.number("factor"), originalContext };
    }
    const original = "original_max_position_embeddings";
    const originalContext = outer.json[original] != null
      ? outer.count(original)
      : this.count(original, typeof context === "number" ? context : undefined);
    if (type === "llama3") {
      return {
        type,
        factor: this.number("factor"),
        lowFrequencyFactor: this.number("low_freq_factor"),
        highFrequencyFactor: this.number("high_freq_factor"),
        originalContext,
      };
    }
    if (type === "yarn") return { type, originalContext, ...this.#yarn() };
    // Phi-3's first files say "su".
    if (type === "longrope" || type === "su") {
      const stretch = typeof context === "number" ? context / originalContext : 1;
      const factor = this.number("factor", stretch);
      const usual = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalContext));
      return {
        type: "longrope",
        originalContext,
        shortFactors: this.numbers("short_factor"),
        longFactors: this.numbers("long_factor"),
        attentionFactor: this.number("attention_factor", usual),
      };
    }
    return this.fail(
      key,
      '"default", "linear", "dynamic", "yarn", "longrope" or "llama3"',
    );
  }

  #yarn() {
    const factor = this.number("factor");
    const optional = (key: string) => this.json[key] ? this.number(key) : undefined;
    const magnitude = (scale: number) => factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1;
    const [mscale, all] = [optional("mscale"), optional("mscale_all_dim")];
    const own = this.json.attention_factor == null ? undefined : this.number("attention_factor");
    return {
      factor,
      betaFast: optional("beta_fast"),
      betaSlow: optional("beta_slow"),
      attentionFactor: own ?? (mscale && all ? magnitude(mscale) / magnitude(all) : undefined),
      truncate: this.flag("truncate", true),
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
  const { type: rope_type } = scaling;
  if (scaling.type === "linear" || scaling.type === "dynamic") {
    return { rope_type, factor: scaling.factor };
  }
  const original = { original_max_position_embeddings: scaling.originalContext };
  if (scaling.type === "llama3") {
    return {
      rope_type,
      factor: scaling.factor,
      low_freq_factor: scaling.lowFrequencyFactor,
      high_freq_factor: scaling.highFrequencyFactor,
      ...original,
    };
  }
  if (scaling.type === "longrope") {
    return {
      rope_type,
      short_factor: [...scaling.shortFactors],
      long_factor: [...scaling.longFactors],
      attention_factor: scaling.attentionFactor,
      ...original,
    };
  }
  const { betaFast, betaSlow, attentionFactor, truncate } = scaling;
  return {
    rope_type,
    factor: scaling.factor,
    ...original,
    ...(betaFast !== undefined && { beta_fast: betaFast }),
    ...(betaSlow !== undefined && { beta_slow: betaSlow }),
    ...(attentionFactor !== undefined && { attention_factor: attentionFactor }),
    ...(truncate === false && { truncate }),
  };
}

/**
 * The context that a configuration names: under dynamic scaling, that of the training.
 *
 * @param contextLength The longest sequence.
 * @param scaling The scaling.
 * @returns `max_position_embeddings`.
 */
export function namedContext(contextLength: number, scaling: RotaryScaling | undefined): number {
  return scaling?.type === "dynamic" ? scaling.originalContext : contextLength;
}

/**
 * The longest sequence that a configuration allows: under dynamic scaling, longer than it names.
 *
 * @param named `max_position_embeddings`.
 * @param scaling The scaling.
 * @returns Tokens.
 */
export function longestContext(named: number, scaling: RotaryScaling | undefined): number {
  return scaling?.type === "dynamic" ? Math.floor(named * scaling.factor) : named;
}
