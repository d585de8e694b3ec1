// Which names a cell declares, changes and uses: the dependencies between cells.

import { parseCell } from "./cell_source.ts";

/** A name that a cell declares at its top level. */
export interface DeclaredName {
  name: string;
  /** Whether later cells may assign to it. */
  variable: boolean;
}

/** The names of a cell that other cells see, or that come from other cells. */
export interface CellNames {
  declared: DeclaredName[];
  /** Names from elsewhere that the cell assigns to when it runs. */
  assigned: string[];
  /** Names from elsewhere that it reads, in its functions and types too; globals are among them. */
  used: string[];
}

// deno-lint-ignore no-explicit-any
type Node = any;

/** A set of names, and the sets around it. */
type Scope = { names: Set<string>; outer?: Scope };

/**
 * Reads a cell's names.
 *
 * @param source The cell's text.
 * @throws {CellSyntaxError} If the cell has a syntax error.
 */
export function cellNames(source: string): CellNames {
  const { program } = parseCell(source);
  const declared: DeclaredName[] = [];
  for (const statement of program.body) declare(statement, declared);
  const reader = new NameReader();
  const top = { names: new Set(declared.map(({ name }) => name)) };
  for (const statement of program.body) reader.visit(statement, top, false);
  return { declared, assigned: [...reader.assigned], used: [...reader.used] };
}

/** Adds the names that a statement declares in its block. */
function declare(statement: Node, into: DeclaredName[]) {
  const add = (id: Node, variable = false) => {
    if (id?.type === "Identifier") into.push({ name: id.name, variable });
  };
  switch (statement?.type) {
    case "ImportDeclaration":
      for (const one of statement.specifiers) add(one.local);
      break;
    case "VariableDeclaration":
      for (const { id } of statement.declarations) {
        for (const name of patternNames(id)) {
          into.push({ name, variable: /^(let|var)$/.test(statement.kind) });
        }
      }
      break;
    case "FunctionDeclaration":
    case "TSDeclareFunction":
    case "ClassDeclaration":
    case "TSEnumDeclaration":
    case "TSInterfaceDeclaration":
    case "TSTypeAliasDeclaration":
    case "TSModuleDeclaration":
    case "TSImportEqualsDeclaration":
      add(statement.id);
      break;
  }
}

/** The names that a pattern binds. */
export function patternNames(pattern: Node): string[] {
  switch (pattern?.type) {
    case "Identifier":
      return [pattern.name];
    case "ObjectPattern":
      return pattern.properties.flatMap((one: Node) =>
        patternNames(one.type === "RestElement" ? one.argument : one.value)
      );
    case "ArrayPattern":
      return pattern.elements.flatMap(patternNames);
    case "AssignmentPattern":
      return patternNames(pattern.left);
    case "RestElement":
      return patternNames(pattern.argument);
    case "TSParameterProperty":
      return patternNames(pattern.parameter);
  }
  return [];
}

/** Keys under which an identifier is a plain word and not a name in scope. */
const WORDS: Record<string, readonly string[]> = {
  MemberExpression: ["property"],
  OptionalMemberExpression: ["property"],
  ObjectProperty: ["key"],
  ObjectMethod: ["key"],
  ClassMethod: ["key"],
  ClassProperty: ["key"],
  ClassAccessorProperty: ["key"],
  TSAbstractMethodDefinition: ["key"],
  TSDeclareMethod: ["key"],
  TSPropertySignature: ["key"],
  TSMethodSignature: ["key"],
  TSEnumMember: ["id"],
  TSQualifiedName: ["right"],
  TSTypePredicate: ["parameterName"],
  TSNamedTupleMember: ["label"],
  TSTypeParameter: ["name"],
  TSImportType: ["qualifier"],
  LabeledStatement: ["label"],
  BreakStatement: ["label"],
  ContinueStatement: ["label"],
  MetaProperty: ["meta", "property"],
  JSXAttribute: ["name"],
  JSXMemberExpression: ["property"],
};

class NameReader {
  readonly assigned = new Set<string>();
  readonly used = new Set<string>();

  /** @param later Whether the node is in a function, which runs when it is called. */
  visit(node: Node, outer: Scope, later: boolean) {
    if (typeof node?.type !== "string" || node.type === "ImportDeclaration") return;
    if (node.type === "Identifier") {
      if (!isKnown(node.name, outer)) this.used.add(node.name);
      // A parameter or variable may have a type annotation.
      this.visit(node.typeAnnotation, outer, later);
      return;
    }
    if (node.type === "JSXIdentifier") {
      // <Chart/> uses a name, <div/> does not.
      if (/^[A-Z_$]/.test(node.name) && !isKnown(node.name, outer)) this.used.add(node.name);
      return;
    }
    const scope = innerScope(node, outer);
    const inFunction = later || /Function|Method$/.test(node.type);
    this.#assign(node, scope, inFunction);
    const words = node.computed ? [] : WORDS[node.type] ?? [];
    for (const [key, child] of Object.entries(node)) {
      if (key === "loc" || key === "extra" || key.endsWith("Comments")) continue;
      if (words.includes(key) && /^(?:JSX)?Identifier$/.test((child as Node)?.type)) continue;
      for (const one of Array.isArray(child) ? child : [child]) this.visit(one, scope, inFunction);
    }
  }

  #assign(node: Node, scope: Scope, later: boolean) {
    const target = node.type === "AssignmentExpression"
      ? node.left
      : node.type === "UpdateExpression"
      ? node.argument
      : /^For(Of|In)Statement$/.test(node.type)
      ? node.left
      : undefined;
    if (target === undefined || later) return;
    for (const name of patternNames(target)) if (!isKnown(name, scope)) this.assigned.add(name);
  }
}

/** The names that a node declares for its inside. */
function innerScope(node: Node, outer: Scope): Scope {
  const names: string[] = [];
  const declared: DeclaredName[] = [];
  // Type parameters and the parameters of function types are included.
  for (const one of node.typeParameters?.params ?? []) {
    if (one.type === "TSTypeParameter") names.push(one.name?.name ?? one.name);
  }
  for (const one of node.params ?? node.parameters ?? []) names.push(...patternNames(one));
  if (/Expression$/.test(node.type) && node.id?.type === "Identifier") names.push(node.id.name);
  switch (node.type) {
    case "BlockStatement":
    case "StaticBlock":
    case "TSModuleBlock":
      for (const one of node.body) {
        declare(one.type.startsWith("Export") ? one.declaration : one, declared);
      }
      break;
    case "SwitchStatement":
      for (const { consequent } of node.cases) {
        for (const one of consequent) declare(one, declared);
      }
      break;
    case "ForStatement":
      declare(node.init, declared);
      break;
    case "ForOfStatement":
    case "ForInStatement":
      declare(node.left, declared);
      break;
    case "CatchClause":
      names.push(...patternNames(node.param));
      break;
    case "TSMappedType":
      names.push(node.key?.name ?? node.key ?? node.typeParameter?.name);
      break;
    case "TSInferType":
    case "TSConditionalType":
      names.push(...inferred(node));
      break;
  }
  names.push(...declared.map(({ name }) => name));
  return names.length === 0 ? outer : { names: new Set(names), outer };
}

/** The names that `infer` declares in a conditional type. */
function inferred(node: Node): string[] {
  if (node === null || typeof node !== "object") return [];
  if (node.type === "TSInferType") {
    const name = node.typeParameter.name;
    return [typeof name === "string" ? name : name.name];
  }
  return Object.entries(node).flatMap(([key, child]) =>
    key === "loc" ? [] : Array.isArray(child) ? child.flatMap(inferred) : inferred(child)
  );
}

function isKnown(name: string, scope: Scope): boolean {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.outer) {
    if (at.names.has(name)) return true;
  }
  return false;
}
