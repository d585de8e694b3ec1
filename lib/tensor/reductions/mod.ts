/**
 * Every reduction that is declared by its formulas. To add one, write its file and list it here; then run
 * `deno task build` and `tests/golden/operations.py`: the kernels, the method and the tests follow.
 *
 * @module
 */

export { max } from "./max.ts";
export { mean } from "./mean.ts";
export { min } from "./min.ts";
export { sum } from "./sum.ts";
