// The Viridis colour scale (S. van der Walt and N. Smith, 2015): perceptually uniform, also in
// grey.

const stops = [
  [68, 1, 84],
  [72, 40, 120],
  [62, 74, 137],
  [49, 104, 142],
  [38, 130, 142],
  [31, 158, 137],
  [53, 183, 121],
  [109, 205, 89],
  [180, 222, 44],
  [253, 231, 37],
];

/**
 * A colour of the scale.
 *
 * @param position From 0 (dark violet) to 1 (yellow); clamped.
 * @returns A hex colour.
 */
export function colorAt(position: number): string {
  const at = Math.min(1, Math.max(0, position)) * (stops.length - 1);
  const i = Math.min(stops.length - 2, Math.floor(at));
  const mixed = stops[i].map((low, channel) => {
    const value = low + (stops[i + 1][channel] - low) * (at - i);
    return Math.round(value).toString(16).padStart(2, "0");
  });
  return `#${mixed.join("")}`;
}
