/**
 * A BLAS through FFI: its description, and its matrix products. Which one is used: `find_blas.ts`.
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
}

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
}

const SGEMM = {
  parameters: [
    "i32",
    "i32",
    "i32",
    "i32",
    "i32",
    "i32",
    "f32",
    "buffer",
    "i32",
    "buffer",
    "i32",
    "f32",
    "buffer",
    "i32",
  ],
  result: "void",
} as const;

const SGEMV = {
  parameters: [
    "i32",
    "i32",
    "i32",
    "i32",
    "f32",
    "buffer",
    "i32",
    "buffer",
    "i32",
    "f32",
    "buffer",
    "i32",
  ],
  result: "void",
} as const;

/** How libraries describe themselves, each in its own way. */
const DESCRIPTION = {
  openblas_get_config: { parameters: [], result: "pointer", optional: true },
  openblas_get_corename: { parameters: [], result: "pointer", optional: true },
  bli_info_get_version_str: { parameters: [], result: "pointer", optional: true },
  bli_arch_query_id: { parameters: [], result: "i32", optional: true },
  bli_arch_string: { parameters: ["i32"], result: "pointer", optional: true },
  MKL_Get_Version: { parameters: ["buffer"], result: "void", optional: true },
} as const;

type DescriptionSymbols = Deno.StaticForeignLibraryInterface<typeof DESCRIPTION>;

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
 * @throws {TypeError} If there is no such library, or it has no `cblas_sgemm`.
 */
export function loadBlas(path: string): BlasLibrary {
  const { symbols } = Deno.dlopen(path, { cblas_sgemm: SGEMM, cblas_sgemv: SGEMV, ...DESCRIPTION });
  return { path, ...describe(symbols, path) };
}

/** Asks a library for its name, its version and the kernels that it took. */
function describe(symbols: DescriptionSymbols, path: string): { name: string; core?: string } {
  const text = (pointer: Deno.PointerValue | undefined) =>
    pointer ? new Deno.UnsafePointerView(pointer).getCString() : undefined;
  const config = text(symbols.openblas_get_config?.());
  if (config !== undefined) {
    // Such as "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH NO_AFFINITY Haswell MAX_THREADS=64".
    const core = text(symbols.openblas_get_corename?.());
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
 * @returns Its matrix multiplication.
 */
export function openBlas(path: string): Blas {
  const { symbols } = Deno.dlopen(path, {
    cblas_sgemm: SGEMM,
    cblas_sgemv: SGEMV,
    openblas_set_num_threads: { parameters: ["i32"], result: "void", optional: true },
    MKL_Set_Num_Threads: { parameters: ["i32"], result: "void", optional: true },
    bli_thread_set_num_threads: { parameters: ["i64"], result: "void", optional: true },
  });
  symbols.openblas_set_num_threads?.(1);
  symbols.MKL_Set_Num_Threads?.(1);
  symbols.bli_thread_set_num_threads?.(1n);
  return {
    gemm(transposeA, transposeB, m, n, k, a, strideA, b, strideB, beta, c, strideC) {
      if (m === 0 || n === 0) return;
      if (m <= VECTOR_ROWS && !transposeA) {
        for (let row = 0; row < m; row++) {
          symbols.cblas_sgemv(
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
      symbols.cblas_sgemm(
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
