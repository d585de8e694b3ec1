/**
 * Formulas as WGSL. A formula is an expression in the names of an operation's inputs that both
 * devices can compute: for the GPU it is almost WGSL, for the CPU `assembly.ts` translates it.
 *
 * Its language: numbers with a decimal point, `+ - * /`, the comparisons `== < <= > >=` (but not
 * `!=`, which GPUs evaluate to false for NaN), `&& || !`, and the functions `abs`, `erf`, `exp`,
 * `isNaN`, `log`, `max`, `min`, `pow`, `sigmoid`, `sqrt`, `tanh` and `select(otherwise, value, condition)`.
 *
 * @module
 */

import functions from "./functions.wgsl" with { type: "text" };

/** Functions that WGSL lacks, or that drivers compute too roughly: `functions.wgsl` has them. */
const OWN = /\b(erf|isNaN|pow|sigmoid|tanh)\(/g;

/** What a kernel that uses formulas begins with. */
export const FUNCTIONS: string = functions;

/**
 * Writes a formula as a WGSL function.
 *
 * @param name The function's name.
 * @param formula The formula.
 * @param inputs The names in it, which become the function's parameters.
 * @returns The function.
 */
export function wgslFunction(name: string, formula: string, inputs: readonly string[]): string {
  const parameters = inputs.map((input) => `${input}: f32`).join(", ");
  const body = formula.replaceAll(OWN, "formula_$1(");
  return `fn ${name}(${parameters}) -> f32 {\n  return ${body};\n}\n`;
}

/**
 * Tells which of some names a formula uses.
 *
 * @param formula The formula.
 * @param names The names.
 * @returns Those that it uses, in the order given.
 */
export function namesIn<N extends string>(formula: string, names: readonly N[]): N[] {
  const used = new Set(formula.match(/[A-Za-z]\w*/g));
  return names.filter((name) => used.has(name));
}
