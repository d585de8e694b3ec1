/**
 * What a cell says to the compiler instead of convincing it: `any`, assertions, declarations without code, changes of
 * types that are not its own.
 *
 * @module
 */

import { visit } from "./assertions.ts";

// deno-lint-ignore no-explicit-any
type Node = any;

/** What the compiler would take on trust. */
export interface Escape {
  /** The line in the cell, from 1. */
  readonly line: number;
  /** What stands there, such as `"any"`. */
  readonly what: string;
}

/** Modules that are files beside the notebook, packages, or Node's own. */
const KNOWN_MODULE = /^(?:\.\/(?!.*\.\.)|(?:npm|jsr|node):|@?[\w-]+(?:\/|$))/;

/**
 * Finds what the compiler would take on trust.
 *
 * @param program The cell, as Babel parses it.
 * @returns What was found, in the order of lines.
 */
export function findEscapes(program: Node): Escape[] {
  const found: Escape[] = [];
  const add = (node: Node, what: string) => found.push({ line: node.loc?.start.line ?? 1, what });
  visit(program, (node, key) => {
    if (node.declare) add(node, "declare");
    if (node.definite) add(node, "!:");
    switch (node.type) {
      case "Identifier":
        // What they give is any. As names of members they are words.
        if (/^(?:eval|Function)$/.test(node.name) && key !== "property" && key !== "key") {
          add(node, node.name);
        }
        return;
      case "TSAnyKeyword":
        return add(node, "any");
      case "TSAsExpression":
        if (node.typeAnnotation.typeName?.name !== "const") add(node, "as");
        return;
      case "TSTypeAssertion":
        return add(node, "<type>value");
      case "TSNonNullExpression":
        return add(node, "!");
      case "TSModuleDeclaration":
        return add(node, node.kind === "global" || node.global ? "declare global" : "namespace");
      case "ImportDeclaration":
      case "ExportNamedDeclaration":
      case "ExportAllDeclaration":
      case "ImportExpression":
      case "TSImportType":
      case "TSExternalModuleReference": {
        const from = node.source ?? node.argument ?? node.expression;
        const specifier: unknown = from?.value ?? from?.literal?.value;
        if (node.type === "ImportExpression" && typeof specifier !== "string") {
          add(node, "import() of what is computed");
        } else if (typeof specifier === "string" && !isKnown(specifier)) {
          add(node, `import "${cut(specifier)}"`);
        }
      }
    }
  });
  for (const body of bodiesOf(program)) found.push(...mergedIn(body));
  return found.sort((a, b) => a.line - b.line);
}

function isKnown(specifier: string): boolean {
  return KNOWN_MODULE.test(specifier);
}

const cut = (text: string) => text.length > 40 ? `${text.slice(0, 40)}…` : text;

/** Lists of statements that share a scope. */
function bodiesOf(program: Node): Node[][] {
  const bodies: Node[][] = [];
  visit(program, ({ body }) => {
    if (Array.isArray(body)) bodies.push(body);
  });
  return bodies;
}

/** Names that an interface adds to what another declaration has said. */
function mergedIn(body: readonly Node[]): Escape[] {
  const found: Escape[] = [];
  const kinds = new Map<string, Set<string>>();
  for (const statement of body) {
    const node = statement?.declaration ?? statement;
    const name = node?.id?.name;
    if (!/^(?:TSInterface|Class|TSEnum)Declaration$/.test(node?.type)) continue;
    const before = kinds.get(name);
    if (before === undefined) kinds.set(name, new Set([node.type]));
    else if (before.add(node.type).has("TSInterfaceDeclaration")) {
      found.push({ line: node.loc?.start.line ?? 1, what: `a second declaration of "${name}"` });
    }
  }
  return found;
}
