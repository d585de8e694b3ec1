/**
 * A BLAS through FFI: its description, and its matrix products. Which one is used: `find.ts`.
 *
 * @module
 */

import { openOneDnn } from "./onednn.ts";

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

/** Single-precision general matrix multiplication on row-major matrices. */
export interface Blas {
  /** `c = op(a) · op(b) + beta · c`, where `op(a)` is (m, k), `op(b)` is (k, n), and c is (m, n). */
  gemm(
    transposeA: boolean,
    transposeB: boolean,
    m: number,
    n: number,
    k: number,
    a: Float32Array,
    strideA: number,
    b: Float32Array,
    strideB: number,
    beta: number,
    c: Float32Array,
    strideC: number,
  ): void;
  /**
   * Copies floats to as many others, whatever their bits: over shared memory faster than JavaScript does. Undefined where
   * the library has no such function.
   */
  copy?(source: Float32Array, target: Float32Array): void;
  /** Products in bfloat16, where they were asked for. */
  readonly bfloat16?: Bfloat16Products;
}

/** Products of matrices that are rounded to bfloat16, summed in float32. */
export interface Bfloat16Products {
  /** As {@linkcode Blas.gemm}; each number of a and b is the upper half of a float32. */
  gemm(
    transposeA: boolean,
    transposeB: boolean,
    m: number,
    n: number,
    k: number,
    a: Uint16Array,
    strideA: number,
    b: Uint16Array,
    strideB: number,
    beta: number,
    c: Float32Array,
    strideC: number,
  ): void;
  /** Rounds to the nearest bfloat16, ties to even: the first `columns` of each `stride` floats, `rows` times. */
  narrow(
    source: Float32Array,
    stride: number,
    rows: number,
    columns: number,
    target: Uint16Array,
  ): void;
}

/** How a build names its functions, and how wide its integers are. */
interface Naming {
  readonly prefix: string;
  readonly suffix: string;
  readonly integer: "i32" | "i64";
}

/** The standard's names, those of SciPy's and NumPy's packages on PyPI, and those of builds with 64-bit integers. */
const NAMINGS: readonly Naming[] = [
  { prefix: "", suffix: "", integer: "i32" },
  { prefix: "scipy_", suffix: "", integer: "i32" },
  { prefix: "scipy_", suffix: "64_", integer: "i64" },
  { prefix: "", suffix: "64_", integer: "i64" },
];

/** The functions of a library, as a build names them. */
function symbolsOf({ prefix, suffix, integer }: Naming) {
  const name = (standard: string) => `${prefix}${standard}${suffix}`;
  return {
    sgemm: {
      name: name("cblas_sgemm"),
      parameters: [
        "i32",
        "i32",
        "i32",
        integer,
        integer,
        integer,
        "f32",
        "buffer",
        integer,
        "buffer",
        integer,
        "f32",
        "buffer",
        integer,
      ],
      result: "void",
    },
    sgemv: {
      name: name("cblas_sgemv"),
      parameters: [
        "i32",
        "i32",
        integer,
        integer,
        "f32",
        "buffer",
        integer,
        "buffer",
        integer,
        "f32",
        "buffer",
        integer,
      ],
      result: "void",
    },
    scopy: {
      name: name("cblas_scopy"),
      parameters: [integer, "buffer", integer, "buffer", integer],
      result: "void",
      optional: true,
    },
    // How libraries describe themselves, each in its own way.
    openBlasConfig: {
      name: name("openblas_get_config"),
      parameters: [],
      result: "pointer",
      optional: true,
    },
    openBlasCore: {
      name: name("openblas_get_corename"),
      parameters: [],
      result: "pointer",
      optional: true,
    },
    bli_info_get_version_str: { parameters: [], result: "pointer", optional: true },
    bli_arch_query_id: { parameters: [], result: "i32", optional: true },
    bli_arch_string: { parameters: ["i32"], result: "pointer", optional: true },
    MKL_Get_Version: { parameters: ["buffer"], result: "void", optional: true },
    // How many threads of their own they start.
    setOpenBlasThreads: {
      name: name("openblas_set_num_threads"),
      parameters: ["i32"],
      result: "void",
      optional: true,
    },
    MKL_Set_Threading_Layer: { parameters: ["i32"], result: "i32", optional: true },
    bli_thread_set_num_threads: { parameters: ["i64"], result: "void", optional: true },
  } as const;
}

type Symbols = Deno.StaticForeignLibraryInterface<ReturnType<typeof symbolsOf>>;

/** MKL's number for computing on the thread that calls. */
const MKL_SEQUENTIAL = 1;

/** Opens a library by the names that its functions have. */
function openSymbols(path: string): Symbols {
  let first: unknown;
  for (const naming of NAMINGS) {
    try {
      const { symbols } = Deno.dlopen(path, symbolsOf(naming));
      // Ours divide the work.
      symbols.setOpenBlasThreads?.(1);
      symbols.MKL_Set_Threading_Layer?.(MKL_SEQUENTIAL);
      symbols.bli_thread_set_num_threads?.(1n);
      return symbols;
    } catch (error) {
      first ??= error;
    }
  }
  throw first;
}

/**
 * Up to this many rows, as in generation for one prompt, each is a matrix-vector product: a matrix
 * product would first copy all of b, which takes three times as long.
 */
const VECTOR_ROWS = 2;

const ROW_MAJOR = 101;
const NO_TRANSPOSE = 111;
const TRANSPOSE = 112;

/**
 * Loads a library. It stays open: threads of a closed OpenBLAS crash the process.
 *
 * @param path A path or a name that the system's loader finds.
 * @returns Its description.
 * @throws {TypeError} If there is no such library, or it has no `cblas_sgemm` and is no oneDNN.
 */
export function loadBlas(path: string): BlasLibrary {
  return { path, ...openOneDnn(path)?.library ?? describe(openSymbols(path), path) };
}

/** Asks a library for its name, its version and the kernels that it took. */
function describe(symbols: Symbols, path: string): { name: string; core?: string } {
  const text = (pointer: Deno.PointerValue | undefined) =>
    pointer ? new Deno.UnsafePointerView(pointer).getCString() : undefined;
  const config = text(symbols.openBlasConfig?.());
  if (config !== undefined) {
    // Such as "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH NO_AFFINITY Haswell MAX_THREADS=64".
    const core = text(symbols.openBlasCore?.());
    return { name: config.split(" ").slice(0, 2).join(" "), core };
  }
  const blis = text(symbols.bli_info_get_version_str?.());
  if (blis !== undefined) {
    return {
      name: `BLIS ${blis}`,
      core: text(symbols.bli_arch_string?.(symbols.bli_arch_query_id!())),
    };
  }
  if (symbols.MKL_Get_Version) {
    // struct { int major, minor, update; char *status, *build, *processor, *platform; }
    const version = new DataView(new ArrayBuffer(48));
    symbols.MKL_Get_Version(version);
    const [major, minor, update] = [0, 4, 8].map((at) => version.getInt32(at, true));
    const processor = Deno.UnsafePointer.create(version.getBigUint64(32, true));
    return { name: `MKL ${major}.${minor}.${update}`, core: text(processor) };
  }
  const name = path.split(/[/\\]/).at(-1)!;
  return { name: name === "Accelerate" ? `Accelerate, macOS kernel ${Deno.osRelease()}` : name };
}

/**
 * Opens a BLAS for one thread. The library's own threads are switched off: ours divide the work.
 *
 * @param path The library's file.
 * @param precision `"bfloat16"`: with products in bfloat16.
 * @returns Its matrix multiplication.
 * @throws {TypeError} If there is no such library, or it has no products in bfloat16 and they are asked for.
 */
export function openBlas(path: string, precision: MatmulPrecision = "float32"): Blas {
  const oneDnn = openOneDnn(path);
  const blas = oneDnn?.blas ?? openCblas(path);
  if (precision === "float32") return blas;
  if (!oneDnn?.bfloat16) throw new TypeError(`Cannot multiply bfloat16 with "${path}"`);
  return { ...blas, bfloat16: oneDnn.bfloat16 };
}

function openCblas(path: string): Blas {
  const { sgemm, sgemv, scopy } = openSymbols(path);
  return {
    copy: scopy
      ? (source, target) =>
        scopy(
          source.length,
          source as Float32Array<ArrayBuffer>,
          1,
          target as Float32Array<ArrayBuffer>,
          1,
        )
      : undefined,
    gemm(transposeA, transposeB, m, n, k, a, strideA, b, strideB, beta, c, strideC) {
      if (m === 0 || n === 0) return;
      if (m <= VECTOR_ROWS && !transposeA) {
        for (let row = 0; row < m; row++) {
          sgemv(
            ROW_MAJOR,
            transposeB ? NO_TRANSPOSE : TRANSPOSE,
            transposeB ? n : k,
            transposeB ? k : n,
            1,
            b as Float32Array<ArrayBuffer>,
            strideB,
            a.subarray(row * strideA) as Float32Array<ArrayBuffer>,
            1,
            beta,
            c.subarray(row * strideC) as Float32Array<ArrayBuffer>,
            1,
          );
        }
        return;
      }
      sgemm(
        ROW_MAJOR,
        transposeA ? TRANSPOSE : NO_TRANSPOSE,
        transposeB ? TRANSPOSE : NO_TRANSPOSE,
        m,
        n,
        k,
        1,
        a as Float32Array<ArrayBuffer>,
        strideA,
        b as Float32Array<ArrayBuffer>,
        strideB,
        beta,
        c as Float32Array<ArrayBuffer>,
        strideC,
      );
    },
  };
}
