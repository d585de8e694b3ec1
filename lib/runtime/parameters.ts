// Parameters of notebooks, by papermill's convention: a cell tagged "parameters" declares them with
// their defaults, and a cell with other values is inserted after it.

import { similarName } from "../similar_name.ts";
import { parseCell } from "./cell_source.ts";
import { type Cell, type CodeCell, inFileOrder, type Notebook } from "./notebook.ts";

/** The tag of the cell that declares a notebook's parameters. */
export const PARAMETERS_TAG = "parameters";
/** The tag of the cell that gives them other values. */
export const INJECTED_TAG = "injected-parameters";

/** A parameter that a notebook declares. */
export interface DeclaredParameter {
  name: string;
  /**
   * The keyword of its declaration: the kernel allows redeclaring a name only with the same
   * keyword.
   */
  kind: "let" | "const" | "var";
  /** Its type, from its annotation or default; `"any"` if neither says. */
  type: "number" | "string" | "boolean" | "array" | "object" | "date" | "bigint" | "any";
}

/** Types whose values are given as text. */
const AS_TEXT = new Set<DeclaredParameter["type"]>(["string", "date", "bigint"]);

/**
 * The parameters that a notebook declares.
 *
 * @param notebook The notebook.
 * @returns The variables of its cell tagged `parameters`, in order; undefined if it has no such
 * cell.
 * @throws {SyntaxError} If that cell has a syntax error.
 */
export function declaredParameters(notebook: Notebook): DeclaredParameter[] | undefined {
  const cell = findTagged(notebook, PARAMETERS_TAG);
  if (cell === undefined) return undefined;
  const parameters: DeclaredParameter[] = [];
  for (const statement of parseCell(cell.source).program.body) {
    if (statement.type !== "VariableDeclaration") continue;
    for (const { id, init } of statement.declarations) {
      if (id.type === "Identifier") {
        parameters.push({
          name: id.name,
          kind: statement.kind,
          type: typeOfAnnotation(id.typeAnnotation?.typeAnnotation) ?? typeOfDefault(init) ?? "any",
        });
      }
    }
  }
  return parameters;
}

/**
 * Parses parameters from the command line, with the types that the notebook declares.
 *
 * A value is JSON if it parses as JSON, otherwise a string. A parameter declared as a string, a `Date`
 * or a bigint takes the text unchanged, or as JSON if it is in quotes.
 *
 * @param notebook The notebook that declares them.
 * @param pairs Strings of the form `name=value`.
 * @returns The values by name.
 * @throws {SyntaxError} If a string does not have the form `name=value`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseNotebook, readParameters } from "tunebook/runtime";
 *
 * const notebook = parseNotebook(`{
 *   "nbformat": 4, "nbformat_minor": 5, "metadata": {},
 *   "cells": [{
 *     "cell_type": "code", "id": "a", "metadata": { "tags": ["parameters"] },
 *     "execution_count": null, "outputs": [], "source": "let epochs = 1;"
 *   }]
 * }`);
 * assertEquals(readParameters(notebook, ["epochs=2"]), { epochs: 2 });
 * ```
 */
export function readParameters(notebook: Notebook, pairs: string[]): Record<string, unknown> {
  const declared = declaredParameters(notebook) ?? [];
  const values: Record<string, unknown> = {};
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    const name = pair.slice(0, at).trim();
    if (at < 0 || !isIdentifier(name)) {
      throw new SyntaxError(`Cannot read parameter "${pair}": expected name=value`);
    }
    const text = pair.slice(at + 1);
    const type = declared.find((one) => one.name === name)?.type ?? "any";
    let value: unknown = text;
    try {
      value = JSON.parse(text);
    } catch {
      // Text that is not JSON is a string.
    }
    values[name] = AS_TEXT.has(type) && typeof value !== "string" ? text : value;
  }
  return values;
}

/**
 * Inserts a cell with parameters into a notebook: after the cell tagged `parameters`, replacing one
 * inserted before, or first if the notebook has no such cell.
 *
 * @param notebook The notebook; not changed.
 * @param parameters The values by name: JSON values, NaN and infinities; dates and bigints as text.
 * @returns The notebook with the cell.
 * @throws {SyntaxError} If a name is not an identifier.
 * @throws {RangeError} If the notebook does not declare a parameter of that name; the message
 * suggests the nearest.
 * @throws {TypeError} If a value does not have the declared type, or cannot be written in a cell.
 */
export function injectParameters(
  notebook: Notebook,
  parameters: Record<string, unknown>,
): Notebook {
  // A saved manifest has its keys in a file's order: a run with its parameters must make the same cell.
  const values = inFileOrder(parameters);
  const names = Object.keys(values);
  if (names.length === 0) return notebook;
  for (const name of names) {
    if (isIdentifier(name)) continue;
    throw new SyntaxError(
      `Cannot set parameter ${JSON.stringify(name)}: expected the name of a variable`,
    );
  }
  const declared = declaredParameters(notebook);
  if (declared !== undefined) { for (const name of names) check(name, values[name], declared); }
  const lines = names.map((name) => {
    const { kind, type } = declared?.find((one) => one.name === name) ??
      { kind: "let", type: "any" as const };
    return `${kind} ${name} = ${literal(name, values[name], type)};`;
  });
  const cells = notebook.cells.filter((cell) => !isInjected(cell));
  const at = cells.findIndex((cell) => hasTag(cell, PARAMETERS_TAG)) + 1;
  const ids = new Set(cells.map((cell) => cell.id));
  let id = INJECTED_TAG;
  for (let count = 2; ids.has(id); count++) id = `${INJECTED_TAG}-${count}`;
  const injected: CodeCell = {
    cell_type: "code",
    id,
    metadata: { tags: [INJECTED_TAG] },
    source: `// Parameters of this run\n${lines.join("\n")}`,
    execution_count: null,
    outputs: [],
  };
  return { ...notebook, cells: cells.toSpliced(at, 0, injected) };
}

/** Whether a cell was put into the notebook by {@linkcode injectParameters}. */
export function isInjected(cell: Cell): boolean {
  return cell.cell_type === "code" && hasTag(cell, INJECTED_TAG);
}

function isIdentifier(name: string): boolean {
  if (!/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name)) return false;
  try {
    parseCell(`let ${name};`); // "class" is not one
    return true;
  } catch {
    return false;
  }
}

/** Whether a cell has a tag. */
export function hasTag(cell: { metadata: { tags?: string[] } }, tag: string): boolean {
  return cell.metadata.tags?.includes(tag) ?? false;
}

function findTagged(notebook: Notebook, tag: string): CodeCell | undefined {
  return notebook.cells.find((cell): cell is CodeCell =>
    cell.cell_type === "code" && hasTag(cell, tag)
  );
}

function check(name: string, value: unknown, declared: DeclaredParameter[]) {
  const parameter = declared.find((one) => one.name === name);
  if (parameter === undefined) {
    const known = declared.map((one) => one.name);
    const meant = similarName(name, known);
    const question = meant === undefined ? "it has " : `did you mean "${meant}"? It has `;
    throw new RangeError(
      known.length === 0
        ? `Cannot set parameter "${name}": the notebook's parameters cell declares none`
        : `Cannot set parameter "${name}": the notebook has no such parameter, ${question}${
          known.join(", ")
        }`,
    );
  }
  const { type } = parameter;
  if (type === "date" || type === "bigint") return checkText(name, value, type);
  const got = typeOfValue(value);
  if (parameter.type !== "any" && value !== null && got !== parameter.type) {
    throw new TypeError(
      `Cannot set parameter "${name}" to ${literal(name, value)}: ` +
        `expected ${article(parameter.type)}, got ${article(got)}`,
    );
  }
}

/** JSON has no dates and no bigints: both are given as text, and a bigint as a whole number too. */
function checkText(name: string, value: unknown, type: "date" | "bigint") {
  const fits = type === "date"
    ? typeof value === "string" && !Number.isNaN(new Date(value).getTime())
    : typeof value === "bigint" || Number.isSafeInteger(value) ||
      (typeof value === "string" && /^-?\d+n?$/.test(value));
  if (fits) return;
  const expected = type === "date" ? 'a date such as "2024-02-29"' : "a whole number";
  throw new TypeError(
    `Cannot set parameter "${name}" to ${literal(name, value)}: expected ${expected}`,
  );
}

const article = (type: string) => `${/^[ao]/.test(type) ? "an" : "a"} ${type}`;

function typeOfValue(value: unknown): string {
  return Array.isArray(value) ? "array" : typeof value;
}

function literal(
  name: string,
  value: unknown,
  type: DeclaredParameter["type"] = "any",
): string {
  if (type === "date") return `new Date(${JSON.stringify(value)})`;
  if (type === "bigint") return `${String(value).replace(/n$/, "")}n`;
  if (typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))) {
    return Object.is(value, -0) ? "-0" : String(value);
  }
  const text = JSON.stringify(value, null, 2);
  if (text === undefined) {
    throw new TypeError(`Cannot set parameter "${name}": a ${typeof value} is not a JSON value`);
  }
  // In a literal this key would set the object's prototype.
  if (text.includes('"__proto__"')) return `JSON.parse(${JSON.stringify(text)})`;
  return text;
}

// deno-lint-ignore no-explicit-any
function typeOfAnnotation(node: any): DeclaredParameter["type"] | undefined {
  switch (node?.type) {
    case "TSNumberKeyword":
      return "number";
    case "TSStringKeyword":
      return "string";
    case "TSBooleanKeyword":
      return "boolean";
    case "TSBigIntKeyword":
      return "bigint";
    case "TSTypeReference":
      return node.typeName?.name === "Date" ? "date" : "any";
    case "TSArrayType":
    case "TSTupleType":
      return "array";
    case undefined:
      return undefined;
    default:
      return "any";
  }
}

// deno-lint-ignore no-explicit-any
function typeOfDefault(node: any): DeclaredParameter["type"] | undefined {
  switch (node?.type) {
    case "NumericLiteral":
      return "number";
    case "UnaryExpression":
      return node.operator === "!" ? "boolean" : typeOfDefault(node.argument);
    case "BigIntLiteral":
      return "bigint";
    case "NewExpression":
      return node.callee?.name === "Date" ? "date" : undefined;
    case "CallExpression":
      return node.callee?.name === "BigInt" ? "bigint" : undefined;
    case "StringLiteral":
    case "TemplateLiteral":
      return "string";
    case "BooleanLiteral":
      return "boolean";
    case "ArrayExpression":
      return "array";
    case "ObjectExpression":
      return "object";
  }
}
