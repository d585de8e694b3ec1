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
  };

/** What rotary positions are computed with. */
export interface RotaryOptions {
  /** Elements of a head, an even number. */
  readonly headDim: number;
  /** θ, the base of wavelengths. 10000 by default. */
  readonly theta?: number;
  /** How frequencies are scaled; not at all by default. */
  readonly scaling?: RotaryScaling;
}

const ROTARY_OPTIONS: OptionNames<RotaryOptions> = { headDim: true, theta: true, scaling: true };

/**
 * Radians a position for each pair of a head's elements: θ^(−2i / headDim), scaled. In float32 as PyTorch has them.
 *
 * @param options Head dimension, θ and scaling.
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
  return Float32Array.from({ length: headDim / 2 }, (_, i) => {
    const frequency = Math.fround(1 / Math.fround(theta ** Math.fround(2 * i / headDim)));
    return scaling ? scaled(frequency, scaling) : frequency;
  });
}

function scaled(frequency: number, scaling: RotaryScaling): number {
  if (scaling.type === "linear") return frequency / scaling.factor;
  const { factor, lowFrequencyFactor, highFrequencyFactor, originalContext } = scaling;
  const wavelength = 2 * Math.PI / frequency;
  if (wavelength < originalContext / highFrequencyFactor) return frequency;
  if (wavelength > originalContext / lowFrequencyFactor) return frequency / factor;
  const smooth = (originalContext / wavelength - lowFrequencyFactor) /
    (highFrequencyFactor - lowFrequencyFactor);
  return (1 - smooth) * frequency / factor + smooth * frequency;
}

/**
 * Cosines, then sines, of every pair's angle at each position.
 *
 * @param positions (T).
 * @param frequencies Of {@linkcode rotaryFrequencies}.
 * @returns (T, headDim).
 */
export function rotaryTable(positions: Int32Array, frequencies: Float32Array): Float32Array {
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
      table[at + i] = Math.cos(angle);
      table[at + half + i] = Math.sin(angle);
    }
  });
  return table;
}
