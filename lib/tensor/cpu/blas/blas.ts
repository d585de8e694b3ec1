/**
 * What a BLAS is here: its description, and its matrix products. `open.ts` opens one; which one is used: `find.ts`.
 *
 * @module
 */

/** A BLAS. */
export interface BlasLibrary {
  /** What it calls itself, with its version, for people and checkpoints. */
  readonly name: string;
  /** Which processor's kernels it took, such as `"Haswell"`, where it tells: they decide the bits. */
  readonly core?: string;
  /** The library's file, or the name by which the system's loader finds it. */
  readonly path: string;
  /** Whether it has products in bfloat16 that this processor is made for. */
  readonly multipliesBfloat16?: true;
}

/** What our own kernels are called beside libraries. */
export const OWN_KERNELS: BlasLibrary = { name: "WebAssembly SIMD", path: "" };

/** What matrices are rounded to before they are multiplied. Sums are in float32 either way. */
export type MatmulPrecision = "float32" | "bfloat16";

/**
 * General matrix multiplication on row-major matrices: `c = op(a) · op(b) + beta · c`, where `op(a)` is (m, k), `op(b)` is
 * (k, n), and c is (m, n).
 */
export type Gemm<M> = (
  transposeA: boolean,
  transposeB: boolean,
  m: number,
  n: number,
  k: number,
  a: M,
  strideA: number,
  b: M,
  strideB: number,
  beta: number,
  c: Float32Array,
  strideC: number,
) => void;

/** What a library computes on one thread. */
export interface Blas {
  /** Products in float32. */
  readonly gemm: Gemm<Float32Array>;
  /** Whether these are fast with a few rows too, of which CBLAS libraries first copy all of b. */
  readonly isFastForFewRows?: boolean;
  /**
   * Copies floats to as many others, whatever their bits: over shared memory faster than JavaScript does. Undefined where
   * the library has no such function.
   */
  readonly copy?: (source: Float32Array, target: Float32Array) => void;
  /** Products in bfloat16, where they were asked for. */
  readonly bfloat16?: Bfloat16Products;
}

/** Products of matrices that are rounded to bfloat16, summed in float32. */
export interface Bfloat16Products {
  /** Each number of a and b is the upper half of a float32. */
  readonly gemm: Gemm<Uint16Array>;
  /** Rounds to the nearest bfloat16, ties to even: the first `columns` of each `stride` floats, `rows` times. */
  narrow(
    source: Float32Array,
    stride: number,
    rows: number,
    columns: number,
    target: Uint16Array,
  ): void;
}
