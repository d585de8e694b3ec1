// Variables of the environment that decide which kernels a BLAS takes and how it divides its work,
// and so the last bits of what it computes. A leaf: it imports nothing.

const LIBRARIES = /^(OPENBLAS|MKL|BLIS|ONEDNN|DNNL|OMP)_/;

/**
 * Reads the variables that decide what a BLAS computes: those of OpenBLAS, MKL, BLIS, oneDNN and OpenMP.
 *
 * @returns The ones that are set, by name, sorted.
 */
export function blasVariables(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(Deno.env.toObject())
      .filter(([name]) => LIBRARIES.test(name))
      .sort(([a], [b]) => a < b ? -1 : 1),
  );
}
