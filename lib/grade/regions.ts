/**
 * The regions that an instructor marks in a cell's source, by nbgrader's markers: solutions, hidden tests and mark
 * schemes.
 *
 * ```ts ignore
 * // BEGIN SOLUTION
 * return 1;
 * // END SOLUTION
 * ```
 *
 * A marker is recognised anywhere in a line, so `### BEGIN SOLUTION`, `// BEGIN SOLUTION` and `<!-- BEGIN SOLUTION -->`
 * all are. The marker's lines belong to the region.
 *
 * @module
 */

/** What a region holds. */
export type RegionKind = "solution" | "hiddenTests" | "markScheme";

const MARKERS: Readonly<Record<RegionKind, string>> = {
  solution: "SOLUTION",
  hiddenTests: "HIDDEN TESTS",
  markScheme: "MARK SCHEME",
};

/** The kinds of regions, in the order in which nbgrader removes them. */
export const REGION_KINDS: readonly RegionKind[] = ["solution", "hiddenTests", "markScheme"];

/** What {@linkcode replaceRegions} gives. */
export interface Replaced {
  /** The source without the regions. */
  readonly source: string;
  /** The regions' lines, without their markers, one string per region. */
  readonly regions: readonly string[];
}

/**
 * Replaces the regions of one kind.
 *
 * @param source The cell's source.
 * @param kind Which regions.
 * @param stub The lines that replace a region, indented as its first marker is; none by default.
 * @returns The source without the regions, and what they held.
 * @throws {SyntaxError} If a region begins in a region, or does not end; the message names the line.
 */
export function replaceRegions(
  source: string,
  kind: RegionKind,
  stub: readonly string[] = [],
): Replaced {
  const begin = `BEGIN ${MARKERS[kind]}`;
  const end = `END ${MARKERS[kind]}`;
  const kept: string[] = [];
  const regions: string[][] = [];
  let opened: number | undefined;
  for (const [i, line] of source.split("\n").entries()) {
    if (line.includes(begin)) {
      if (opened !== undefined) {
        throw new SyntaxError(
          `Cannot read the markers: "${begin}" in line ${i + 1} stands in the region ` +
            `that began in line ${opened + 1}`,
        );
      }
      opened = i;
      regions.push([]);
      const indent = /^\s*/.exec(line)![0];
      kept.push(...stub.map((stubLine) => indent + stubLine));
    } else if (line.includes(end)) {
      if (opened === undefined) {
        throw new SyntaxError(
          `Cannot read the markers: "${end}" in line ${
            i + 1
          } ends no region; expected "${begin}" before it`,
        );
      }
      opened = undefined;
    } else if (opened !== undefined) {
      regions.at(-1)!.push(line);
    } else kept.push(line);
  }
  if (opened !== undefined) {
    throw new SyntaxError(
      `Cannot read the markers: "${begin}" in line ${opened + 1} has no "${end}"`,
    );
  }
  return { source: kept.join("\n"), regions: regions.map((lines) => lines.join("\n")) };
}

/**
 * Removes the lines of markers, and keeps what stands between them: the instructor's own version of a cell, as it runs.
 *
 * @param source The cell's source.
 * @returns The source without markers.
 */
export function withoutMarkers(source: string): string {
  const marker = /\b(BEGIN|END) (SOLUTION|HIDDEN TESTS|MARK SCHEME)\b/;
  return source.split("\n").filter((line) => !marker.test(line)).join("\n");
}
