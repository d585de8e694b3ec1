// The block sizes of chapter 8: what 4-bit weights lose, by how many of them share a scale.

import { Random } from "tunebook";
import { frames, lineChart, type View } from "tunebook/show";

/** The 16 values of NF4 (Dettmers et al., 2023): normally distributed weights use each about as often. */
export const NF4_LEVELS: readonly number[] = [
  -1,
  -0.69619,
  -0.52507,
  -0.39492,
  -0.28444,
  -0.18477,
  -0.09105,
  0,
  0.07958,
  0.16093,
  0.24611,
  0.33792,
  0.44071,
  0.56262,
  0.72296,
  1,
];

/**
 * Packs weights and unpacks them again.
 *
 * @param values The weights.
 * @param blockSize How many share a scale.
 * @returns What is left of them.
 */
export function packAndUnpack(values: ArrayLike<number>, blockSize: number): Float64Array {
  const result = new Float64Array(values.length);
  for (let first = 0; first < values.length; first += blockSize) {
    const end = Math.min(first + blockSize, values.length);
    let scale = 0;
    for (let i = first; i < end; i++) scale = Math.max(scale, Math.abs(values[i]));
    for (let i = first; i < end; i++) result[i] = scale * nearest(values[i] / (scale || 1));
  }
  return result;
}

const nearest = (value: number) =>
  NF4_LEVELS.reduce((best, level) =>
    Math.abs(level - value) < Math.abs(best - value) ? level : best
  );

/** Places of a histogram, in standard deviations of the weights. */
const BINS = Array.from({ length: 61 }, (_, i) => (i - 30) / 60);

/**
 * Shows the errors of packed weights by block size, as they are and with planted outliers.
 *
 * @param weights A matrix's values.
 * @param name What it is called.
 * @returns A slider over block sizes and a switch for outliers.
 */
export function blockSizes(weights: ArrayLike<number>, name: string): View {
  const deviation = Math.sqrt(
    Array.from(weights).reduce((sum, value) => sum + value * value, 0) / weights.length,
  );
  const plain = Array.from(weights, (value) => value / deviation);
  const random = new Random(3);
  const planted = plain.map((value) => random.float() < 0.001 ? 12 * Math.sign(value) : value);
  const errorsOf = (values: readonly number[], blockSize: number) => {
    const left = packAndUnpack(values, blockSize);
    return values.map((value, i) => left[i] - value);
  };
  const least = countInto(errorsOf(plain, 16)); // for the eye, and so that all frames have one scale
  return frames(
    { blockSize: [16, 32, 64, 128, 256, 1024, 4096], outliers: [false, true] },
    ({ blockSize, outliers }) => {
      const errors = errorsOf(outliers ? planted : plain, blockSize);
      const size = Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length);
      const bits = 4 + 32 / blockSize;
      return lineChart([
        { name: `${blockSize} share a scale`, x: BINS, y: countInto(errors) },
        { name: "the least: 16, no outliers", x: BINS, y: least },
      ], {
        title: `${bits.toFixed(2)} bits per weight, typical error ${(100 * size).toFixed(1)} %`,
        xLabel: "error, in standard deviations of the weights",
        yLabel: "share",
      });
    },
    {
      title: `Packed to 4 bits: ${name}`,
      start: { blockSize: 64 },
      labels: { blockSize: "weights that share a scale", outliers: "with outliers, one in 1,000" },
    },
  );
}

/** Values beyond the bins are not drawn. */
function countInto(errors: readonly number[]): number[] {
  const counts = BINS.map(() => 0);
  for (const error of errors) {
    const bin = Math.round(error * 60) + 30;
    if (bin >= 0 && bin < counts.length) counts[bin] += 1 / errors.length;
  }
  return counts;
}
