/**
 * Tensors as text, as NumPy and PyTorch write them: numbers in columns, and of large ones the first and last only.
 *
 * @module
 */

/** With more elements than this, only the first and last of each dimension are written. */
const MOST_ELEMENTS = 1000;

/** Characters of a line; longer rows are broken. */
const LINE_WIDTH = 88;

/** Consecutive elements. */
export interface Run {
  readonly offset: number;
  readonly length: number;
}

/**
 * Which elements are written of a tensor.
 *
 * @param shape Its shape.
 * @returns Consecutive elements, in order.
 */
export function shownRuns(shape: readonly number[]): Run[] {
  const size = shape.reduce((product, length) => product * length, 1);
  if (size <= MOST_ELEMENTS) return [{ offset: 0, length: size }];
  const runs: Run[] = [];
  const visit = (axis: number, offset: number) => {
    const inner = shape.slice(axis + 1).reduce((product, length) => product * length, 1);
    for (const { offset: first, length } of shownParts(shape, axis)) {
      if (axis === shape.length - 1) {
        runs.push({ offset: offset + first, length });
      } else {
        for (let i = first; i < first + length; i++) visit(axis + 1, offset + i * inner);
      }
    }
  };
  visit(0, 0);
  return runs;
}

/** Which indices of a dimension are written: all, or the first and the last. */
function shownParts(shape: readonly number[], axis: number): Run[] {
  const length = shape[axis];
  const size = shape.reduce((product, length) => product * length, 1);
  // Of many dimensions fewer, so that what is written stays short.
  const edge = shape.length <= 3 ? 3 : shape.length === 4 ? 2 : 1;
  if (size <= MOST_ELEMENTS || length <= 2 * edge) return [{ offset: 0, length }];
  return [{ offset: 0, length: edge }, { offset: length - edge, length: edge }];
}

/**
 * Writes elements in nested brackets.
 *
 * @param shape The tensor's shape.
 * @param values The elements that {@linkcode shownRuns} tells, in order.
 * @returns Lines of text; `…` stands for what is left out.
 */
export function formatElements(shape: readonly number[], values: readonly number[]): string {
  if (shape.includes(0)) return "[]";
  const words = formatNumbers(values);
  const width = Math.max(...words.map((word) => word.length));
  let next = 0;
  const write = (axis: number): string => {
    if (axis === shape.length) return words[next++].padStart(width);
    const indent = " ".repeat(axis + 1);
    const parts = shownParts(shape, axis);
    const items: string[] = [];
    parts.forEach(({ length }, i) => {
      if (i > 0) items.push("…");
      for (let j = 0; j < length; j++) items.push(write(axis + 1));
    });
    if (axis < shape.length - 1) {
      const gap = "\n".repeat(shape.length - 1 - axis);
      return `[${items.join(`,${gap}${indent}`)}]`;
    }
    const perLine = Math.max(1, Math.floor((LINE_WIDTH - axis - 1) / (width + 2)));
    const lines: string[] = [];
    for (let i = 0; i < items.length; i += perLine) {
      lines.push(items.slice(i, i + perLine).join(", "));
    }
    return `[${lines.join(`,\n${indent}`)}]`;
  };
  return write(0);
}

/** Numbers in one form: whole, with four places, or in scientific notation. */
function formatNumbers(values: readonly number[]): string[] {
  const finite = values.filter(Number.isFinite);
  const sizes = finite.filter((value) => value !== 0).map(Math.abs);
  const [least, most] = sizes.length > 0
    ? [sizes.reduce((a, b) => Math.min(a, b)), sizes.reduce((a, b) => Math.max(a, b))]
    : [1, 1];
  const write = finite.every(Number.isInteger) && most < 1e9
    ? (value: number) => value.toFixed(0)
    : most >= 1e6 || most < 1e-3 || most / least > 1e6
    ? (value: number) => value.toExponential(4)
    : (value: number) => value.toFixed(4);
  return values.map((value) =>
    Number.isFinite(value) ? write(Object.is(value, -0) ? 0 : value) : String(value)
  );
}
