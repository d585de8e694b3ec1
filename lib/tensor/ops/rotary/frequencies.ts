/**
 * The angles of rotary positions: frequencies as Llama and its descendants scale them, and their cosines and sines.
 *
 * @module
 */

import { assertKnownOptions, type OptionNames } from "../../../options.ts";

/** How frequencies are changed so that longer sequences can be read. */
export type RotaryScaling =
  /** Every frequency is divided by `factor`: Chen et al., "Extending Context Window via Positional Interpolation", 2023. */
  | { readonly type: "linear"; readonly factor: number }
  /**
   * Llama 3's: waves longer than `originalContext / lowFrequencyFactor` tokens are divided by `factor`, those shorter
   * than `originalContext / highFrequencyFactor` are not, and between them it goes smoothly.
   */
  | {
    readonly type: "llama3";
    readonly factor: number;
    readonly lowFrequencyFactor: number;
    readonly highFrequencyFactor: number;
    readonly originalContext: number;
  }
  /**
   * Peng et al., "YaRN: Efficient Context Window Extension of Large Language Models", 2023: waves that turn fewer than
   * `betaSlow` times within `originalContext` tokens are divided by `factor`, those that turn more than `betaFast` times
   * are not, and cosines and sines are multiplied by `attentionFactor`.
   */
  | {
    readonly type: "yarn";
    readonly factor: number;
    readonly originalContext: number;
    /** 32 by default. */
    readonly betaFast?: number;
    /** 1 by default. */
    readonly betaSlow?: number;
    /** 1 + 0.1 ln(factor) by default. */
    readonly attentionFactor?: number;
    /** Whether the bounds are rounded to whole pairs. True by default. */
    readonly truncate?: boolean;
  }
  /** As soon as a text is longer than `originalContext`, θ grows with its length: https://huggingface.co/docs/transformers. */
  | { readonly type: "dynamic"; readonly factor: number; readonly originalContext: number }
  /**
   * Ding et al., "LongRoPE: Extending LLM Context Window Beyond 2 Million Tokens", 2024: a divisor for each pair, others for
   * texts longer than `originalContext`; cosines and sines are multiplied by `attentionFactor`.
   */
  | {
    readonly type: "longrope";
    readonly originalContext: number;
    readonly shortFactors: readonly number[];
    readonly longFactors: readonly number[];
    readonly attentionFactor: number;
  };

/** What rotary positions are computed with. */
export interface RotaryOptions {
  /** Elements of a head, an even number. */
  readonly headDim: number;
  /** θ, the base of wavelengths. 10000 by default. */
  readonly theta?: number;
  /** How frequencies are scaled; not at all by default. */
  readonly scaling?: RotaryScaling;
  /**
   * Tokens of the longest text, on which `dynamic` and `longrope` depend. No longer than the original context by
   * default.
   */
  readonly length?: number;
}

const ROTARY_OPTIONS: OptionNames<RotaryOptions> = {
  headDim: true,
  theta: true,
  scaling: true,
  length: true,
};

/**
 * Radians a position for each pair of a head's elements: θ^(−2i / headDim), scaled. In float32 as PyTorch has them.
 *
 * @param options Head dimension, θ, scaling and length.
 * @returns (headDim / 2).
 * @throws {RangeError} If the head dimension is not even.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { rotaryFrequencies } from "tunebook/tensor";
 *
 * const scaling = { type: "linear", factor: 2 } as const;
 * assertEquals([...rotaryFrequencies({ headDim: 4, theta: 100, scaling })], [0.5, Math.fround(0.05)]);
 * ```
 */
export function rotaryFrequencies(options: RotaryOptions): Float32Array {
  assertKnownOptions("compute frequencies", options, ROTARY_OPTIONS);
  const { headDim, theta = 10_000, scaling } = options;
  if (!Number.isInteger(headDim) || headDim < 2 || headDim % 2 !== 0) {
    throw new RangeError(
      `Cannot rotate heads of ${headDim} elements: expected an even number of them`,
    );
  }
  const base = scaling?.type === "dynamic" ? grown(theta, headDim, scaling, options.length) : theta;
  const waves = Float32Array.from(
    { length: headDim / 2 },
    (_, i) => Math.fround(base ** Math.fround(2 * i / headDim)),
  );
  if (scaling?.type === "yarn") return yarn(waves, theta, scaling);
  if (scaling?.type === "longrope") return longrope(waves, scaling, options.length);
  return waves.map((wave) => scaled(Math.fround(1 / wave), scaling));
}

/**
 * What cosines and sines are multiplied by.
 *
 * @param scaling How frequencies are scaled.
 * @returns The factor; 1 unless the scaling has one.
 */
export function rotaryMagnitude(scaling: RotaryScaling | undefined): number {
  if (scaling?.type === "longrope") return scaling.attentionFactor;
  if (scaling?.type !== "yarn") return 1;
  const { factor, attentionFactor = factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1 } = scaling;
  return attentionFactor;
}

function scaled(frequency: number, scaling: RotaryScaling | undefined): number {
  if (scaling?.type === "linear") return frequency / scaling.factor;
  if (scaling?.type !== "llama3") return frequency;
  const { factor, lowFrequencyFactor, highFrequencyFactor, originalContext } = scaling;
  const wavelength = 2 * Math.PI / frequency;
  if (wavelength < originalContext / highFrequencyFactor) return frequency;
  if (wavelength > originalContext / lowFrequencyFactor) return frequency / factor;
  const smooth = (originalContext / wavelength - lowFrequencyFactor) /
    (highFrequencyFactor - lowFrequencyFactor);
  return (1 - smooth) * frequency / factor + smooth * frequency;
}

/** θ for a text of some length. */
function grown(
  theta: number,
  headDim: number,
  { factor, originalContext }: Extract<RotaryScaling, { type: "dynamic" }>,
  length = 0,
): number {
  const longest = Math.max(length, originalContext);
  const growth = factor * longest / originalContext - (factor - 1);
  return theta * growth ** (headDim / (headDim - 2));
}

function yarn(
  waves: Float32Array,
  theta: number,
  scaling: Extract<RotaryScaling, { type: "yarn" }>,
): Float32Array {
  const { factor, originalContext, betaFast = 32, betaSlow = 1, truncate = true } = scaling;
  const headDim = 2 * waves.length;
  // The index of a pair, from its turns within the original context.
  const pairOf = (turns: number) =>
    headDim * Math.log(originalContext / (turns * 2 * Math.PI)) / (2 * Math.log(theta));
  const [first, last] = [pairOf(betaFast), pairOf(betaSlow)];
  const low = Math.max(truncate ? Math.floor(first) : first, 0);
  let high = Math.min(truncate ? Math.ceil(last) : last, headDim - 1);
  if (low === high) high += 0.001;
  return waves.map((wave, i) => {
    const ramp = Math.fround(Math.min(Math.max((i - low) / (high - low), 0), 1));
    const interpolated = Math.fround(1 / Math.fround(factor * wave));
    return interpolated * ramp + Math.fround(1 / wave) * Math.fround(1 - ramp);
  });
}

function longrope(
  waves: Float32Array,
  { originalContext, shortFactors, longFactors }: Extract<RotaryScaling, { type: "longrope" }>,
  length = 0,
): Float32Array {
  const factors = length > originalContext ? longFactors : shortFactors;
  if (factors.length !== waves.length) {
    throw new RangeError(
      `Cannot divide ${waves.length} frequencies by ${factors.length} factors: expected one each`,
    );
  }
  return waves.map((wave, i) => 1 / Math.fround(Math.fround(factors[i]) * wave));
}

/**
 * Cosines, then sines, of every pair's angle at each position.
 *
 * @param positions (T).
 * @param frequencies Of {@linkcode rotaryFrequencies}.
 * @param magnitude Of {@linkcode rotaryMagnitude}.
 * @returns (T, headDim).
 */
export function rotaryTable(
  positions: Int32Array,
  frequencies: Float32Array,
  magnitude = 1,
): Float32Array {
  const half = frequencies.length;
  const table = new Float32Array(positions.length * 2 * half);
  const rowOf = new Map<number, number>();
  positions.forEach((position, row) => {
    const at = row * 2 * half;
    const known = rowOf.get(position);
    if (known !== undefined) {
      table.copyWithin(at, known, known + 2 * half);
      return;
    }
    rowOf.set(position, at);
    for (let i = 0; i < half; i++) {
      // The product is rounded before its cosine is taken, as everywhere that models were trained.
      const angle = Math.fround(position * frequencies[i]);
      table[at + i] = magnitude * Math.cos(angle);
      table[at + half + i] = magnitude * Math.sin(angle);
    }
  });
  return table;
}
