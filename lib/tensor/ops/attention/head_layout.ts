/**
 * How a head's dimensions are shared out over threads of a GPU, and the WGSL that reads and writes them in fours.
 *
 * @module
 */

/** Workgroup memory that WebGPU guarantees. */
const WORKGROUP_BYTES = 16_384;

/** Constants that the WGSL of attention is written in. */
export interface HeadLayout {
  /** Rows a workgroup. */
  readonly rows: number;
  /** Vectors of four elements that a thread has of a head. */
  readonly vectors: number;
  /** WGSL to put before a kernel's: constants. */
  readonly constants: string;
}

/**
 * Lays heads out for kernels in which a thread has a whole row of a head.
 *
 * @param headDim Elements of a head.
 * @returns The layout.
 */
export function plainHeads(headDim: number): HeadLayout {
  const vectors = Math.ceil(headDim / 4);
  const constants = `const HEAD_DIM = ${headDim}u;\nconst WIDTH4 = ${vectors}u;\n`;
  return { rows: 64, vectors, constants };
}

/**
 * Lays heads out for kernels in which several threads share a row and tiles are in workgroup memory.
 *
 * @param headDim The width, in elements.
 * @param partialBytes Bytes each thread leaves in workgroup memory for each row of a tile.
 * @returns The layout.
 * @throws {RangeError} If heads are so wide that they do not fit.
 */
export function layoutHeads(headDim: number, partialBytes: number): HeadLayout {
  const width4 = Math.ceil(headDim / 4);
  const slice4 = Math.min(width4, Math.max(4, Math.ceil(width4 / 16)));
  const slices = Math.ceil(width4 / slice4);
  const rows = Math.min(Math.max(16, 2 ** Math.floor(Math.log2(64 / slices))), 256 / slices);
  // The last slice may be only part full; tiles are as wide as all slices, so that it reads zeros.
  const padded = slices * slice4;
  const bytesOfTileRow = 2 * padded * 16 + rows * slices * partialBytes + 16;
  const tile = Math.min(16, 2 ** Math.floor(Math.log2(WORKGROUP_BYTES / bytesOfTileRow)));
  if (tile < 1) {
    throw new RangeError(
      `Cannot attend with heads of ${headDim} elements on a GPU: ` +
        "two rows of that width do not fit its workgroup memory",
    );
  }
  const constants = Object.entries({
    HEAD_DIM: headDim,
    WIDTH4: padded,
    SLICE4: slice4,
    SLICES: slices,
    ROWS: Math.floor(rows),
    TILE: tile,
  }).map(([name, value]) => `const ${name} = ${value}u;`).join("\n");
  return { rows: Math.floor(rows), vectors: slice4, constants: constants + "\n" };
}

/**
 * Writes functions that read and write four elements of a head: `read_NAME(at, d4)`, `write_NAME(at, d4, value)`,
 * where `at` is the head's first element. Beyond the head's end there are zeros, and nothing is written.
 *
 * @param headDim Elements of a head.
 * @param reads Buffers to read.
 * @param writes Buffers to write.
 * @param options Whether heads begin at multiples of four elements, by default yes; and names under which buffers are bound
 * that are not their own.
 * @returns WGSL, with the buffers' element type `Element`.
 */
export function headAccess(
  headDim: number,
  reads: readonly string[],
  writes: readonly string[] = [],
  options: { aligned?: boolean; boundAs?: Readonly<Record<string, string>> } = {},
): string {
  const { aligned = true, boundAs = {} } = options;
  const vectors = headDim % 4 === 0 && aligned;
  const bound = (name: string) => boundAs[name] ?? name;
  const element = [0, 1, 2, 3];
  const read = (name: string) =>
    vectors
      ? `  if (d4 * 4u >= HEAD_DIM) {
    return vec4f();
  }
  return ${bound(name)}[at / 4u + d4];`
      : `  let first = d4 * 4u;
  return vec4f(
${
        element.map((e) =>
          `    select(0.0, ${bound(name)}[at + first + ${e}u], first + ${e}u < HEAD_DIM),`
        )
          .join("\n")
      }
  );`;
  const write = (name: string) =>
    vectors
      ? `  if (d4 * 4u < HEAD_DIM) {
    ${bound(name)}[at / 4u + d4] = value;
  }`
      : element.map((e) =>
        `  if (d4 * 4u + ${e}u < HEAD_DIM) {
    ${bound(name)}[at + d4 * 4u + ${e}u] = value[${e}];
  }`
      ).join("\n");
  return [
    `alias Element = ${vectors ? "vec4f" : "f32"};`,
    ...reads.map((name) => `fn read_${name}(at: u32, d4: u32) -> vec4f {\n${read(name)}\n}`),
    ...writes.map((name) =>
      `fn write_${name}(at: u32, d4: u32, value: vec4f) {\n${write(name)}\n}`
    ),
  ].join("\n") + "\n";
}
