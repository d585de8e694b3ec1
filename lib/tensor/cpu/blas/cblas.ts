/**
 * Libraries with the CBLAS interface through FFI: OpenBLAS, MKL, BLIS, Accelerate.
 *
 * @module
 */

import type { Blas, BlasLibrary } from "./blas.ts";

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
 * Asks a library for its name, its version and the kernels that it took.
 *
 * @param path The library's file, or a name that the system's loader finds.
 * @returns Its description.
 * @throws {TypeError} If there is no such library, or it has no `cblas_sgemm`.
 */
export function describeCblas(path: string): Omit<BlasLibrary, "path"> {
  const symbols = openSymbols(path);
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
 * Opens a library for one thread.
 *
 * @param path The library's file, or a name that the system's loader finds.
 * @returns Its matrix multiplication.
 * @throws {TypeError} If there is no such library, or it has no `cblas_sgemm`.
 */
export function openCblas(path: string): Blas {
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
