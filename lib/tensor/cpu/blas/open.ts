/**
 * Opens a library: oneDNN by its own interface, any other by CBLAS.
 *
 * @module
 */

import type { Blas, BlasLibrary, MatmulPrecision } from "./blas.ts";
import { describeCblas, openCblas } from "./cblas.ts";
import { openOneDnn } from "./onednn.ts";

/**
 * Loads a library. It stays open: threads of a closed OpenBLAS crash the process.
 *
 * @param path A path or a name that the system's loader finds.
 * @returns Its description.
 * @throws {TypeError} If there is no such library, or it has neither `cblas_sgemm` nor `dnnl_sgemm`.
 */
export function loadBlas(path: string): BlasLibrary {
  return { path, ...openOneDnn(path)?.library ?? describeCblas(path) };
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
