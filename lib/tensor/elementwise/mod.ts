/**
 * Every elementwise operation that is declared by its formulas. To add one, write its file and list it here; then
 * run `deno task build` and `tests/golden/operations.py`: the kernels, the method and the tests follow.
 *
 * @module
 */

export { abs } from "./abs.ts";
export { add } from "./add.ts";
export { div } from "./div.ts";
export { equal } from "./equal.ts";
export { exp } from "./exp.ts";
export { geluErf } from "./gelu_erf.ts";
export { greater } from "./greater.ts";
export { greaterEqual } from "./greater_equal.ts";
export { less } from "./less.ts";
export { lessEqual } from "./less_equal.ts";
export { log } from "./log.ts";
export { logSigmoid } from "./log_sigmoid.ts";
export { maximum } from "./maximum.ts";
export { minimum } from "./minimum.ts";
export { mul } from "./mul.ts";
export { neg } from "./neg.ts";
export { notEqual } from "./not_equal.ts";
export { pow } from "./pow.ts";
export { relu } from "./relu.ts";
export { sigmoid } from "./sigmoid.ts";
export { silu } from "./silu.ts";
export { sqrt } from "./sqrt.ts";
export { sub } from "./sub.ts";
export { tanh } from "./tanh.ts";
export { where } from "./where.ts";
