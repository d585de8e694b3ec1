/**
 * Plans that several ops share; see `program.ts`.
 *
 * @module
 */

import type { Dispatch, PlanInput, Program, Range } from "./program.ts";

/**
 * Floating-point operations of a dispatch at most: a slow GPU takes half a second for them, and some systems take one for hung
 * that does not answer for two.
 */
export const MAX_DISPATCH_FLOPS = 1e11;

/** WebGPU guarantees this many workgroups a dimension. */
export const MAX_WORKGROUPS = 65_535;

/**
 * Folds a number of workgroups into two dimensions where one is not enough.
 *
 * @param count How many workgroups are needed.
 * @returns Counts along x and y whose product is at least `count`. The kernel's index is
 * `id.x + id.y * num_workgroups.x * workgroupSize` and must be checked.
 */
export function fold(count: number): [number, number] {
  if (count <= MAX_WORKGROUPS) return [Math.max(count, 1), 1];
  const y = Math.ceil(count / MAX_WORKGROUPS);
  return [Math.ceil(count / y), y];
}

/** Some consecutive rows of one or more buffers. */
export interface RowPart<B extends string> {
  /** Number of the first row. */
  readonly first: number;
  /** How many rows. */
  readonly count: number;
  /** Which part this is. */
  readonly index: number;
  /** Where these rows lie in each buffer. */
  readonly ranges: Partial<Record<B, Range>>;
}

/**
 * Divides rows so that each buffer's part fits one binding and begins where a binding may.
 *
 * @param rows How many rows there are.
 * @param widths Elements a row, of every buffer that has these rows.
 * @param limits What a binding can show and where it may begin; and the most rows of a part, where there is such a limit.
 * @returns The parts, in order; one where everything fits, and one, empty, where there are no rows.
 * @throws {RangeError} If the fewest rows that can be divided off do not fit.
 */
export function rowParts<B extends string>(
  rows: number,
  widths: Partial<Record<B, number>>,
  limits: { maxBindingSize: number; offsetAlignment: number; mostRows?: number },
): RowPart<B>[] {
  const { maxBindingSize, offsetAlignment, mostRows = Infinity } = limits;
  const entries = Object.entries(widths) as [B, number][];
  let fitting = Infinity;
  let unit = 1; // Every multiple of this many rows begins at an aligned byte.
  for (const [, width] of entries) {
    fitting = Math.min(fitting, Math.floor(maxBindingSize / (width * 4)));
    unit = Math.max(unit, offsetAlignment / greatestPowerOfTwo(width * 4, offsetAlignment));
  }
  const most = Math.min(fitting, Math.max(mostRows, unit));
  const step = rows <= most ? Math.max(rows, 1) : Math.floor(most / unit) * unit;
  if (step < 1) {
    const [name, width] = entries.reduce((a, b) => (a[1] > b[1] ? a : b));
    throw new RangeError(
      `Cannot show ${unit} rows of ${width} elements of the buffer "${name}" to a kernel: ` +
        `expected at most ${maxBindingSize} bytes`,
    );
  }
  const parts: RowPart<B>[] = [];
  for (let first = 0; first < rows || first === 0; first += step) {
    const count = Math.min(step, rows - first);
    const ranges: Partial<Record<B, Range>> = {};
    for (const [name, width] of entries) {
      // A binding may not be empty; a kernel without rows reads nothing of it.
      ranges[name] = { offset: first * width * 4, size: Math.max(count * width * 4, 16) };
    }
    parts.push({ first, count, index: parts.length, ranges });
  }
  return parts;
}

/** The greatest power of two up to `limit` that divides `value`. */
function greatestPowerOfTwo(value: number, limit: number): number {
  let power = 1;
  while (power < limit && value % (power * 2) === 0) power *= 2;
  return power;
}

/**
 * A program that goes over the rows of its buffers, in parts where they are larger than a binding.
 *
 * @param options The WGSL; how many rows there are; elements a row of the buffers that have these rows (others are
 * seen whole); what to dispatch for a part.
 * @returns The program.
 */
export function overRows<B extends string, P extends string>(
  options: {
    source: string;
    entryPoint?: string;
    uniforms?: Program["uniforms"];
    rows: (params: Readonly<Record<P, number>>) => number;
    widths: (params: Readonly<Record<P, number>>) => Partial<Record<NoInfer<B>, number>>;
    dispatch: (
      part: RowPart<NoInfer<B>>,
      input: PlanInput<NoInfer<B>, P>,
    ) => Dispatch<NoInfer<B>, P>;
  },
): Program<B, P> {
  const { source, entryPoint, uniforms, rows, widths, dispatch } = options;
  return {
    source,
    entryPoint,
    uniforms,
    plan(input) {
      return rowParts(rows(input.params), widths(input.params), input).map((part) => {
        const made = dispatch(part, input);
        return { ...made, ranges: { ...part.ranges, ...made.ranges } };
      });
    },
  };
}

/**
 * A program with one thread an element, 256 threads a workgroup. Buffers larger than a binding are seen in parts.
 *
 * @param options The WGSL, the parameter that holds the number of elements, and the buffers that have that many.
 * More uniforms have values by the part's first element and the parameters.
 * @returns The program.
 */
export function elementwise<B extends string, P extends string>(
  options: {
    source: string;
    entryPoint?: string;
    size: P;
    buffers: readonly B[];
    uniforms?: Program["uniforms"];
    values?: (first: number, params: Readonly<Record<P, number>>) => Record<string, number>;
  },
): Program<B, P> {
  const { source, entryPoint, size, buffers } = options;
  return overRows<B, P>({
    source,
    entryPoint,
    uniforms: options.uniforms,
    rows: (params) => params[size],
    widths: () => Object.fromEntries(buffers.map((name) => [name, 1])) as Record<B, number>,
    dispatch: ({ first, count }, { params: given }) => ({
      params: { [size]: count } as Record<P, number>,
      uniforms: options.values?.(first, given),
      workgroups: fold(Math.ceil(count / 256)),
    }),
  });
}
