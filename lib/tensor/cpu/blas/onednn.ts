/**
 * oneDNN through FFI: matrix products in float32, which are often faster than a BLAS has them, and in bfloat16 where the
 * processor multiplies it. It has no CBLAS interface; versions 2 and 3 differ in how memory is described.
 *
 * @module
 */

import type { Bfloat16Products, Blas, BlasLibrary, Gemm } from "./blas.ts";

/** 64 bits, for which Deno takes numbers too, unlike its types. */
const INTEGER = "i64" as "i32" | "i64";

const PRODUCT = [
  ...["i8", "i8", INTEGER, INTEGER, INTEGER, "f32"] as const,
  ...["buffer", INTEGER, "buffer", INTEGER, "f32", "buffer", INTEGER] as const,
] as const;

const SYMBOLS = {
  dnnl_version: { parameters: [], result: "pointer" },
  dnnl_get_effective_cpu_isa: { parameters: [], result: "i32" },
  dnnl_sgemm: { parameters: PRODUCT, result: "i32" },
  dnnl_gemm_bf16bf16f32: { parameters: PRODUCT, result: "i32", optional: true },
  // What narrows float32 to bfloat16: a primitive with two memories.
  dnnl_engine_create: { parameters: ["buffer", "i32", "usize"], result: "i32" },
  dnnl_stream_create: { parameters: ["buffer", "pointer", "u32"], result: "i32" },
  dnnl_memory_desc_init_by_strides: { // version 2
    parameters: ["buffer", "i32", "buffer", "i32", "buffer"],
    result: "i32",
    optional: true,
  },
  dnnl_memory_desc_create_with_strides: { // version 3
    parameters: ["buffer", "i32", "buffer", "i32", "buffer"],
    result: "i32",
    optional: true,
  },
  dnnl_memory_create: { parameters: ["buffer", "pointer", "pointer", "pointer"], result: "i32" },
  dnnl_memory_set_data_handle: { parameters: ["pointer", "buffer"], result: "i32" },
  dnnl_reorder_primitive_desc_create: {
    parameters: ["buffer", "pointer", "pointer", "pointer", "pointer", "pointer"],
    result: "i32",
  },
  dnnl_primitive_create: { parameters: ["buffer", "pointer"], result: "i32" },
  dnnl_primitive_execute: { parameters: ["pointer", "pointer", "i32", "buffer"], result: "i32" },
  // Of the libraries that it is linked with.
  omp_set_num_threads: { parameters: ["i32"], result: "void", optional: true },
  memcpy: { parameters: ["buffer", "buffer", INTEGER], result: "pointer", optional: true },
} as const;

type Symbols = Deno.StaticForeignLibraryInterface<typeof SYMBOLS>;
type Product = Symbols["dnnl_sgemm"];

/** Names for people, by the values of `dnnl_cpu_isa_t`. */
const ISA_NAMES: Readonly<Record<number, string>> = {
  0x01: "SSE4.1",
  0x03: "AVX",
  0x07: "AVX2",
  0x0f: "AVX2 VNNI",
  0x27: "AVX-512",
  0x67: "AVX-512 VNNI",
  0xe7: "AVX-512 bfloat16",
};

/** The bit of `dnnl_cpu_isa_t` of processors that multiply bfloat16. */
const BFLOAT16_BIT = 0x80;

/** Values of `dnnl_version_t.cpu_runtime`. */
const RUNTIMES = { sequential: 1, openMp: 2 };

/** Numbers of `dnnl_types.h`. */
const CPU_ENGINE = 1;
const IN_ORDER = 1;
const FLOAT32 = 3;
const BFLOAT16 = 2;
const ARGUMENT_FROM = 1n;
const ARGUMENT_TO = 17n;

/** More than a memory description of version 2 takes. */
const DESCRIPTION_BYTES = 4096;

/** Shapes whose primitives are kept: layers times the lengths of batches. */
const MOST_NARROWINGS = 1024;

const [NO_TRANSPOSE, TRANSPOSE] = ["N", "T"].map((letter) => letter.charCodeAt(0));

/** An opened oneDNN. */
export interface OneDnn {
  readonly library: Omit<BlasLibrary, "path">;
  readonly blas: Blas;
  /** Products in bfloat16, where the processor multiplies it. */
  readonly bfloat16?: Bfloat16Products;
}

/**
 * Opens a oneDNN for one thread.
 *
 * @param path The library's file, or a name that the system's loader finds.
 * @returns Its description and its products; undefined for another library, and where its own threads cannot be switched off.
 */
export function openOneDnn(path: string): OneDnn | undefined {
  let symbols: Symbols;
  try {
    symbols = Deno.dlopen(path, SYMBOLS).symbols;
  } catch {
    return undefined;
  }
  // struct { int major, minor, patch; const char *hash; unsigned cpu_runtime, gpu_runtime; }
  const version = new Deno.UnsafePointerView(symbols.dnnl_version()!);
  const [major, minor, patch] = [0, 4, 8].map((at) => version.getInt32(at));
  const runtime = version.getUint32(24);
  if (runtime === RUNTIMES.openMp && symbols.omp_set_num_threads) symbols.omp_set_num_threads(1);
  else if (runtime !== RUNTIMES.sequential) return undefined;
  const isa = symbols.dnnl_get_effective_cpu_isa();
  const bfloat16 = (isa & BFLOAT16_BIT) === 0 ? undefined : bfloat16Products(symbols);
  return {
    library: {
      name: `oneDNN ${major}.${minor}.${patch}`,
      core: ISA_NAMES[isa] ?? `ISA 0x${isa.toString(16)}`,
      ...bfloat16 && { multipliesBfloat16: true },
    },
    blas: {
      gemm: productOf(symbols.dnnl_sgemm),
      isFastForFewRows: true,
      copy: copyBy(symbols),
    },
    bfloat16,
  };
}

function copyBy({ memcpy }: Symbols): Blas["copy"] {
  if (!memcpy) return undefined;
  return (source, target) => {
    memcpy(view(target), view(source), source.byteLength);
  };
}

/** Deno's types know no shared memory. */
function view(array: Float32Array | Uint16Array): BufferSource {
  return array as Float32Array<ArrayBuffer>;
}

function productOf<M extends Float32Array | Uint16Array>(product: Product): Gemm<M> {
  return (transposeA, transposeB, m, n, k, a, strideA, b, strideB, beta, c, strideC) => {
    if (m === 0 || n === 0) return;
    const status = product(
      transposeA ? TRANSPOSE : NO_TRANSPOSE,
      transposeB ? TRANSPOSE : NO_TRANSPOSE,
      m,
      n,
      k,
      1,
      view(a),
      strideA,
      view(b),
      strideB,
      beta,
      view(c),
      strideC,
    );
    assertSuccess(status, "multiply");
  };
}

function assertSuccess(status: number, what: string): void {
  if (status !== 0) throw new Error(`Cannot ${what} with oneDNN: it answers with status ${status}`);
}

function bfloat16Products(symbols: Symbols): Bfloat16Products | undefined {
  const { dnnl_gemm_bf16bf16f32: product } = symbols;
  if (!product) return undefined;
  let narrowing: Narrowing | undefined;
  return {
    gemm: productOf(product),
    narrow(...matrix) {
      narrowing ??= new Narrowing(symbols);
      narrowing.narrow(...matrix);
    },
  };
}

/** Rounds matrices to bfloat16, with a primitive for each shape. */
class Narrowing {
  readonly #symbols: Symbols;
  readonly #engine: Deno.PointerValue;
  readonly #stream: Deno.PointerValue;
  /** Where version 2 describes the memories of a primitive, which it copies; pointers to them keep nothing alive. */
  readonly #descriptions = {
    from: new Uint8Array(DESCRIPTION_BYTES),
    to: new Uint8Array(DESCRIPTION_BYTES),
  };
  readonly #byShape = new Map<string, (source: Float32Array, target: Uint16Array) => void>();

  constructor(symbols: Symbols) {
    this.#symbols = symbols;
    this.#engine = made((to) => symbols.dnnl_engine_create(to, CPU_ENGINE, 0n));
    this.#stream = made((to) => symbols.dnnl_stream_create(to, this.#engine, IN_ORDER));
  }

  narrow(
    source: Float32Array,
    stride: number,
    rows: number,
    columns: number,
    target: Uint16Array,
  ): void {
    const key = `${rows} ${columns} ${stride}`;
    let run = this.#byShape.get(key);
    if (!run) {
      // What the library keeps of shapes that are forgotten is small, and there is no end of shapes only in theory.
      if (this.#byShape.size >= MOST_NARROWINGS) this.#byShape.clear();
      this.#byShape.set(key, run = this.#prepare(stride, rows, columns));
    }
    run(source, target);
  }

  #prepare(
    stride: number,
    rows: number,
    columns: number,
  ): (source: Float32Array, target: Uint16Array) => void {
    const symbols = this.#symbols;
    const from = this.#describe("from", FLOAT32, rows, columns, stride);
    const to = this.#describe("to", BFLOAT16, rows, columns, columns);
    const engine = this.#engine;
    const description = made((at) =>
      symbols.dnnl_reorder_primitive_desc_create(at, from, engine, to, engine, null)
    );
    const primitive = made((at) => symbols.dnnl_primitive_create(at, description));
    const [source, target] = [from, to].map((one) =>
      made((at) => symbols.dnnl_memory_create(at, one, engine, null))
    );
    const given = new BigUint64Array([
      ...[ARGUMENT_FROM, Deno.UnsafePointer.value(source)],
      ...[ARGUMENT_TO, Deno.UnsafePointer.value(target)],
    ]);
    return (floats, halves) => {
      symbols.dnnl_memory_set_data_handle(source, view(floats));
      symbols.dnnl_memory_set_data_handle(target, view(halves));
      const status = symbols.dnnl_primitive_execute(primitive, this.#stream, 2, given);
      assertSuccess(status, "round to bfloat16");
    };
  }

  #describe(
    which: "from" | "to",
    type: number,
    rows: number,
    columns: number,
    stride: number,
  ): Deno.PointerValue {
    const { dnnl_memory_desc_create_with_strides: create, dnnl_memory_desc_init_by_strides: init } =
      this.#symbols;
    const shape = BigInt64Array.of(BigInt(rows), BigInt(columns));
    const strides = BigInt64Array.of(BigInt(stride), 1n);
    if (create) return made((at) => create(at, 2, shape, type, strides));
    const description = this.#descriptions[which];
    assertSuccess(init!(description, 2, shape, type, strides), "describe memory");
    return Deno.UnsafePointer.of(description);
  }
}

/** What a function of oneDNN writes a pointer to. */
function made(make: (to: BigUint64Array<ArrayBuffer>) => number): Deno.PointerValue {
  const place = new BigUint64Array(1);
  assertSuccess(make(place), "prepare to round to bfloat16");
  return Deno.UnsafePointer.create(place[0]);
}
