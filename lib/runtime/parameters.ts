// Parameters of notebooks, by papermill's convention: a cell tagged "parameters" declares them with
// their defaults, and a cell with other values is inserted after it.

import { closestString } from "@std/text";
import { parseCell } from "./cell_source.ts";
import type { CodeCell, Notebook } from "./notebook.ts";

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
  type: "number" | "string" | "boolean" | "array" | "object" | "any";
}

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
 * A value is JSON if it parses as JSON, otherwise a string. A parameter declared as a string takes
 * the text unchanged, or as JSON if it is in quotes.
 *
 * @param notebook The notebook that declares them.
 * @param pairs Strings of the form `name=value`.
 * @returns The values by name.
 * @throws {SyntaxError} If a string does not have the form `name=value`.
 */
export function readParameters(notebook: Notebook, pairs: string[]): Record<string, unknown> {
  const declared = declaredParameters(notebook) ?? [];
  const values: Record<string, unknown> = {};
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    const name = pair.slice(0, at).trim();
    if (at < 0 || !/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name)) {
      throw new SyntaxError(`Cannot read parameter "${pair}": expected name=value`);
    }
    const text = pair.slice(at + 1);
    const type = declared.find((one) => one.name === name)?.type;
    let value: unknown = text;
    try {
      value = JSON.parse(text);
    } catch {
      // Text that is not JSON is a string.
    }
    values[name] = type === "string" && typeof value !== "string" ? text : value;
  }
  return values;
}

/**
 * Inserts a cell with parameters into a notebook: after the cell tagged `parameters`, replacing one
 * inserted before, or first if the notebook has no such cell.
 *
 * @param notebook The notebook; not changed.
 * @param values The values by name: JSON values, NaN and infinities.
 * @returns The notebook with the cell.
 * @throws {RangeError} If the notebook does not declare a parameter of that name; the message
 * suggests the nearest.
 * @throws {TypeError} If a value does not have the declared type, or cannot be written in a cell.
 */
export function injectParameters(
  notebook: Notebook,
  values: Record<string, unknown>,
): Notebook {
  const names = Object.keys(values);
  if (names.length === 0) return notebook;
  const declared = declaredParameters(notebook);
  if (declared !== undefined) { for (const name of names) check(name, values[name], declared); }
  const lines = names.map((name) => {
    const kind = declared?.find((one) => one.name === name)?.kind ?? "let";
    return `${kind} ${name} = ${literal(name, values[name])};`;
  });
  const cells = notebook.cells.filter((cell) => !hasTag(cell, INJECTED_TAG));
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
    const nearest = known.length > 0 ? closestString(name, known) : undefined;
    throw new RangeError(
      nearest === undefined
        ? `Cannot set parameter "${name}": the notebook's parameters cell declares none`
        : `Cannot set parameter "${name}": the notebook has no such parameter, ` +
          `did you mean "${nearest}"? It has ${known.join(", ")}`,
    );
  }
  const got = typeOfValue(value);
  if (parameter.type !== "any" && value !== null && got !== parameter.type) {
    throw new TypeError(
      `Cannot set parameter "${name}" to ${literal(name, value)}: ` +
        `expected ${article(parameter.type)}, got ${article(got)}`,
    );
  }
}

const article = (type: string) => `${/^[ao]/.test(type) ? "an" : "a"} ${type}`;

function typeOfValue(value: unknown): string {
  return Array.isArray(value) ? "array" : typeof value;
}

function literal(name: string, value: unknown): string {
  if (typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))) {
    return Object.is(value, -0) ? "-0" : String(value);
  }
  const text = JSON.stringify(value, null, 2);
  if (text === undefined) {
    throw new TypeError(`Cannot set parameter "${name}": a ${typeof value} is no JSON value`);
  }
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
