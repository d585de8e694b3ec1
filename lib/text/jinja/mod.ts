/**
 * Jinja as chat templates use it, rendered as Python's jinja2 renders it in transformers. `@huggingface/jinja` reads the
 * syntax; this room closes the gaps between its results and jinja2's.
 *
 * @module
 */

import { parse } from "@huggingface/jinja";
import { evaluate, type Node } from "./evaluate.ts";
import { tokensOf } from "./source.ts";
import { fromJavaScript, type Value } from "./values.ts";

export { BudgetError } from "./evaluate.ts";
export { type Arguments, TemplateError, text } from "./values.ts";

/** A template that was read. */
export interface CompiledTemplate {
  /**
   * Renders it.
   *
   * @param variables What it may use: JSON-like data, and functions of {@linkcode Arguments}.
   * @returns The text.
   * @throws {TemplateError} Where jinja2 or Python would throw.
   * @throws {BudgetError} Where it takes too many steps or writes too much.
   */
  render(variables: Readonly<Record<string, unknown>>): string;
}

/**
 * Reads a template, with `trim_blocks` and `lstrip_blocks` as transformers has them.
 *
 * @param source Its text.
 * @returns What renders it.
 * @throws {SyntaxError} If the template cannot be parsed.
 */
export function compileTemplate(source: string): CompiledTemplate {
  const program = parsed(source);
  return {
    render(variables) {
      const globals = new Map<string, Value>([
        ...Object.entries({
          true: true,
          false: false,
          none: null,
          True: true,
          False: false,
          None: null,
        }),
        ...Object.entries(variables).map(([name, value]): [string, Value] => [
          name,
          fromJavaScript(value),
        ]),
      ]);
      return evaluate(program, globals);
    },
  };
}

function parsed(source: string): Node {
  const tokens = tokensOf(source);
  try {
    // The parser's tokens are plain records; their class is not exported.
    return parse(tokens as Parameters<typeof parse>[0]) as unknown as Node;
  } catch (cause) {
    // where the tokens end too early the parser reads one that is not there
    const message = cause instanceof TypeError ? "it ends too early" : (cause as Error).message;
    throw new SyntaxError(message, { cause });
  }
}
