/**
 * WGSL of matrix multiplication in tiles of chosen sizes, and which tiling to use when.
 *
 * Every tiling adds the terms of an element of c in the same order, one by one, by fused multiply-add where the GPU has
 * it: tilings differ in speed, not in bits.
 *
 * @module
 */

import type { PlanInput } from "../../webgpu/program.ts";

/** How a matrix product is divided among workgroups and threads. */
export interface Tiling {
  /** Its name, such as `"shared 64x64x16 4x4"`: the workgroup's tile and depth, then the thread's tile. */
  readonly name: string;
  /** Through shared memory, or straight from the buffers to registers. */
  readonly kind: "shared" | "register";
  /** Rows and columns of a workgroup's tile. */
  readonly rows: number;
  readonly columns: number;
  /** Terms of the inner sum that are in shared memory at a time. */
  readonly depth: number;
  /** Rows and columns of a thread's tile; columns in fours. */
  readonly threadRows: number;
  readonly threadColumns: number;
  /** Whether shared memory has two tiles of each matrix: one is filled while the other is multiplied. */
  readonly isDouble?: boolean;
}

/** Which matrices can be read in fours: their innermost stride is 1, the others and the start multiples of 4. */
export interface VectorReads {
  readonly vectorA: boolean;
  readonly vectorB: boolean;
}

/** Sums that a product yields besides: of op(a)'s rows or of op(b)'s columns; op(a) is transposed. */
export type ProductSums = "rows" | "columns";

/** What a text of a tiling computes, and how it reads. */
export interface ProductForm extends VectorReads {
  /** The sums that it computes besides, if any. */
  readonly sums?: ProductSums;
  /**
   * Whether the inner sum is divided among the workgroups along z, each of which leaves its part in scratch memory for
   * `sum_splits.wgsl`; not with sums.
   */
  readonly isSplit?: boolean;
}

/** The tilings that a GPU's best is chosen from. */
export const GPU_TILINGS: readonly Tiling[] = [
  shared(32, 32, 32, 4, 4),
  shared(64, 64, 16, 4, 4),
  shared(128, 64, 16, 8, 4),
  shared(64, 64, 16, 8, 8),
  shared(128, 128, 8, 8, 8),
  shared(128, 128, 16, 8, 8),
  // Two tiles of each matrix fill the workgroup memory that WebGPU guarantees.
  double(32, 32, 32, 4, 4),
  double(64, 64, 16, 4, 4),
  double(64, 64, 16, 8, 8),
  double(128, 128, 8, 8, 8),
  register(4, 4),
  register(8, 8),
];

/** Not to be tried on GPUs, whose registers it would not fit. */
const SOFTWARE_LARGE = register(12, 16);

/** All tilings, by name. */
export const TILINGS: ReadonlyMap<string, Tiling> = new Map(
  [...GPU_TILINGS, SOFTWARE_LARGE].map((tiling) => [tiling.name, tiling]),
);

const USUAL = TILINGS.get("shared 64x64x16 4x4")!;
const USUAL_SMALL = TILINGS.get("shared 32x32x32 4x4")!;
const SOFTWARE = TILINGS.get("register 8x8")!;
const SOFTWARE_SMALL = TILINGS.get("register 4x4")!;

/** Products with fewer elements than this keep few workgroups busy: smaller tiles win. */
export const SMALL_ELEMENTS = 512 * 1024;
/** On software, where a tile takes long to compile, up to this many terms in all. */
const SOFTWARE_SMALL_TERMS = 2 ** 21;
/** From this many on, half as fast again makes up for five more seconds of compiling. */
const SOFTWARE_LARGE_TERMS = 2 ** 30;

/**
 * Chooses the tiling for a product of (m, k) and (k, n).
 *
 * @param m Rows.
 * @param n Columns.
 * @param k Terms of the inner sum.
 * @param input What is known of the GPU; `tuning.matmul` and `tuning.matmulSmall` name measured tilings.
 * @returns The tiling.
 */
export function chooseTiling(
  m: number,
  n: number,
  k: number,
  input: Pick<PlanInput<string, string>, "software" | "tuning">,
): Tiling {
  const { software, tuning } = input;
  const small = software ? m * n * k < SOFTWARE_SMALL_TERMS : m * n < SMALL_ELEMENTS;
  const measured = TILINGS.get(tuning[small ? "matmulSmall" : "matmul"] ?? "");
  if (measured) return measured;
  if (software) {
    const large = m * n * k >= SOFTWARE_LARGE_TERMS;
    return small ? SOFTWARE_SMALL : large ? SOFTWARE_LARGE : SOFTWARE;
  }
  return small ? USUAL_SMALL : USUAL;
}

const sources = new Map<string, string>();

/**
 * Writes the WGSL of a tiling.
 *
 * @param tiling The tiling.
 * @param form What it computes, and how it reads.
 * @returns The WGSL, the same string for the same arguments.
 */
export function tilingSource(tiling: Tiling, form: ProductForm): string {
  const { sums, isSplit = false, vectorA, vectorB } = form;
  const key = `${tiling.name}/${sums}/${isSplit}/${vectorA}/${vectorB}`;
  let source = sources.get(key);
  if (source === undefined) {
    source = header(form) + sumUp(tiling, sums) +
      (tiling.kind === "shared" ? sharedBody(tiling, form) : registerBody(tiling, form));
    sources.set(key, source);
  }
  return source;
}

function shared(
  rows: number,
  columns: number,
  depth: number,
  threadRows: number,
  threadColumns: number,
): Tiling {
  const name = `shared ${rows}x${columns}x${depth} ${threadRows}x${threadColumns}`;
  return { name, kind: "shared", rows, columns, depth, threadRows, threadColumns };
}

function double(...sizes: Parameters<typeof shared>): Tiling {
  const tiling = shared(...sizes);
  return { ...tiling, name: `${tiling.name} double`, isDouble: true };
}

/** 64 threads, 8 × 8. */
function register(threadRows: number, threadColumns: number): Tiling {
  const name = `register ${threadRows}x${threadColumns}`;
  const [rows, columns] = [8 * threadRows, 8 * threadColumns];
  return { name, kind: "register", rows, columns, depth: 1, threadRows, threadColumns };
}

/** Fields of the parameters of every product, and of the strides that follow what a kernel has of its own; `$params` in WGSL. */
const PRODUCT_FIELDS =
  `m: u32, n: u32, k: u32, transposeA: u32, transposeB: u32, hasBias: u32, accumulate: u32, bOffset: u32,
  cOffset: u32, cStride: u32, biasOffset: u32, aOffset: u32,`;
const STRIDE_FIELDS =
  `aStart: u32, aRow: u32, aStep: u32, bStart: u32, bStep: u32, bColumn: u32, cStart: u32, cRow: u32,
  biasStart: u32, kPerSplit: u32,`;

/**
 * Completes a product's WGSL that has no parameters of its own.
 *
 * @param wgsl The text, with `$params` where the fields belong.
 * @returns The text with the fields.
 */
export function withProductParams(wgsl: string): string {
  return wgsl.replace("$params", `${PRODUCT_FIELDS}\n  ${STRIDE_FIELDS}`);
}

function header({ vectorA, vectorB, sums, isSplit }: ProductForm): string {
  return `struct Params {
  ${PRODUCT_FIELDS}${sums ? " sumsOf: u32, accumulateSums: u32," : ""}
  ${STRIDE_FIELDS}${sums ? " sumsStart: u32, isSummed: u32," : ""}
}
@group(0) @binding(0) var<storage, read> a: array<${vectorA ? "vec4f" : "f32"}>;
@group(0) @binding(1) var<storage, read> b: array<${vectorB ? "vec4f" : "f32"}>;
@group(0) @binding(4) var<uniform> params: Params;

// Four elements of row i of op(a), from k on; zeros beyond the end.
fn readA(i: u32, k: u32) -> vec4f {
  let at = params.aStart + i * params.aRow + k * params.aStep;
  ${
    vectorA
      ? `return select(vec4f(), a[at / 4u], i < params.m && k < params.k);`
      : `if (i >= params.m) {
    return vec4f();
  }
  let step = params.aStep;
  return vec4f(
    select(0.0, a[at], k < params.k),
    select(0.0, a[at + step], k + 1u < params.k),
    select(0.0, a[at + 2u * step], k + 2u < params.k),
    select(0.0, a[at + 3u * step], k + 3u < params.k),
  );`
  }
}

// Four elements of row k of op(b), from column j on; zeros beyond the end.
fn readB(k: u32, j: u32) -> vec4f {
  let at = params.bStart + k * params.bStep + j * params.bColumn;
  ${
    vectorB
      ? `return select(vec4f(), b[at / 4u], k < params.k && j < params.n);`
      : `if (k >= params.k) {
    return vec4f();
  }
  let step = params.bColumn;
  return vec4f(
    select(0.0, b[at], j < params.n),
    select(0.0, b[at + step], j + 1u < params.n),
    select(0.0, b[at + 2u * step], j + 2u < params.n),
    select(0.0, b[at + 3u * step], j + 3u < params.n),
  );`
  }
}

${isSplit ? STORE_SPLIT : storeOf(sums)}`;
}

/** In parts of their own, which `sum_splits.wgsl` adds up. */
const STORE_SPLIT = `
@group(0) @binding(5) var<storage, read_write> partials: array<f32>;

fn store(i: u32, j: u32, split: u32, sum: vec4f) {
  if (i >= params.m) {
    return;
  }
  let at = (split * params.m + i) * params.n + j;
  for (var q = 0u; q < 4u; q++) {
    if (j + q < params.n) {
      partials[at + q] = sum[q];
    }
  }
}
`;

/** WGSL that reads and writes c. */
function storeOf(sums: ProductSums | undefined): string {
  return `
@group(0) @binding(2) var<storage, ${sums ? "read_write> sums" : "read> bias"}: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

// What the sums of four elements of c begin with.
fn start(i: u32, j: u32) -> vec4f {
  var sum = vec4f();
  if (i < params.m) {
    let at = params.cStart + i * params.cRow + j;
    for (var q = 0u; q < 4u; q++) {
      if (j + q < params.n) {
        sum[q] = c[at + q];
      }
    }
  }
  return sum;
}

fn store(i: u32, j: u32, split: u32, sum: vec4f) {
  if (i >= params.m) {
    return;
  }
  let at = params.cStart + i * params.cRow + j;
  for (var q = 0u; q < 4u; q++) {
    if (j + q < params.n) {
      ${sums ? "let" : "var"} value = sum[q];
      ${
    sums ? "" : `if (params.hasBias == 1u) {
        value += bias[params.biasStart + j + q];
      }`
  }
      c[at + q] = value;
    }
  }
}
`;
}

/**
 * Writes `sum_up`, by which the workgroups of c's first rows sum op(b)'s columns, or those of its first columns op(a)'s rows:
 * terms in their order, each sum by one thread.
 */
function sumUp({ rows, columns }: Tiling, sums: ProductSums | undefined): string {
  if (sums === undefined) return "fn sum_up(group: vec3u, thread: u32, threads: u32) {}\n";
  return sums === "columns"
    ? `
fn sum_up(group: vec3u, thread: u32, threads: u32) {
  let j = group.x * ${columns}u + thread * 4u;
  if (params.isSummed == 0u || group.y > 0u || thread >= ${columns / 4}u || j >= params.n) {
    return;
  }
  var sum = vec4f();
  for (var k = 0u; k < params.k; k++) {
    sum += readB(k, j);
  }
  for (var q = 0u; q < min(4u, params.n - j); q++) {
    add_sum(j + q, sum[q]);
  }
}
` + ADD_SUM
    : `
fn sum_up(group: vec3u, thread: u32, threads: u32) {
  if (params.isSummed == 0u || group.x > 0u) {
    return;
  }
  for (var at = thread; at < ${rows}u; at += threads) {
    let i = group.y * ${rows}u + at;
    if (i < params.m) {
      var sum = 0.0;
      for (var k = 0u; k < params.k; k++) {
        sum += a[params.aStart + i * params.aRow + k * params.aStep];
      }
      add_sum(i, sum);
    }
  }
}
` + ADD_SUM;
}

const ADD_SUM = `
fn add_sum(index: u32, sum: f32) {
  let at = params.sumsStart + index;
  var before = 0.0;
  if (params.accumulateSums == 1u) {
    before = sums[at];
  }
  sums[at] = before + sum;
}
`;

/** One line for each pair, with `$i` and `$j` replaced. Written out, since not every driver unrolls such loops. */
function lines(rows: number, columns: number, template: string): string {
  let text = "";
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      text += template.replaceAll("$i", `${i}`).replaceAll("$j", `${j}`) + "\n";
    }
  }
  return text;
}

/**
 * What a thread's sums begin with, as sum$i_$j. Loops over an array here and in `storeSums`, instead of lines for each
 * element, since they run once and would multiply the time to compile.
 */
function startSums(rows: number, columns4: number, apart: number, isSplit = false): string {
  return `var sums: array<vec4f, ${rows * columns4}>;
  ${
    isSplit ? "" : `if (params.accumulate == 1u) {
    for (var at = 0u; at < ${rows * columns4}u; at++) {
      sums[at] = start(row + at / ${columns4}u, column + at % ${columns4}u * ${apart}u);
    }
  }`
  }
${lines(rows, columns4, `var sum$i_$j = sums[$iu * ${columns4}u + $ju];`)}`;
}

function storeSums(rows: number, columns4: number, apart: number): string {
  return `${lines(rows, columns4, `sums[$iu * ${columns4}u + $ju] = sum$i_$j;`)}
  for (var at = 0u; at < ${rows * columns4}u; at++) {
    store(row + at / ${columns4}u, column + at % ${columns4}u * ${apart}u, group.z, sums[at]);
  }`;
}

/** Four terms of a thread's tile: rows a$i hold terms in their components, b0 to b3 are rows of b. */
function multiplyAdd(rows: number, columns4: number, term: number): string {
  const component = "xyzw"[term];
  return lines(
    rows,
    columns4,
    `sum$i_$j = fma(vec4f(a$i.${component}), b${term}_$j, sum$i_$j);`,
  );
}

/** The terms that a workgroup adds up. */
function terms(isSplit: boolean | undefined): string {
  return isSplit
    ? `let first = group.z * params.kPerSplit;
  let end = min(first + params.kPerSplit, params.k);`
    : `let first = 0u;
  let end = params.k;`;
}

function registerBody({ threadRows: rows, threadColumns, columns, rows: tileRows }: Tiling, {
  vectorA,
  isSplit,
}: ProductForm): string {
  const columns4 = threadColumns / 4;
  const readRow = (term: number, k: string) =>
    lines(1, columns4, `let b${term}_$j = readB(${k}, column + $ju * 4u);`);
  // Rows beyond the end repeat the last, so that the loop needs no check; they are not stored.
  const inner = vectorA
    ? `for (var k = first; k < end; k += 4u) {
${lines(rows, 1, "let a$i = a[(base$i + k) / 4u];")}
${
      [0, 1, 2, 3].map((term) => readRow(term, `k + ${term}u`) + multiplyAdd(rows, columns4, term))
        .join("")
    }
}`
    : `for (var k = first; k < end; k++) {
${lines(rows, 1, "let a$i = vec4f(a[base$i + k * params.aStep]);")}
${readRow(0, "k")}${multiplyAdd(rows, columns4, 0)}
}`;
  return `
@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  sum_up(group, local.y * 8u + local.x, 64u);
  let row = group.y * ${tileRows}u + local.y * ${rows}u;
  let column = group.x * ${columns}u + local.x * ${threadColumns}u;
  if (row >= params.m || column >= params.n) {
    return;
  }
${
    lines(
      rows,
      1,
      "let base$i = params.aStart + min(row + $iu, params.m - 1u) * params.aRow;",
    )
  }
  ${terms(isSplit)}
  ${startSums(rows, columns4, 4, isSplit)}
${inner}
  ${storeSums(rows, columns4, 4)}
}
`;
}

/**
 * Tiles of a and b are brought to shared memory together, four elements a read: of a along the inner dimension, of b
 * along columns, so that a thread multiplies vectors without rearranging them. With two tiles of each, a thread reads its
 * part of the next ones before it multiplies the present ones, and needs one barrier instead of two.
 */
function sharedBody(tiling: Tiling, { vectorA, vectorB, isSplit }: ProductForm): string {
  const { rows, columns, depth, threadRows, threadColumns, isDouble } = tiling;
  const columns4 = threadColumns / 4;
  const threadsX = columns / threadColumns;
  const threadsY = rows / threadRows;
  const threads = threadsX * threadsY;
  const depth4 = depth / 4;
  const tileColumns4 = columns / 4;
  const [sizeA, sizeB] = [rows * depth4, depth * tileColumns4];
  const readRow = (term: number) =>
    lines(
      1,
      columns4,
      `let b${term}_$j = tileB[atB + (k4 * 4u + ${term}u) * ${tileColumns4}u + local.x + $ju * ${threadsX}u];`,
    );
  const multiply = `for (var k4 = 0u; k4 < ${depth4}u; k4++) {
${
    lines(
      threadRows,
      1,
      `let a$i = tileA[atA + local.y * ${threadRows * depth4}u + $iu * ${depth4}u + k4];`,
    )
  }
${[0, 1, 2, 3].map((term) => readRow(term) + multiplyAdd(threadRows, columns4, term)).join("")}
    }`;
  // Part p of a tile is the vector of each thread among as many as there are threads.
  const parts = (size: number, template: string) =>
    lines(size / threads, 1, template.replaceAll("$at", `(thread + $iu * ${threads}u)`));
  const read = (k: string) =>
    parts(sizeA, `let a_$i = loadA(firstRow, ${k}, $at);`) +
    parts(sizeB, `let b_$i = loadB(${k}, firstColumn, $at);`);
  const keep = (atA: string, atB: string) =>
    parts(sizeA, `tileA[${atA} + placeA($at)] = a_$i;`) +
    parts(sizeB, `tileB[${atB} + placeB($at)] = b_$i;`);
  const loop = isDouble
    ? `var atA = 0u;
  var atB = 0u;
  {
${read("first")}${keep("0u", "0u")}
  }
  workgroupBarrier();
  for (var k = first; k < end; k += ${depth}u) {
${read(`k + ${depth}u`)}
    ${multiply}
    atA = ${sizeA}u - atA;
    atB = ${sizeB}u - atB;
${keep("atA", "atB")}
    workgroupBarrier();
  }`
    : `const atA = 0u;
  const atB = 0u;
  for (var k = first; k < end; k += ${depth}u) {
${read("k")}${keep("0u", "0u")}
    workgroupBarrier();
    ${multiply}
    workgroupBarrier();
  }`;
  return `
var<workgroup> tileA: array<vec4f, ${isDouble ? 2 * sizeA : sizeA}>;
var<workgroup> tileB: array<vec4f, ${isDouble ? 2 * sizeB : sizeB}>;
${tileAccess(tiling, { vectorA, vectorB })}
@compute @workgroup_size(${threadsX}, ${threadsY})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  sum_up(group, thread, ${threads}u);
  let firstRow = group.y * ${rows}u;
  let firstColumn = group.x * ${columns}u;
  // A thread's columns lie ${threadsX * 4} apart, so that neighbours read neighbouring vectors.
  let row = firstRow + local.y * ${threadRows}u;
  let column = firstColumn + local.x * 4u;
  ${terms(isSplit)}
  ${startSums(threadRows, columns4, threadsX * 4, isSplit)}
  ${loop}
  ${storeSums(threadRows, columns4, threadsX * 4)}
}
`;
}

/**
 * WGSL of functions for vector number `at` of a tile: what it is (`load`) and where it lies in shared memory (`place`).
 * Neighbouring threads read neighbouring elements, whichever way the matrix lies.
 */
function tileAccess({ rows, columns, depth }: Tiling, { vectorA, vectorB }: VectorReads): string {
  const [depth4, columns4] = [depth / 4, columns / 4];
  return `
fn cellA(at: u32) -> vec2u {
  ${
    vectorA ? "" : `if (params.aStep != 1u) {
    return vec2u(at % ${rows}u, at / ${rows}u);
  }
  `
  }return vec2u(at / ${depth4}u, at % ${depth4}u);
}

fn loadA(firstRow: u32, k: u32, at: u32) -> vec4f {
  let cell = cellA(at);
  return readA(firstRow + cell.x, k + cell.y * 4u);
}

fn placeA(at: u32) -> u32 {
  let cell = cellA(at);
  return cell.x * ${depth4}u + cell.y;
}

fn cellB(at: u32) -> vec2u {
  ${
    vectorB ? "" : `if (params.bColumn != 1u) {
    return vec2u(at % ${depth}u, at / ${depth}u);
  }
  `
  }return vec2u(at / ${columns4}u, at % ${columns4}u);
}

fn loadB(k: u32, firstColumn: u32, at: u32) -> vec4f {
  let cell = cellB(at);
  return readB(k + cell.x, firstColumn + cell.y * 4u);
}

fn placeB(at: u32) -> u32 {
  let cell = cellB(at);
  return cell.x * ${columns4}u + cell.y;
}
`;
}
