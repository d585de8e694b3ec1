/**
 * How threads share out reductions: results. What is compiled from a formula combines rows whose width is a multiple of
 * 16, filled up with what changes nothing.
 */
import type { Context } from "../cpu/context.ts";
import type { CpuKernel } from "../cpu/kernel.ts";

/** The longest line that is combined at once; of longer ones, parts of this length are. */
const LONGEST = 16_384;
/** Floats of rows in WASM memory together. */
const CHUNK_FLOATS = 64 * 1024;
/** Rows that are combined one after another, before the next ones begin a part of their own. */
const BLOCK_ROWS = 128;
/** Columns that are combined at once. */
const COLUMNS = 512;

/** How a reduction was compiled. */
export interface CompiledReduction {
  /** What the compiled functions' names begin with. */
  readonly compiled: string;
  /** What it begins with; where it has none, with the first element. */
  readonly identity?: number;
  /** Whether something remains to be done with totals. */
  readonly finishes: boolean;
}

/**
 * Makes the CPU kernel of a reduction.
 *
 * @param reduction How it was compiled.
 * @returns The kernel.
 */
export function reduction(reduction: CompiledReduction): CpuKernel {
  return (context, { x, y }, { outer, length, inner, count }) => {
    const share = context.share(outer * inner, 16);
    if (share.first >= share.last) return;
    if (inner === 1) reduceLines(context, reduction, x, y, length, share);
    else reduceColumns(context, reduction, x, y, length, inner, share);
    if (!reduction.finishes || count < 0) return;
    context.reset();
    context.stream({ y: { buffer: y, access: "update" } }, share, (at, results) => {
      context.callCompiled(`${reduction.compiled}_finish`, at.y, results, count);
    });
  };
}

interface Share {
  readonly first: number;
  readonly last: number;
}

/** Reduces consecutive elements. */
function reduceLines(
  context: Context,
  reduction: CompiledReduction,
  x: Float32Array,
  y: Float32Array,
  length: number,
  { first, last }: Share,
): void {
  if (length > LONGEST) {
    const at = context.reserve(LONGEST);
    const total = context.reserve(1);
    for (let row = first; row < last; row++) {
      const line = x.subarray(row * length, (row + 1) * length);
      y[row] = reduceLine(context, reduction, line, at, total);
    }
    return;
  }
  const width = Math.max(Math.ceil(length / 16) * 16, 16);
  const step = Math.min(last - first, Math.floor(CHUNK_FLOATS / width));
  const from = context.reserve(step * width);
  const to = context.reserve(step);
  for (let row = first; row < last; row += step) {
    const count = Math.min(step, last - row);
    if (width === length) {
      context.floats.set(x.subarray(row * length, (row + count) * length), from / 4);
    } else {
      for (let i = 0; i < count; i++) {
        const line = x.subarray((row + i) * length, (row + i + 1) * length);
        loadLine(context, reduction, line, from / 4 + i * width, width);
      }
    }
    context.callCompiled(`${reduction.compiled}_rows`, from, to, count, width);
    context.store(to, y, { first: row, last: row + count });
  }
}

/** Reduces a line that is longer than what is combined at once. */
function reduceLine(
  context: Context,
  reduction: CompiledReduction,
  line: Float32Array,
  address: number,
  total: number,
): number {
  const parts = new Float32Array(Math.ceil(line.length / LONGEST));
  for (let i = 0; i < parts.length; i++) {
    const part = line.subarray(i * LONGEST, (i + 1) * LONGEST);
    const width = Math.ceil(part.length / 16) * 16;
    loadLine(context, reduction, part, address / 4, width);
    context.callCompiled(`${reduction.compiled}_rows`, address, total, 1, width);
    parts[i] = context.floats[total / 4];
  }
  return parts.length === 1 ? parts[0] : reduceLine(context, reduction, parts, address, total);
}

/** Copies a line, and fills it up. */
function loadLine(
  { floats }: Context,
  { identity }: CompiledReduction,
  line: Float32Array,
  at: number,
  width: number,
): void {
  if (line.length < 24) {
    for (let i = 0; i < line.length; i++) floats[at + i] = line[i];
  } else {
    floats.set(line, at);
  }
  floats.fill(identity ?? line[0], at + line.length, at + width);
}

/** Reduces elements that are `inner` apart. */
function reduceColumns(
  context: Context,
  { compiled, identity }: CompiledReduction,
  x: Float32Array,
  y: Float32Array,
  length: number,
  inner: number,
  { first, last }: Share,
): void {
  const most = Math.min(COLUMNS, inner, last - first);
  const from = context.reserve(Math.min(BLOCK_ROWS, Math.max(length, 1)) * (most + 3));
  const partAt = context.reserve(most + 3);
  const totalAt = context.reserve(most + 3);
  const begin = (address: number, source: Float32Array, count: number) => {
    if (identity === undefined) context.floats.set(source.subarray(0, count), address / 4);
    else context.floats.fill(identity, address / 4, address / 4 + count);
  };
  for (let result = first; result < last;) {
    const group = Math.floor(result / inner);
    const column = result % inner;
    const count = Math.min(COLUMNS, inner - column, last - result);
    const matrix = x.subarray(group * length * inner, (group + 1) * length * inner);
    const columns = { first: column, last: column + count };
    const stride = Math.ceil(count / 4) * 4;
    begin(totalAt, matrix.subarray(column), count);
    for (let row = 0; row < length; row += BLOCK_ROWS) {
      const rows = { first: row, last: Math.min(length, row + BLOCK_ROWS) };
      context.copyBlock(from, matrix, inner, rows, columns, stride);
      begin(partAt, context.floats.subarray(from / 4), count);
      context.callCompiled(`${compiled}_columns`, from, partAt, rows.last - row, stride);
      context.callCompiled(`${compiled}_columns`, partAt, totalAt, 1, stride);
    }
    context.store(totalAt, y, { first: result, last: result + count });
    result += count;
  }
}
