/**
 * A matrix as a small picture: SVG that draws everywhere, with no script and no style sheet.
 *
 * @module
 */

/** The most cells along each side; of larger matrices only every n-th row and column is drawn. */
const MOST_CELLS = 48;
/** Pixels of the longer side, at most, and of a cell. */
const LARGEST_SIDE = 288;
const LARGEST_CELL = 24;
/** Shades of a colour. */
const LEVELS = 12;

/** From white to the colour of the largest numbers, and to that of the most negative. */
const WHITE = [247, 247, 247], POSITIVE = [178, 24, 43], NEGATIVE = [33, 102, 172];

/**
 * Draws a matrix: red for positive numbers, blue for negative ones, the darker the larger; gray for NaN.
 *
 * @param values Its elements in row-major order.
 * @param rows How many rows.
 * @param columns How many columns.
 * @returns An SVG element, at most some tens of kilobytes.
 */
export function heatMap(values: ArrayLike<number>, rows: number, columns: number): string {
  const rowStep = Math.ceil(rows / MOST_CELLS);
  const columnStep = Math.ceil(columns / MOST_CELLS);
  const height = Math.ceil(rows / rowStep);
  const width = Math.ceil(columns / columnStep);
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) most = Math.max(most, Math.abs(values[i]));
  }
  const paths = new Map<string, string>();
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const color = colorOf(values[y * rowStep * columns + x * columnStep], most);
      paths.set(color, `${paths.get(color) ?? ""}M${x} ${y}h1v1h-1z`);
    }
  }
  const cell = Math.min(LARGEST_CELL, LARGEST_SIDE / Math.max(width, height));
  const size = `width="${Math.round(width * cell)}" height="${Math.round(height * cell)}"`;
  const cells = [...paths].map(([color, path]) => `<path fill="${color}" d="${path}"/>`).join("");
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} viewBox="0 0 ${width} ${height}" ` +
    `shape-rendering="crispEdges" role="img" aria-label="Heat map of ${rows} by ${columns} ` +
    `numbers">${cells}</svg>`;
}

function colorOf(value: number, most: number): string {
  if (Number.isNaN(value)) return "#999999";
  const share = most === 0 ? 0 : Math.min(1, Math.abs(value) / most);
  const level = Math.round(share * LEVELS) / LEVELS;
  const end = value < 0 ? NEGATIVE : POSITIVE;
  const parts = WHITE.map((from, i) => Math.round(from + (end[i] - from) * level));
  return `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}
