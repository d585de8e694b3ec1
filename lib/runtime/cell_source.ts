// Parses a cell's TypeScript: finds syntax errors before anything runs, and rewrites what the
// kernel handles badly (stopping awaits, showing values, import.meta).

import MagicString from "magic-string";
import { keepValue } from "./cell_value.ts";
import { parseTypeScript } from "./parse_typescript.ts";
import { KERNEL_GLOBAL } from "./prelude.ts";

/** A cell ready to be sent. */
export interface RewrittenCell {
  /** The code, to be sent through {@linkcode padCode}. */
  code: string;
  /** Names that the cell declares at its top level. */
  names: string[];
  /** An upper bound for the number of lines on which the kernel prints `code`. */
  lines: number;
}

/** A syntax error in a cell. */
export class CellSyntaxError extends SyntaxError {
  override name = "SyntaxError";
  /** Line in the cell, from 1. */
  readonly line: number;
  /** Column in the line, from 1. */
  readonly column: number;

  /** @param message What is wrong. @param line From 1. @param column From 1. */
  constructor(message: string, line: number, column: number) {
    super(message);
    this.line = line;
    this.column = column;
  }
}

// deno-lint-ignore no-explicit-any
type Node = any;

/** A cell, parsed. */
export interface ParsedCell {
  /** Babel's program, in which an export is the statement or the import that it amounts to in a cell. */
  program: Node;
  /** Whether the cell is an object literal, which would be a block in a program. */
  expression: boolean;
  /** Text that makes exports of statements: it is replaced before the cell runs. */
  exports: { start: number; end: number; by: string }[];
  /** Comments in front of the first statement that say how JSX is compiled. */
  pragmas: string[];
}

/**
 * Parses a cell, as TypeScript or as TSX.
 *
 * @param source The cell's text.
 * @returns The program.
 * @throws {CellSyntaxError} If the cell has a syntax error.
 */
export function parseCell(source: string): ParsedCell {
  // As in the kernel and in browsers' consoles, { a: 1 } is an object.
  if (source.trimStart().startsWith("{") && !source.trimEnd().endsWith(";")) {
    try {
      const program = parseTypeScript(`(${source}\n)`).program as Node;
      if (program.body.length === 1 && program.body[0].expression?.type === "ObjectExpression") {
        return { program, expression: true, exports: [], pragmas: [] };
      }
    } catch {
      // It is a block.
    }
  }
  let file: Node;
  try {
    file = parseTypeScript(source);
  } catch (error) {
    const { message, loc } = error as { message: string; loc?: { line: number; column: number } };
    if (error instanceof RangeError) throw new CellSyntaxError("Cannot read so deep a nest", 1, 1);
    if (loc === undefined) throw error;
    throw new CellSyntaxError(
      message.replace(/\s*\(\d+:\d+\)$/, "").replace(/\.$/, ""),
      loc.line,
      loc.column + 1,
    );
  }
  const { program } = file;
  const exports: ParsedCell["exports"] = [];
  const body = program.body.map((statement: Node) => withoutExport(statement, source, exports));
  const first = program.body[0]?.start ?? 0;
  const pragmas = (file.comments as Node[])
    .filter(({ start, value }) => start <= first && /@jsx\w*\s/.test(value))
    .map(({ value }) => `/*${value.replace(/\*\/|`|\s+/g, " ")}*/`);
  return { program: { ...program, body }, expression: false, exports, pragmas };
}

/**
 * A cell's text without its exports, each replaced by as many characters: what they export is as
 * visible to other cells as any name.
 *
 * @param source The cell's text.
 * @param exports What {@linkcode parseCell} found.
 */
export function blankExports(source: string, exports: ParsedCell["exports"]): string {
  let text = source;
  for (const { start, end, by } of exports) {
    text = text.slice(0, start) + by.padStart(end - start) + text.slice(end);
  }
  return text;
}

/** The statement that an export amounts to, where all cells share their names. */
function withoutExport(node: Node, source: string, exports: ParsedCell["exports"]): Node {
  const blank = (end: number, by = "") => void exports.push({ start: node.start, end, by });
  switch (node.type) {
    case "ExportNamedDeclaration":
      if (node.declaration) {
        blank(node.declaration.start);
        return node.declaration;
      }
      if (node.source) {
        return { ...node, type: "ImportDeclaration", importKind: node.exportKind, specifiers: [] };
      }
      exports.push({
        start: node.start,
        end: node.end,
        by: source.slice(node.start, node.end).replace(/[^\n]/g, " "),
      });
      return { ...node, type: "EmptyStatement" };
    case "ExportAllDeclaration":
      return { ...node, type: "ImportDeclaration", importKind: node.exportKind, specifiers: [] };
    case "ExportDefaultDeclaration": {
      const { declaration } = node;
      const named = /Declaration$/.test(declaration.type);
      if (named && declaration.id) {
        blank(declaration.start);
        return declaration;
      }
      // What has no name is a value.
      blank(declaration.start, named ? "0," : "");
      const { start, end, loc } = declaration;
      const type = declaration.type.replace("Declaration", "Expression");
      return { type: "ExpressionStatement", expression: { ...declaration, type }, start, end, loc };
    }
    case "TSExportAssignment":
    case "TSNamespaceExportDeclaration": {
      const { line, column } = node.loc.start;
      const message = "Cannot export from a cell in this way: all cells share names";
      throw new CellSyntaxError(message, line, column + 1);
    }
  }
  return node;
}

/**
 * Rewrites a cell for the kernel.
 *
 * - `await x` and `for await (… of x)` outside functions race against the stop.
 * - `import` declarations become awaited dynamic imports, which race against the stop too.
 * - The last statement's value is passed to the prelude, which also shows null, NaN, -0 and bigints.
 * - Exports become what they export.
 * - `throw x` remembers x, because the kernel reports only the text of values that are not Errors.
 * - `import.meta` becomes an object with the notebook's url, filename and dirname.
 *
 * @param source The cell's text.
 * @param cell The prelude's number for this run of the cell.
 * @param label The cell's name in stack traces that it prints.
 * @throws {CellSyntaxError} If the cell has a syntax error.
 */
export function rewriteCell(source: string, cell: number, label = `cell ${cell}`): RewrittenCell {
  try {
    return rewrite(source, cell, label);
  } catch (error) {
    if (error instanceof RangeError) throw new CellSyntaxError("Cannot read so deep a nest", 1, 1);
    throw error;
  }
}

function rewrite(source: string, cell: number, label: string): RewrittenCell {
  const { program, expression, exports, pragmas } = parseCell(source);
  const text = expression ? `(${source}\n)` : source;
  const edits = new MagicString(text);
  const names: string[] = [];

  const used = new Set<string>();
  addValueNames(program, used);
  for (const statement of program.body) {
    if (statement.type === "ImportDeclaration") rewriteImport(statement, edits, text, used);
    collectNames(statement, names);
  }
  for (const { start, end, by } of exports) edits.update(start, end, by || " ");
  visit(program, true, edits);
  const ending = showLast(program, edits);

  // Printers break lines after statements, and in lists after commas and brackets.
  const lines = 50 + 2 * (text.match(/[\n,;{}[\]()?:]/g)?.length ?? 0);
  return {
    // The kernel looks for pragmas in front of the first statement, on a line that they must not add.
    code: pragmas.join("") +
      `${KERNEL_GLOBAL}.begin(${cell}, \`\`, ${JSON.stringify(label)});\n` +
      `${edits.toString()}\n;${ending}void 0;`,
    names,
    lines,
  };
}

/**
 * Puts blank lines before a rewritten cell, so that a line number in a stack trace belongs to one
 * cell only. They are inside a template literal, because the kernel reprints code and drops other
 * blank lines.
 */
export function padCode(code: string, blankLines: number): string {
  return code.replace("``", `\`${"\n".repeat(blankLines)}\``);
}

function rewriteImport(node: Node, edits: MagicString, text: string, used: Set<string>) {
  if (node.importKind === "type") {
    edits.overwrite(node.start, node.end, ";");
    return;
  }
  const specifiers = node.specifiers.filter((one: Node) => one.importKind !== "type");
  const attributes = (node.attributes ?? []).map((one: Node) =>
    `${text.slice(one.key.start, one.key.end)}: ${text.slice(one.value.start, one.value.end)}`
  );
  const options = attributes.length > 0 ? `, { with: { ${attributes.join(", ")} } }` : "";
  const from = text.slice(node.source.start, node.source.end);
  const call = `await ${KERNEL_GLOBAL}.race(${KERNEL_GLOBAL}.found(import(${from}${options}), ` +
    `${from}), ${node.loc.start.line})`;
  const named = specifiers.flatMap((one: Node) => {
    if (one.type === "ImportNamespaceSpecifier") return [];
    const imported = one.type === "ImportDefaultSpecifier"
      ? "default"
      : text.slice(one.imported.start, one.imported.end);
    return [imported === one.local.name ? imported : `${imported}: ${one.local.name}`];
  });
  const namespace = specifiers.find((one: Node) => one.type === "ImportNamespaceSpecifier");
  const parts: string[] = [];
  if (namespace !== undefined) parts.push(`const ${namespace.local.name} = ${call};`);
  if (named.length > 0) {
    const names = specifiers.filter(({ type }: Node) => type !== "ImportNamespaceSpecifier")
      .map((one: Node) => ({
        name: one.type === "ImportDefaultSpecifier"
          ? "default"
          : one.imported.name ?? one.imported.value,
        local: one.local.name,
      }));
    const values = names.filter(({ local }: { local: string }) => used.has(local));
    const lists = [names, values].map((list) => JSON.stringify(list.map(({ name }: Node) => name)));
    const module = namespace?.local.name ?? call;
    parts.push(
      `const { ${named.join(", ")} } = ${KERNEL_GLOBAL}.exportsOf(${module}, ${from}, ` +
        `${lists.join(", ")});`,
    );
  }
  edits.overwrite(node.start, node.end, parts.length > 0 ? parts.join(" ") : `${call};`);
}

/** Adds the names that code uses as values, and not as types only. */
function addValueNames(node: Node, into: Set<string>) {
  if (
    node.type === "ImportDeclaration" || /^TS(?!AsExp|Satis|NonNull|TypeAssertion)/.test(node.type)
  ) {
    return;
  }
  if (/^(?:JSX)?Identifier$/.test(node.type)) into.add(node.name);
  for (const [key, child] of Object.entries(node)) {
    if (/^(?:loc|extra|.*[cC]omments)$/.test(key)) continue;
    for (const one of Array.isArray(child) ? child : [child]) {
      if (typeof one?.type === "string" && typeof one.start === "number") addValueNames(one, into);
    }
  }
}

function collectNames(statement: Node, names: string[]) {
  switch (statement.type) {
    case "ImportDeclaration":
      for (const one of statement.specifiers) names.push(one.local.name);
      break;
    case "VariableDeclaration":
      if (statement.declare) break;
      for (const one of statement.declarations) collectPattern(one.id, names);
      break;
    case "FunctionDeclaration":
    case "ClassDeclaration":
    case "TSEnumDeclaration":
      if (statement.id !== null && !statement.declare) names.push(statement.id.name);
      break;
  }
}

function collectPattern(pattern: Node, names: string[]) {
  switch (pattern?.type) {
    case "Identifier":
      names.push(pattern.name);
      break;
    case "ObjectPattern":
      for (const property of pattern.properties) {
        collectPattern(property.type === "RestElement" ? property.argument : property.value, names);
      }
      break;
    case "ArrayPattern":
      for (const element of pattern.elements) collectPattern(element, names);
      break;
    case "AssignmentPattern":
      collectPattern(pattern.left, names);
      break;
    case "RestElement":
      collectPattern(pattern.argument, names);
      break;
  }
}

/** @param top Whether the node is outside all functions: only there can an await hang the cell. */
function visit(node: Node, top: boolean, edits: MagicString) {
  const wrap = (inner: Node, name: string, argument = "") => {
    edits.appendLeft(inner.start, `${KERNEL_GLOBAL}.${name}((`);
    edits.prependRight(inner.end, `)${argument})`);
  };
  switch (node.type) {
    case "ImportDeclaration":
      return;
    case "AwaitExpression":
      if (top) wrap(node.argument, "race", `, ${node.loc.start.line}`);
      break;
    case "ForOfStatement":
      if (top && node.await) wrap(node.right, "iterate", `, ${node.loc.start.line}`);
      break;
    case "ThrowStatement":
      if (node.argument.type !== "NewExpression") wrap(node.argument, "thrown");
      break;
    case "MetaProperty":
      if (node.meta.name === "import") {
        edits.overwrite(node.start, node.end, `${KERNEL_GLOBAL}.meta`);
      }
      return;
  }
  const inside = top && !/Function|Method|^StaticBlock$|^ClassBody$/.test(node.type);
  for (const [key, child] of Object.entries(node)) {
    // Types are not code, and comments belong to nodes that are visited anyway.
    if (/^(loc|extra|.*[cC]omments|typeAnnotation|typeParameters|returnType)$/.test(key)) continue;
    for (const one of Array.isArray(child) ? child : [child]) {
      if (typeof one?.type === "string" && typeof one.start === "number") visit(one, inside, edits);
    }
  }
}

/**
 * Passes the cell's value to the prelude.
 *
 * @returns Code for the cell's end.
 */
function showLast(program: Node, edits: MagicString): string {
  const body = program.body.filter((statement: Node) => statement.type !== "EmptyStatement");
  const last = body.at(-1) ?? program.directives.at(-1);
  if (last?.type === "Directive") wrapResult(last.value, edits);
  else if (last?.type === "ExpressionStatement") wrapResult(last.expression, edits);
  // After a declaration nothing is shown, though the kernel would show what is in front of it: the
  // result of a call that a cell makes on its way is rarely meant to be seen.
  else if (last !== undefined && keepValue([last], edits, `${KERNEL_GLOBAL}.value`)) {
    return `await ${KERNEL_GLOBAL}.result(${KERNEL_GLOBAL}.value);`;
  }
  return "";
}

function wrapResult(node: Node, edits: MagicString) {
  edits.prependLeft(node.start, `await ${KERNEL_GLOBAL}.result((`);
  edits.appendRight(node.end, "))");
}
