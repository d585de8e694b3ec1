/**
 * Loops over registers, written out.
 *
 * @module
 */

/**
 * Repeats every line of WGSL that holds a mark, with the mark replaced by 0, 1, …: `sum$d += x[$du];` becomes
 * `sum0 += x[0u];` and so on. Not every driver keeps an array in registers and unrolls loops over it, and one (Mesa 22.3's
 * lavapipe) loses additions to private arrays in nested loops.
 *
 * @param wgsl The text.
 * @param mark The mark, such as `"$d"`.
 * @param count How often.
 * @returns The text with such lines repeated.
 */
export function repeatLines(wgsl: string, mark: string, count: number): string {
  return wgsl.split("\n").flatMap((line) =>
    line.includes(mark)
      ? Array.from({ length: count }, (_, i) => line.replaceAll(mark, `${i}`))
      : [line]
  ).join("\n");
}
