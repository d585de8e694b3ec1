/**
 * The types that a test cell asserts: calls of `assertType` with type arguments.
 *
 * @module
 */

import { parseCell } from "../../runtime/cell_source.ts";

/** The name of the function, which does nothing when it runs. */
export const ASSERT_TYPE = "assertType";

/** The types that a test asserts. */
export interface TypeAssertions {
  /** For each assertion two types that must be identical: what is expected, and what there is. */
  readonly pairs: readonly (readonly [expected: string, got: string])[];
  /** Types that the cell declares at its top level. */
  readonly declarations: string;
}

/**
 * Reads the type assertions of a cell: `assertType<Expected, typeof answer>()`, or, as in `@std/testing/types`,
 * `assertType<IsExact<Expected, typeof answer>>(true)`.
 *
 * @param source The cell's text.
 * @returns The assertions; undefined if there are none, or the cell has a syntax error.
 */
export function readTypeAssertions(source: string): TypeAssertions | undefined {
  if (!source.includes(ASSERT_TYPE)) return undefined;
  let program;
  try {
    ({ program } = parseCell(source));
  } catch {
    return undefined; // The test fails when it runs.
  }
  const textOf = ({ start, end }: Node) => source.slice(start, end);
  const pairs: [string, string][] = [];
  visit(program, (node) => {
    if (node.type !== "CallExpression" || node.callee.name !== ASSERT_TYPE) return;
    const types = ((node.typeArguments ?? node.typeParameters)?.params ?? []).map(textOf);
    if (types.length === 2) pairs.push([types[0]!, types[1]!]);
    else if (types.length === 1) {
      pairs.push([textOf(node.arguments[0] ?? TRUE) || "true", types[0]!]);
    }
  });
  if (pairs.length === 0) return undefined;
  const declarations = program.body
    .filter(({ type }: Node) => /^TS(?:TypeAlias|Interface)Declaration$/.test(type))
    .map(textOf).join("\n");
  return { pairs, declarations };
}

// deno-lint-ignore no-explicit-any
type Node = any;

const TRUE = { start: 0, end: 0 };

/**
 * Visits all nodes of a syntax tree.
 *
 * @param node The root. @param on Called with each node and the key under which its parent has it.
 */
export function visit(node: Node, on: (node: Node, key: string) => void, own = ""): void {
  if (typeof node?.type === "string") on(node, own);
  for (const [key, child] of Object.entries(node ?? {})) {
    if (key === "loc" || key === "extra" || key.endsWith("Comments")) continue;
    for (const one of Array.isArray(child) ? child : [child]) {
      if (typeof one === "object" && one !== null) visit(one, on, key);
    }
  }
}
