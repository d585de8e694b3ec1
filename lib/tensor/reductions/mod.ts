/**
 * Every reduction that is declared by its formulas. To add one, write its file, list it here, and declare its method in
 * `tensor.ts`; then run `deno task build` and `tests/golden/operations.py`.
 *
 * @module
 */

export { max } from "./max.ts";
export { mean } from "./mean.ts";
export { min } from "./min.ts";
export { sum } from "./sum.ts";
