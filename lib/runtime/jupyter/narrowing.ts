// Which variables a cell's statements narrow for the cells after it, as they do within one file:
// `if (!(model instanceof Gpt2)) throw …`, `assert(found)`, `answer = await ask()`.

import { patternNames } from "../cell_names.ts";
import { parseCell } from "../cell_source.ts";

// deno-lint-ignore no-explicit-any
type Node = any;

/** What a cell does to variables at its top level. */
export interface Narrowing {
  /** Variables that it declares; functions, classes and imports are not among them. */
  variables: Set<string>;
  /** Names whose types may be narrower after the cell than their declarations say. */
  narrowed: Set<string>;
}

/** Reads what a cell narrows. */
export function narrowingOf(source: string): Narrowing {
  const variables = new Set<string>(), narrowed = new Set<string>();
  let body: Node[];
  try {
    body = parseCell(source).program.body;
  } catch {
    return { variables, narrowed };
  }
  for (const statement of body) {
    switch (statement.type) {
      case "VariableDeclaration":
        for (const { id, init } of statement.declarations) {
          for (const name of patternNames(id)) variables.add(name);
          // A variable of a wider type is narrowed by its first value.
          if (statement.kind !== "const" && id.typeAnnotation && init) narrowed.add(id.name);
        }
        break;
      case "IfStatement":
        if (throws(statement.consequent) || throws(statement.alternate)) {
          addNames(statement.test, narrowed);
        } else addAssigned(statement, narrowed);
        break;
      case "ExpressionStatement": {
        const { expression } = statement;
        const call = expression.type === "AwaitExpression" ? expression.argument : expression;
        const callee = call.callee?.property ?? call.callee;
        if (
          call.type === "CallExpression" && /^(?:assert|ok$|invariant$)/.test(callee?.name ?? "")
        ) {
          addNames(call.arguments, narrowed);
        } else addAssigned(expression, narrowed);
        break;
      }
      default:
        addAssigned(statement, narrowed);
    }
  }
  return { variables, narrowed };
}

/** Whether a statement always throws at its end. */
function throws(statement: Node): boolean {
  if (statement?.type === "BlockStatement") return throws(statement.body.at(-1));
  return statement?.type === "ThrowStatement";
}

/** Adds the names in an expression. */
function addNames(node: Node, into: Set<string>) {
  if (Array.isArray(node)) node.forEach((one) => addNames(one, into));
  else if (node?.type === "Identifier") into.add(node.name);
  else if (typeof node?.type === "string") {
    for (const [key, child] of Object.entries(node)) {
      if (key !== "loc" && typeof child === "object") addNames(child, into);
    }
  }
}

/** Adds the names that code assigns to when it runs; functions run later. */
function addAssigned(node: Node, into: Set<string>) {
  if (Array.isArray(node)) return node.forEach((one) => addAssigned(one, into));
  if (typeof node?.type !== "string" || /Function|Method$|^Class/.test(node.type)) return;
  if (node.type === "AssignmentExpression" && node.left.type === "Identifier") {
    into.add(node.left.name);
  }
  for (const [key, child] of Object.entries(node)) {
    if (key !== "loc" && typeof child === "object") addAssigned(child, into);
  }
}
