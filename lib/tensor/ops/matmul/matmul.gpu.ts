/**
 * How a GPU multiplies matrices: which kernel, and in which parts where a matrix is larger than a binding.
 *
 * @module
 */

import { fold, MAX_DISPATCH_FLOPS, MAX_WORKGROUPS, overRows } from "../../webgpu/plans.ts";
import type { Dispatch, PlanInput, Program, Range } from "../../webgpu/program.ts";
import { repeatLines } from "../../webgpu/repeat_lines.ts";
import columnSums from "../../webgpu/wgsl/column_sums.wgsl" with { type: "text" };
import columnSumsWgsl from "./column_sums.wgsl" with { type: "text" };
import fewRowsWgsl from "./few_rows.wgsl" with { type: "text" };
import sumSplitsWgsl from "./sum_splits.wgsl" with { type: "text" };
import {
  chooseTiling,
  type ProductSums,
  tilingSource,
  type VectorReads,
  withProductParams,
} from "./tilings.ts";

type B = "a" | "b" | "bias" | "c";
type SumsB = "a" | "b" | "sums" | "c";
type SumsP = P | "sumsOf" | "accumulateSums";
type P =
  | "m"
  | "n"
  | "k"
  | "transposeA"
  | "transposeB"
  | "hasBias"
  | "accumulate"
  | "bOffset"
  | "cOffset"
  | "cStride"
  | "biasOffset"
  | "aOffset";

/** Up to this many rows, as in generation, each column is shared out over many threads. */
const FEW_ROWS = 8;

const sumSplitsSource = withProductParams(sumSplitsWgsl);

/** Fixed values for the source of `few_rows.wgsl`, by number of rows. */
const fewRowsSources = Array.from(
  { length: FEW_ROWS + 1 },
  (_, rows) => `const ROWS = ${rows}u;\n${repeatLines(withProductParams(fewRowsWgsl), "$r", rows)}`,
);

/**
 * The program of `matmul`. Matrices are walked with strides, so that transposing is a matter of numbers:
 * op(a)[i, k] = a[aStart + i · aRow + k · aStep], op(b)[k, j] = b[bStart + k · bStep + j · bColumn],
 * c[i, j] = c[cStart + i · cRow + j], bias[biasStart + j]. Sums begin with what is in c where they are added to it, so
 * that a sum in several parts is the same chain of additions as one in a single part.
 */
export const matmulProgram: Program<B, P> = {
  source: "",
  uniforms: {
    aStart: "u32",
    aRow: "u32",
    aStep: "u32",
    bStart: "u32",
    bStep: "u32",
    bColumn: "u32",
    cStart: "u32",
    cRow: "u32",
    biasStart: "u32",
    kPerSplit: "u32",
  },
  plan(input) {
    const products = planProducts(input).map(({ rows: _, columns: __, inner: ___, ...made }) =>
      made
    );
    const parts = countSplits(input);
    const fits = 4 * input.params.m * input.params.n * parts <= input.maxBindingSize;
    return parts > 1 && products.length === 1 && fits ? split(products[0], parts, input) : products;
  },
};

/** Products with at most this many workgroups of small tiles leave most of a GPU idle. */
const FEW_GROUPS = 128;
/** Workgroups that a split product should have. */
const ENOUGH_GROUPS = 512;
/** The least terms of a part, and of a product that is split: fewer are not worth another dispatch. */
const LEAST_TERMS = 512;
const LEAST_SPLIT_TERMS = 2048;
const MOST_SPLITS = 16;

/**
 * How many parts the inner sum is divided into; one for most products. It depends on the shape alone, not on measurements,
 * since it decides the order of the sum. A software adapter has no idle workgroups. `tuning.splitK` sets it, for tests.
 */
function countSplits({ params, software, tuning }: PlanInput<never, P>): number {
  const { m, n, k, transposeA } = params;
  if (m <= FEW_ROWS && !transposeA) return 1;
  if (tuning.splitK !== undefined) return Number(tuning.splitK);
  const groups = Math.ceil(m / 32) * Math.ceil(n / 32);
  if (software || groups > FEW_GROUPS || k < LEAST_SPLIT_TERMS) return 1;
  return Math.min(MOST_SPLITS, Math.ceil(ENOUGH_GROUPS / groups), Math.floor(k / LEAST_TERMS));
}

/** A product in parts of its inner sum, all in one dispatch, and a dispatch that adds them up in their order. */
function split(
  product: Omit<Product, "rows" | "columns" | "inner">,
  parts: number,
  input: PlanInput<never, P>,
): Dispatch<B, P>[] {
  const { m, n, k } = input.params;
  const kPerSplit = Math.ceil(k / parts / WHOLE_TILES) * WHOLE_TILES;
  const uniforms = { ...product.uniforms, kPerSplit };
  const tiling = chooseTiling(m, n, kPerSplit, input);
  const count = Math.ceil(k / kPerSplit);
  const shared = { ...product, uniforms, scratchBytes: 4 * m * n * count };
  return [
    {
      ...shared,
      source: tilingSource(tiling, { ...readsOf(n, k, uniforms), isSplit: true }),
      buffers: ["a", "b"],
      workgroups: [
        Math.ceil(n / tiling.columns),
        Math.ceil(m / tiling.rows),
        count,
      ],
    },
    {
      ...shared,
      source: sumSplitsSource,
      buffers: ["bias", "c"],
      workgroups: fold(Math.ceil(m * n / 256)),
    },
  ];
}

/** A multiple of every tiling's depth. */
const WHOLE_TILES = 32;

/** What a dispatch computes: some rows and columns of c, some terms of the inner sum. */
interface Product extends Omit<Dispatch<never, P>, "ranges"> {
  readonly rows: Part;
  readonly columns: Part;
  readonly inner: Part;
  readonly ranges: Partial<Record<B, Range>>;
}

function planProducts(input: PlanInput<never, P>, sums?: ProductSums): Product[] {
  const { m, n, k, transposeA, transposeB, hasBias, accumulate } = input.params;
  const { aOffset, bOffset, cOffset, cStride, biasOffset } = input.params;
  const aWidth = transposeA ? m : k;
  const bWidth = transposeB ? k : n;
  const fitting = (width: number) => fittingRows(width, input);
  const mStep = Math.min(
    fitting(cStride),
    transposeA ? Infinity : fitting(k),
    32 * MAX_WORKGROUPS,
    // Whole tiles.
    Math.max(1, Math.floor(MAX_DISPATCH_FLOPS / (2 * n * k) / 128)) * 128,
  );
  const nStep = Math.min(transposeB ? fitting(k) : Infinity, 32 * MAX_WORKGROUPS);
  const kStep = Math.min(transposeA ? fitting(m) : Infinity, transposeB ? Infinity : fitting(n));

  const products: Product[] = [];
  for (const rows of steps(m, mStep)) {
    for (const columns of steps(n, nStep)) {
      for (const inner of steps(k, kStep)) {
        const a = transposeA ? inner : rows;
        const b = transposeB ? columns : inner;
        const aPart = part(aOffset, aWidth, a.first, a.count, input);
        const bPart = part(bOffset, bWidth, b.first, b.count, input);
        const cPart = part(cOffset, cStride, rows.first, rows.count, input, n);
        const last = inner.first + inner.count === k;
        const uniforms = {
          aStart: aPart.skip + (transposeA ? rows.first : inner.first),
          aRow: transposeA ? 1 : aWidth,
          aStep: transposeA ? aWidth : 1,
          bStart: bPart.skip + (transposeB ? inner.first : columns.first),
          bStep: transposeB ? 1 : bWidth,
          bColumn: transposeB ? bWidth : 1,
          cStart: cPart.skip + columns.first,
          cRow: cStride,
          biasStart: biasOffset + columns.first,
        };
        products.push({
          ...chooseKernel(rows.count, columns.count, inner.count, uniforms, input, sums),
          rows,
          columns,
          inner,
          params: {
            m: rows.count,
            n: columns.count,
            k: inner.count,
            hasBias: Number(hasBias && last),
            accumulate: Number(accumulate || inner.first > 0),
          },
          uniforms,
          ranges: {
            a: aPart.range,
            b: bPart.range,
            bias: { offset: 0, size: hasBias ? Math.max((biasOffset + n) * 4, 16) : 16 },
            c: cPart.range,
          },
        });
      }
    }
  }
  return products;
}

/**
 * The program of `matmul.withSums`: dispatches of `matmul`, of which those that see the first rows of c sum op(b)'s columns, or
 * those that see its first columns op(a)'s rows.
 */
export const matmulWithSumsProgram: Program<SumsB, SumsP> = {
  source: "",
  uniforms: { ...matmulProgram.uniforms, sumsStart: "u32", isSummed: "u32" },
  plan(input) {
    const { sumsOf, accumulateSums } = input.params;
    const products = planProducts(input, sumsOf === 1 ? "rows" : "columns");
    return products.map(({ rows, columns, inner, ranges: { bias: _, ...ranges }, ...dispatch }) => {
      const [along, across] = sumsOf === 1 ? [rows, columns] : [columns, rows];
      return {
        ...dispatch,
        ranges,
        params: {
          ...dispatch.params,
          accumulateSums: Number(accumulateSums || inner.first > 0),
        },
        uniforms: {
          ...dispatch.uniforms,
          sumsStart: along.first,
          isSummed: Number(across.first === 0),
        },
      };
    });
  },
};

/** The program of `matmul.columnSums`: 32 columns a workgroup. */
export const columnSumsProgram: Program<"x" | "y", "rows" | "width" | "accumulate"> = overRows({
  source: columnSums + columnSumsWgsl,
  rows: ({ rows }) => rows,
  widths: ({ width }) => ({ x: width }),
  dispatch: ({ index, count }, { params }) => ({
    params: { rows: count, accumulate: Number(params.accumulate || index > 0) },
    workgroups: fold(Math.ceil(params.width / 32)),
  }),
});

function chooseKernel(
  m: number,
  n: number,
  k: number,
  uniforms: Record<string, number>,
  input: PlanInput<never, P>,
  sums: ProductSums | undefined,
): Pick<Dispatch<B, P>, "source" | "entryPoint" | "workgroups"> {
  const { bStep } = uniforms;
  // By the whole matrix's rows: how it is divided must not change the order of sums.
  if (input.params.m <= FEW_ROWS && !input.params.transposeA) {
    return {
      source: fewRowsSources[m],
      entryPoint: bStep === 1 ? "dots" : "columns",
      workgroups: fold(Math.ceil(n / (bStep === 1 ? 8 : 16))),
    };
  }
  const tiling = chooseTiling(m, n, k, input);
  const source = tilingSource(tiling, { ...readsOf(n, k, uniforms), sums });
  const { rows, columns } = tiling;
  return { source, workgroups: [Math.ceil(n / columns), Math.ceil(m / rows)] };
}

/** Which matrices can be read in fours. */
function readsOf(n: number, k: number, uniforms: Readonly<Record<string, number>>): VectorReads {
  const { aStart, aRow, aStep, bStart, bStep, bColumn } = uniforms;
  return {
    vectorA: aStep === 1 && (aStart | aRow | k) % 4 === 0,
    vectorB: bColumn === 1 && (bStart | bStep | n) % 4 === 0,
  };
}

/** How many rows of a matrix fit a binding that may begin a little before them. */
function fittingRows(width: number, input: PlanInput<never, P>): number {
  const { maxBindingSize, offsetAlignment } = input;
  const fitting = Math.floor((maxBindingSize - offsetAlignment) / (width * 4));
  if (fitting < 1) {
    throw new RangeError(
      `Cannot multiply a matrix with rows of ${width} elements: ` +
        `a kernel sees at most ${maxBindingSize} bytes at once`,
    );
  }
  return fitting;
}

/**
 * Where rows of a matrix lie: a range that begins where a binding may, and how many elements of it to skip. Of the last
 * row only the elements that are used lie in it.
 */
function part(
  offset: number,
  width: number,
  first: number,
  count: number,
  { offsetAlignment }: PlanInput<never, P>,
  used = width,
): { range: Range; skip: number } {
  const start = (offset + first * width) * 4;
  const aligned = start - start % offsetAlignment;
  const size = Math.max(start - aligned + ((count - 1) * width + used) * 4, 16);
  return { range: { offset: aligned, size }, skip: (start - aligned) / 4 };
}

/** Some consecutive rows, columns or terms. */
interface Part {
  readonly first: number;
  readonly count: number;
}

function steps(total: number, step: number): Part[] {
  const parts: Part[] = [];
  for (let first = 0; first < total || first === 0; first += step) {
    parts.push({ first, count: Math.min(step, total - first) });
  }
  return parts;
}
