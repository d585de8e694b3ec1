// The value of a cell that does not end with an expression: JavaScript gives one to blocks, loops,
// `if`, `try` and `switch` too, and the kernel shows it.
// https://tc39.es/ecma262/#sec-statement-semantics (the completion value of each statement)

import type MagicString from "magic-string";

// deno-lint-ignore no-explicit-any
type Node = any;

/**
 * Rewrites statements so that they keep their completion value.
 *
 * @param statements The statements.
 * @param edits Takes the changes.
 * @param variable What the value is assigned to; it must be undefined before.
 * @returns Whether the statements may have a value.
 */
export function keepValue(
  statements: readonly Node[],
  edits: MagicString,
  variable: string,
): boolean {
  return new ValueKeeper(edits, variable).list(statements);
}

class ValueKeeper {
  readonly #edits: MagicString;
  readonly #variable: string;

  constructor(edits: MagicString, variable: string) {
    this.#edits = edits;
    this.#variable = variable;
  }

  /** The value of a list is that of its last statement that has one: declarations have none. */
  list(statements: readonly Node[]): boolean {
    return statements.findLast((statement) => this.#statement(statement)) !== undefined;
  }

  /** @returns Whether the statement has a value, undefined included. */
  #statement(node: Node): boolean {
    switch (node.type) {
      case "ExpressionStatement":
        this.#surround(node.expression, `${this.#variable} = (`, ")");
        return true;
      case "BlockStatement":
        return this.list(node.body);
      case "LabeledStatement":
        return this.#statement(node.body);
      case "IfStatement":
        this.#clearBefore(node.test);
        this.#statement(node.consequent);
        if (node.alternate) this.#statement(node.alternate);
        return true;
      case "ForInStatement":
      case "ForOfStatement":
        this.#clearBefore(node.right);
        this.#statement(node.body);
        return true;
      case "ForStatement":
      case "WhileStatement":
      case "DoWhileStatement":
        this.#statement(node.body);
        return true;
      case "SwitchStatement":
        this.#clearBefore(node.discriminant);
        for (const one of node.cases) this.list(one.consequent);
        return true;
      case "TryStatement":
        for (const block of [node.block, node.handler?.body]) {
          if (!block) continue;
          this.#edits.appendRight(block.start + 1, `${this.#variable} = undefined;`);
          this.list(block.body);
        }
        return true;
    }
    return false;
  }

  /** Forgets the value of an earlier round of a loop around the statement. */
  #clearBefore(expression: Node) {
    this.#surround(expression, `(${this.#variable} = undefined, (`, "))");
  }

  #surround(node: Node, before: string, after: string) {
    this.#edits.prependLeft(node.start, before);
    this.#edits.appendRight(node.end, after);
  }
}
