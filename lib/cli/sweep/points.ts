// The points of a grid of parameters.

import { readParameters } from "../../runtime/parameters.ts";
import type { Notebook } from "../../runtime/notebook.ts";

/** One point of a grid. */
export interface Point {
  /** Its name, which is also that of its folder: `"lr=1e-4,rank=8"`. */
  readonly name: string;
  /** The notebook's parameters at it. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

/**
 * Lists the points of a grid, in the order of the command line; the last parameter changes fastest.
 *
 * @param notebook The notebook, whose declarations say of which type a parameter is.
 * @param grid Values by parameter: `"lr=1e-4,5e-5"`.
 * @param others Parameters that are the same at all points; `{point}` in a text stands for the point's name.
 * @returns The points.
 * @throws {SyntaxError} If a parameter has no name or no values.
 * @throws {RangeError} If one is given twice.
 */
export function pointsOf(
  notebook: Notebook,
  grid: readonly string[],
  others: Readonly<Record<string, unknown>> = {},
): Point[] {
  const axes = grid.map(readAxis);
  const names = axes.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i || name in others);
  if (twice !== undefined) {
    throw new RangeError(`Cannot sweep over "${twice}": it is given twice`);
  }
  let points: string[][] = [[]];
  for (const { name, values } of axes) {
    points = points.flatMap((pairs) => values.map((value) => [...pairs, `${name}=${value}`]));
  }
  return points.map((pairs) => {
    // A value may be a path.
    const point = pairs.map((pair) => pair.replaceAll(/[^\w.=+-]/g, "_")).join(",");
    const fill = (value: unknown) =>
      typeof value === "string" ? value.replaceAll("{point}", point) : value;
    const fixed = Object.entries(others).map(([name, value]) => [name, fill(value)]);
    return {
      name: point,
      parameters: { ...Object.fromEntries(fixed), ...readParameters(notebook, pairs) },
    };
  });
}

function readAxis(text: string): { name: string; values: string[] } {
  const [, name, list = ""] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  const values = list.split(",").map((value) => value.trim());
  if (name === undefined || values.includes("")) {
    throw new SyntaxError(
      `Cannot read the grid "${text}": expected a parameter and its values, such as "lr=1e-4,5e-5"`,
    );
  }
  if (new Set(values).size < values.length) {
    throw new RangeError(`Cannot sweep over "${text}": a value is given twice`);
  }
  return { name: name.trim(), values };
}
