/**
 * Formulas as AssemblyScript on vectors of four, for `deno task build`. `wgsl.ts` tells what a formula is.
 *
 * @module
 */

import { parseExpression } from "@babel/parser";

/** What `simd.as.ts` and AssemblyScript call what formulas do. */
const BINARY: Record<string, string> = {
  "+": "f32x4.add",
  "-": "f32x4.sub",
  "*": "f32x4.mul",
  "/": "f32x4.div",
  "==": "f32x4.eq",
  "<": "f32x4.lt",
  "<=": "f32x4.le",
  ">": "f32x4.gt",
  ">=": "f32x4.ge",
  "&&": "v128.and",
  "||": "v128.or",
};
const UNARY: Record<string, string> = { "-": "f32x4.neg", "!": "v128.not" };
const FUNCTIONS: Record<string, string> = {
  abs: "f32x4.abs",
  erf: "exact.erf",
  exp: "exact.exp",
  isNaN: "exact.isNaN",
  log: "exact.log",
  max: "f32x4.max",
  min: "f32x4.min",
  pow: "exact.pow",
  sigmoid: "exact.sigmoid",
  sqrt: "f32x4.sqrt",
  tanh: "exact.tanh",
};

/** The parts of an expression's tree that formulas have. */
interface Node {
  readonly type: string;
  readonly extra?: { readonly raw: string };
  readonly value: number;
  readonly name: string;
  readonly operator: string;
  readonly left: Node;
  readonly right: Node;
  readonly argument: Node;
  readonly callee: Node;
  readonly arguments: readonly Node[];
}

/** Numbers that stand in formulas, in a table in memory: V8 loads a vector faster than it makes one. */
export class Constants {
  readonly #numbers: string[] = [];

  /** The expression of a number. */
  use(number: string): string {
    let index = this.#numbers.indexOf(number);
    if (index < 0) index = this.#numbers.push(number) - 1;
    return `constant(NUMBERS, ${index})`;
  }

  /** The table. */
  get declaration(): string {
    return `const NUMBERS: usize = memory.data<f32>([${this.#numbers.join(", ")}]);`;
  }
}

/**
 * Translates a formula.
 *
 * @param formula The formula.
 * @param values AssemblyScript for each name in it.
 * @param constants Where its numbers go.
 * @returns An expression of type v128.
 * @throws {SyntaxError} If it is not a formula.
 */
export function assemblyOf(
  formula: string,
  values: Readonly<Record<string, string>>,
  constants: Constants,
): string {
  const fail = (what: string): never => {
    throw new SyntaxError(`Cannot compile the formula "${formula}": ${what}`);
  };
  const known = (table: Readonly<Record<string, string>>, name: string) =>
    Object.hasOwn(table, name) ? table[name] : fail(`it has the unknown "${name}"`);
  const write = (node: Node): string => {
    switch (node.type) {
      case "NumericLiteral":
        // WGSL takes a number without a point for an integer.
        if (!/[.e]/.test(node.extra!.raw)) fail(`write ${node.extra!.raw} with a decimal point`);
        return constants.use(node.extra!.raw);
      case "Identifier":
        return known(values, node.name);
      case "UnaryExpression":
        return `${known(UNARY, node.operator)}(${write(node.argument)})`;
      case "BinaryExpression":
      case "LogicalExpression":
        return `${known(BINARY, node.operator)}(${write(node.left)}, ${write(node.right)})`;
      case "CallExpression": {
        const parts = node.arguments.map(write);
        if (node.callee.name === "select") {
          return `v128.bitselect(${parts[1]}, ${parts[0]}, ${parts[2]})`;
        }
        return `${known(FUNCTIONS, node.callee.name)}(${parts.join(", ")})`;
      }
      default:
        return fail(`it has a ${node.type}`);
    }
  };
  return write(parseExpression(formula) as unknown as Node);
}
